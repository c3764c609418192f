package hostfile

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/postern-dev/postern/internal/fault"
)

// TestTrusted follows paths below a folder that stands for the root of a host.
func TestTrusted(t *testing.T) {
	const writable = "may be written by others than its owner"
	tests := []struct {
		name string
		do   string // steps: "mkdir PATH", "chmod MODE PATH", "link TO PATH", "fifo PATH"
		path string // empty: /etc/postern/host.yaml
		err  string // of which path, and what
	}{
		{name: "as it should be"},
		{name: "a group may write it", do: "chmod 664 /etc/postern/host.yaml", err: "/etc/postern/host.yaml: " + writable},
		{name: "all may write it", do: "chmod 602 /etc/postern/host.yaml", err: "/etc/postern/host.yaml: " + writable},
		{name: "all may write its folder", do: "chmod 777 /etc/postern", err: "/etc/postern: " + writable},
		{name: "all may write a folder above, sticky", do: "chmod 1777 /etc", err: "/etc: " + writable},
		{name: "all may write beside the way", do: "mkdir /etc/other\nchmod 777 /etc/other"},
		{name: "back and forth", path: "/etc/../etc//postern/./host.yaml"},
		{name: "a link", do: "link ../etc/postern/host.yaml /etc/link", path: "/etc/link"},
		{name: "an absolute link to a folder", do: "link /etc/postern /srv", path: "/srv/host.yaml"},
		{name: "a link in a folder that all may write", do: "mkdir /tmp\nchmod 1777 /tmp\nlink /etc/postern/host.yaml /tmp/x", path: "/tmp/x", err: "/tmp: " + writable},
		{
			name: "a good link by way of one in such a folder", path: "/etc/x", err: "/tmp: " + writable,
			do: "mkdir /tmp\nchmod 1777 /tmp\nlink /etc/postern /tmp/x\nlink /tmp/x/host.yaml /etc/x",
		},
		{name: "a loop", do: "link /b /a\nlink /a /b", path: "/a", err: "too many levels of symbolic links"},
		{name: "a folder", path: "/etc/postern", err: "/etc/postern: is no regular file"},
		{name: "a pipe, which would keep us waiting", do: "fifo /etc/pipe", path: "/etc/pipe", err: "/etc/pipe: is no regular file"},
		{name: "nothing", path: "/etc/postern/none.yaml", err: "no such file or directory"},
		{name: "nothing behind a link", do: "link nowhere /etc/x", path: "/etc/x", err: "no such file or directory"},
		{name: "below a file", path: "/etc/postern/host.yaml/x", err: "not a directory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := hostTree(t)
			for line := range strings.Lines(tt.do) {
				step(t, root, strings.Fields(line))
			}
			path := tt.path
			if path == "" {
				path = "/etc/postern/host.yaml"
			}
			got, err := trusted(root, path)
			if tt.err == "" {
				if want := root + "/etc/postern/host.yaml"; err != nil || got != want {
					t.Errorf("got %q, %v, want %q", got, err, want)
				}
				return
			}
			if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), root, ""), tt.err) {
				t.Errorf("got %q, %v, want %s", got, err, tt.err)
			}
		})
	}
}

func hostTree(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, dir := range []string{"", "/etc", "/etc/postern"} {
		if err := errors.Join(os.MkdirAll(root+dir, 0o755), os.Chmod(root+dir, 0o755)); err != nil { // whatever the umask
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(root+"/etc/postern/host.yaml", []byte("lockdown: {allow: [root]}"), 0o600); err != nil {
		t.Fatal(err)
	}
	return root
}

func step(t *testing.T, root string, words []string) {
	t.Helper()
	path := root + words[len(words)-1]
	var err error
	switch words[0] {
	case "mkdir":
		err = os.Mkdir(path, 0o755)
	case "chmod":
		mode := map[string]fs.FileMode{"664": 0o664, "602": 0o602, "777": 0o777, "1777": 0o777 | fs.ModeSticky}[words[1]]
		err = os.Chmod(path, mode)
	case "link":
		err = os.Symlink(words[1], path)
	case "fifo":
		err = syscall.Mkfifo(path, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestForeignOwner gives steps of the path to somebody else, which takes root.
func TestForeignOwner(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root gives files away")
	}
	for _, path := range []string{"/etc/postern/host.yaml", "/etc/postern", "/etc"} {
		root := hostTree(t)
		if err := os.Chown(root+path, 4711, 0); err != nil {
			t.Fatal(err)
		}
		_, err := trusted(root, "/etc/postern/host.yaml")
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Where != root+path || !strings.HasPrefix(f.What, "belongs to uid 4711, ") || !strings.HasPrefix(f.Hint, "run `chown root:root "+root+path+"`") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestRead(t *testing.T) {
	if _, err := Read("/none/host.yaml"); !errors.Is(err, fs.ErrNotExist) || err.Error() != "/none/host.yaml: cannot be read: no such file or directory" {
		t.Errorf("got %v", err)
	}
	if err := Trust("/none/host.yaml"); !errors.Is(err, fs.ErrNotExist) || err.Error() != "/none/host.yaml: cannot be read: no such file or directory" {
		t.Errorf("got %v", err)
	}
	if err := Trust("/dev/null"); err == nil || err.Error() != "/dev/null: is no regular file" {
		t.Errorf("got %v", err)
	}
	path := hostTree(t) + "/etc/postern/host.yaml"
	if f, err := Read(path); err != nil || f.Lockdown == nil {
		t.Errorf("got %v, %v", f, err)
	}
}
