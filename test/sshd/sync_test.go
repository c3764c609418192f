package sshd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/postern-dev/postern/internal/host/sshkeys"
	"github.com/postern-dev/postern/internal/sandbox"
	"github.com/postern-dev/postern/test/witness"
)

// peers are the two kinds of IAM that hosts are synced from. Each gives its
// URL and a key pair.
var peers = map[string]func(t *testing.T) (endpoint, id, secret string){
	"moto": func(t *testing.T) (string, string, string) {
		t.Helper()
		return witness.Moto(t), "AKIAIOSFODNN7EXAMPLE", "x"
	},
	"sandbox": func(t *testing.T) (string, string, string) {
		t.Helper()
		s, err := sandbox.New(sandbox.Options{HomeAccount: "123456789012", Accounts: []sandbox.AccountConfig{{ID: "123456789012"}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Listen("127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close(context.Background()) })
		id, secret := s.Credentials()
		return s.URL(), id, secret
	},
}

// cloud is an IAM that can be made to answer badly.
type cloud struct {
	*host
	iam    *iam.Client
	env    []string
	tamper atomic.Pointer[func(*http.Response) error] // what becomes of GetGroup's answers
}

func (h *host) cloud(peer string) *cloud {
	h.Helper()
	c := &cloud{host: h}
	endpoint, id, secret := peers[peer](h.T)
	behind, err := url.Parse(endpoint)
	if err != nil {
		h.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0),
		Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(behind); r.Out.Host = r.In.Host },
		ModifyResponse: func(r *http.Response) error {
			f := c.tamper.Load()
			if f == nil || !strings.Contains(r.Request.Header.Get("Action"), "GetGroup") {
				return nil
			}
			return (*f)(r)
		},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		r.Header.Set("Action", form.Get("Action")) // no header that is signed
		r.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(w, r)
	}))
	h.Cleanup(server.Close)
	c.iam = iam.New(iam.Options{Region: "us-east-1", BaseEndpoint: &endpoint, Credentials: credentials.NewStaticCredentialsProvider(id, secret, "")})
	c.env = []string{
		trapped(), "AWS_ENDPOINT_URL=" + server.URL, "AWS_ACCESS_KEY_ID=" + id, "AWS_SECRET_ACCESS_KEY=" + secret,
		"AWS_REGION=us-east-1", "AWS_EC2_METADATA_DISABLED=true",
	}
	c.do(c.iam.CreateGroup(h.Context(), &iam.CreateGroupInput{GroupName: aws.String("engineers")}))
	c.do(c.iam.CreateGroup(h.Context(), &iam.CreateGroupInput{GroupName: aws.String("operators")}))
	return c
}

