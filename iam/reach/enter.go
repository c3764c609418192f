package reach

import (
	"iter"
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

// assumes are the calls by which one becomes a role, marks those that go with
// them. A role's trust policy must allow each.
var (
	assumes = []string{assumeRole, "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"}
	marks   = []string{tagSession, "sts:SetSourceIdentity"}
)

func hasCall(calls []string, action string) bool {
	return slices.ContainsFunc(calls, func(call string) bool { return strings.EqualFold(call, action) })
}

// markOf is a call that goes with the one by which one becomes a role; empty
// for others.
func markOf(action string) string {
	if hasCall(marks, action) {
		return action
	}
	return ""
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

// naming gives the places of the roles that name somebody, or everyone, beside
// those that only name the account.
func (d *doors) naming(who *eval.Principal) []int {
	places := slices.Concat(d.everyone, d.named[who.ARN])
	if who.Kind == eval.Role {
		places = append(places, d.named[sessionsOf(who.Account, roleName(who.ARN))]...)
	}
	return places
}

// entry is a question about who enters the roles of a World.
type entry struct {
	*World
	action    string
	at        []*door           // of each role, by place; nil: the question is not about it
	roles     []int             // those that it is about, in order
	asking    map[int32][]int   // by document: the roles that a statement of it might let its holders ask for
	trusting  map[string]bitset // by account: the roles that name it
	beyond    *asked            // roles that are not in the World; nil: it is not about any
	strangers map[string]Facts  // of the requests of those who are not members, by ARN or name
}

// door is what of the question is about one role.
type door struct {
	*asked
	role  *Role
	trust trustFindings
	rcp   rcp
	plain map[caste]bool // whom it admits of those whom its trust policy does not tell apart
}

// caste is all that a trust policy sees of those whom it does not tell apart.
type caste struct {
	kind    eval.PrincipalKind
	account string
	mayAsk  bool
}

func (d *door) admits(m *member, mayAsk bool) bool {
	admits := func() bool {
		return d.role.admits(Caller{Principal: m.Who, MayAsk: mayAsk, Facts: m.facts, call: markOf(d.Action)})
	}
	if d.role.tells(&m.Who) {
		return admits()
	}
	of := caste{m.Who.Kind, m.Who.Account, mayAsk}
	known, ok := d.plain[of]
	if !ok {
		known = admits()
		d.plain[of] = known
	}
	return known
}

// whoEnters answers WhoCan for the calls by which one becomes a role, and those
// that go with them.
func (w *World) whoEnters(action, resource string) []Answer {
	if resource == "" {
		resource = "*"
	}
	e := w.entry(action, resource)
	var out []Answer
	if strings.EqualFold(action, assumeRole) || hasCall(marks, action) {
		for i := range w.members {
			if a, could := e.member(&w.members[i], len(e.roles) == 1 && w.doors.roles[e.roles[0]].ARN == resource); could {
				out = append(out, a)
			}
		}
	}
	return append(out, e.outsiders()...)
}

// entry prepares the question: each document is asked once which roles it is
// about, as most are about few.
func (w *World) entry(action, resource string) *entry {
	e := &entry{World: w, action: action, at: make([]*door, len(w.members)), asking: map[int32][]int{}, trusting: map[string]bitset{}, strangers: map[string]Facts{}}
	actions := w.index.aboutAction(action)
	about := Question{Action: action, Resource: resource, Facts: w.facts}
	index := w.index.only(actions)
	for i, r := range w.doors.roles {
		if r == nil || !about.about(r.ARN) {
			continue
		}
		q := Question{Action: action, Resource: r.ARN, Facts: w.facts}
		e.roles = append(e.roles, i)
		e.at[i] = &door{index.ask(q, actions), r, r.findings(action), w.rcp(r.Account, &q), map[caste]bool{}}
		for document := range e.at[i].allowedBy {
			e.asking[document] = append(e.asking[document], i)
		}
	}
	about.Except = w.doors.accounts
	if !coversAny(about.Except, resource) {
		e.beyond = w.index.ask(about, actions)
	}
	return e
}

// places are those of the roles that might let a member in, in order: those that
// name it, and those that leave it to its account's policies, of which it has one.
func (e *entry) places(m *member) []int {
	out := slices.DeleteFunc(e.doors.naming(&m.Who), func(place int) bool { return e.at[place] == nil })
	trusting := e.trustingAccount(m.Who.Account)
	for _, document := range m.identity {
		asks := e.asking[document]
		if document == unknown {
			asks = e.roles
		}
		for _, place := range asks {
			if trusting.has(place) {
				out = append(out, place)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (e *entry) trustingAccount(account string) bitset {
	set, have := e.trusting[account]
	if !have {
		set = newBitset(len(e.members))
		for _, place := range e.doors.named[account] {
			set.set(place)
		}
		e.trusting[account] = set
	}
	return set
}

// member says which of the roles a member might enter. One is about a single
// role: only then is Always proven.
func (e *entry) member(m *member, one bool) (Answer, bool) {
	if m.Who.Kind == eval.Root { // it has no leave to call AssumeRole
		return Answer{}, false
	}
	a := Answer{Principal: m.Who, Extent: Sometimes}
	places := e.places(m)
	via := findings{list: make([]Finding, 0, len(places)+1)}
	for _, place := range places {
		at := e.at[place]
		found, extent := at.put(m)
		if at.rcp.deny(&at.Question, m.facts) && !m.linked() || !at.admits(m, len(found) > 0) ||
			len(found) == 0 && m.Permissions.barred(at.with(m.facts)) {
			continue
		}
		via.add(found...)
		via.addOnce(at.trust.naming(&m.Who))
		if one && extent == Always && !at.rcp.might(&at.Question) && at.role.alwaysAdmits(&m.Who, e.action) {
			a.Extent = Always
		}
	}
	if e.beyond != nil {
		found, _ := e.beyond.put(m)
		via.add(found...)
	}
	a.Via = via.list
	return a, len(a.Via) > 0
}

// outsiders are those whom the roles let in and who are not members.
func (e *entry) outsiders() []Answer {
	var found answers
	for _, place := range e.roles {
		at := e.at[place]
		for _, who := range at.role.outsiders(e.action) {
			if _, member := e.byARN[who.ARN]; !member && e.letsIn(at, who) {
				found.of(who).addOnce(at.trust.naming(&who))
			}
		}
	}
	return found.sorted()
}

func (e *entry) letsIn(at *door, who eval.Principal) bool {
	facts, known := e.strangers[who.ARN]
	if !known {
		facts = e.facts.With(partyContext(who.ARN))
		e.strangers[who.ARN] = facts
	}
	switch {
	case at.rcp.deny(&at.Question, facts):
		return false
	case who.Kind == eval.Anonymous: // whom Admits cannot judge: nobody in particular
		return at.letsEveryoneIn(facts)
	case who.Kind == eval.Root:
		return !hasAccount(e.doors.accounts, who.Account) && at.role.admitsAccount(who.Account, e.facts, markOf(e.action))
	}
	return at.role.admits(Caller{Principal: who, MayAsk: true, Facts: facts, call: markOf(e.action)})
}

// letsEveryoneIn reports whether a statement for everyone lets some of them in.
// Whether a denial for everyone of AWS means tokens, AWS does not say.
func (d *door) letsEveryoneIn(f Facts) bool {
	if d.role.Trust == nil {
		return true
	}
	doc, _ := granted(d.role.Trust, Everyone, false)
	if hasCall(assumes, d.Action) && !strings.EqualFold(d.Action, assumeRole) {
		doc.Statements = slices.DeleteFunc(doc.Statements, func(s iam.Statement) bool { return s.Effect == iam.Deny })
	}
	p := Principal{Identity: []Policy{{Document: doc}}}
	_, could := p.Could(d.with(f))
	return could
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
	add := func(p eval.Principal) {
		c := Caller{Principal: p, call: markOf(action)}
		if strings.EqualFold(c.action(), action) && !slices.ContainsFunc(out, func(have eval.Principal) bool { return have.ARN == p.ARN }) {
			out = append(out, p)
		}
	}
	for _, name := range r.services {
		add(eval.Principal{Kind: eval.Service, ARN: name})
	}
	for _, name := range slices.Concat(slices.Collect(maps.Keys(r.aws)), r.issuers) { // an account stands there by its id and as it was written
		if p, err := eval.ParsePrincipal(name); err == nil {
			add(p)
		}
	}
	return out
}

// trustFindings are a trust policy's statements that allow somebody a call.
type trustFindings []Finding

func (r *Role) findings(action string) trustFindings {
	name := "trust policy of " + r.ARN
	if r.Trust == nil {
		return trustFindings{{Policy: name, Unknown: true}}
	}
	var out trustFindings
	for i, s := range r.Trust.Statements {
		if s.Effect == iam.Allow && touches(withoutResource(s), Question{Action: action, Resource: "*"}) {
			out = append(out, Finding{
				Policy: name, Index: i, Statement: s, Actions: s.Actions, Resources: []string{r.ARN}, Open: s.Conditions,
			})
		}
	}
	return out
}

// naming are those that might mean somebody.
func (t trustFindings) naming(who *eval.Principal) iter.Seq[Finding] {
	return func(yield func(Finding) bool) {
		for i := range t {
			if (t[i].Unknown || names(&t[i].Statement, who)) && !yield(t[i]) {
				return
			}
		}
	}
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
func (r *Role) alwaysAdmits(who *eval.Principal, action string) bool {
	if r.Trust == nil {
		return false
	}
	admits := false
	for _, s := range r.Trust.Statements {
		switch {
		case s.Effect != iam.Allow:
			return false
		case s.Principal == nil || len(s.Conditions) > 0 || !covers(withoutResource(s), action, "*"):
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
