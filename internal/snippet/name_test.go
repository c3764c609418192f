package snippet

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/spec"
)

// TestNames: what stands in one file or account of a CI system has names of its
// own, and a further identity leaves the names that were there.
func TestNames(t *testing.T) {
	const head = `stack: shop
region: eu-west-1
accounts: { prod: { id: "222222222222" } }
identities:
  release: { gitlab: { project_path: acme/shop, ref: main } }
  nightly: { gitlab: { project_path: acme/shop, ref: nightly } }
  tagged: { gitlab: { project_path: acme/shop, ref: "v*", ref_type: tag } }
  push: { github: { repository: acme/shop, branch: main } }
  pod: { kubernetes: { issuer: https://k8s.example.com, namespace: shop, service_account: api } }
  host: { aws_role: "arn:aws:iam::333333333333:role/host" }
  team: { aws_account: { id: "444444444444", external_id: shop-1 } }
roles:
`
	const grants = ", grants: [consul-auto-discovery] }\n"
	for _, tc := range []struct {
		name, roles string
		want        []string
	}{
		{"one each", "  deploy: { trust: [release, push]" + grants, []string{"gitlab release shop-deploy:", "github push deploy:"}},
		{
			"several of one system", "  deploy: { trust: [release, push, nightly, tagged]" + grants,
			[]string{"gitlab release shop-deploy:", "github push deploy:", "gitlab nightly shop-deploy-nightly:", "gitlab tagged shop-deploy-tagged:"},
		},
		{
			"two that have no name", "  deploy: { trust: [release, { gitlab: { project_path: acme/shop, ref: a } }, { gitlab: { project_path: acme/shop, ref: b } }]" + grants,
			[]string{"gitlab release shop-deploy:", "gitlab gitlab shop-deploy-gitlab:", "gitlab gitlab shop-deploy-gitlab-2:"},
		},
		{
			"a role is called so", "  deploy: { trust: [release, nightly]" + grants + "  deploy-nightly: { trust: [release]" + grants,
			[]string{"gitlab release shop-deploy:", "gitlab nightly shop-deploy-nightly-2:", "gitlab release shop-deploy-nightly:"},
		},
		{
			"a name that Kubernetes would not take", "  deploy_pods: { trust: [pod]" + grants,
			[]string{"kubernetes pod name: deploy-pods"},
		},
		{
			"two systems of one file", "  deploy: { trust: [host, team]" + grants,
			[]string{"aws_role host [profile shop-deploy]", "aws_account team [profile shop-deploy-team]"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, err := spec.Parse(spec.Source{Name: "postern.yaml", Data: []byte(head + tc.roles)})
			if err != nil {
				t.Fatal(err)
			}
			all, err := All(s)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, one := range all {
				got = append(got, one.System+" "+one.Identity+" "+nameIn(one.Text))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// nameIn is the line of a text that names what it is about.
func nameIn(text string) string {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[profile ") || strings.HasPrefix(line, "name: deploy-pods") || strings.HasSuffix(line, ":") && strings.Contains(line, "deploy") {
			return line
		}
	}
	return ""
}
