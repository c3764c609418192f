package aws

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdkiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/postern-dev/postern/internal/host/sshkeys"
	"github.com/postern-dev/postern/internal/host/sshkeys/sshkeystest"
	"github.com/postern-dev/postern/internal/sandbox"
)

// rsaKey is a public key as a user has it.
func rsaKey(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-C", "somebody@laptop", "-f", file).CombinedOutput(); err != nil {
		if os.Getenv("POSTERN_REQUIRE") == "all" {
			t.Fatalf("ssh-keygen: %v\n%s", err, out)
		}
		t.Skipf("ssh-keygen: %v\n%s", err, out)
	}
	line, err := os.ReadFile(file + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(line))
}

// engineering is what both kinds of AWS are given: a group of four users, of
// whom one has a key that is not active and one a tag.
type engineering struct {
	client *sdkiam.Client
	line   string
	ids    map[string]string // UserIds by name
}

func settle(t *testing.T, o Options) engineering {
	t.Helper()
	e := engineering{line: rsaKey(t), ids: map[string]string{}}
	e.client = sdkiam.New(sdkiam.Options{
		Region: "us-east-1", BaseEndpoint: sdk.String(o.Endpoint), HTTPClient: httpClient(),
		Credentials: credentials.NewStaticCredentialsProvider(o.Credentials.ID, o.Credentials.Secret, ""),
	})
	do := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	do(e.client.CreateGroup(ctx, &sdkiam.CreateGroupInput{GroupName: sdk.String("engineers")}))
	for _, name := range []string{"alice", "bob", "carol", "dave"} {
		out, err := e.client.CreateUser(ctx, &sdkiam.CreateUserInput{UserName: &name})
		do(out, err)
		e.ids[name] = *out.User.UserId
		if name != "dave" {
			do(e.client.AddUserToGroup(ctx, &sdkiam.AddUserToGroupInput{UserName: &name, GroupName: sdk.String("engineers")}))
		}
	}
	do(e.client.UploadSSHPublicKey(ctx, &sdkiam.UploadSSHPublicKeyInput{UserName: sdk.String("alice"), SSHPublicKeyBody: &e.line}))
	out, err := e.client.UploadSSHPublicKey(ctx, &sdkiam.UploadSSHPublicKeyInput{UserName: sdk.String("bob"), SSHPublicKeyBody: &e.line})
	do(out, err)
	do(e.client.UpdateSSHPublicKey(ctx, &sdkiam.UpdateSSHPublicKeyInput{UserName: sdk.String("bob"), SSHPublicKeyId: out.SSHPublicKey.SSHPublicKeyId, Status: types.StatusTypeInactive}))
	do(e.client.TagUser(ctx, &sdkiam.TagUserInput{UserName: sdk.String("carol"), Tags: []types.Tag{{Key: sdk.String("ssh"), Value: sdk.String(edKey)}}}))
	return e
}

const edKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAx"

// syncOf is a host of one's own in front of an AWS.
func syncOf(t *testing.T, k *SSHKeys) *sshkeys.Sync {
	return &sshkeys.Sync{
		IAM: k, Host: sshkeystest.NewHost(), Groups: sshkeys.Groups{Login: []string{"engineers"}}, TagKey: "ssh",
		Path: filepath.Join(t.TempDir(), "snapshot"), GID: -1, Now: time.Now, Audit: func(sshkeys.Event) {},
		Policy: sshkeys.Policy{MaxStale: time.Hour, Brake: sshkeys.DefaultBrake()},
	}
}

// known is what a snapshot has of each user: the UserId and the lines of keys.
func known(t *testing.T, s *sshkeys.Sync) map[string]string {
	t.Helper()
	snapshot, err := sshkeys.Read(s.Path)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, u := range snapshot.Users {
		got[u.Name] = u.UserID
		for _, k := range u.Keys {
			got[u.Name] += " " + k.Line
		}
	}
	return got
}

func testSSHKeys(t *testing.T, o Options) {
	e := settle(t, o)
	s := syncOf(t, NewSSHKeys(SSHOptions{Options: o}))
	r, err := s.Once(t.Context())
	if err != nil || !r.Complete || len(r.Problems) > 0 {
		t.Fatalf("error %v, report %+v", err, r)
	}
	equal(t, known(t, s), map[string]string{
		"alice": e.ids["alice"] + " " + strings.TrimSuffix(e.line, " somebody@laptop"),
		"bob":   e.ids["bob"],
		"carol": e.ids["carol"] + " " + edKey,
	})
	if _, err := s.IAM.KeyIDs(t.Context(), "nobody"); !errors.Is(err, sshkeys.ErrUser) {
		t.Errorf("got error %v for a user that is gone", err)
	}
	if _, err := s.IAM.Members(t.Context(), "nobody"); err == nil || !strings.Contains(err.Error(), "group nobody") {
		t.Errorf("got error %v for a group that is not there", err)
	}
}

func TestSSHKeysOfSandbox(t *testing.T) {
	_, o := bareSandbox(t, sandbox.Options{})
	testSSHKeys(t, o)
}

func TestSSHKeysOfMoto(t *testing.T) { testSSHKeys(t, startMoto(t)) }

// bareSandbox is one account, reached with a user's credentials.
func bareSandbox(t *testing.T, o sandbox.Options) (*sandbox.Server, Options) {
	t.Helper()
	o.Accounts = []sandbox.AccountConfig{{ID: motoAccount, AdminRole: "ops/reader"}}
	return serve(t, o)
}

