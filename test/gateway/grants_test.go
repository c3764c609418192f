package gateway

import (
	"testing"

	"github.com/postern-dev/postern/internal/catalog"
)

// elsewhere are the grants without a scenario, and why.
var elsewhere = map[string]string{
	"packer-ami":     "Packer is in no package registry, and its calls follow the ids that EC2 makes up; moto keeps no images that can be waited for",
	"postern-apply":  "its condition keys are those of what stands, such as tags and boundaries, which no request says; internal/cli brings stacks up under it in the sandbox, which knows them, and takes each action away",
	"sam-deploy":     "the SAM CLI makes the calls of aws cloudformation deploy, whose scenario is here, and asks for a transform by the text of a template",
	"terraform-plan": "it needs Terraform's AWS provider, which no package registry has; the catalogue's own tests hold it against a list of calls that show secrets",
}

// TestEveryGrant: each grant has a scenario, or a reason for having none.
func TestEveryGrant(t *testing.T) {
	played := map[string]bool{}
	for _, sc := range scenarios() {
		played[sc.grant] = true
	}
	for _, e := range enforcements() {
		played[e.grant] = true
	}
	for _, g := range catalog.All() {
		if _, excused := elsewhere[g.Name]; excused == played[g.Name] {
			t.Errorf("%s: in a scenario %t, excused %t", g.Name, played[g.Name], excused)
		}
	}
	for name := range elsewhere {
		if _, ok := catalog.Lookup(name); !ok {
			t.Errorf("%s is excused, but no grant", name)
		}
	}
}
