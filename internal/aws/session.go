package aws

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go/encoding/httpbinding"

	"github.com/postern-dev/postern/internal/wire"
)

// Session is credentials in use. Its secret shows in no printout.
type Session struct {
	ARN     string    // of the assumed-role session; empty for a static one
	Expires time.Time // zero: never

	// A pointer: fmt prints an address where it would print a struct's content.
	creds *sdk.Credentials
}

// StaticSession is a session with a key pair.
func StaticSession(s StaticCredentials) Session {
	return Session{creds: &sdk.Credentials{AccessKeyID: s.ID, SecretAccessKey: s.Secret, SessionToken: s.Session}}
}

// String names the session.
func (s Session) String() string { return "session " + s.ARN }

// GoString keeps the secret out of %#v.
func (s Session) GoString() string { return s.String() }

// AssumeWithToken exchanges an OIDC token for a session of a role, as a CI job
// does it: without any other credentials. A refusal is a *Denied in the tree
// of the error.
func (c *Cloud) AssumeWithToken(ctx context.Context, roleARN, name, jwt string) (Session, error) {
	out, err := c.sts(nil).AssumeRoleWithWebIdentity(ctx, &sts.AssumeRoleWithWebIdentityInput{
		RoleArn: &roleARN, RoleSessionName: &name, WebIdentityToken: &jwt,
	})
	if err != nil {
		return Session{}, explain(err, roleARN, "sts:AssumeRoleWithWebIdentity")
	}
	return assumed(out.Credentials, out.AssumedRoleUser), nil
}

// AssumeRole turns a session into one of a role. externalID may be empty. A
// refusal is a *Denied in the tree of the error.
func (c *Cloud) AssumeRole(ctx context.Context, from Session, roleARN, name, externalID string) (Session, error) {
	out, err := c.sts(from.creds).AssumeRole(ctx, &sts.AssumeRoleInput{
		RoleArn: &roleARN, RoleSessionName: &name, ExternalId: optional(externalID),
	})
	if err != nil {
		return Session{}, explain(err, roleARN, "sts:AssumeRole")
	}
	return assumed(out.Credentials, out.AssumedRoleUser), nil
}

// sts is a client with the given credentials; nil: none.
func (c *Cloud) sts(creds *sdk.Credentials) *sts.Client {
	cfg := c.cfg.Copy()
	cfg.Credentials = sdk.AnonymousCredentials{}
	if creds != nil {
		cfg.Credentials = credentials.StaticCredentialsProvider{Value: *creds}
	}
	return sts.NewFromConfig(cfg)
}

func assumed(c *types.Credentials, user *types.AssumedRoleUser) Session {
	creds := value(c)
	return Session{
		ARN:     sdk.ToString(value(user).Arn),
		Expires: sdk.ToTime(creds.Expiration),
		creds: &sdk.Credentials{
			AccessKeyID:     sdk.ToString(creds.AccessKeyId),
			SecretAccessKey: sdk.ToString(creds.SecretAccessKey),
			SessionToken:    sdk.ToString(creds.SessionToken),
		},
	}
}

// Reply is a service's answer to a raw call.
type Reply struct {
	Status  int    // HTTP
	Code    string // AWS's error code; empty if the call succeeded
	Message string // AWS's error message
}

// mostReply bounds what is read of an answer, in bytes.
const mostReply = 1 << 20

// Call signs one request with a session and sends it, once. It goes to the
// endpoint that the environment or Options name and to no other: tried out
// against AWS itself, a call that is allowed would do its work.
//
// The error is a *Denied if IAM refused, and says otherwise that there was no
// answer; any other failure is in the reply.
func (c *Cloud) Call(ctx context.Context, s Session, r wire.Request) (Reply, error) {
	reply, _, err := c.exchange(ctx, s, r)
	if err == nil && isDenied(reply.Code) {
		err = parseDenied(reply.Message, r.Service, "")
	}
	return reply, err
}

// exchange signs one request and sends it, once; a failure that the service
// tells of is in the reply.
func (c *Cloud) exchange(ctx context.Context, s Session, r wire.Request) (reply Reply, body []byte, err error) {
	req, err := c.signed(ctx, s, r)
	if err != nil {
		return Reply{}, nil, err
	}
	resp, err := c.cfg.HTTPClient.Do(req)
	if err != nil {
		return Reply{}, nil, explain(err, "", r.Service)
	}
	body, err = io.ReadAll(io.LimitReader(resp.Body, mostReply))
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return Reply{}, nil, explain(err, "", r.Service)
	}
	reply = Reply{Status: resp.StatusCode}
	if reply.Status >= http.StatusBadRequest {
		reply.Code, reply.Message = parseFailure(body)
	}
	return reply, body, nil
}

func (c *Cloud) signed(ctx context.Context, s Session, r wire.Request) (*http.Request, error) {
	if c.cfg.BaseEndpoint == nil {
		return nil, errors.New("raw calls go to a sandbox only: no endpoint is set")
	}
	if s.creds == nil {
		return nil, errors.New("call " + r.Service + ": the session has no credentials")
	}
	url := strings.TrimSuffix(*c.cfg.BaseEndpoint, "/") + r.Path
	if r.Query != "" {
		url += "?" + r.Query
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, url, bytes.NewReader(r.Body))
	if err != nil {
		return nil, err
	}
	// S3 signs the path in AWS's strict escaping, so it must be sent like that.
	req.URL.RawPath = httpbinding.EscapePath(req.URL.Path, false)
	if r.Type != "" {
		req.Header.Set("Content-Type", r.Type)
	}
	if r.Target != "" {
		req.Header.Set("X-Amz-Target", r.Target)
	}
	sum := sha256.Sum256(r.Body)
	hash := hex.EncodeToString(sum[:])
	req.Header.Set("X-Amz-Content-Sha256", hash) // S3 demands it, the others ignore it
	err = v4.NewSigner().SignHTTP(ctx, *s.creds, req, hash, r.Service, c.cfg.Region, time.Now(), func(o *v4.SignerOptions) {
		o.DisableURIPathEscaping = r.Service == "s3" // its path is signed as sent, not escaped again
	})
	return req, err
}

// parseFailure reads the code and message of an error in any of AWS's
// protocols: JSON, or XML in which they stand at different depths.
func parseFailure(body []byte) (code, message string) {
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) {
		var f struct {
			Type    string `json:"__type"`
			Code    string `json:"code"`
			Message string `json:"message"` // matches "Message" too
		}
		if json.Unmarshal(body, &f) != nil {
			return "", ""
		}
		if f.Type != "" { // "com.amazonaws.ecr#AccessDeniedException"
			f.Code = f.Type[strings.LastIndex(f.Type, "#")+1:]
		}
		return f.Code, f.Message
	}
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		tok, err := d.Token()
		if err != nil {
			return code, message
		}
		if el, ok := tok.(xml.StartElement); ok {
			switch el.Name.Local {
			case "Code":
				_ = d.DecodeElement(&code, &el) // a torn answer leaves it empty
			case "Message":
				_ = d.DecodeElement(&message, &el)
			}
		}
	}
}
