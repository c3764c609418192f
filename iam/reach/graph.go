package reach

import (
	"slices"
	"strings"
	"sync"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

// Group is a group of users.
type Group struct {
	ARN      string
	Policies []Policy
	Members  []string // ARNs of users
}

// Graph is who can get at whose permissions in a World: by all of Paths,
// judged by the policies of the principals and the trust of the roles. It is
// immutable.
//
// It does not know which instances, functions and the like stand in the
// accounts: that something there has a given role is taken as possible for each
// role that trusts the service, but for roles that no instance profile hands to
// instances of EC2. Path.Presumes tells the ways that rest on it. Roles of AWS's
// own, which nobody can change or pass, are gained by nobody.
//
// Nor does it know whether the steps of a way go together in time, or whether
// one condition holds for all of them: conditions that are open count as
// possible, for each step apart.
type Graph struct {
	world    *World
	groups   []Group // by ARN
	inGroups map[int][]int
	accounts map[string]*territory
	mentions *mentions
	can      []actionSet // of each member: the actions of paths that its identity policies mention
	patterns sync.Map    // of resources, to what named says of them: policies repeat each other's
}

// territory is what an account has.
type territory struct {
	users, roles []int // members
	groups       []int
	byService    map[string][]int // the roles that name a service principal
}

// NewGraph prepares the ways between the members of a World. The policies of a
// user's groups stand among the user's own already; groups tell who could join
// which.
func NewGraph(w *World, groups []Group) *Graph {
	g := &Graph{
		world: w, groups: slices.Clone(groups), inGroups: map[int][]int{}, accounts: map[string]*territory{},
		mentions: newMentions(), can: make([]actionSet, len(w.members)),
	}
	slices.SortFunc(g.groups, func(a, b Group) int { return strings.Compare(a.ARN, b.ARN) })
	for i := range w.members {
		g.settleMember(i)
		g.can[i] = g.mentions.policies(w.members[i].Permissions.Identity)
	}
	for i, group := range g.groups {
		arn, _ := iam.ParseARN(group.ARN)
		t := g.territory(arn.Account)
		t.groups = append(t.groups, i)
		for _, user := range group.Members {
			if at, ok := w.byARN[user]; ok {
				g.inGroups[at] = append(g.inGroups[at], i)
			}
		}
	}
	return g
}

// maxNamed is how many members a pattern may name that counts as naming few: it
// bounds what is kept.
const maxNamed = 200

// named are the members that a pattern names, in order, if they are few.
func (g *Graph) named(pattern string) (members []int, few bool) {
	if !strings.ContainsAny(pattern, "*?$") {
		if at, ok := g.world.byARN[pattern]; ok {
			return []int{at}, true
		}
		return nil, true
	}
	if have, ok := g.patterns.Load(pattern); ok {
		members = have.([]int)
		return members, len(members) <= maxNamed
	}
	for i := range g.world.members {
		if len(members) > maxNamed {
			break
		}
		if strings.Contains(pattern, "$") || iam.Match(pattern, g.who(i).ARN) {
			members = append(members, i)
		}
	}
	g.patterns.Store(pattern, members)
	return members, len(members) <= maxNamed
}

func (g *Graph) territory(account string) *territory {
	t := g.accounts[account]
	if t == nil {
		t = &territory{byService: map[string][]int{}}
		g.accounts[account] = t
	}
	return t
}

func (g *Graph) settleMember(i int) {
	who := g.world.members[i].Who
	t := g.territory(who.Account)
	role := g.world.doors.roles[i]
	switch {
	case who.Kind == eval.Root: // nobody can do anything to it
	case role == nil:
		t.users = append(t.users, i)
	case !ofAWS(who.ARN):
		t.roles = append(t.roles, i)
		for _, service := range role.services {
			t.byService[service] = append(t.byService[service], i)
		}
		if role.everyone {
			t.byService["*"] = append(t.byService["*"], i)
		}
	}
}

// ofAWS tells the roles that AWS alone may change and pass: those linked to a
// service, and those of IAM Identity Center.
func ofAWS(role string) bool {
	return strings.Contains(role, ":role/aws-service-role/") || strings.Contains(role, ":role/aws-reserved/")
}

// Edge is one step of a principal to more permissions.
type Edge struct {
	Path    *Path
	From    string // ARN
	To      string // ARN of a user or role; that of From where it changes itself
	Service string // that runs the role; empty if none does
	Groups  []string
	Why     []Finding // what allows the steps; a role's trust alone may let somebody of its account in
}

// Conditional reports whether something allows the edge under conditions only.
func (e *Edge) Conditional() bool {
	return slices.ContainsFunc(e.Why, Finding.Conditional)
}

// Unknown reports whether a policy whose content is not known is needed for
// the edge.
func (e *Edge) Unknown() bool {
	return slices.ContainsFunc(e.Why, func(f Finding) bool { return f.Unknown })
}

// Chain is a way of one or more edges.
type Chain struct{ Edges []Edge }

// From is the ARN of the principal that goes the way.
func (c *Chain) From() string { return c.Edges[0].From }

// To is the ARN of the principal that it comes to.
func (c *Chain) To() string { return c.Edges[len(c.Edges)-1].To }

// node is a member, with the permissions that it has or could get.
type node struct {
	at       int
	anything bool // whatever it likes
	unbound  bool // without its permissions boundary
	group    int  // also what a group may do, counted from 1; allGroups: all that it could join
}

const allGroups = -1

// own reports whether the permissions are those of the member's own policies.
func (n node) own() bool { return !n.anything && n.group == 0 }

// anything is a policy that allows all.
var anything = &iam.Document{
	Version:    iam.Version2012,
	Statements: []iam.Statement{{Effect: iam.Allow, Actions: []string{"*"}, Resources: []string{"*"}}},
}

// permissions are those of a node. Whoever may join several groups has those of
// each by itself: what a group denies binds only what it allows, as one may leave
// it out.
func (g *Graph) permissions(n node) []Principal {
	p := g.world.members[n.at].Permissions
	if n.unbound {
		p.Boundary = nil
	}
	switch {
	case n.anything:
		p.Identity = []Policy{{Name: "a policy of its own making", Document: anything}}
	case n.group == allGroups:
		out := []Principal{p}
		for _, i := range g.joined(n) {
			out = append(out, p.with(g.groups[i].Policies))
		}
		return out
	case n.group != 0:
		return []Principal{p.with(g.groups[n.group-1].Policies)}
	}
	return []Principal{p}
}

// with is the principal with more policies.
func (p Principal) with(more []Policy) Principal {
	p.Identity = slices.Concat(p.Identity, more)
	return p
}

// joined are the groups that a node might join, beside those that it is in.
func (g *Graph) joined(n node) []int {
	own := g.walker(node{at: n.at})
	return own.joinable()
}

// Administers reports whether the member can do all of IAM in its account: then
// it has whatever permissions it likes. An account's administrators are where
// escalation ends.
func (g *Graph) Administers(arn string) bool {
	at, ok := g.world.byARN[arn]
	return ok && g.administers(node{at: at})
}

func (g *Graph) administers(n node) bool {
	m := &g.world.members[n.at]
	if n.own() && !g.mentions.has(g.can[n.at], "iam:PutRolePolicy") {
		return false // spares most of them the question
	}
	q := Question{
		Action: "iam:*", Facts: m.facts,
		Resource: iam.ARN{Partition: m.partition, Service: "iam", Account: m.Who.Account, Resource: "*"}.String(),
	}
	return slices.ContainsFunc(g.permissions(n), func(p Principal) bool { return p.allAllowed(q) })
}

// allAllowed reports whether every layer might allow the whole question, and
// nothing surely denies all of it.
func (p *Principal) allAllowed(q Question) bool {
	if p.denied(q, q.Action, q.Resource) {
		return false
	}
	for layer := range p.layers {
		if !slices.ContainsFunc(layer, func(policy Policy) bool { return allowsAll(policy.Document, q) }) {
			return false
		}
	}
	return true
}

// allowsAll reports whether one statement might allow the whole question.
// Whoever may do so much is not kept from anything by smaller denials.
func allowsAll(doc *iam.Document, q Question) bool {
	if doc == nil {
		return true
	}
	return slices.ContainsFunc(doc.Statements, func(s iam.Statement) bool {
		if s.Effect != iam.Allow || !covers(s, q.Action, q.Resource) {
			return false
		}
		_, alive := q.Facts.settle(doc.Version, s.Conditions)
		return alive
	})
}

// Edges are all the single steps of a member, in the order of Paths. Several
// may lead to one place.
func (g *Graph) Edges(arn string) []Edge {
	at, ok := g.world.byARN[arn]
	if !ok {
		return nil
	}
	var out []Edge
	g.walk(node{at: at}, func(node) bool { return true }, func(e Edge, _ node) bool {
		out = append(out, e)
		return true
	})
	return out
}

func (g *Graph) role(at int) *Role { return g.world.doors.roles[at] }

func (g *Graph) who(at int) eval.Principal { return g.world.members[at].Who }