func (c *cloud) do(_ any, err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

// user makes an IAM user with keys in a group.
func (c *cloud) user(name, group string, keys ...string) {
	c.Helper()
	ctx := c.Context()
	c.do(c.iam.CreateUser(ctx, &iam.CreateUserInput{UserName: &name}))
	c.join(name, group)
	for _, k := range keys {
		line := c.public(k)
		c.do(c.iam.UploadSSHPublicKey(ctx, &iam.UploadSSHPublicKeyInput{UserName: &name, SSHPublicKeyBody: &line}))
	}
}

func (c *cloud) join(name, group string) {
	c.Helper()
	c.do(c.iam.AddUserToGroup(c.Context(), &iam.AddUserToGroupInput{UserName: &name, GroupName: &group}))
}

func (c *cloud) leave(name, group string) {
	c.Helper()
	c.do(c.iam.RemoveUserFromGroup(c.Context(), &iam.RemoveUserFromGroupInput{UserName: &name, GroupName: &group}))
}

// sync runs one round and gives what it says and its exit code.
func (c *cloud) sync(args ...string) (string, int) {
	c.Helper()
	return c.run(append([]string{"--once", "--group", "engineers", "--sudo-group", "operators"}, args...)...)
}

// run is sync with these arguments alone.
func (c *cloud) run(args ...string) (string, int) {
	c.Helper()
	cmd := exec.Command(program, append([]string{"host", "ssh", "sync"}, args...)...)
	cmd.Env = c.env
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		c.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func (c *cloud) synced(args ...string) string {
	c.Helper()
	out, code := c.sync(args...)
	if code != 0 {
		c.Fatalf("sync: exit code %d\n%s", code, out)
	}
	return out
}

// From IAM to a shell, and out again: with a key, through another key, and
// when the user has left the group, with a session open.
func TestSync(t *testing.T) {
	for peer := range peers {
		t.Run(peer, func(t *testing.T) {
			h, admin := installed(t, "--sudo-group", "operators")
			c := h.cloud(peer)
			first, second, other := h.key("rsa", "2048"), h.key("rsa", "3072"), h.key("rsa", "2048")
			c.user("Alice@example.com", "engineers", first, second)
			c.user("bob", "operators", other)
			c.synced("--domain", "example.com")
			h.in("alice", first)
			h.in("alice", second)
			h.in("bob", other)
			h.out("alice", other)
			h.log.has(h, `"event":"key-answered"`, `"iam_user":"Alice@example.com"`, `"account":"alice"`)
			h.sudo("bob", other, true)
			h.sudo("alice", first, false)

			list, err := c.iam.ListSSHPublicKeys(t.Context(), &iam.ListSSHPublicKeysInput{UserName: aws.String("Alice@example.com")})
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range list.SSHPublicKeys {
				c.do(c.iam.UpdateSSHPublicKey(t.Context(), &iam.UpdateSSHPublicKeyInput{
					UserName: aws.String("Alice@example.com"), SSHPublicKeyId: k.SSHPublicKeyId, Status: types.StatusTypeInactive,
				}))
			}
			c.synced("--domain", "example.com")
			h.out("alice", first)

			session := h.client("bob", other, "exec sleep 1000")
			if err := session.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- session.Wait() }()
			uid := strings.TrimSpace(h.run("id", "-u", "bob"))
			h.eventually("bob's session", func() bool { return h.busy(uid) })
			c.leave("bob", "operators")
			c.synced("--domain", "example.com")
			h.in("bob", other) // once is not enough
			if !h.busy(uid) {
				t.Error("one answer ended bob's session")
			}
			c.synced("--domain", "example.com")
			select {
			case <-ended:
			case <-time.After(10 * time.Second):
				t.Error("bob's session goes on")
			}
			if h.busy(uid) {
				t.Error("bob's processes go on")
			}
			h.out("bob", other)
			h.in("admin", admin)
			if out, err := os.ReadFile("/etc/sudoers.d/postern-ssh"); err == nil && strings.Contains(string(out), "bob") {
				t.Errorf("bob still has sudo:\n%s", out)
			}
			h.run("test", "-d", homes+"/bob")
			c.join("bob", "operators")
			c.synced("--domain", "example.com")
			h.in("bob", other)
			if now := strings.TrimSpace(h.run("id", "-u", "bob")); now != uid {
				t.Errorf("bob's uid is %s, was %s", now, uid)
			}
			h.log.has(h, `"event":"user-removed"`, `"account":"bob"`)
			h.log.has(h, `"event":"user-restored"`, `"account":"bob"`)
		})
	}
}

// sudo demands that a user can, or cannot, become root.
func (h *host) sudo(user, key string, can bool) {
	h.Helper()
	out, _ := h.login(user, key, "sudo -n id -un || true")
	if got := strings.TrimSpace(out) == "root"; got != can {
		h.Errorf("sudo of %s: %v, want %v\n%s", user, got, can, out)
	}
}

// busy says whether processes of a user run. The test is the first process
// here and does not wait for orphans, so that dead ones stay listed.
func (h *host) busy(uid string) bool {
	return exec.Command("pgrep", "--runstates", "RSD", "-u", uid).Run() == nil
}

// Bad answers remove nobody, however often they come.
func TestBadAnswers(t *testing.T) {
	replace := func(change func(body string) (string, int)) func(*http.Response) error {
		return func(r *http.Response) error {
			old, err := io.ReadAll(r.Body)
			if err != nil {
				return err
			}
			body, status := change(string(old))
			r.Body, r.StatusCode, r.ContentLength = io.NopCloser(strings.NewReader(body)), status, int64(len(body))
			r.Header.Set("Content-Length", strconv.Itoa(len(body)))
			r.Header.Del("Transfer-Encoding")
			return nil
		}
	}
	var calls atomic.Int64
	answers := map[string]struct {
		change func(*http.Response) error
		code   int
		says   string
	}{
		"throttled, then away": {change: func(r *http.Response) error {
			if calls.Add(1)%2 == 0 {
				return io.ErrUnexpectedEOF
			}
			return replace(func(string) (string, int) {
				return `<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>`, 400
			})(r)
		}, code: 1, says: "gaps"},
		"cut off":  {change: replace(func(body string) (string, int) { return body[:len(body)*2/3], 200 }), code: 1, says: "gaps"},
		"empty":    {change: replace(func(string) (string, int) { return "", 200 }), says: "nobody is removed for that"},
		"no users": {change: replace(func(body string) (string, int) { return members(body, func([]string) []string { return nil }), 200 }), says: "nobody is removed for that"},
		"reordered": {change: replace(func(body string) (string, int) {
			return members(body, func(list []string) []string { slices.Reverse(list); return list }), 200
		}), says: "completely"},
	}
	h, _ := installed(t)
	c := h.cloud("sandbox")
	keys := map[string]string{}
	for _, name := range []string{"alice", "bob", "carol", "dave", "eve"} {
		keys[name] = h.key("rsa", "2048")
		c.user(name, "engineers", keys[name])
	}
	c.synced()
	passwd := h.run("cat", "/etc/passwd", "/etc/shadow")
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			h := &host{T: t, log: h.log}
			c.tamper.Store(&answer.change)
			defer c.tamper.Store(nil)
			for range 2 - answer.code { // the client is patient with errors, of each group
				if out, code := c.run("--once", "--group", "engineers"); code != answer.code || !strings.Contains(out, answer.says) {
					t.Errorf("sync: %d\n%s", code, out)
				}
			}
			if now := h.run("cat", "/etc/passwd", "/etc/shadow"); now != passwd {
				t.Errorf("accounts have changed:\n%s", now)
			}
			h.in("alice", keys["alice"])
			h.in("eve", keys["eve"])
		})
	}
}

