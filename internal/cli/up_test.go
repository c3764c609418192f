package cli

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/sandbox"
)

// TestUpAwaitsReads: reads that lag behind the changes neither fail the guard
// rails nor pass unnoticed.
func TestUpAwaitsReads(t *testing.T) {
	server, err := sandbox.New(sandbox.Options{
		Accounts:  []sandbox.AccountConfig{{ID: "111111111111"}, {ID: "222222222222", AdminRole: "postern-admin"}},
		ReadDelay: 1500 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close(context.Background()) })
	spec := filepath.Join(t.TempDir(), "postern.yaml")
	text := `stack: shop
region: eu-west-1
accounts:
  prod: { id: "222222222222", admin_role: postern-admin }
identities:
  release: { github: { repository: acme/shop, environment: production } }
roles:
  deploy:
    trust: [release]
    grants: [ecr-docker-push: { repositories: [shop] }]
expect:
  - { role: deploy, allow: [ecr:PutImage], on: repository/shop }
`
	if err := os.WriteFile(spec, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, server, 0, "up", "--yes", spec)
}
