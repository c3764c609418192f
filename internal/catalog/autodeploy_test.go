package catalog_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/catalog"
)

// TestReleasesAreAccepted holds that no level makes versions of launch templates
// unless the spec says that it knows what that is.
func TestReleasesAreAccepted(t *testing.T) {
	g, _ := catalog.Lookup("auto-deploy-ec2")
	known := catalog.Args{"service": {"shop"}, "groups": {"shop"}}
	for _, l := range g.Levels {
		statements, err := g.Statements(catalog.CaseScope(), l.Name, known)
		if err == nil {
			for _, s := range statements {
				if slices.Contains(s.Actions, "ec2:CreateLaunchTemplateVersion") {
					t.Errorf("level %s makes versions, unasked", l.Name)
				}
			}
			continue
		}
		want := []*catalog.ArgError{{
			Param: "accepts", Msg: `is required at level "` + l.Name + `"`,
			Hint: "write accepts: any-instance-profile; AWS asks for no iam:PassRole when a group launches a version of a launch template, so whoever makes versions holds the roles of all instance profiles",
		}}
		if diff := cmp.Diff(want, g.Check(l.Name, known)); diff != "" {
			t.Errorf("level %s: %s", l.Name, diff)
		}
	}
}
