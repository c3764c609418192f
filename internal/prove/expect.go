package prove

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/iam/reach"
	"github.com/postern-dev/postern/internal/spec"
)

// expect tries what one role must be able to do, and what it must not. Each
// list is a verdict of its own.
func (m *model) expect(e spec.Expect) []Verdict {
	var out []Verdict
	if len(e.Allow) > 0 {
		out = append(out, m.expectOf(e, e.Allow, " can do ", m.tryAllowed))
	}
	if len(e.Deny) > 0 {
		out = append(out, m.expectOf(e, e.Deny, " cannot do ", m.tryDenied))
	}
	return out
}

// try holds one action of an expectation against the role.
type try func(e spec.Expect, r *role, action string, v *Verdict)

func (m *model) expectOf(e spec.Expect, actions []string, verb string, try try) Verdict {
	v := Verdict{Rail: "role " + e.Role + verb + strings.Join(actions, ", "), Where: e.Pos.String()}
	if len(e.On) > 0 {
		v.Rail += " on " + strings.Join(e.On, ", ")
	}
	i := slices.IndexFunc(m.roles, func(r *role) bool { return r.name == e.Role })
	if i < 0 {
		v.Violations = []Violation{{Action: actions[0], Reason: "role " + e.Role + " does not stand in the account"}}
		return v
	}
	for _, action := range actions {
		try(e, m.roles[i], action, &v)
	}
	v.settle()
	return v
}

// tryDenied is a small "never": the context narrows the requests, all else
// about them is open.
func (m *model) tryDenied(e spec.Expect, r *role, action string, v *Verdict) {
	v.Checked++
	s := r.subject
	s.facts = s.facts.With(e.Context)
	v.Violations = append(v.Violations, m.tryAction(Violation{Principal: r.ARN}, &s, action, e.On)...)
}

// tryAllowed evaluates one call on each resource.
func (m *model) tryAllowed(e spec.Expect, r *role, action string, v *Verdict) {
	on := e.On
	if len(on) == 0 {
		on = []string{"*"}
	}
	for _, short := range on {
		v.Checked++
		request := m.call(e, r, action, m.one(short, action, r.account.ID))
		bad := Violation{Principal: r.ARN, Action: action, Resource: short}
		layers := r.layers()
		x := layers.Explain(request)
		unknown := r.unknown()
		switch {
		case x.Decision == eval.Allowed && len(unknown) == 0:
		case len(unknown) > 0 && layers.MightAllow(request):
			bad.Reason = "the content of " + strings.Join(unknown, ", ") + " is not known here"
			v.Doubts = append(v.Doubts, bad)
		default:
			bad.explain(r, request, x)
			v.Violations = append(v.Violations, bad)
		}
	}
}

// layers are the role's policies, nil for those of which the content is not
// known. What cannot be judged in them denies.
func (r *role) layers() *eval.Layers {
	layers := &eval.Layers{}
	for _, p := range r.permissions.Identity {
		layers.Identity = append(layers.Identity, compiled(eval.Identity, p))
	}
	if b := r.permissions.Boundary; b != nil {
		layers.Boundary = []*eval.Policy{compiled(eval.Boundary, *b)}
	}
	return layers
}

func compiled(kind eval.Kind, p reach.Policy) *eval.Policy {
	if p.Document == nil {
		return nil
	}
	policy, _ := eval.Compile(p.Name, kind, p.Document) // with an error it denies in doubt
	return policy
}

// unknown are the names of the role's policies of which the content is not
// known.
func (r *role) unknown() []string {
	var out []string
	for _, p := range r.all() {
		if p.Document == nil {
			out = append(out, p.Name)
		}
	}
	return out
}

// all are the role's policies and its boundary.
func (r *role) all() []reach.Policy {
	if r.permissions.Boundary == nil {
		return r.permissions.Identity
	}
	return append(slices.Clone(r.permissions.Identity), *r.permissions.Boundary)
}

// explain says why a call is not allowed: what denies it, or what came nearest
// to allowing it.
func (v *Violation) explain(r *role, request *eval.Request, x eval.Explanation) {
	v.Reason = x.Decision.String()
	if len(x.Reasons) > 0 {
		first := x.Reasons[0]
		v.Policy = first.Policy
		if x.Decision == eval.ExplicitDeny {
			v.Reason += " by " + first.Policy
		} else if b := r.permissions.Boundary; b != nil {
			v.Reason += ": " + first.Policy + " allows it, the permissions boundary " + b.Name + " does not"
		}
		v.Blame = r.statement(first)
		return
	}
	for f := range r.permissions.Findings(reach.Question{Action: v.Action, Resource: "*", Facts: r.facts}) {
		switch names := slices.ContainsFunc(f.Resources, func(p string) bool { return iam.Match(p, request.Resource) }); {
		case names && f.Conditional():
			v.Reason += ": " + f.Policy + " allows it only if " + conditions(f.Open) + "; name the keys under context if the job has them"
		case request.Resource == "*" && !names:
			v.Reason += ": " + f.Policy + " allows it on " + strings.Join(f.Resources, ", ") + " only; name the resource with `on`"
		default:
			continue
		}
		v.Policy, v.Blame = f.Policy, blame(f.Statement)
		return
	}
	v.Reason += ": no policy of the role allows it"
}

func conditions(list []iam.Condition) string {
	var parts []string
	for _, c := range list {
		parts = append(parts, fmt.Sprintf("%s %s %s", c.Key, c.Operator, strings.Join(c.Values, " or ")))
	}
	return strings.Join(parts, " and ")
}

// statement is what a reason points to.
func (r *role) statement(reason eval.Reason) *iam.Document {
	for _, p := range r.all() {
		if p.Name == reason.Policy && p.Document != nil && reason.Statement < len(p.Document.Statements) {
			return blame(p.Document.Statements[reason.Statement])
		}
	}
	return nil
}

// call is the request that a session of the role would make. What the spec
// says of its context wins over what is filled in.
func (m *model) call(e spec.Expect, r *role, action, resource string) *eval.Request {
	session := eval.Principal{
		Kind: eval.RoleSession, RoleARN: r.ARN, Account: r.account.ID,
		ARN: iam.ARN{Partition: r.account.Partition, Service: "sts", Account: r.account.ID, Resource: "assumed-role/" + r.estate.Name + "/postern"}.String(),
	}
	context := eval.PrincipalContext(session)
	context["aws:CurrentTime"] = []string{m.Now.UTC().Format(time.RFC3339)}
	context["aws:RequestedRegion"] = []string{m.Spec.Region}
	context["aws:SecureTransport"] = []string{"true"}
	keys := eval.NewContext(context)
	for _, key := range slices.Sorted(maps.Keys(e.Context)) {
		keys = keys.With(key, e.Context[key]...)
	}
	return &eval.Request{Principal: session, Action: action, Resource: resource, Context: keys}
}
