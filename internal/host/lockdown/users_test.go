package lockdown

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/fault"
)

const passwd = `root:x:0:0:root:/root:/bin/bash
cwagent:x:997:997::/:/usr/sbin/nologin
ann:x:1000:1000::/:/bin/bash
bob:x:1001:500::/:/bin/bash
broken line
halfuid:x:nine:9:::
100:x:1002:1002::/:/bin/sh
`

const group = `root:x:0:
ops:x:500:ann,gone
empty:x:600:
many:x:700:ann,bob
broken
`

func TestResolve(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"passwd": passwd, "group": group} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name  string
		names Names
		want  Resolved
		err   string
	}{
		{name: "names, each once", names: Names{Users: []string{"cwagent", "root", "root"}}, want: Resolved{UIDs: []uint32{0, 997}}},
		{name: "numbers need no account", names: Names{Users: []string{"4711"}}, want: Resolved{UIDs: []uint32{4711}}},
		{name: "a number is a uid, not a name", names: Names{Users: []string{"100"}}, want: Resolved{UIDs: []uint32{100}}},
		{name: "supplementary and primary members", names: Names{Groups: []string{"ops"}}, want: Resolved{UIDs: []uint32{1000, 1001}}},
		{name: "group by number", names: Names{Groups: []string{"500"}}, want: Resolved{UIDs: []uint32{1000, 1001}}},
		{name: "group without members", names: Names{Groups: []string{"empty"}}},
		{name: "users and groups", names: Names{Users: []string{"root"}, Groups: []string{"many"}}, want: Resolved{UIDs: []uint32{0, 1000, 1001}}},
		{
			name: "all unknown names at once", names: Names{Users: []string{"root", "cwagnet", ""}, Groups: []string{"opps"}},
			err: "this host has no user \"cwagnet\"\nthis host has no user \"\"\nthis host has no group \"opps\"",
		},
		{
			name: "unknown names left out", names: Names{Users: []string{"root", "app"}, Groups: []string{"team"}, AllowMissing: true},
			want: Resolved{UIDs: []uint32{0}, Missing: []string{"user app", "group team"}},
		},
		{name: "hostile names", names: Names{Users: []string{"a:b", "-rf", "x\ny"}, AllowMissing: true}, want: Resolved{Missing: []string{"user a:b", "user -rf", "user x\ny"}}},
		{name: "too large", names: Names{Users: []string{"4294967296"}}, err: `this host has no user "4294967296"`},
		{name: "negative", names: Names{Users: []string{"-1"}}, err: `this host has no user "-1"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Resolve(t.Context(), tt.names, fileLookup(dir))
			if message(err) != tt.err {
				t.Errorf("got error %q, want %q", message(err), tt.err)
			}
			if tt.err == "" {
				if d := cmp.Diff(tt.want, got); d != "" {
					t.Error(d)
				}
			}
		})
	}
}

// TestUnknownNames asks that a mistake of a command line is told from one in a file.
func TestUnknownNames(t *testing.T) {
	only := func(_ context.Context, _ string, keys ...string) ([]byte, error) {
		if len(keys) > 0 {
			return nil, nil
		}
		return []byte("cwagent:x:998:998::/:/bin/false\n"), nil
	}
	for file, want := range map[string]fault.Error{
		"":          {Code: fault.Usage, What: `this host has no user "cwagnet"`, Hint: "did you mean `--allow cwagent`?"},
		"host.yaml": {Where: "host.yaml", What: `this host has no user "cwagnet"`, Hint: "did you mean `cwagent`?"},
	} {
		_, err := Resolve(t.Context(), Names{Users: []string{"cwagnet"}, File: file}, only)
		if d := cmp.Diff(fault.List{&want}, err); d != "" {
			t.Error(d)
		}
	}
}

// TestGetentOfTheSystem asks that what the caller's PATH has first is not run.
func TestGetentOfTheSystem(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "getent"), []byte("#!/bin/sh\necho app:x:0:0::/:/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	if got, err := Resolve(t.Context(), Names{Users: []string{"app"}, AllowMissing: true}, Getent); err != nil || got.UIDs != nil {
		t.Errorf("%v, %v", got, err)
	}
}

// TestResolveFails asks that a directory that does not answer is no empty one.
func TestResolveFails(t *testing.T) {
	away := func(context.Context, string, ...string) ([]byte, error) { return nil, errors.New("LDAP is away") }
	for _, missing := range []bool{false, true} {
		got, err := Resolve(t.Context(), Names{Users: []string{"root"}, AllowMissing: missing}, away)
		if message(err) != "LDAP is away" || got.UIDs != nil || got.Missing != nil {
			t.Errorf("%v, %v", got, err)
		}
	}
}

// TestGetentNumbers asks that no number passes for another user: getent itself
// takes each of these for root or daemon.
func TestGetentNumbers(t *testing.T) {
	for _, name := range []string{"4294967296", "4294967297", "18446744069414584320", "+0", "-0", " 0", "-4294967295"} {
		for _, names := range []Names{{Users: []string{name}, AllowMissing: true}, {Groups: []string{name}, AllowMissing: true}} {
			if got, err := Resolve(t.Context(), names, Getent); err != nil || got.UIDs != nil || len(got.Missing) != 1 {
				t.Errorf("%+v: %+v, %v", names, got, err)
			}
		}
	}
	// A member of a group is a name, whatever it looks like.
	members := func(ctx context.Context, database string, keys ...string) ([]byte, error) {
		if database == "group" {
			return []byte("odd:x:4242:1,+2,root\n"), nil
		}
		if len(keys) == 0 {
			return nil, nil
		}
		return Getent(ctx, database, keys...)
	}
	got, err := Resolve(t.Context(), Names{Groups: []string{"odd"}}, members)
	if d := cmp.Diff(Resolved{UIDs: []uint32{0}}, got); d != "" || err != nil {
		t.Error(d, err)
	}
}

// TestGetent holds our reading of files against the host's name service.
func TestGetent(t *testing.T) {
	for _, names := range []Names{{Users: []string{"root", "nobody"}}, {Groups: []string{"root"}}, {Users: []string{"no-such-user"}, AllowMissing: true}} {
		service, err := Resolve(t.Context(), names, Getent)
		if err != nil {
			t.Fatal(err)
		}
		files, err := Resolve(t.Context(), names, fileLookup("/etc"))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(files, service); d != "" {
			t.Errorf("%v: %s", names, d)
		}
	}
}

// TestUserNames asks for users whom the name service does not list, as a
// directory's.
func TestUserNames(t *testing.T) {
	asked := ""
	directory := func(_ context.Context, database string, keys ...string) ([]byte, error) {
		if len(keys) == 0 {
			return []byte("root:x:0:0::/root:/bin/sh\ntoor:x:0:0::/root:/bin/sh\n"), nil
		}
		asked += database + " " + strings.Join(keys, " ")
		return []byte("ada:x:5001:5001::/:/bin/sh\n"), nil
	}
	names, err := UserNames(t.Context(), directory, 5001, 0, 5002)
	if d := cmp.Diff(map[uint32]string{0: "root", 5001: "ada"}, names); d != "" || err != nil {
		t.Error(d, err)
	}
	if asked != "passwd 5001 5002" {
		t.Errorf("asked for %q", asked)
	}
}
