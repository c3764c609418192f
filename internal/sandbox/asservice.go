package sandbox

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
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
	Service     string // "ec2.amazonaws.com"
	RoleARN     string
	SessionName string // such as an instance's ID
	// Keys are the condition keys that the service sends: aws:SourceAccount,
	// aws:SourceArn, and aws:RequestTag/... for each session tag.
	Keys map[string][]string
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
	maps.Copy(keys, q.Keys)
	tags := q.sessionTags()
	who := eval.Principal{Kind: eval.Service, ARN: q.Service}
	if !c.trustsAll(r, who, assumeActions("sts:AssumeRole", tags), keys) {
		return SessionCredentials{}, fmt.Errorf("assume %s as %s: %w", q.RoleARN, q.Service, ErrRefused)
	}
	session, err := c.newRoleSession(owner, r)
	if err != nil {
		return SessionCredentials{}, fmt.Errorf("assume %s as %s: %w", q.RoleARN, q.Service, err)
	}
	session.Tags = tags
	c.open(session, defaultSession)
	s.changed()
	return SessionCredentials{session.KeyID, session.Secret, session.Token, session.Expires}, nil
}

// sessionTags are the tags that the service gives the session.
func (q ServiceRequest) sessionTags() map[string]string {
	tags := map[string]string{}
	for key, values := range q.Keys {
		if tag, ok := strings.CutPrefix(key, "aws:RequestTag/"); ok && len(values) == 1 {
			tags[tag] = values[0]
		}
	}
	return tags
}

// assumeActions are what a trust policy must allow for a session with the tags.
func assumeActions(action string, tags map[string]string) []string {
	if len(tags) == 0 {
		return []string{action}
	}
	return []string{action, "sts:TagSession"}
}

// trustsAll judges callers without policies of their own: by the trust policy
// alone.
func (c *call) trustsAll(r *role, who eval.Principal, actions []string, keys map[string][]string) bool {
	layers := &eval.Layers{Resource: c.s.compile(eval.Trust, "trust policy", c.s.trustNow(r))}
	return !slices.ContainsFunc(actions, func(action string) bool {
		return layers.Decide(&eval.Request{
			Principal: who, Action: action, Resource: c.params["RoleArn"], ResourceAccount: c.account.ID, Context: eval.NewContext(keys),
		}) != eval.Allowed
	})
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
