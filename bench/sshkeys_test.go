package bench

import (
	"encoding/base64"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/host/sshkeys"
)

// BenchmarkSSHKeys times sshd's question as sshd asks it, from exec to exit, of
// a snapshot of 5,000 users with two keys each, beside a process that does
// nothing. time/op is the 99th percentile: what the slowest login of a hundred
// waits for, twice.
func BenchmarkSSHKeys(b *testing.B) {
	dir := b.TempDir()
	postern, snapshot := filepath.Join(dir, "postern"), filepath.Join(dir, "snapshot")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", postern, "./cmd/postern")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	if err := sshkeys.Write(snapshot, fiveThousand(b), -1); err != nil {
		b.Fatal(err)
	}
	for _, command := range []struct {
		name string
		args func(i int) []string
	}{
		{"postern host ssh keys p99", func(i int) []string {
			return []string{postern, "host", "ssh", "keys", "--snapshot", snapshot, "--", fmt.Sprintf("user%04d", i%5000)}
		}},
		{"true p99", func(int) []string { return []string{"true"} }},
	} {
		b.Run(command.name, func(b *testing.B) {
			var times []time.Duration
			for i := 0; b.Loop(); i += 997 {
				args := command.args(i)
				start := time.Now()
				out, err := exec.Command(args[0], args[1:]...).Output()
				times = append(times, time.Since(start))
				if err != nil || args[0] == postern && len(out) < 400 {
					b.Fatalf("%v\n%s", err, out)
				}
			}
			slices.Sort(times)
			b.ReportMetric(float64(times[len(times)*99/100]), "ns/op")
		})
	}
}

func fiveThousand(b *testing.B) *sshkeys.Snapshot {
	b.Helper()
	s := &sshkeys.Snapshot{Version: sshkeys.Version, FetchedAt: time.Now(), MaxStale: 24 * time.Hour}
	for i := range 5000 {
		id := fmt.Sprintf("AIDA%017d", i)
		u := sshkeys.User{IAMUser: fmt.Sprintf("user%04d", i), UserID: id, Name: fmt.Sprintf("user%04d", i), UID: sshkeys.UID(id), Groups: []string{"engineers"}}
		for n := range 2 {
			blob := fmt.Appendf(nil, "\x00\x00\x00\x07ssh-rsa\x00\x00\x00\x03\x01\x00\x01\x00\x00\x01\x01\x00\x80%0255d", 2*i+n)
			k, err := sshkeys.ParseKey("ssh-rsa " + base64.StdEncoding.EncodeToString(blob))
			if err != nil {
				b.Fatal(err)
			}
			k.ID, k.Source = fmt.Sprintf("APKA%d", n), sshkeys.FromIAM
			u.Keys = append(u.Keys, k)
		}
		s.Users = append(s.Users, u)
	}
	return s
}