// TestSSHKeysByRole reads through a role, and is told which one it may not assume.
func TestSSHKeysByRole(t *testing.T) {
	_, o := bareSandbox(t, sandbox.Options{})
	settle(t, o)
	role := "arn:aws:iam::" + motoAccount + ":role/"
	s := syncOf(t, NewSSHKeys(SSHOptions{Options: o, RoleARN: role + "ops/reader", Host: "web-1.example.com"}))
	if r, err := s.Once(t.Context()); err != nil || users(r) != 3 {
		t.Errorf("error %v, report %+v", err, r)
	}
	s.IAM = NewSSHKeys(SSHOptions{Options: o, RoleARN: role + "missing"})
	r, err := s.Once(t.Context())
	if err == nil || !strings.Contains(err.Error(), role+"missing") || users(r) != 3 {
		t.Errorf("error %v, report %+v", err, r)
	}
}

// TestSSHKeysAcrossAnOutage connects only when there is somebody to connect to.
func TestSSHKeysAcrossAnOutage(t *testing.T) {
	_, o := bareSandbox(t, sandbox.Options{})
	settle(t, o)
	endpoint := o.Endpoint
	o.Endpoint = "http://127.0.0.1:1"
	k := NewSSHKeys(SSHOptions{Options: o, RoleARN: "arn:aws:iam::" + motoAccount + ":role/ops/reader"})
	s := syncOf(t, k)
	if _, err := s.Once(t.Context()); err == nil {
		t.Error("no AWS and no error")
	}
	k.opt.Endpoint = endpoint
	if r, err := s.Once(t.Context()); err != nil || users(r) != 3 {
		t.Errorf("error %v, report %+v", err, r)
	}
}

// TestSSHKeysThrottled syncs against an IAM that lets 40 calls a second
// through, with a client that gives up soon: users may be read late, and none
// is lost.
func TestSSHKeysThrottled(t *testing.T) {
	_, o := bareSandbox(t, sandbox.Options{Throttle: 40})
	e := settle(t, o)
	for i := range 30 {
		name := fmt.Sprintf("user%02d", i)
		if _, err := e.client.CreateUser(t.Context(), &sdkiam.CreateUserInput{UserName: &name}); err != nil {
			t.Fatal(err)
		}
		if _, err := e.client.AddUserToGroup(t.Context(), &sdkiam.AddUserToGroupInput{UserName: &name, GroupName: sdk.String("engineers")}); err != nil {
			t.Fatal(err)
		}
	}
	k := NewSSHKeys(SSHOptions{Options: o})
	if _, err := k.Members(t.Context(), "engineers"); err != nil {
		t.Fatal(err)
	}
	k.client = sdkiam.New(k.client.Options(), func(o *sdkiam.Options) { o.Retryer = sdk.NopRetryer{} })
	s := syncOf(t, k)
	host := s.Host.(*sshkeystest.Host)
	most, throttled := 0, false
	for range 8 {
		r, err := s.Once(t.Context())
		throttled = throttled || err != nil
		if users(r) < most {
			t.Fatalf("%d users after %d", users(r), most)
		}
		most = users(r)
	}
	if most != 33 || !throttled {
		t.Errorf("%d users of 33, throttled: %v", most, throttled)
	}
	if slices.ContainsFunc(host.Done, func(s sshkeys.Step) bool { return s.Kind == sshkeys.Lock }) {
		t.Error("somebody was locked")
	}
}

func TestInstanceTags(t *testing.T) {
	for _, test := range []struct {
		name string
		tags map[string]string // nil: metadata does not show tags
		want sshkeys.Groups
		err  string
	}{
		{"none shown", nil, sshkeys.Groups{}, "does not show its tags"},
		{"others", map[string]string{"Name": "web"}, sshkeys.Groups{}, ""},
		{"one", map[string]string{"Name": "web", loginTag: "engineers"}, sshkeys.Groups{Login: []string{"engineers"}}, ""},
		{"both", map[string]string{loginTag: " engineers  sre,eu ", sudoTag: "ops"}, sshkeys.Groups{Login: []string{"engineers", "sre,eu"}, Sudo: []string{"ops"}}, ""},
		{"empty", map[string]string{loginTag: ""}, sshkeys.Groups{}, ""},
		{"a path", map[string]string{loginTag: "ops team/engineers"}, sshkeys.Groups{}, `instance tag postern:ssh-groups: "team/engineers" is no name`},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(tagMetadata(test.tags))
			defer server.Close()
			got, err := InstanceTags{Endpoint: server.URL}.Groups(t.Context())
			if (err != nil) != (test.err != "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Fatalf("got error %v, want %q", err, test.err)
			}
			if len(got.Login) == 0 {
				got.Login = nil
			}
			equal(t, got, test.want)
		})
	}
	if _, err := (InstanceTags{Endpoint: "http://127.0.0.1:1"}).Groups(t.Context()); err == nil {
		t.Error("no metadata service and no error")
	}
}

// tagMetadata is the part of IMDSv2 that has tags.
func tagMetadata(tags map[string]string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, ok := strings.CutPrefix(r.URL.Path, "/latest/meta-data/tags/instance")
		key := strings.TrimPrefix(path, "/")
		value, tagged := tags[key]
		switch {
		case r.URL.Path == "/latest/api/token" && r.Method == http.MethodPut:
			w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "60")
			_, _ = w.Write([]byte("token"))
		case r.Header.Get("X-Aws-Ec2-Metadata-Token") != "token":
			w.WriteHeader(http.StatusUnauthorized)
		case ok && key == "" && tags != nil:
			for k := range tags {
				_, _ = w.Write([]byte(k + "\n"))
			}
		case ok && tagged:
			_, _ = w.Write([]byte(value))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
}

// users is how many may log in after a round.
func users(r *sshkeys.Report) int {
	n, _ := r.Snapshot.Count()
	return n
}
