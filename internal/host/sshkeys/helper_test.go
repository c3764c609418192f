package sshkeys

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// noon is when these tests take place.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func equal[T any](t *testing.T, want, got T) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

// need finds a program, an outside witness.
func need(t testing.TB, name string) string {
	t.Helper()
	bin, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("POSTERN_REQUIRE") == "all" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("%s is not installed", name)
	}
	return bin
}

// generate makes a key with ssh-keygen and returns its public line.
func generate(t *testing.T, args ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key")
	out, err := exec.Command(need(t, "ssh-keygen"), append([]string{"-q", "-N", "", "-C", "somebody@laptop", "-f", file}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("ssh-keygen: %v\n%s", err, out)
	}
	line, err := os.ReadFile(file + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(line))
}

// aUser is a user with a key; n makes it another one.
func aUser(name string, n int) User {
	id := fmt.Sprintf("AIDA%016d", n)
	return User{
		IAMUser: name, UserID: id, Name: name, UID: UID(id), Groups: []string{"engineers"},
		Keys: []Key{{ID: fmt.Sprintf("APKA%016d", n), Fingerprint: fmt.Sprintf("SHA256:%d", n), Line: fmt.Sprintf("ssh-rsa AAAA%d", n), Source: FromIAM}},
	}
}

func aSnapshot(users ...User) *Snapshot {
	return &Snapshot{Version: Version, FetchedAt: noon, MaxStale: 24 * time.Hour, Users: users}
}
