package sandbox

import (
	"errors"
	"fmt"
	"time"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

// ErrRefused is what AssumeAsService returns if the role does not trust the
// service, wrapped.
var ErrRefused = errors.New("the role's trust policy does not allow it")

// SessionCredentials are temporary credentials.
type SessionCredentials struct {
	AccessKeyID, SecretAccessKey, SessionToken string
	Expires                                    time.Time
}

// ServiceRequest is an AWS service that wants to work for a customer.
type ServiceRequest struct {
	Service       string // "ec2.amazonaws.com"
	RoleARN       string
	SessionName   string // such as an instance's ID
	SourceAccount string // aws:SourceAccount; empty for services that send none
	SourceARN     string // aws:SourceArn; empty for services that send none
}

// AssumeAsService opens a session of a role as AWS services do: over no public
// API, judged by the role's trust policy alone.
func (s *Server) AssumeAsService(q ServiceRequest) (SessionCredentials, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &call{
		s: s, service: "sts", now: s.opt.Clock(), region: s.opt.Region, sourceIP: "127.0.0.1", userAgent: q.Service,
		params: params{"RoleArn": q.RoleARN, "RoleSessionName": q.SessionName},
	}
	for _, a := range s.state.Accounts {
		a.arrive(c.now)
	}
	owner, r, ok := c.target()
	if !ok {
		return SessionCredentials{}, fmt.Errorf("assume %s as %s: there is no such role: %w", q.RoleARN, q.Service, ErrRefused)
	}
	c.account = owner
	keys := c.context(resource{arn: q.RoleARN, account: owner.ID, tags: r.Tags})
	keys["aws:PrincipalIsAWSService"], keys["aws:PrincipalServiceName"] = []string{"true"}, []string{q.Service}
	if q.SourceAccount != "" {
		keys["aws:SourceAccount"] = []string{q.SourceAccount}
	}
	if q.SourceARN != "" {
		keys["aws:SourceArn"] = []string{q.SourceARN}
	}
	layers := &eval.Layers{Resource: s.compile(eval.Trust, "trust policy", s.trustNow(r))}
	decision := layers.Decide(&eval.Request{
		Principal: eval.Principal{Kind: eval.Service, ARN: q.Service},
		Action:    "sts:AssumeRole", Resource: q.RoleARN, ResourceAccount: owner.ID, Context: eval.NewContext(keys),
	})
	if decision != eval.Allowed {
		return SessionCredentials{}, fmt.Errorf("assume %s as %s: %w", q.RoleARN, q.Service, ErrRefused)
	}
	session, err := c.newRoleSession(owner, r)
	if err != nil {
		return SessionCredentials{}, fmt.Errorf("assume %s as %s: %w", q.RoleARN, q.Service, err)
	}
	c.open(session, defaultSession)
	s.changed()
	return SessionCredentials{session.KeyID, session.Secret, session.Token, session.Expires}, nil
}

// AssumeAsUser opens a user's own session, as GetSessionToken does with the
// user's key: for trying what a machine user may do without making it a key.
func (s *Server) AssumeAsUser(userARN string) (SessionCredentials, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &call{s: s, now: s.opt.Clock(), service: "sts"}
	arn, err := iam.ParseARN(userARN)
	if err != nil {
		return SessionCredentials{}, fmt.Errorf("session of user: %w", err)
	}
	a, ok := s.state.Accounts[arn.Account]
	if !ok {
		return SessionCredentials{}, fmt.Errorf("session of user: no account %s", arn.Account)
	}
	a.arrive(c.now)
	u, ok := a.Users.known(lastSegment(arn.Resource))
	if !ok || a.arn("user", u.Path, u.Name) != userARN {
		return SessionCredentials{}, fmt.Errorf("session of user: no user %s", userARN)
	}
	session := &session{Account: a.ID, User: u.Name, UserID: u.ID}
	c.open(session, minSession)
	return SessionCredentials{session.KeyID, session.Secret, session.Token, session.Expires}, nil
}
