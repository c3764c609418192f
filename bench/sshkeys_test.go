package bench

import (
	"encoding/base64"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/host/sshkeys"
)

// asks is how often a program is timed at least, for a 99th percentile that ten
// of them are above.
const asks = 1000

// BenchmarkSSHKeys times sshd's question as sshd asks it, from exec to exit, of
// a snapshot of 5,000 users with two keys each, beside programs that do nothing.
// time/op is the 99th percentile: what the slowest login of a hundred waits for,
// twice.
func BenchmarkSSHKeys(b *testing.B) {
	postern, snapshot := build(b, "./cmd/postern"), filepath.Join(b.TempDir(), "snapshot")
	all := fiveThousand(b)
	if err := sshkeys.Write(snapshot, all, -1); err != nil {
		b.Fatal(err)
	}
	empty := nothing(b)
	for _, command := range []struct {
		name string
		args func(u sshkeys.User) []string
	}{
		{"postern host ssh keys p99", func(u sshkeys.User) []string {
			return []string{postern, "host", "ssh", "keys", "--snapshot", snapshot, "--uid", fmt.Sprint(u.UID), "--", u.Name, u.Keys[1].Fingerprint}
		}},
		{"Go program that does nothing p99", func(sshkeys.User) []string { return []string{empty} }},
		{"true p99", func(sshkeys.User) []string { return []string{"true"} }},
	} {
		b.Run(command.name, func(b *testing.B) {
			var times []time.Duration
			ask := func() {
				args := command.args(all.Users[len(times)*997%len(all.Users)])
				start := time.Now()
				out, err := exec.Command(args[0], args[1:]...).Output()
				times = append(times, time.Since(start))
				if err != nil || args[0] == postern && !strings.HasPrefix(string(out), "expiry-time=") {
					b.Fatalf("%v\n%s", err, out)
				}
			}
			for b.Loop() {
				ask()
			}
			for len(times) < asks {
				ask()
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