// members changes the list of users in an answer to GetGroup.
func members(body string, change func([]string) []string) string {
	head, rest, ok := strings.Cut(body, "<Users>")
	list, tail, ok2 := strings.Cut(rest, "</Users>")
	if !ok || !ok2 {
		return body
	}
	var users []string
	for u := range strings.SplitAfterSeq(list, "</member>") {
		if u = strings.TrimSpace(u); u != "" {
			users = append(users, u)
		}
	}
	return head + "<Users>" + strings.Join(change(users), "") + "</Users>" + tail
}

// Names that were made to hurt reach no account that was there.
func TestHostileNames(t *testing.T) {
	h, _ := installed(t)
	c := h.cloud("sandbox")
	key := h.key("rsa", "2048")
	before := h.run("cat", "/etc/passwd", "/etc/group")
	for _, name := range []string{"root", "Admin", "daemon", "postern-ssh", "-rf", "a..b", "a__b", strings.Repeat("x", 33), "1up", "all"} {
		c.user(name, "operators", key)
	}
	c.user("good.name", "engineers", key)
	out := c.synced()
	after := h.run("cat", "/etc/passwd", "/etc/group")
	for line := range strings.Lines(before) {
		if !strings.Contains(after, line) {
			t.Errorf("was changed: %s", line)
		}
	}
	for line := range strings.Lines(after) {
		if !strings.Contains(before, line) && !strings.HasPrefix(line, "good_name:") {
			t.Errorf("was made: %s\n%s", line, out)
		}
	}
	h.in("good_name", key)
	for _, name := range []string{"root", "admin"} {
		h.out(name, key)
	}
}

