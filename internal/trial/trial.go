// Package trial uses the access that a stack grants, where using it harms
// nobody: in the sandbox. Machines present real tokens and make real calls;
// strangers present theirs and must be refused. It decides nothing about
// access: it tells what the other side answered, and whether that was right.
package trial

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/internal/catalog"
	"github.com/postern-dev/postern/internal/compile"
	"github.com/postern-dev/postern/internal/spec"
	"github.com/postern-dev/postern/internal/trust"
	"github.com/postern-dev/postern/internal/wire"
)

// Gate lets machines in as AWS does. An error that wraps ErrRefused means that
// AWS said no; any other that it could not be asked.
type Gate interface {
	// WithToken assumes the role with an OIDC token of these claims, signed by
	// the issuer that they name.
	WithToken(ctx context.Context, roleARN string, claims map[string]any) (Session, error)
	// AsService assumes the role as an AWS service does, with the condition
	// keys that it sends, those of session tags among them.
	AsService(ctx context.Context, roleARN, service string, keys map[string][]string) (Session, error)
	// AsUser assumes the role with a short-lived key of the user.
	AsUser(ctx context.Context, roleARN, userARN string) (Session, error)
}

// Session makes calls as a role.
type Session interface {
	Call(ctx context.Context, r wire.Request) error
}

// ErrRefused is wrapped by errors that mean "AWS said no".
var ErrRefused = errors.New("refused")

// Report is what came of it, role by role.
type Report struct {
	Roles []Role `json:"roles"`
}

// Role is the trial of one role of the spec.
type Role struct {
	Name     string    `json:"name"`
	ARN      string    `json:"arn"`
	Outcome  Outcome   `json:"outcome"`
	Attempts []Attempt `json:"attempts"`
}

// Outcome is what the trial of a role came to.
type Outcome string

// The outcomes.
const (
	Right    Outcome = "right"     // everything went as it must
	Wrong    Outcome = "wrong"     // something was allowed or refused that must not be
	NotTried Outcome = "not tried" // nobody who may enter can be played here
)

// Attempt is one thing that somebody tried.
type Attempt struct {
	Who      string `json:"who"`  // identity, or the stranger
	What     string `json:"what"` // "assume role", or an action and its resource
	Want     bool   `json:"want"` // it must be allowed
	Allowed  bool   `json:"allowed"`
	Stranger bool   `json:"stranger,omitempty"` // somebody who poses as an identity of the role
	Detail   string `json:"detail,omitempty"`   // AWS's answer to a refusal
}

// Right reports whether every role was tried and everything went as it must.
func (r *Report) Right() bool {
	return !slices.ContainsFunc(r.Roles, func(role Role) bool { return role.Outcome != Right })
}

// Wrong reports whether something was allowed or refused that must not be.
func (r *Report) Wrong() bool {
	return slices.ContainsFunc(r.Roles, func(role Role) bool { return role.Outcome == Wrong })
}

func outcomeOf(attempts []Attempt) Outcome {
	switch {
	case len(attempts) == 0:
		return NotTried
	case slices.ContainsFunc(attempts, func(a Attempt) bool { return a.Want != a.Allowed }):
		return Wrong
	}
	return Right
}

// Run tries every role of the spec. It fails only if the other side could not
// be asked.
func Run(ctx context.Context, s *spec.Spec, gate Gate) (*Report, error) {
	report := &Report{}
	for i := range s.Roles {
		role, err := tryRole(ctx, s, &s.Roles[i], gate)
		if err != nil {
			return nil, fmt.Errorf("try role %s: %w", s.Roles[i].Name, err)
		}
		report.Roles = append(report.Roles, role)
	}
	return report, nil
}

func tryRole(ctx context.Context, s *spec.Spec, r *spec.Role, gate Gate) (Role, error) {
	t := &roleTrial{spec: s, role: r, gate: gate, out: Role{Name: r.Name, ARN: compile.RoleARN(s, r)}}
	t.entries = compile.Entries(s, r)
	for i := range t.entries {
		if err := t.enter(ctx, i); err != nil {
			return Role{}, err
		}
	}
	var err error
	if t.session != nil {
		err = t.calls(ctx)
	}
	t.out.Outcome = outcomeOf(t.out.Attempts)
	return t.out, err
}

// roleTrial is the trial of one role under way.
type roleTrial struct {
	spec    *spec.Spec
	role    *spec.Role
	gate    Gate
	out     Role
	entries []trust.Entry
	session Session // of the first identity that got in
}

