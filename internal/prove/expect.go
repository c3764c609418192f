package prove

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/internal/spec"
)

// expect tries calls of one role: those it must be able to make and those it
// must not. Each list is a verdict of its own.
func (m *model) expect(e spec.Expect) []Verdict {
	var out []Verdict
	if len(e.Allow) > 0 {
		out = append(out, m.expectCalls(e, e.Allow, true))
	}
	if len(e.Deny) > 0 {
		out = append(out, m.expectCalls(e, e.Deny, false))
	}
	return out
}

func (m *model) expectCalls(e spec.Expect, actions []string, allowed bool) Verdict {
	v := Verdict{Rail: expectSentence(e, actions, allowed), Where: e.Pos.String()}
	r := m.specRole(e.Role)
	if r == nil {
		v.Violations = []Violation{{Action: actions[0], Reason: "role " + e.Role + " does not stand in the account"}}
		return v
	}
	for _, action := range actions {
		for _, resource := range m.resources(e.On, action, r.account.ID) {
			v.Checked++
			if bad := m.tryCall(e, r, action, resource, allowed); bad != nil {
				v.Violations = append(v.Violations, *bad)
			}
		}
	}
	v.Holds = len(v.Violations) == 0
	return v
}

func (m *model) specRole(name string) *role {
	i := slices.IndexFunc(m.roles, func(r *role) bool { return r.name == name })
	if i < 0 {
		return nil
	}
	return m.roles[i]
}

// tryCall evaluates one call and returns how it went wrong, nil if it did not.
func (m *model) tryCall(e spec.Expect, r *role, action, resource string, allowed bool) *Violation {
	bad := &Violation{Principal: r.arn, Action: action, Resource: resource}
	layers, err := r.layers()
	if err != nil {
		bad.Reason = err.Error()
		return bad
	}
	x := layers.Explain(m.call(e, r, action, resource))
	if (x.Decision == eval.Allowed) == allowed {
		return nil
	}
	bad.Reason = x.Decision.String()
	if len(x.Reasons) > 0 {
		first := x.Reasons[0]
		bad.Policy = first.Policy
		bad.Reason += " by " + first.Policy
		if s := r.statement(first); s != nil {
			bad.Blame = blame(*s)
		}
		return bad
	}
	bad.explainSilence(r)
	return bad
}

// explainSilence says what came nearest to allowing a call that nothing
// allowed.
func (v *Violation) explainSilence(r *role) {
	f, could := r.principal.Could(v.Action, v.Resource)
	switch {
	case could && f.Unknown:
		v.Policy = f.Policy
		v.Reason += ": the content of " + f.Policy + " is not known"
	case could && f.Conditional():
		v.Policy, v.Blame = f.Policy, blame(f.Statement)
		v.Reason += ": " + f.Policy + " allows it only if " + conditions(f.Statement) + "; name the keys under context if the job has them"
	default:
		v.Reason += ": no policy of the role allows it"
	}
}

func conditions(s iam.Statement) string {
	var parts []string
	for _, c := range s.Conditions {
		parts = append(parts, fmt.Sprintf("%s %s %s", c.Key, c.Operator, strings.Join(c.Values, " or ")))
	}
	return strings.Join(parts, " and ")
}

func (r *role) layers() (*eval.Layers, error) {
	identity, err := compileAll(eval.Identity, r.principal.Identity)
	if err != nil {
		return nil, err
	}
	layers := &eval.Layers{Identity: identity}
	if b := r.principal.Boundary; b != nil {
		if b.Document == nil {
			return nil, fmt.Errorf("the content of the boundary %s is not known", b.Name)
		}
		boundary, err := eval.Compile(b.Name, eval.Boundary, b.Document)
		if err != nil {
			return nil, fmt.Errorf("judge boundary %s: %w", b.Name, err)
		}
		layers.Boundary = []*eval.Policy{boundary}
	}
	return layers, nil
}

// statement finds what a reason points to.
func (r *role) statement(reason eval.Reason) *iam.Statement {
	policies := r.principal.Identity
	if reason.Kind == eval.Boundary && r.principal.Boundary != nil {
		policies = append(slices.Clone(policies), *r.principal.Boundary)
	}
	for _, p := range policies {
		if p.Name == reason.Policy && p.Document != nil && reason.Statement < len(p.Document.Statements) {
			return &p.Document.Statements[reason.Statement]
		}
	}
	return nil
}

// call is the request that a session of the role would make. What the spec
// says of its context wins over what is filled in.
func (m *model) call(e spec.Expect, r *role, action, resource string) *eval.Request {
	context := map[string][]string{
		"aws:CurrentTime":      {m.Now.UTC().Format(time.RFC3339)},
		"aws:RequestedRegion":  {m.Spec.Region},
		"aws:PrincipalArn":     {r.arn},
		"aws:PrincipalAccount": {r.account.ID},
		"aws:SecureTransport":  {"true"},
	}
	maps.Copy(context, e.Context)
	session := iam.ARN{Partition: r.account.Partition, Service: "sts", Account: r.account.ID, Resource: "assumed-role/" + r.role.Name + "/postern"}
	return &eval.Request{
		Principal: eval.Principal{Kind: eval.RoleSession, ARN: session.String(), RoleARN: r.arn, Account: r.account.ID},
		Action:    action,
		Resource:  resource,
		Context:   eval.NewContext(context),
	}
}

func expectSentence(e spec.Expect, actions []string, allowed bool) string {
	verb := " can do "
	if !allowed {
		verb = " cannot do "
	}
	s := "role " + e.Role + verb + strings.Join(actions, ", ")
	if len(e.On) > 0 {
		s += " on " + strings.Join(e.On, ", ")
	}
	return s
}
