package prove

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/estate"
	"github.com/postern-dev/postern/internal/spec"
)

const attacked = `stack: shop
region: eu-west-1
accounts: { prod: { id: "222222222222" } }
identities:
  release: { github: { repository: acme/shop, environment: production } }
  terraform: { hcp_terraform: { organization: acme, project: Shop, workspace: shop, run_phase: apply } }
  vendor: { aws_role: "arn:aws:iam::333333333333:role/vendor" }
roles:
  deploy: { trust: [release, { identity: terraform, until: 2027-01-01 }], grants: [consul-auto-discovery] }
  audit: { trust: [vendor, { service: ec2 }], external_id: ours, grants: [consul-auto-discovery] }
`

func attack(t *testing.T, at time.Time, edit func(prod *estate.Account)) *Attacks {
	t.Helper()
	s, err := spec.Parse(spec.Source{Name: "postern.yaml", Data: []byte(attacked)})
	if err != nil {
		t.Fatal(err)
	}
	e := compileSpec(t, s)
	if edit != nil {
		edit(e.Account("222222222222"))
	}
	return RunAttacks(Input{Spec: s, Estate: e, Now: at})
}

// admitted lists who got in: "identity → role: attack".
func admitted(a *Attacks) []string {
	var names []string
	for _, t := range a.Targets {
		for _, one := range t.Attempts {
			if one.Admitted {
				names = append(names, t.Identity+" → "+t.Role+": "+one.Attack)
			}
		}
	}
	return names
}

func TestAttackersAreRefused(t *testing.T) {
	a := attack(t, now, nil)
	if got := admitted(a); len(got) > 0 || !a.Refused() {
		t.Errorf("admitted: %v", got)
	}
	var targets []string
	for _, target := range a.Targets {
		targets = append(targets, target.Identity+" → "+target.Role)
		if !target.Standing || !target.Enters || len(target.Attempts) < 2 {
			t.Errorf("%+v", target)
		}
	}
	if diff := cmp.Diff([]string{"vendor → audit", "service → audit", "release → deploy", "terraform → deploy"}, targets); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
	open := []string{
		"whoever registers acme/shop again after it was deleted or renamed: add repository_id and owner_id, without which newer repositories do not get in at all",
		"a pull request whose code a workflow of the default branch runs, under pull_request_target, workflow_run or issue_comment",
	}
	if diff := cmp.Diff(open, a.Targets[2].Open); diff != "" {
		t.Errorf("left open by an identity without ids (-want +got):\n%s", diff)
	}
}

// TestAttackersEnterWhatSomebodyWidened changes the trust that stands.
func TestAttackersEnterWhatSomebodyWidened(t *testing.T) {
	a := attack(t, now, func(prod *estate.Account) {
		i := slices.IndexFunc(prod.Roles, func(r estate.Role) bool { return r.Name == "shop-deploy" })
		for j, st := range prod.Roles[i].Trust.Statements {
			prod.Roles[i].Trust.Statements[j].Conditions = slices.DeleteFunc(slices.Clone(st.Conditions), func(c iam.Condition) bool {
				return c.Key == "app.terraform.io:aud"
			})
		}
	})
	if diff := cmp.Diff([]string{"terraform → deploy: a wrong audience"}, admitted(a)); diff != "" || a.Refused() {
		t.Errorf("admitted (-want +got):\n%s", diff)
	}
}

func TestAttackersOfWhatHasEndedOrIsNotThere(t *testing.T) {
	a := attack(t, time.Date(2027, 1, 2, 0, 0, 0, 0, time.UTC), func(prod *estate.Account) {
		prod.Roles = slices.DeleteFunc(prod.Roles, func(r estate.Role) bool { return r.Name == "shop-audit" })
	})
	for _, target := range a.Targets {
		wantStanding, wantEnters := target.Role == "deploy", target.Identity == "release"
		if target.Standing != wantStanding || target.Enters != wantEnters || (len(target.Attempts) > 0) != wantStanding {
			t.Errorf("%s → %s: standing %v, enters %v, %d attempts", target.Identity, target.Role, target.Standing, target.Enters, len(target.Attempts))
		}
	}
}