func (t *roleTrial) scope() trust.Scope {
	arn, err := iam.ParseARN(t.out.ARN)
	if err != nil {
		return trust.Scope{}
	}
	return trust.Scope{Partition: arn.Partition, Region: t.spec.Region, Account: arn.Account}
}

// note records an attempt, unless the other side could not be asked.
func (t *roleTrial) note(a Attempt, session Session, err error) error {
	a.Allowed = err == nil
	if err != nil {
		if !errors.Is(err, ErrRefused) {
			return err
		}
		a.Detail = err.Error()
	}
	if t.session == nil && session != nil {
		t.session = session
	}
	t.out.Attempts = append(t.out.Attempts, a)
	return nil
}

// enter tries one trust entry: the machine itself, and those who pose as it.
// A role or an account elsewhere cannot be played from here.
func (t *roleTrial) enter(ctx context.Context, i int) error {
	entry := t.entries[i]
	right := entry.Caller(t.scope())
	if !t.playable(right) {
		return nil
	}
	if err := t.try(ctx, Attempt{Who: t.nameOf(i), Want: true}, right); err != nil {
		return err
	}
	for _, attack := range trust.Strangers(t.scope(), t.entries, i) {
		if !t.playable(attack.Caller) {
			continue
		}
		if err := t.try(ctx, Attempt{Who: attack.Name, Stranger: true}, attack.Caller); err != nil {
			return err
		}
	}
	return nil
}

// nameOf is how the report calls a machine: a service by its principal, others
// by the name in the spec.
func (t *roleTrial) nameOf(i int) string {
	entry, name := t.entries[i], t.role.Trust[i].Identity
	who := entry.Caller(t.scope())
	switch {
	case name == "" && who.Claims == nil:
		return who.Principal.ARN
	case name == "" || who.Claims == nil:
		return cmp.Or(name, entry.Identity.Describe())
	}
	return name + ": " + entry.Identity.Describe()
}

// playable reports whether the caller can be played from here: a token can be
// signed, and a service and a machine user of the stack stood in for.
func (t *roleTrial) playable(c trust.Caller) bool {
	if c.Principal.Kind == eval.User {
		return slices.ContainsFunc(t.spec.Identities, func(id spec.Identity) bool {
			return id.AccessKey != nil && compile.UserARN(t.spec, &id) == c.Principal.ARN
		})
	}
	return c.Claims != nil || c.Principal.Kind == eval.Service
}

// try has somebody ask for the role.
func (t *roleTrial) try(ctx context.Context, a Attempt, c trust.Caller) error {
	a.What = "assume the role"
	var session Session
	var err error
	switch {
	case c.Claims != nil:
		session, err = t.gate.WithToken(ctx, t.out.ARN, c.Claims)
	case c.Principal.Kind == eval.Service:
		session, err = t.gate.AsService(ctx, t.out.ARN, c.Principal.ARN, c.Keys)
	default:
		session, err = t.gate.AsUser(ctx, t.out.ARN, c.Principal.ARN)
	}
	if a.Stranger {
		session = nil // what strangers could do is not the question
	}
	return t.note(a, session, err)
}

// calls makes one call that the role's grants allow and one that nothing does.
func (t *roleTrial) calls(ctx context.Context) error {
	if call, ok := t.allowedCall(); ok {
		if err := t.call(ctx, call, true); err != nil {
			return err
		}
	}
	return t.call(ctx, t.deniedCall(), false)
}

func (t *roleTrial) call(ctx context.Context, c wire.Call, want bool) error {
	request, ok := wire.BuildCall(c, t.spec.Region)
	if !ok {
		return fmt.Errorf("build a request for %s on %s", c.Action, c.Resource)
	}
	err := t.session.Call(ctx, request)
	return t.note(Attempt{Who: "role " + t.role.Name, What: c.Action + " on " + c.Resource, Want: want}, nil, err)
}

// allowedCall is the first call that a grant of the role allows and that can
// be made here.
func (t *roleTrial) allowedCall() (wire.Call, bool) {
	scope := t.scope()
	for _, g := range t.role.Grants {
		grant, ok := catalog.Lookup(g.Name)
		if !ok {
			continue
		}
		statements, err := grant.Statements(catalog.Scope(scope), g.Level, compile.Args(t.spec, t.role.Account, g))
		if err != nil {
			continue
		}
		for _, s := range statements {
			if c, ok := buildable(s, t.spec.Region); ok {
				return c, true
			}
		}
	}
	return wire.Call{}, false
}
