package stack

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/prove"
)

// TestAttacksText shows one who gets in before those who do not.
func TestAttacksText(t *testing.T) {
	streams, out, _ := ui.Test("")
	attacksText(streams.Result(), &prove.Attacks{Targets: []prove.Attacked{
		{Identity: "release", Describe: "GitHub acme/shop", Role: "deploy", Standing: true, Open: []string{"whoever renames it"}, Attempts: []prove.Attempt{
			{Attack: "another branch", Why: "whoever may push"}, {Attack: "a fork", Why: "anyone", Admitted: true},
		}},
		{Identity: "checks", Describe: "GitHub acme/site", Role: "preview", ARN: "arn:aws:iam::222222222222:role/r"},
	}})
	want := `
release → deploy  GitHub acme/shop
  ! the identity itself is refused
  ADMITTED  a fork          anyone
  refused   another branch  whoever may push
  ! left open: whoever renames it

checks → preview  GitHub acme/site
  ! not tried: arn:aws:iam::222222222222:role/r does not stand

! 1 trust was not tried: the role does not stand
✗ 1 attacker was ADMITTED
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
