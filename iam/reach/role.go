package reach

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

// Role is a role as those see it who might become it. It is immutable.
type Role struct {
	ARN     string
	Account string        // 12 digits
	Trust   *iam.Document // nil: not known; it then admits everyone

	everyone bool
	aws      map[string]bool // account ids, ARNs and, for sessions, sessionsOf their role
	named    []string        // the ARNs among them, as they stand in the policy
	services []string
	issuers  []string // ARNs of OIDC and SAML providers
	freed    sync.Map // the trust policy as Facts.Free reads it, compiled, by what that keeps: callers differ little
}

// NewRole reads whom a trust policy names. A policy that is not known is nil.
func NewRole(arn, account string, trust *iam.Document) *Role {
	r := &Role{ARN: arn, Account: account, Trust: trust, everyone: trust == nil, aws: map[string]bool{}}
	if trust == nil {
		return r
	}
	for _, s := range trust.Statements {
		r.addARNs(s.NotPrincipal)
		r.addARNs(s.Principal)
		if s.Effect != iam.Allow {
			continue
		}
		switch p := s.Principal; {
		case p == nil: // NotPrincipal: everyone but some
			r.everyone = true
		case p.Everyone || slices.Contains(p.AWS, "*"):
			r.everyone = true
		default:
			r.addAWS(p.AWS)
			r.services = append(r.services, p.Service...)
			r.issuers = append(r.issuers, p.Federated...)
		}
	}
	for _, list := range []*[]string{&r.services, &r.issuers} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return r
}

func (r *Role) addARNs(p *iam.Principal) {
	if p == nil {
		return
	}
	for _, name := range p.AWS {
		if strings.HasPrefix(name, "arn:") && !slices.Contains(r.named, name) {
			r.named = append(r.named, name)
		}
	}
}

func (r *Role) addAWS(names []string) {
	for _, name := range names {
		p := principalOf(name)
		switch p.Kind {
		case eval.Root:
			r.aws[p.Account] = true
		case eval.RoleSession:
			r.aws[sessionsOf(p.Account, roleName(p.ARN))] = true
		}
		r.aws[name] = true
	}
}

// sessionsOf stands for all sessions of a role, whose path a session's ARN
// does not tell. An account has no two roles of one name.
func sessionsOf(account, role string) string { return account + " " + role }

// roleName is the name in a role's ARN, or in that of one of its sessions.
func roleName(arn string) string {
	parts := strings.Split(arn, "/")
	if len(parts) > 2 && strings.Contains(parts[0], ":assumed-role") {
		return parts[1]
	}
	return parts[len(parts)-1]
}

// principalOf is who an entry of a Principal element's AWS list names. An
// account stands for its root user.
func principalOf(name string) eval.Principal {
	if iam.IsAccountID(name) {
		return eval.Principal{Kind: eval.Root, Account: name}
	}
	arn, err := iam.ParseARN(name)
	p := eval.Principal{Kind: eval.Anonymous, ARN: name, Account: arn.Account}
	kind, _, _ := strings.Cut(arn.Resource, "/")
	switch {
	case err != nil:
	case kind == "root":
		p.Kind = eval.Root
	case kind == "user":
		p.Kind = eval.User
	case kind == "role":
		p.Kind = eval.Role
	case kind == "assumed-role":
		p.Kind = eval.RoleSession
	case kind == "federated-user":
		p.Kind = eval.FederatedUser
	}
	return p
}

// Caller is somebody who asks to become a role.
type Caller struct {
	Principal eval.Principal
	// MayAsk says that its own policies let it assume the role, as far as they
	// are in question.
	MayAsk bool
	Facts  Facts // what is known of its requests, beside who it is

	call string // what it asks for beside the call by which it becomes the role
}

// Action is the call by which it becomes a role.
func (c *Caller) action() string {
	if c.call != "" {
		return c.call
	}
	switch c.Principal.Kind {
	case eval.WebIdentity:
		return "sts:AssumeRoleWithWebIdentity"
	case eval.SAML:
		return "sts:AssumeRoleWithSAML"
	}
	return "sts:AssumeRole"
}

// Admits reports whether the trust policy might let the caller in. A role may
// come as any of its sessions: it chooses their names itself.
func (r *Role) Admits(c Caller) bool {
	c.Facts = c.Facts.With(contextOf(c.Principal))
	return r.admits(c)
}

