package systemd_test

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/postern-dev/postern/internal/host/lockdown/lockdowntest"
	"github.com/postern-dev/postern/internal/sandbox"
)

// cloud is the AWS of the hosts: an IAM on their network, and the instance role
// that their metadata service gives out.
type cloud struct {
	*testing.T
	server *sandbox.Server
	iam    *iam.Client
	url    string
	away   atomic.Bool // nothing answers
}

const (
	account   = "123456789012"
	role      = "host"
	roleARN   = "arn:aws:iam::" + account + ":role/" + role
	ec2       = "ec2.amazonaws.com"
	trustText = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	// keyLookup is the grant ssh-key-lookup at its level group.
	keyLookup = `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"iam:GetGroup","Resource":["arn:aws:iam::123456789012:group/engineers","arn:aws:iam::123456789012:group/operators"]},
		{"Effect":"Allow","Action":["iam:GetSSHPublicKey","iam:ListSSHPublicKeys"],"Resource":"arn:aws:iam::123456789012:user/*"}]}`
)

// connect gives the hosts an AWS until the end of the test.
func connect(t *testing.T) *cloud {
	t.Helper()
	if outside != "" {
		return &cloud{T: t} // boot says so
	}
	server, err := sandbox.New(sandbox.Options{HomeAccount: account, Accounts: []sandbox.AccountConfig{{ID: account}}})
	if err != nil {
		t.Fatal(err)
	}
	c := &cloud{T: t, server: server}
	listener, err := net.Listen("tcp", gateway+":0")
	if err != nil {
		t.Fatal(err)
	}
	front := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.away.Load() {
			panic(http.ErrAbortHandler)
		}
		server.ServeHTTP(w, r)
	})}
	go func() { _ = front.Serve(listener) }()
	t.Cleanup(func() { _ = front.Close() })
	c.url = "http://" + listener.Addr().String()
	id, secret := server.Credentials()
	c.iam = iam.New(iam.Options{Region: "us-east-1", BaseEndpoint: &c.url, Credentials: credentials.NewStaticCredentialsProvider(id, secret, "")})
	c.do(c.iam.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String(role), AssumeRolePolicyDocument: aws.String(trustText)}))
	c.do(c.iam.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String(role), PolicyName: aws.String("keys"), PolicyDocument: aws.String(keyLookup)}))
	for _, group := range []string{"engineers", "operators"} {
		c.do(c.iam.CreateGroup(t.Context(), &iam.CreateGroupInput{GroupName: &group}))
	}
	return c
}

// documents are what the metadata service tells a host of it: credentials that
// the service EC2 gets for the instance.
func (c *cloud) documents() map[string]string {
	if c.away.Load() {
		return nil
	}
	session, err := c.server.AssumeAsService(sandbox.ServiceRequest{Service: ec2, RoleARN: roleARN, SessionName: lockdowntest.Instance})
	if err != nil {
		c.Error(err)
		return nil
	}
	text, err := json.Marshal(map[string]any{
		"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": time.Now(), "Expiration": session.Expires,
		"AccessKeyId": session.AccessKeyID, "SecretAccessKey": session.SecretAccessKey, "Token": session.SessionToken,
	})
	if err != nil {
		c.Error(err)
	}
	const path = "/latest/meta-data/iam/security-credentials/"
	return map[string]string{path: role, path + role: string(text)}
}

func (c *cloud) do(_ any, err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

// user makes an IAM user in a group and gives the private key.
func (c *cloud) user(name, group string) (key string) {
	c.Helper()
	c.do(c.iam.CreateUser(c.Context(), &iam.CreateUserInput{UserName: &name}))
	c.do(c.iam.AddUserToGroup(c.Context(), &iam.AddUserToGroupInput{UserName: &name, GroupName: &group}))
	return c.key(name)
}

// key gives a user one more key.
func (c *cloud) key(name string) string {
	c.Helper()
	path := c.TempDir() + "/key"
	must(c.T, "ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", path)
	line, err := os.ReadFile(path + ".pub")
	if err != nil {
		c.Fatal(err)
	}
	body := strings.TrimSpace(string(line))
	c.do(c.iam.UploadSSHPublicKey(c.Context(), &iam.UploadSSHPublicKeyInput{UserName: &name, SSHPublicKeyBody: &body}))
	return path
}

func (c *cloud) leave(name, group string) {
	c.Helper()
	c.do(c.iam.RemoveUserFromGroup(c.Context(), &iam.RemoveUserFromGroupInput{UserName: &name, GroupName: &group}))
}
