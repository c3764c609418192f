package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/postern-dev/postern/test/witness"
)

// BenchmarkLockdown times the whole command, from exec to exit: it replaces the
// table that stands, and ends when the kernel has freed the former one. Beside
// it is nft with the text of the same table, and a process that does nothing.
func BenchmarkLockdown(b *testing.B) {
	nft := witness.Need(b, "nft")
	dir := b.TempDir()
	postern, table := filepath.Join(dir, "postern"), filepath.Join(dir, "table.nft")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", postern, "./cmd/postern")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	text, err := exec.Command(postern, "host", "lockdown", "print", "--allow", "root").Output()
	if err == nil {
		err = os.WriteFile(table, text, 0o600)
	}
	if err != nil {
		b.Fatal(err)
	}
	for _, command := range []struct {
		name string
		args []string
	}{
		{"postern host lockdown apply", []string{postern, "host", "lockdown", "apply", "--allow", "root", "--no-self-test"}},
		{"postern host lockdown apply --if-needed", []string{postern, "host", "lockdown", "apply", "--allow", "root", "--no-self-test", "--if-needed"}},
		{"nft -f", []string{nft, "-f", table}},
		{"true", []string{"true"}},
	} {
		b.Run(command.name, func(b *testing.B) {
			ownHost(b)
			for b.Loop() {
				if out, err := exec.Command(command.args[0], command.args[1:]...).CombinedOutput(); err != nil {
					b.Fatalf("%v\n%s", err, out)
				}
			}
		})
	}
}

// ownHost gives this goroutine, and what it starts, a firewall and a /run of its
// own. The thread is not given back: it ends with the goroutine.
func ownHost(b *testing.B) {
	b.Helper()
	if os.Getuid() != 0 {
		b.Skip("namespaces without root take a process of their own")
	}
	runtime.LockOSThread()
	err := syscall.Unshare(syscall.CLONE_NEWNET | syscall.CLONE_NEWNS)
	if err == nil {
		err = syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "")
	}
	if err == nil {
		err = syscall.Mount("tmpfs", "/run", "tmpfs", 0, "")
	}
	if err != nil {
		b.Fatal(err)
	}
}
