package stack

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/postern-dev/postern/internal/aws"
	"github.com/postern-dev/postern/internal/compile"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/sandbox"
	"github.com/postern-dev/postern/internal/spec"
	"github.com/postern-dev/postern/internal/trial"
	"github.com/postern-dev/postern/internal/trust"
	"github.com/postern-dev/postern/internal/wire"
)

// playground is the sandbox of up --sandbox.
type playground struct {
	server   *sandbox.Server
	standIns []string // ARNs of policies that the spec takes for granted, and the sandbox made up
}

// openPlayground starts a sandbox with the accounts of the spec. The first
// account without an admin role is home: its credentials are the caller's.
func openPlayground(s *spec.Spec) (*playground, error) {
	o := sandbox.Options{Region: s.Region, Issuers: issuersOf(s)}
	for _, a := range s.Accounts {
		o.Accounts = append(o.Accounts, sandbox.AccountConfig{ID: a.ID, Partition: s.Partition, AdminRole: a.AdminRole})
		if a.AdminRole == "" && o.HomeAccount == "" {
			o.HomeAccount = a.ID
		}
	}
	server, err := sandbox.New(o)
	if err != nil {
		return nil, fmt.Errorf("start sandbox: %w", err)
	}
	if err := server.Listen("127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("start sandbox: %w", err)
	}
	p := &playground{server: server}
	return p, p.standIn(s)
}

// issuersOf makes the sandbox the issuer of every identity's tokens.
func issuersOf(s *spec.Spec) map[string]string {
	issuers := map[string]string{}
	for i := range s.Roles {
		for _, e := range compile.Entries(s, &s.Roles[i]) {
			if tokens, ok := trust.TokensOf(e.Identity, trust.Scope{Partition: s.Partition, Region: s.Region}); ok {
				issuers["https://"+tokens.Issuer] = ""
			}
		}
	}
	return issuers
}

// standIn makes up the permissions boundaries that the spec expects to find.
func (p *playground) standIn(s *spec.Spec) error {
	for _, r := range s.Roles {
		if r.Boundary == "" {
			continue
		}
		made, err := p.server.StandIn(r.Boundary)
		if err != nil {
			return err
		}
		if made {
			p.standIns = append(p.standIns, r.Boundary)
		}
	}
	return nil
}

func (p *playground) options() aws.Options {
	id, secret := p.server.Credentials()
	return aws.Options{Endpoint: p.server.URL(), Credentials: &aws.StaticCredentials{ID: id, Secret: secret}}
}

func (p *playground) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdown)
	defer cancel()
	_ = p.server.Close(ctx) // it kept nothing that could be lost
}

func (p *playground) gate(cloud *aws.Cloud) trial.Gate { return gate{p.server, cloud} }

// gate lets the machines of a trial into the sandbox.
type gate struct {
	server *sandbox.Server
	cloud  *aws.Cloud
}

const trialSession = "postern-trial"

func (g gate) WithToken(ctx context.Context, roleARN string, claims map[string]any) (trial.Session, error) {
	token, err := g.server.Mint(claims)
	if err != nil {
		return nil, err
	}
	s, err := g.cloud.AssumeWithToken(ctx, roleARN, trialSession, token)
	return g.session(s, err)
}

func (g gate) AsService(_ context.Context, roleARN, service string, keys map[string][]string) (trial.Session, error) {
	request := sandbox.ServiceRequest{Service: service, RoleARN: roleARN, SessionName: trialSession, Keys: keys}
	credentials, err := g.server.AssumeAsService(request)
	if errors.Is(err, sandbox.ErrRefused) {
		err = fmt.Errorf("%w: the trust policy does not admit %s", trial.ErrRefused, service)
	}
	if err != nil {
		return nil, err
	}
	return session{g.cloud, static(credentials)}, nil
}

func (g gate) AsUser(ctx context.Context, roleARN, userARN string) (trial.Session, error) {
	credentials, err := g.server.AssumeAsUser(userARN)
	if err != nil {
		return nil, err
	}
	s, err := g.cloud.AssumeRole(ctx, static(credentials), roleARN, trialSession, "")
	return g.session(s, err)
}

func static(c sandbox.SessionCredentials) aws.Session {
	return aws.StaticSession(aws.StaticCredentials{ID: c.AccessKeyID, Secret: c.SecretAccessKey, Session: c.SessionToken})
}

func (g gate) session(s aws.Session, err error) (trial.Session, error) {
	if err != nil {
		return nil, refusal(err)
	}
	return session{g.cloud, s}, nil
}

// refusal marks errors that mean "AWS said no".
func refusal(err error) error {
	if denied, ok := errors.AsType[*aws.Denied](err); ok {
		return fmt.Errorf("%w: %s", trial.ErrRefused, denied.Error())
	}
	if f, ok := errors.AsType[*fault.Error](err); ok && strings.Contains(f.What, "InvalidIdentityToken") {
		return fmt.Errorf("%w: %s", trial.ErrRefused, f.What)
	}
	return err
}

// session makes the calls of a trial.
type session struct {
	cloud *aws.Cloud
	as    aws.Session
}

func (s session) Call(ctx context.Context, r wire.Request) error {
	reply, err := s.cloud.Call(ctx, s.as, r)
	if err != nil {
		return refusal(err)
	}
	if reply.Code != "" {
		return fmt.Errorf("%s: %s", reply.Code, reply.Message)
	}
	return nil
}
