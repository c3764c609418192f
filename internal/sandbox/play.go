package sandbox

import (
	"fmt"
	"maps"
	"time"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

// Temporary are credentials of a session.
type Temporary struct {
	KeyID, Secret, Token string
}

// String keeps the secret out of logs.
func (t Temporary) String() string { return "credentials " + t.KeyID }

// GoString keeps the secret out of %#v.
func (t Temporary) GoString() string { return t.String() }

// PlayService gives the session that an AWS service would get: its principal
// assumes the role with these condition keys (aws:SourceAccount and so on).
// ok is false if the trust policy refuses it. No client can do that over the
// wire, in AWS neither.
func (s *Server) PlayService(principal, roleARN string, keys map[string][]string) (t Temporary, ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &call{s: s, now: s.opt.Clock(), service: "sts", params: params{"RoleArn": roleARN, "RoleSessionName": "postern-trial"}}
	owner, r, found := c.settledTarget()
	if !found {
		return t, false, fmt.Errorf("play %s: no role %s", principal, roleARN)
	}
	context := map[string][]string{"aws:CurrentTime": {c.now.UTC().Format(time.RFC3339)}, "aws:PrincipalIsAWSService": {"true"}}
	maps.Copy(context, keys)
	layers := &eval.Layers{Resource: s.compile(eval.Trust, "trust policy", s.trustNow(r))}
	decision := layers.Decide(&eval.Request{
		Principal: eval.Principal{Kind: eval.Service, ARN: principal},
		Action:    "sts:AssumeRole", Resource: roleARN, ResourceAccount: owner.ID, Context: eval.NewContext(context),
	})
	if decision != eval.Allowed {
		return t, false, nil
	}
	session, err := c.newRoleSession(owner, r)
	if err != nil {
		return t, false, err
	}
	c.open(session, minSession)
	return Temporary{session.KeyID, session.Secret, session.Token}, true, nil
}

// PlayUser gives a user's own session, as GetSessionToken would with the
// user's key. The user gets no key for it.
func (s *Server) PlayUser(userARN string) (Temporary, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &call{s: s, now: s.opt.Clock(), service: "sts"}
	arn, err := iam.ParseARN(userARN)
	if err != nil {
		return Temporary{}, fmt.Errorf("play user: %w", err)
	}
	a, ok := s.state.Accounts[arn.Account]
	if !ok {
		return Temporary{}, fmt.Errorf("play user: no account %s", arn.Account)
	}
	a.arrive(c.now)
	u, ok := a.Users.known(lastSegment(arn.Resource))
	if !ok || a.arn("user", u.Path, u.Name) != userARN {
		return Temporary{}, fmt.Errorf("play user: no user %s", userARN)
	}
	session := &session{Account: a.ID, User: u.Name, UserID: u.ID}
	c.open(session, minSession)
	return Temporary{session.KeyID, session.Secret, session.Token}, nil
}

// settledTarget is target outside a request: what is due arrives first.
func (c *call) settledTarget() (*account, *role, bool) {
	for _, a := range c.s.state.Accounts {
		a.arrive(c.now)
	}
	return c.target()
}
