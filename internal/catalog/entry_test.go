package catalog_test

import (
	"testing"

	"github.com/postern-dev/postern/internal/catalog"
)

// TestEntry holds that an entry reads as YAML to the values that it is for.
func TestEntry(t *testing.T) {
	for _, tt := range []struct {
		name, grant, level string
		args               catalog.Args
		want               string
	}{
		{"nothing to say", "consul-auto-discovery", "", nil, "consul-auto-discovery"},
		{"default level", "ecr-docker-push", "repository", catalog.Args{"repositories": {"shop", "team/web"}}, "ecr-docker-push: { repositories: [shop, team/web] }"},
		{"wider level", "ecr-docker-push", "registry", catalog.Args{"pull": {"true"}}, "ecr-docker-push: { pull: true, level: registry }"},
		{
			"what YAML would take for something else", "terraform-remote-state-s3", "key",
			catalog.Args{"bucket": {"123"}, "key": {"a: b, c.tfstate"}, "workspaces": {"no", "1"}, "workspace_prefix": {"env:"}},
			`terraform-remote-state-s3: { bucket: "123", key: "a: b, c.tfstate", workspaces: ["no", "1"], workspace_prefix: "env:", level: key }`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g, _ := catalog.Lookup(tt.grant)
			if got := g.Entry(tt.level, tt.args); got != tt.want {
				t.Errorf("Entry is %s\nwant %s", got, tt.want)
			}
		})
	}
}