// admits is Admits for a caller whose facts say who it is.
func (r *Role) admits(c Caller) bool {
	if !r.mentions(&c.Principal, c.MayAsk) {
		return false
	}
	if r.judge(c) {
		return true
	}
	if c.Principal.Kind != eval.Role {
		return false
	}
	for _, arn := range r.named {
		session := principalOf(arn)
		if session.Kind == eval.RoleSession && session.Account == c.Principal.Account && roleName(arn) == roleName(c.Principal.ARN) {
			session.RoleARN = c.Principal.ARN
			if r.judge(Caller{Principal: session, MayAsk: c.MayAsk, Facts: c.Facts, call: c.call}) {
				return true
			}
		}
	}
	return false
}

// mentions is a cheap look at whether the policy has an Allow for the caller. To
// trust an account is to leave it to the caller's own policies.
func (r *Role) mentions(p *eval.Principal, mayAsk bool) bool {
	switch p.Kind {
	case eval.Role:
		return r.everyone || r.aws[p.ARN] || mayAsk && r.aws[p.Account] || r.aws[sessionsOf(p.Account, roleName(p.ARN))]
	case eval.User:
		return r.everyone || r.aws[p.ARN] || mayAsk && r.aws[p.Account]
	case eval.WebIdentity, eval.SAML:
		return r.everyone || slices.Contains(r.issuers, p.ARN)
	case eval.Service:
		return r.everyone || slices.Contains(r.services, p.ARN)
	}
	return true
}

// tells reports whether the trust policy tells a principal from others of its
// kind and account.
func (r *Role) tells(p *eval.Principal) bool {
	return r.Trust != nil && slices.ContainsFunc(r.Trust.Statements, func(s iam.Statement) bool { return len(s.Conditions) > 0 }) ||
		slices.ContainsFunc(r.named, func(arn string) bool {
			return arn == p.ARN || strings.Contains(arn, ":assumed-role/") && roleName(arn) == roleName(p.ARN)
		})
}

// AdmitsAccount reports whether the trust policy might let in some principal of
// an account of which only the account is known.
func (r *Role) AdmitsAccount(account string, facts Facts) bool {
	return r.admitsAccount(account, facts, "")
}

func (r *Role) admitsAccount(account string, facts Facts, call string) bool {
	for _, arn := range r.named {
		p := principalOf(arn)
		if p.Account == account && p.Kind != eval.Anonymous && r.Admits(Caller{Principal: p, MayAsk: true, Facts: facts, call: call}) {
			return true
		}
	}
	facts = facts.With(map[string][]string{"aws:PrincipalAccount": {account}, "aws:PrincipalIsAWSService": {"false"}})
	facts.Like = maps.Clone(facts.Like)
	if facts.Like == nil {
		facts.Like = map[string]Pattern{}
	}
	partition, _, _ := strings.Cut(strings.TrimPrefix(r.ARN, "arn:"), ":")
	facts.Like["aws:PrincipalArn"] = Pattern{Text: "arn:" + partition + ":???::" + account + ":*"} // of iam or sts
	unnamed := eval.Principal{Kind: eval.Role, ARN: "any principal of " + account, Account: account}
	return r.judge(Caller{Principal: unnamed, MayAsk: true, Facts: facts, call: call})
}

// judge asks the trust policy with all that the facts leave open in the
// caller's favour. What cannot be judged admits.
func (r *Role) judge(c Caller) bool {
	if r.Trust == nil {
		return true
	}
	trust, err := r.free(&c.Facts)
	if err != nil {
		return true
	}
	layers := eval.Layers{Resource: trust}
	if c.MayAsk {
		layers.Identity = []*eval.Policy{nil} // some policy, and it may allow
		if c.Principal.Kind == eval.FederatedUser {
			layers.Session = layers.Identity
		}
	}
	return layers.MightAllow(&eval.Request{
		Principal: c.Principal, Action: c.action(), Resource: r.ARN, ResourceAccount: r.Account,
	})
}

// free compiles the trust policy as the facts leave it.
func (r *Role) free(f *Facts) (*eval.Policy, error) {
	kept := f.favouring(r.Trust)
	key := string(kept)
	if have, ok := r.freed.Load(key); ok {
		return have.(*eval.Policy), nil
	}
	policy, err := eval.Compile(r.ARN, eval.Trust, unconditional(r.Trust, kept))
	if err == nil {
		r.freed.Store(key, policy)
	}
	return policy, err
}

// Reachable reports whether a principal of AWS with these policies might become the
// role.
func (r *Role) Reachable(who eval.Principal, policies *Principal, facts Facts) bool {
	if !r.mentions(&who, true) {
		return false
	}
	own := facts.With(contextOf(who))
	q := Question{Action: assumeRole, Resource: r.ARN, Facts: own}
	_, may := policies.Could(q)
	return r.Admits(Caller{Principal: who, MayAsk: may, Facts: facts}) && (may || !policies.barred(q))
}
