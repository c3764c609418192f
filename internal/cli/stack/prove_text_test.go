package stack

import (
	"strings"
	"testing"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/prove"
)

// TestBlameOnce: a statement by which several identities fail is shown once.
func TestBlameOnce(t *testing.T) {
	doc := &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{{Effect: iam.Allow, Actions: []string{"iam:*"}, Resources: []string{"*"}}}}
	v := prove.Verdict{Rail: "no identity can ever do iam:CreateUser"}
	for _, who := range []string{"release", "travis"} {
		v.Violations = append(v.Violations, prove.Violation{Identity: who, Principal: "arn:aws:iam::222222222222:role/r", Action: "iam:CreateUser", Resource: "*", Policy: "p", Blame: doc})
	}
	streams, out, _ := ui.Test("")
	verdictText(streams.Result(), v)
	if n := strings.Count(out.String(), `"iam:*"`); n != 1 {
		t.Errorf("the statement is shown %d times:\n%s", n, out)
	}
	for _, who := range []string{"release as", "travis as"} {
		if !strings.Contains(out.String(), who) {
			t.Errorf("%q is not named:\n%s", who, out)
		}
	}
}
