package sshd_test

import (
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/host/lockdown/lockdowntest"
)

// metadata is the instance metadata service, at its own address, of an instance
// whose tags can be changed. Without any, it does not show them.
type metadata struct {
	*host
	tags atomic.Pointer[map[string]string]
	gone func() // ends the service
}

func (h *host) metadata() *metadata {
	h.Helper()
	const address = "169.254.169.254"
	h.run("ip", "address", "replace", address+"/32", "dev", "lo")
	m := &metadata{host: h}
	listener, err := net.Listen("tcp", address+":80")
	if err != nil {
		h.Fatal(err)
	}
	server := &http.Server{Handler: lockdowntest.MetadataWith(m.documents), ReadHeaderTimeout: time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	m.gone = sync.OnceFunc(func() {
		_ = server.Close()
		<-ended
		h.run("ip", "address", "flush", "to", address, "dev", "lo")
	})
	h.Cleanup(m.gone)
	return m
}

func (m *metadata) set(tags map[string]string) { m.tags.Store(&tags) }

func (m *metadata) documents() map[string]string {
	const path = "/latest/meta-data/tags/instance"
	tags := *m.tags.Load()
	if tags == nil {
		return nil
	}
	docs := map[string]string{path: strings.Join(slices.Sorted(maps.Keys(tags)), "\n")}
	for key, value := range tags {
		docs[path+"/"+key] = value
	}
	return docs
}

// Groups that stand in the instance's tags are those that count; whatever keeps
// them from being read leaves all as it was.
func TestInstanceTags(t *testing.T) {
	h, _ := installed(t)
	m := h.metadata()
	c := h.cloud("sandbox")
	c.env = slices.DeleteFunc(c.env, func(e string) bool { return strings.HasPrefix(e, "AWS_EC2_METADATA_DISABLED") })
	key := h.key("rsa", "2048")
	c.user("alice", "engineers", key)
	c.user("bob", "operators", key)
	const login, sudo = "postern:ssh-groups", "postern:ssh-sudo-groups"
	m.set(map[string]string{"Name": "web", login: "engineers", sudo: "operators"})
	if out, code := c.run("--once", "--instance-tags"); code != 0 {
		t.Fatalf("sync: exit code %d\n%s", code, out)
	}
	h.in("alice", key)
	h.sudo("bob", key, true)
	before := h.run("cat", "/etc/passwd", "/etc/shadow", "/etc/sudoers.d/postern-ssh")
	for _, bad := range []struct {
		name string
		tags map[string]string
		says string
	}{
		{"not shown", nil, "the instance's metadata does not show its tags"},
		{"none of ours", map[string]string{"Name": "web"}, "no IAM group is named"},
		{"no names", map[string]string{login: "team/engineers"}, `instance tag postern:ssh-groups: "team/engineers" is no name of an IAM group`},
		{"metadata is away", nil, "read instance metadata tags/instance"},
	} {
		t.Run(bad.name, func(t *testing.T) {
			h := &host{T: t, log: h.log}
			m.set(bad.tags)
			if bad.name == "metadata is away" {
				m.gone()
			}
			for range 2 {
				out, code := c.run("--once", "--instance-tags")
				if flat := strings.Join(strings.Fields(out), " "); code == 0 || !strings.Contains(flat, bad.says) {
					t.Errorf("sync: exit code %d\n%s", code, out)
				}
			}
			if now := h.run("cat", "/etc/passwd", "/etc/shadow", "/etc/sudoers.d/postern-ssh"); now != before {
				t.Errorf("accounts have changed:\n%s", now)
			}
			h.in("alice", key)
		})
	}
}
