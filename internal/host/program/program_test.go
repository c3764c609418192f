package program

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFind(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	for path, mode := range map[string]os.FileMode{
		filepath.Join(first, "plain"):  0o644,
		filepath.Join(second, "plain"): 0o755,
		filepath.Join(first, "both"):   0o755,
		filepath.Join(second, "both"):  0o755,
	} {
		if err := os.WriteFile(path, nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(first, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(first)
	tests := []struct{ name, want string }{
		{"both", first + "/both"},
		{"plain", second + "/plain"},
		{second + "/both", second + "/both"},
		{first + "/plain", ""},
		{"folder", ""},
		{"absent", ""},
		{"./both", ""},
		{"../" + filepath.Base(second) + "/both", ""},
		{"", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := find(tt.name, []string{first, second})
			if got != tt.want || (err == nil) != (tt.want != "") || err != nil && !errors.Is(err, exec.ErrNotFound) {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

// TestCommandIgnoresPATH puts a program of the same name before the system's,
// as a user could who then calls sudo.
func TestCommandIgnoresPATH(t *testing.T) {
	trap := t.TempDir()
	if err := os.WriteFile(filepath.Join(trap, "env"), []byte("#!/bin/sh\necho trapped\n"), 0o755); err != nil { //nolint:gosec // it has to be a program
		t.Fatal(err)
	}
	t.Setenv("PATH", trap+":"+os.Getenv("PATH"))
	t.Setenv("LD_LIBRARY_PATH", trap)
	cmd, err := Command(t.Context(), "env")
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.Output()
	want := "PATH=" + strings.Join(folders, ":") + "\nLC_ALL=C\n"
	if d := cmp.Diff(want, string(out)); err != nil || d != "" {
		t.Errorf("error %v: -want +got:\n%s", err, d)
	}
}
