// Package bench measures the program as a user starts it, beside a peer in the
// same run. It has benchmarks only: no test asserts a time.
package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/postern-dev/postern/test/witness"
)

// BenchmarkStart times whole processes, from exec to exit.
func BenchmarkStart(b *testing.B) {
	postern := build(b, "./cmd/postern")
	for _, command := range []struct {
		name string
		args []string
	}{
		{"postern --version", []string{postern, "--version"}},
		{"postern catalog", []string{postern, "catalog"}},
		{"postern check", []string{postern, "check", "examples/shop"}},
		{"postern up --sandbox", []string{postern, "up", "--sandbox", "--yes", "examples/shop"}},
		{"Go program that does nothing", []string{nothing(b)}},
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

// build makes a program as `make build` does, and returns its path.
func build(b *testing.B, main string) string {
	b.Helper()
	program := filepath.Join(b.TempDir(), "program")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, main)
	cmd.Dir, cmd.Env = "..", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	return program
}

// nothing makes the least that a program of Go can be: what is above its time is
// our own doing.
func nothing(b *testing.B) string {
	b.Helper()
	source := filepath.Join(b.TempDir(), "main.go")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	return build(b, source)
}
