package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/estate"
	"github.com/postern-dev/postern/internal/sandbox"
)

// manyRoles is a spec of n roles.
func manyRoles(n int) string {
	var b strings.Builder
	b.WriteString("stack: many\nregion: eu-west-1\naccounts:\n  main: { id: \"" + homeAccount + "\" }\nroles:\n")
	for i := range n {
		fmt.Fprintf(&b, "  r%04d: { trust: [{ service: ec2 }], grants: [consul-auto-discovery] }\n", i)
	}
	return b.String()
}

// TestReadsGrowWithPages plans stacks of 10 and of 1,000 roles, all of which
// stand, in an account of 5,000. What it takes is a call per page of the
// account and one per kind of thing, never one per role.
func TestReadsGrowWithPages(t *testing.T) {
	for _, tt := range []struct {
		roles int
		want  map[string]int // calls by action
	}{
		{10, map[string]int{
			"sts:GetCallerIdentity": 1, "iam:GetAccountAuthorizationDetails": 6, "iam:ListRoles": 1,
			"iam:ListInstanceProfiles": 1, "iam:ListOpenIDConnectProviders": 1, "iam:GetAccountSummary": 1,
		}},
		{1000, map[string]int{
			"sts:GetCallerIdentity": 1, "iam:GetAccountAuthorizationDetails": 6, "iam:ListRoles": 1,
			"iam:ListInstanceProfiles": 1, "iam:ListOpenIDConnectProviders": 1, "iam:GetAccountSummary": 1,
		}},
	} {
		t.Run(fmt.Sprint(tt.roles), func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			calls := map[string]int{}
			s := startSandbox(t, sandbox.Options{
				DataFile: crowded(t, tt.roles, 5000), Quotas: estate.Quotas{Roles: 10_000},
				RequestHook: func(e sandbox.Event) {
					mu.Lock()
					defer mu.Unlock()
					calls[e.Action]++
				},
			})
			r := run(t, "", alone(t.TempDir(), s.Env()), "plan", "--detailed-exitcode", specFile(t, manyRoles(tt.roles)))
			if r.code != 0 {
				t.Errorf("exit code %d, want 0\n%s%s", r.code, r.out, r.err)
			}
			mu.Lock()
			defer mu.Unlock()
			if diff := cmp.Diff(tt.want, calls); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
		})
	}
}

// crowded is the data file of a sandbox with all roles of manyRoles(ours) and
// those of somebody else, which makes all. One role is really applied, the
// others are copies of it under other names.
func crowded(t *testing.T, ours, all int) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "state.json")
	s, err := sandbox.New(sandbox.Options{DataFile: name, Accounts: []sandbox.AccountConfig{{ID: homeAccount}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	if r := run(t, "", alone(t.TempDir(), s.Env()), "apply", "--yes", specFile(t, manyRoles(1))); r.code != 0 {
		t.Fatalf("exit code %d\n%s", r.code, r.err)
	}
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	var state object
	if err := json.Unmarshal(readFile(t, name), &state); err != nil {
		t.Fatal(err)
	}
	roles := below(t, state, "Accounts", homeAccount, "Roles")
	one := below(t, roles, "many-r0000")
	for i := range all {
		copied := object{}
		for k, v := range one {
			copied[k] = v
		}
		copied["Name"], copied["ID"] = fmt.Sprintf("many-r%04d", i), fmt.Sprintf("AROA%017d", i)
		if i >= ours {
			copied["Path"] = "/theirs/"
		}
		roles[fmt.Sprintf("many-r%04d", i)] = copied
	}
	if err := os.WriteFile(name, []byte(compact(t, state)), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// below is the object at the end of a path of keys.
func below(t *testing.T, o object, keys ...string) object {
	t.Helper()
	for _, key := range keys {
		next, ok := o[key].(object)
		if !ok {
			t.Fatalf("%q is a %T, not an object", key, o[key])
		}
		o = next
	}
	return o
}

func specFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "postern.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
