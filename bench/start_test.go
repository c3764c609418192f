// Package bench measures the program as a user starts it, beside a peer in the
// same run. It has benchmarks only: no test asserts a time.
package bench

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/postern-dev/postern/test/witness"
)

// BenchmarkStart times whole processes, from exec to exit.
func BenchmarkStart(b *testing.B) {
	postern := filepath.Join(b.TempDir(), "postern")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", postern, "./cmd/postern")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	for _, command := range []struct {
		name string
		args []string
	}{
		{"postern --version", []string{postern, "--version"}},
		{"postern catalog", []string{postern, "catalog"}},
		{"postern check", []string{postern, "check", "examples/shop"}},
		{"postern up --sandbox", []string{postern, "up", "--sandbox", "--yes", "examples/shop"}},
		{"aws --version", []string{"aws", "--version"}},
	} {
		b.Run(command.name, func(b *testing.B) {
			if command.args[0] == "aws" {
				command.args[0] = witness.Need(b, "aws")
			}
			for b.Loop() {
				cmd := exec.Command(command.args[0], command.args[1:]...)
				cmd.Dir = ".."
				if out, err := cmd.CombinedOutput(); err != nil {
					b.Fatalf("%v\n%s", err, out)
				}
			}
		})
	}
}