// As a daemon it syncs until it is stopped, which is no failure.
func TestDaemon(t *testing.T) {
	h, _ := installed(t)
	c := h.cloud("sandbox")
	key := h.key("rsa", "2048")
	c.user("alice", "engineers", key)
	cmd := exec.Command(program, "host", "ssh", "sync", "--group", "engineers")
	cmd.Env = c.env
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	h.log.has(h, `"event":"user-added"`, `"account":"alice"`)
	h.eventually("a snapshot", func() bool { _, err := os.Stat("/var/lib/postern/ssh/snapshot"); return err == nil })
	h.in("alice", key)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("stopped: %v\n%s", err, &said)
	}
}

// A key in a tag counts when it is asked for, and logins come from where they
// may.
func TestSyncOptions(t *testing.T) {
	h, _ := installed(t)
	c := h.cloud("sandbox")
	key := h.key("ed25519")
	c.user("alice", "engineers")
	line := strings.Join(strings.Fields(h.public(key))[:2], " ")
	c.do(c.iam.TagUser(t.Context(), &iam.TagUserInput{UserName: aws.String("alice"), Tags: []types.Tag{{Key: aws.String("ssh-key"), Value: &line}}}))
	c.synced()
	h.out("alice", key)
	c.synced("--ed25519-tag", "ssh-key")
	h.in("alice", key)
	c.synced("--ed25519-tag", "ssh-key", "--from", "10.0.0.0/8,192.0.2.1")
	h.out("alice", key)
	c.synced("--ed25519-tag", "ssh-key", "--from", "10.0.0.0/8,127.0.0.0/8")
	h.in("alice", key)
}

// An answer that is wrong and complete takes nothing from many. Who means it
// runs the command that status gives.
func TestHeldBack(t *testing.T) {
	h, _ := installed(t)
	c := h.cloud("sandbox")
	key := h.key("rsa", "2048")
	names := []string{"alice", "bob", "carol", "dave"}
	for _, name := range names {
		c.user(name, "engineers", key)
	}
	c.synced()
	for _, name := range names[:3] {
		c.leave(name, "engineers")
	}
	c.synced()
	var round struct {
		Complete bool
		Removed  []any
		HeldBack []struct {
			Account string
			Loses   []string
		} `json:"held_back"`
		Problems []struct{ Hint string }
		Snapshot struct{ Users, Age int }
	}
	for range 3 {
		if err := json.Unmarshal([]byte(c.synced("--json")), &round); err != nil {
			t.Fatal(err)
		}
	}
	if !round.Complete || len(round.Removed) > 0 || len(round.HeldBack) != 3 || round.HeldBack[0].Account != "alice" || round.Snapshot.Users != 4 {
		t.Errorf("got %+v", round)
	}
	h.in("carol", key)
	out, code := h.postern("status")
	flat := strings.Join(strings.Fields(out), " ")
	if code != 3 || !strings.Contains(flat, "alice would lose the account; bob would lose the account; carol would lose the account") {
		t.Errorf("status %d:\n%s", code, out)
	}
	h.log.has(h, `"event":"held-back"`, `"account":"alice"`, `"detail":"account"`)
	h.log.has(h, `"level":"WARN"`, "3 of 4 users would lose their account, sudo or last key")
	if out, _ := h.postern("status", "--json"); strings.Count(out, `"loses"`) != 3 {
		t.Errorf("status:\n%s", out)
	}
	_, command, _ := strings.Cut(flat, "if it is meant: sudo postern host ssh sync --once ")
	command, _, _ = strings.Cut(command, " • ")
	if _, code := c.sync("--force", "2"); code != 0 || !h.enters("carol", key) {
		t.Errorf("exit code %d: two are confirmed and three go", code)
	}
	if out, code := c.run(append([]string{"--once"}, strings.Fields(command)...)...); code != 0 {
		t.Errorf("%s: exit code %d\n%s", command, code, out)
	}
	for _, name := range names {
		if got, want := h.enters(name, key), name == "dave"; got != want {
			t.Errorf("%s gets in: %v", name, got)
		}
	}
	if out, code := h.postern("status"); code != 0 {
		t.Errorf("status %d:\n%s", code, out)
	}
}

