package reach

import (
	"maps"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

// Resource is something with a policy of its own, such as a bucket, a key or a
// queue. What lies below it, as objects lie in a bucket, is under its policy too.
type Resource struct {
	ARN     string
	Account string        // of its owner, 12 digits
	Policy  *iam.Document // nil: not known; it may let anybody in
}

// Beside is what decides beside the policies of a World's members.
type Beside struct {
	Resources []Resource
	// RCP are the resource control policies that bind what an account owns: by
	// the account, as Principal.SCP. They bind the services that eval names.
	RCP map[string][][]Policy
}

// Beside returns the World with what decides beside its members' policies. WhoCan
// then asks it too, and lists behind the members those from outside whom the
// resources' policies let in. Of resources that are not among these it knows
// nothing: there the members' own policies decide alone, as in a World without.
//
// Within an account a policy that names a member is enough, across accounts both
// sides must allow, and for KMS keys the key's policy must in any case:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
func (w *World) Beside(b Beside) *World {
	out := *w
	out.beside = &b
	return &out
}

// patterns are those of the resource and of what lies below it.
func (r *Resource) patterns() []string { return []string{r.ARN, r.ARN + "/*", r.ARN + ":*"} }

func (r *Resource) name() string { return "policy of " + r.ARN }

// directness is how directly a resource's policy names somebody, and so which
// policies of its own it needs besides.
type directness uint8

const (
	unnamed   directness = iota
	byAccount            // its identity policies must allow
	byRole               // its boundary must
	directly             // nothing must
)

// names says how directly an Allow statement names a member. Surely leaves out
// what only some of its sessions have.
func (m *member) named(s *iam.Statement, surely bool) directness {
	p := s.Principal
	switch {
	case p == nil && (s.NotPrincipal == nil || surely):
		return unnamed
	case p == nil || p.Everyone || slices.Contains(p.AWS, "*"):
		return directly
	}
	most := unnamed
	for _, name := range p.AWS {
		named := principalOf(name)
		switch {
		case named.ARN == m.Who.ARN && m.Who.Kind == eval.Role:
			most = max(most, byRole)
		case named.ARN == m.Who.ARN:
			most = max(most, directly)
		case named.Account != m.Who.Account:
		case named.Kind == eval.Root:
			most = max(most, byAccount)
		case named.Kind == eval.RoleSession && m.Who.Kind == eval.Role && roleName(named.ARN) == roleName(m.Who.ARN) && !surely:
			most = max(most, directly)
		}
	}
	return most
}

// facing is a resource's policy as a policy of the member's own: with the Allow
// statements that name it so directly, and the Deny statements that mean it, or
// for surely that might. Its statements keep their places.
func (r *Resource) facing(m *member, least directness, surely bool) Policy {
	if r.Policy == nil {
		return Policy{Name: r.name()}
	}
	doc := &iam.Document{Version: r.Policy.Version, Statements: make([]iam.Statement, len(r.Policy.Statements))}
	for i, s := range r.Policy.Statements {
		var means bool
		switch {
		case s.Effect == iam.Allow:
			means = m.named(&s, surely) >= least
		case surely:
			means = mightMean(&s, m.Who.ARN)
		default:
			means = s.Principal != nil && includes(partiesOf(s.Principal), m.Who.ARN)
		}
		if means {
			doc.Statements[i] = alone(s)
		}
	}
	return Policy{Name: r.name(), Document: doc}
}

// alone is a statement without those whom it names; about anything, if it does
// not say.
func alone(s iam.Statement) iam.Statement {
	s.Principal, s.NotPrincipal = nil, nil
	if s.Resources == nil && s.NotResources == nil {
		s.Resources = []string{"*"}
	}
	return s
}

// only is a level that lets everything through but what policies deny.
func only(denials ...Policy) []Policy {
	return append([]Policy{{Name: "anything", Document: anything}}, denials...)
}

// nobody is more directness than any statement has.
const nobody = directly + 1

// ways are the sets of policies any of which lets a member at a resource.
func (r *Resource) ways(m *member, rcp [][]Policy, surely bool) []Principal {
	own := m.Permissions
	own.SCP = slices.Concat(own.SCP, rcp)
	byKey := strings.HasPrefix(r.ARN, "arn:"+m.partition+":kms:")
	if m.Who.Account != r.Account || byKey {
		both := own
		both.SCP = append(slices.Clip(own.SCP), []Policy{r.facing(m, byAccount, surely)})
		if m.Who.Account != r.Account {
			return []Principal{both}
		}
		own = both
	} else {
		own.SCP = append(slices.Clip(own.SCP), only(r.facing(m, nobody, surely)))
	}
	if r.Policy == nil { // whom it names is open: see outsiders
		return []Principal{own}
	}
	scp := append(slices.Concat(m.Permissions.SCP, rcp), only(m.Permissions.Identity...))
	named := Principal{Identity: []Policy{r.facing(m, byRole, surely)}, Boundary: m.Permissions.Boundary, SCP: scp}
	return []Principal{own, named, *m.Permissions.standIn(r.facing(m, directly, surely), rcp)}
}

// asks puts a question about a resource to a member.
func (r *Resource) asks(m *member, q Question, rcp [][]Policy) ([]Finding, Extent) {
	q.Facts = m.facts
	var found findings
	for _, p := range r.ways(m, rcp, false) {
		found.add(slices.Collect(p.Findings(q))...)
	}
	if len(found.list) == 0 {
		return nil, Never
	}
	for _, p := range r.ways(m, rcp, true) {
		if p.always(q) {
			return found.list, Always
		}
	}
	return found.list, Sometimes
}

// besides is a question in a World with resources and RCPs.
type besides struct {
	*World
	gates map[string][]gate // by partition
	rest  map[string][]rest
}

// gate is what of a question is about one resource.
type gate struct {
	Question
	resource *Resource
	rcp      rcp
}

// rest is what of a question is about no resource that the World knows.
type rest struct {
	*asked
	rcp rcp
}

// rcp is how RCPs bind a question.
type rcp struct {
	levels [][]Policy // that surely bind it
	open   bool       // others might deny some of it
}

func (w *World) whoCanBeside(name, resource string) []Answer {
	b := besides{World: w, gates: map[string][]gate{}, rest: map[string][]rest{}}
	actions := w.index.aboutAction(name)
	for partition, questions := range w.ask(name, resource) {
		for _, q := range questions {
			b.add(partition, q, actions)
		}
	}
	var out []Answer
	for i := range w.members {
		if a, could := b.member(&w.members[i]); could {
			out = append(out, a)
		}
	}
	return append(out, b.outsiders()...)
}

// add parts a question by what it is about.
func (b *besides) add(partition string, q Question, actions bitset) {
	all := q
	for i := range b.beside.Resources {
		r := &b.beside.Resources[i]
		for _, pattern := range r.patterns() {
			if q.Bare || !q.about(pattern) {
				continue
			}
			one := q
			if iam.Covers(q.Resource, pattern) {
				one.Resource = pattern
			}
			b.gates[partition] = append(b.gates[partition], gate{one, r, b.rcp(r.Account, &one)})
			all.Except = append(all.Except, pattern)
		}
	}
	if coversAny(all.Except, all.Resource) {
		return
	}
	all.Facts = b.facts
	b.rest[partition] = append(b.rest[partition], rest{b.index.ask(all, actions), b.rcp(accountIn(q.Resource), &q)})
}

// accountIn is the account that an ARN names; empty if it leaves it open.
func accountIn(resource string) string {
	if arn, err := iam.ParseARN(resource); err == nil && iam.IsAccountID(arn.Account) {
		return arn.Account
	}
	return ""
}

// rcp finds the RCPs that bind what a question is about: those of the account,
// or, if that is not known, perhaps those of any.
func (w *World) rcp(account string, q *Question) rcp {
	if w.beside == nil || len(w.beside.RCP) == 0 {
		return rcp{}
	}
	service, _, _ := strings.Cut(q.Action, ":")
	some := iam.HasWildcard(service) || iam.MatchFold(q.Action, "kms:RetireGrant") // which they leave alone
	switch {
	case !some && !slices.Contains(eval.DefaultRCPServices(), strings.ToLower(service)) || strings.EqualFold(q.Action, "kms:RetireGrant"):
		return rcp{}
	case account == "":
		return rcp{open: slices.ContainsFunc(slices.Collect(maps.Values(w.beside.RCP)), func(levels [][]Policy) bool { return mightLimit(levels, q) })}
	case some:
		return rcp{open: mightLimit(w.beside.RCP[account], q)}
	}
	var out rcp
	for _, level := range w.beside.RCP[account] {
		out.levels = append(out.levels, only(stripped(level)...))
	}
	return out
}

func stripped(level []Policy) []Policy {
	var out []Policy
	for _, p := range level {
		if p.Document != nil {
			doc := &iam.Document{Version: p.Document.Version}
			for _, s := range p.Document.Statements {
				doc.Statements = append(doc.Statements, alone(s))
			}
			p.Document = doc
		}
		out = append(out, p)
	}
	return out
}

// deny reports whether they deny all of a question.
func (r *rcp) deny(q *Question, facts Facts) bool {
	p := Principal{SCP: r.levels}
	asked := *q
	asked.Facts = facts
	return len(r.levels) > 0 && p.denied(asked, q.Action, q.Resource)
}

// might reports whether they might deny some of it.
func (r *rcp) might(q *Question) bool { return r.open || mightLimit(r.levels, q) }

// mightLimit reports whether RCPs might deny some of a question.
func mightLimit(levels [][]Policy, q *Question) bool {
	return slices.ContainsFunc(slices.Concat(levels...), func(p Policy) bool {
		return p.Document == nil || mightDeny(stripped([]Policy{p})[0].Document, *q)
	})
}

// linked tells the roles that belong to a service, which RCPs do not bind.
func (m *member) linked() bool { return strings.Contains(m.Who.ARN, ":role/aws-service-role/") }

// member puts all parts of a question to a member.
func (b *besides) member(m *member) (Answer, bool) {
	a := Answer{Principal: m.Who}
	var all extents
	var via findings
	take := func(found []Finding, extent Extent, limits rcp) {
		if extent == Always && limits.open {
			extent = Sometimes
		}
		all.add(extent)
		via.add(found...)
	}
	for _, g := range b.gates[m.partition] {
		if m.linked() {
			g.rcp = rcp{}
		}
		found, extent := g.resource.asks(m, g.Question, g.rcp.levels)
		take(found, extent, g.rcp)
	}
	for _, r := range b.rest[m.partition] {
		if m.linked() {
			r.rcp = rcp{}
		}
		found, extent := r.member(m)
		take(found, extent, r.rcp)
	}
	a.Via, a.Extent = via.list, all.sum()
	return a, a.Extent != Never
}

func (r *rest) member(m *member) ([]Finding, Extent) {
	if len(r.rcp.levels) == 0 || m.Who.Kind == eval.Root && !m.owns(r.Resource) {
		return r.put(m)
	}
	p := m.Permissions
	p.SCP = slices.Concat(p.SCP, r.rcp.levels)
	q := r.Question
	q.Facts = m.facts
	return slices.Collect(p.Findings(q)), p.Extent(q)
}

// outsiders are those whom the resources' policies let in and who are no members.
func (b *besides) outsiders() []Answer {
	var found answers
	for _, partition := range slices.Sorted(maps.Keys(b.gates)) {
		for _, g := range b.gates[partition] {
			for _, party := range b.partiesOf(g.resource) {
				if list := g.lets(party, b.facts); len(list) > 0 {
					found.of(whoIs(party)).add(list...)
				}
			}
		}
	}
	return found.sorted()
}

// whoIs is the principal that a policy names so.
func whoIs(party string) eval.Principal {
	if who, err := eval.ParsePrincipal(party); err == nil {
		return who
	}
	return eval.Principal{Kind: eval.Anonymous, ARN: party}
}

// partiesOf are those whom a resource's policy names and who are neither members
// nor an account of the World, which stands for members.
func (w *World) partiesOf(r *Resource) []string {
	if r.Policy == nil {
		return []string{Everyone}
	}
	return slices.DeleteFunc(parties(r.Policy), func(party string) bool {
		who := principalOf(party)
		_, member := w.byARN[party]
		return member || who.Kind == eval.Root && hasAccount(w.doors.accounts, who.Account) || who.Kind == eval.RoleSession && w.hasRole(who)
	})
}

func (w *World) hasRole(session eval.Principal) bool {
	return slices.ContainsFunc(w.doors.roles, func(r *Role) bool {
		return r != nil && r.Account == session.Account && roleName(r.ARN) == roleName(session.ARN)
	})
}

// lets are the statements that let a party in.
func (g *gate) lets(party string, facts Facts) []Finding {
	if g.resource.Policy == nil {
		return []Finding{{Policy: g.resource.name(), Unknown: true}}
	}
	doc, places := granted(g.resource.Policy, party, false)
	p := Principal{Identity: []Policy{{g.resource.name(), doc}}, SCP: g.rcp.levels}
	q := g.Question
	q.Facts = facts.With(partyContext(party))
	var out []Finding
	for f := range p.Findings(q) {
		f.Index = places[f.Index]
		out = append(out, f)
	}
	return out
}

// partyContext is what is known of the requests of a party: of an account's only
// which it is.
func partyContext(party string) map[string][]string {
	who, err := eval.ParsePrincipal(party)
	switch {
	case err != nil || who.Kind == eval.Anonymous:
		return nil
	case who.Kind == eval.Root:
		return map[string][]string{"aws:PrincipalAccount": {who.Account}}
	}
	return contextOf(who)
}
