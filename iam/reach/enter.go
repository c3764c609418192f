package reach

import (
	"maps"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

const (
	assumeRole = "sts:AssumeRole"
	tagSession = "sts:TagSession"
)

// isAssume tells the calls by which one becomes a role.
func isAssume(action string) bool {
	for _, call := range []string{assumeRole, "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"} {
		if strings.EqualFold(action, call) {
			return true
		}
	}
	return false
}

// doors are the roles of a World by whom their trust policies name.
type doors struct {
	roles    []*Role          // by the member's place; nil for users
	named    map[string][]int // places of the roles that name an ARN, an account or sessionsOf a role
	everyone []int
	accounts []string // "arn:PARTITION:iam::ACCOUNT:*" of every account with members
}

func newDoors(members []member) doors {
	d := doors{roles: make([]*Role, len(members)), named: map[string][]int{}}
	accounts := map[string]bool{}
	for i := range members {
		who := members[i].Who
		accounts[iam.ARN{Partition: members[i].partition, Service: "iam", Account: who.Account, Resource: "*"}.String()] = true
		if who.Kind != eval.Role {
			continue
		}
		r := NewRole(who.ARN, who.Account, members[i].Trust)
		d.roles[i] = r
		if r.everyone {
			d.everyone = append(d.everyone, i)
		}
		for name := range r.aws {
			d.named[name] = append(d.named[name], i)
		}
	}
	d.accounts = slices.Sorted(maps.Keys(accounts))
	return d
}

// naming gives the places of the roles, of those asked for, that might let
// somebody in, in order.
func (d *doors) naming(who *eval.Principal, asked []*asked) []int {
	lists := [][]int{d.everyone, d.named[who.ARN], d.named[who.Account]}
	if who.Kind == eval.Role {
		lists = append(lists, d.named[sessionsOf(who.Account, roleName(who.ARN))])
	}
	var places []int
	for _, list := range lists {
		for _, place := range list {
			if asked[place] != nil {
				places = append(places, place)
			}
		}
	}
	slices.Sort(places)
	return slices.Compact(places)
}

// entry is a question about who enters the roles of a World.
type entry struct {
	*World
	action string
	asked  []*asked // of each role, by place; nil: the question is not about it
	beyond *asked   // roles that are not in the World; nil: it is not about any
}

// whoEnters answers WhoCan for the calls by which one becomes a role.
func (w *World) whoEnters(action, resource string) []Answer {
	if resource == "" {
		resource = "*"
	}
	e := entry{World: w, action: action, asked: make([]*asked, len(w.members))}
	about := Question{Action: action, Resource: resource, Facts: w.facts}
	actions := w.index.aboutAction(action)
	var roles []int
	for i, r := range w.doors.roles {
		if r != nil && about.about(r.ARN) {
			roles = append(roles, i)
			e.asked[i] = e.index.ask(Question{Action: action, Resource: r.ARN, Facts: w.facts}, actions)
		}
	}
	about.Except = w.doors.accounts
	if !coversAny(about.Except, resource) {
		e.beyond = e.index.ask(about, actions)
	}
	var out []Answer
	if strings.EqualFold(action, assumeRole) {
		for i := range w.members {
			if a, could := e.member(&w.members[i], len(roles) == 1 && w.doors.roles[roles[0]].ARN == resource); could {
				out = append(out, a)
			}
		}
	}
	return append(out, e.outsiders(roles)...)
}

// member says which of the roles a member might enter. One is about a single
// role: only then is Always proven.
func (e *entry) member(m *member, one bool) (Answer, bool) {
	if m.Who.Kind == eval.Root { // it has no leave to call AssumeRole
		return Answer{}, false
	}
	a := Answer{Principal: m.Who, Extent: Sometimes}
	for _, place := range e.doors.naming(&m.Who, e.asked) {
		role := e.doors.roles[place]
		found, extent := e.asked[place].put(m)
		limits := e.rcp(role.Account, &e.asked[place].Question)
		if limits.deny(&e.asked[place].Question, m.facts) && !m.linked() || !role.Admits(Caller{Principal: m.Who, MayAsk: len(found) > 0, Facts: e.facts}) {
			continue
		}
		for _, f := range append(found, role.findings(e.action, &m.Who)...) {
			a.Via = addFinding(a.Via, f)
		}
		if one && extent == Always && !limits.might(&e.asked[place].Question) && role.alwaysAdmits(&m.Who) {
			a.Extent = Always
		}
	}
	if e.beyond != nil {
		found, _ := e.beyond.put(m)
		for _, f := range found {
			a.Via = addFinding(a.Via, f)
		}
	}
	return a, len(a.Via) > 0
}

// outsiders are those whom the roles let in and who are not members.
func (e *entry) outsiders(roles []int) []Answer {
	found := map[string]*Answer{}
	for _, place := range roles {
		role := e.doors.roles[place]
		for _, who := range role.outsiders(e.action) {
			if _, member := e.byARN[who.ARN]; member || !e.letsIn(role, who) {
				continue
			}
			q := &e.asked[place].Question
			if limits := e.rcp(role.Account, q); limits.deny(q, e.facts.With(partyContext(who.ARN))) {
				continue
			}
			a := found[who.ARN]
			if a == nil {
				a = &Answer{Principal: who, Extent: Sometimes}
				found[who.ARN] = a
			}
			for _, f := range role.findings(e.action, &who) {
				a.Via = addFinding(a.Via, f)
			}
		}
	}
	var out []Answer
	for _, name := range slices.Sorted(maps.Keys(found)) {
		out = append(out, *found[name])
	}
	return out
}

func (e *entry) letsIn(role *Role, who eval.Principal) bool {
	switch who.Kind {
	case eval.Anonymous: // whom Admits cannot judge: nobody in particular
		return true
	case eval.Root:
		return !hasAccount(e.doors.accounts, who.Account) && role.AdmitsAccount(who.Account, e.facts)
	}
	return role.Admits(Caller{Principal: who, MayAsk: true, Facts: e.facts})
}

// hasAccount reports whether an account is among doors.accounts.
func hasAccount(accounts []string, id string) bool {
	return slices.ContainsFunc(accounts, func(arn string) bool { return strings.Contains(arn, ":"+id+":") })
}

// outsiders are all whom the trust policy names for the call, by ARN or name;
// "*" stands for everyone.
func (r *Role) outsiders(action string) []eval.Principal {
	var out []eval.Principal
	if r.everyone {
		out = append(out, eval.Principal{Kind: eval.Anonymous, ARN: "*"})
	}
	if strings.EqualFold(action, assumeRole) {
		for _, name := range r.services {
			out = append(out, eval.Principal{Kind: eval.Service, ARN: name})
		}
		for name := range r.aws {
			if p, err := eval.ParsePrincipal(name); err == nil {
				out = append(out, p)
			}
		}
		return out
	}
	for _, name := range r.issuers {
		p, err := eval.ParsePrincipal(name)
		if err == nil && strings.EqualFold((&Caller{Principal: p}).action(), action) {
			out = append(out, p)
		}
	}
	return out
}

// findings are the trust policy's statements that name somebody for the call.
func (r *Role) findings(action string, who *eval.Principal) []Finding {
	name := "trust policy of " + r.ARN
	if r.Trust == nil {
		return []Finding{{Policy: name, Unknown: true}}
	}
	var out []Finding
	for i, s := range r.Trust.Statements {
		if s.Effect == iam.Allow && touches(withoutResource(s), Question{Action: action, Resource: "*"}) && names(&s, who) {
			out = append(out, Finding{
				Policy: name, Index: i, Statement: s, Actions: s.Actions, Resources: []string{r.ARN}, Open: s.Conditions,
			})
		}
	}
	return out
}

// withoutResource is a statement read as one that is about any resource, as
// those of trust policies are.
func withoutResource(s iam.Statement) iam.Statement {
	s.Resources, s.NotResources = []string{"*"}, nil
	return s
}

// names reports whether the Principal element might mean somebody.
func names(s *iam.Statement, who *eval.Principal) bool {
	p := s.Principal
	switch {
	case p == nil:
		return s.NotPrincipal != nil
	case p.Everyone || slices.Contains(p.AWS, "*"):
		return true
	case who.Kind == eval.Service:
		return slices.Contains(p.Service, who.ARN)
	case who.Kind == eval.WebIdentity || who.Kind == eval.SAML:
		return slices.Contains(p.Federated, who.ARN)
	}
	return slices.ContainsFunc(p.AWS, func(name string) bool {
		named := principalOf(name)
		return name == who.ARN || named.Kind == eval.Root && named.Account == who.Account ||
			named.Kind == eval.RoleSession && named.Account == who.Account && roleName(named.ARN) == roleName(who.ARN)
	})
}

// alwaysAdmits reports whether the trust policy surely lets somebody in who may
// ask: a statement without conditions does, and none denies anything.
func (r *Role) alwaysAdmits(who *eval.Principal) bool {
	if r.Trust == nil {
		return false
	}
	admits := false
	for _, s := range r.Trust.Statements {
		switch {
		case s.Effect != iam.Allow:
			return false
		case s.Principal == nil || len(s.Conditions) > 0 || !covers(withoutResource(s), assumeRole, "*"):
		case s.Principal.Everyone || slices.Contains(s.Principal.AWS, "*") || slices.Contains(s.Principal.AWS, who.ARN):
			admits = true
		default:
			admits = admits || slices.ContainsFunc(s.Principal.AWS, func(name string) bool {
				p := principalOf(name)
				return p.Kind == eval.Root && p.Account == who.Account
			})
		}
	}
	return admits
}