// What the file says, install and sync go by; the unit names no more than the
// flags.
func TestHostFile(t *testing.T) {
	h := need(t)
	h.admin()
	h.server()
	h.withSystemd()
	h.write("/etc/postern/host.yaml", "ssh:\n  groups: [engineers]\n  domains: [example.com]\n  interval: 20m\n  break_glass: [admin]\n")
	h.Cleanup(func() { h.run("rm", "-r", "/etc/postern") })
	h.ok("install", "--max-stale", "12h")
	service := h.run("cat", "/etc/systemd/system/postern-ssh-sync.service", "/etc/systemd/system/postern-ssh-sync.timer")
	for _, line := range []string{"ExecStart=" + program + " host ssh sync --once --max-stale=12h0m0s\n", "OnUnitInactiveSec=600s\n"} {
		if !strings.Contains(service, line) {
			t.Errorf("the units do not say %q:\n%s", line, service)
		}
	}
	c := h.cloud("sandbox")
	key := h.key("rsa", "2048")
	c.user("alice@example.com", "engineers", key)
	if out, code := c.run("--once", "--max-stale=12h0m0s"); code != 0 {
		t.Fatalf("sync: exit code %d\n%s", code, out)
	}
	h.in("alice", key)
	h.write("/etc/postern/host.yaml", "ssh:\n  groups: [engineers, a b]\n")
	if out, code := c.run("--once"); code != 1 || !strings.Contains(out, `/etc/postern/host.yaml:2:23: "a b" is no name of an IAM group`) {
		t.Errorf("sync: exit code %d\n%s", code, out)
	}
	h.in("alice", key)
}

// On a full disk, with a snapshot in pieces and after the clock has jumped, sync
// says so, nobody's account changes, and the next good round sets it right.
func TestSyncInBadTimes(t *testing.T) {
	h, _ := installed(t)
	c := h.cloud("sandbox")
	key := h.key("rsa", "2048")
	c.user("alice", "engineers", key)
	const state = "/var/lib/postern/ssh"
	h.run("cp", state+"/install.json", "/run")
	h.run("mount", "-t", "tmpfs", "-o", "size=64k,mode=750,gid="+strings.TrimSpace(h.run("id", "-g", "postern-ssh")), "none", state)
	h.Cleanup(func() { h.run("umount", state) })
	h.run("mv", "/run/install.json", state)
	c.synced()
	h.in("alice", key)
	accounts := h.run("cat", "/etc/passwd", "/etc/shadow")

	h.run("sh", "-c", "cat /dev/zero >"+state+"/full || true")
	out, code := c.sync()
	if flat := strings.Join(strings.Fields(out), " "); code != 1 || !strings.Contains(flat, "no space left on device") || !strings.Contains(flat, "the snapshot of before still answers") {
		t.Errorf("full disk: exit code %d\n%s", code, out)
	}
	h.in("alice", key)
	h.run("rm", state+"/full")

	h.run("sh", "-c", "echo rubbish | tee "+state+"/snapshot >"+state+"/snapshot.prev")
	h.out("alice", key)
	if out := c.synced(); !strings.Contains(out, "the snapshot is corrupt") {
		t.Errorf("corrupt snapshot:\n%s", out)
	}
	h.in("alice", key)

	s, err := sshkeys.Read(state + "/snapshot")
	if err != nil {
		t.Fatal(err)
	}
	h.snapshot(time.Now().Add(25*time.Hour), s.Users...) // as if the clock had gone back by a day
	h.out("alice", key)
	if out, code := h.postern("status"); code != 3 || !strings.Contains(out, "it is from the future") {
		t.Errorf("status %d:\n%s", code, out)
	}
	c.synced()
	h.in("alice", key)
	if now := h.run("cat", "/etc/passwd", "/etc/shadow"); now != accounts {
		t.Errorf("accounts have changed:\n%s", now)
	}
}
