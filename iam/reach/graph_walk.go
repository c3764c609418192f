package reach

import (
	"iter"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/action"
	"github.com/postern-dev/postern/iam/eval"
)

// walker finds the edges of one node.
type walker struct {
	graph       *Graph
	node        node
	permissions []Principal // any of which it may have
	facts       Facts
	found       map[ask]*Finding // what was asked before; nil: it could not
	named       map[string]*namedOf
	some        bool  // only these are wanted
	only        []int // members, in order
}

// namedOf is what the policies name as resources of an action.
type namedOf struct {
	patterns []string
	all      bool  // they name everything, or it is not known what
	exact    bool  // they name these members and no other
	members  []int // in order
}

type ask struct{ action, resource string }

// walk gives the edges of a node, in the order of the paths, until yield does
// not want more. Edges to nodes that are not wanted are not looked for.
func (g *Graph) walk(n node, wanted func(node) bool, yield func(Edge, node) bool) {
	w := g.walker(n)
	w.walk(wanted, yield)
}

// walkTo is walk to some of the members, in order.
func (g *Graph) walkTo(members []int, n node, wanted func(node) bool, yield func(Edge, node) bool) {
	w := g.walker(n)
	w.some, w.only = true, members
	w.walk(wanted, yield)
}

func (w *walker) walk(wanted func(node) bool, yield func(Edge, node) bool) {
	paths := Paths()
	for i := range paths {
		if p := &paths[i]; w.may(p, i) && !w.take(p, wanted, yield) {
			return
		}
	}
}

func (g *Graph) walker(n node) walker {
	m := &g.world.members[n.at]
	return walker{
		graph: g, node: n, permissions: g.permissions(n), facts: m.facts,
		found: map[ask]*Finding{}, named: map[string]*namedOf{},
	}
}

// may is a cheap look at whether the principal could go the path: whether its
// policies have statements about all actions.
func (w *walker) may(p *Path, place int) bool {
	if p.By != eval.Anonymous && p.By != w.who().Kind {
		return false
	}
	return !w.node.own() || w.graph.mentions.all(w.graph.can[w.node.at], place)
}

// findings are those of Principal.Findings.
func (w *walker) findings(q Question) iter.Seq[Finding] {
	return func(yield func(Finding) bool) {
		for i := range w.permissions {
			for f := range w.permissions[i].Findings(q) {
				if !yield(f) {
					return
				}
			}
		}
	}
}

// ask returns the first of the findings.
func (w *walker) ask(q Question) (Finding, bool) {
	for f := range w.findings(q) {
		return f, true
	}
	return Finding{}, false
}

func (w *walker) who() eval.Principal { return w.graph.who(w.node.at) }

// take follows one path to all its targets. It returns false when yield wants
// no more.
func (w *walker) take(p *Path, wanted func(node) bool, yield func(Edge, node) bool) bool {
	if p.Gains == GainsGroup {
		return w.join(p, wanted, yield)
	}
	for _, at := range w.targets(p) {
		to := w.after(p, at)
		if at == w.node.at && (p.Target != eval.Anonymous || !w.betters(p)) || !wanted(to) {
			continue
		}
		e := Edge{Path: p, From: w.who().ARN, To: w.graph.who(at).ARN}
		if w.holds(&e, at) && !yield(e, to) {
			return false
		}
	}
	return true
}

// after is where a path to a member leads.
func (w *walker) after(p *Path, at int) node {
	to := node{at: at}
	if at == w.node.at {
		to = w.node
	}
	switch p.Gains {
	case GainsAnything:
		to.anything, to.group = true, 0
	case GainsUnbound:
		to.unbound = true
	}
	return to
}

// betters reports whether the path would change anything about the principal
// itself.
func (w *walker) betters(p *Path) bool {
	switch p.Gains {
	case GainsAnything:
		return !w.node.anything
	case GainsUnbound:
		return w.permissions[0].Boundary != nil
	case GainsOpening:
		return !w.node.anything
	}
	return false
}

// targets are the members that a path might lead to.
func (w *walker) targets(p *Path) []int {
	switch {
	case p.Target == eval.Anonymous:
		return []int{w.node.at}
	case w.some && len(w.only) == 0:
		return nil
	case p.Steps[len(p.Steps)-1].Action == assumeRole:
		return w.admitting(len(p.Steps) > 1 && p.Steps[0].Action != tagSession)
	}
	home := w.graph.territory(w.who().Account)
	all := home.users
	if p.Target == eval.Role {
		all = home.roles
	}
	if len(p.Service) > 0 {
		all = slices.Clone(home.byService["*"])
		for _, service := range p.Service {
			all = append(all, home.byService[service]...)
			all = append(all, home.byService[service+".cn"]...)
		}
		slices.Sort(all)
		all = slices.Compact(all)
	}
	return w.narrow(p, all)
}

// narrow leaves those that the first step on a target names, where it names
// them without wildcards.
func (w *walker) narrow(p *Path, all []int) []int {
	i := slices.IndexFunc(p.Steps, func(s Step) bool { return s.On == OnTarget || s.On == OnTrust })
	if i < 0 {
		return w.wantedOf(all)
	}
	named := w.namedBy(p.Steps[i].Action)
	if !named.exact {
		return w.wantedOf(all)
	}
	return w.wantedOf(common(named.members, all))
}

// wantedOf leaves those of a list that are wanted at all.
func (w *walker) wantedOf(list []int) []int {
	if w.some && len(w.only) < len(list) {
		return common(w.only, list)
	}
	return list
}

// common are the members of a short list that a long one has too, both in order.
func common(short, long []int) []int {
	var out []int
	for _, at := range short {
		if _, is := slices.BinarySearch(long, at); is {
			out = append(out, at)
		}
	}
	return out
}

// namedBy are the resources of an action that the policies name.
func (w *walker) namedBy(action string) *namedOf {
	if have, ok := w.named[action]; ok {
		return have
	}
	n := &namedOf{exact: true}
	for f := range w.findings(Question{Action: action, Resource: "*", Facts: w.facts}) {
		n.all = n.all || f.Unknown
		for _, r := range f.Resources {
			w.name(n, r)
		}
		if n.all {
			n.exact = false
			break
		}
	}
	slices.Sort(n.members)
	n.members = slices.Compact(n.members)
	w.named[action] = n
	return n
}

func (w *walker) name(n *namedOf, resource string) {
	n.patterns = append(n.patterns, resource)
	n.all = n.all || resource == "*"
	members, few := w.graph.named(resource)
	n.exact = n.exact && few
	n.members = append(n.members, members...)
}

// mayBeOn is a cheap look at whether the policies name an ARN as resource of an
// action: most of what is asked of a big estate ends here.
func (w *walker) mayBeOn(action, arn string) bool {
	if iam.HasWildcard(arn) {
		return true
	}
	n := w.namedBy(action)
	return n.all || slices.ContainsFunc(n.patterns, func(pattern string) bool { return iam.Match(pattern, arn) })
}

// admitting are the roles whose trust policies name the principal or its
// account; of the others of its account it may need to be allowed.
func (w *walker) admitting(home bool) []int {
	who := w.who()
	doors := &w.graph.world.doors
	var out []int
	if !w.node.own() || w.graph.mentions.has(w.graph.can[w.node.at], assumeRole) {
		out = slices.Clone(doors.named[who.Account])
		if named := w.namedBy(assumeRole); named.exact {
			out = slices.Clone(named.members)
		}
	}
	out = append(out, doors.everyone...)
	out = append(out, doors.named[who.ARN]...)
	if who.Kind == eval.Role {
		out = append(out, doors.named[sessionsOf(who.Account, roleName(who.ARN))]...)
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Clone(w.wantedOf(slices.Compact(out))), func(at int) bool {
		return w.graph.role(at) == nil || home && w.graph.who(at).Account != who.Account
	})
}

// holds reports whether all steps of an edge could be done, and fills in why.
func (w *walker) holds(e *Edge, to int) bool {
	if len(e.Path.Service) > 0 && !w.runs(e, to) {
		return false
	}
	for _, s := range e.Path.Steps {
		if s.Action == passRole {
			continue // runs has seen to it
		}
		if s.Action == assumeRole {
			if !w.assumes(e, to) {
				return false
			}
			continue
		}
		f, could := w.do(s, to)
		if !could || s.On == OnTrust && w.denied(to) || s.Action == tagSession && !w.tags(to) {
			return false
		}
		e.Why = append(e.Why, *f)
	}
	return true
}

func (w *walker) assumes(e *Edge, to int) bool {
	role := w.graph.role(to)
	may := w.mayBeOn(assumeRole, role.ARN)
	if may {
		var f Finding
		if f, may = w.ask(Question{Action: assumeRole, Resource: role.ARN, Facts: w.facts}); may {
			e.Why = append(e.Why, f)
		}
	}
	return role.admits(Caller{Principal: w.who(), MayAsk: may, Facts: w.facts}) && (may || !w.denied(to))
}

// tags reports whether a role lets the principal choose tags for its session,
// and the role's permissions turn on them.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
func (w *walker) tags(to int) bool {
	byTag := slices.ContainsFunc(w.graph.world.members[to].Permissions.Identity, func(p Policy) bool {
		return p.Document != nil && slices.ContainsFunc(p.Document.Statements, asksTags)
	})
	return byTag && w.graph.role(to).admits(Caller{Principal: w.who(), MayAsk: true, Facts: w.facts, call: tagSession})
}

// asksTags reports whether a statement turns on tags of who asks.
func asksTags(s iam.Statement) bool {
	const tag = "aws:principaltag/"
	in := func(text string) bool { return strings.Contains(strings.ToLower(text), tag) }
	return slices.ContainsFunc(s.Resources, in) || slices.ContainsFunc(s.NotResources, in) || slices.ContainsFunc(s.Conditions, func(c iam.Condition) bool {
		return in(c.Key) || slices.ContainsFunc(c.Values, in)
	})
}

// denied reports whether the principal is kept from assuming a role even if
// that trusts it by name, as it can let it do.
func (w *walker) denied(to int) bool {
	return w.permissions[0].barred(Question{Action: assumeRole, Resource: w.graph.who(to).ARN, Facts: w.facts})
}

// runs finds a service that the role lets in and, if the path passes the role,
// that the principal may pass it to.
func (w *walker) runs(e *Edge, to int) bool {
	role := w.graph.role(to)
	for _, service := range e.Path.Service {
		if service == ec2 && !w.onInstances(e.Path, to) {
			continue
		}
		for _, name := range []string{service, service + ".cn"} {
			who := eval.Principal{Kind: eval.Service, ARN: name}
			if e.Service == "" && role.Admits(Caller{Principal: who, Facts: Facts{Now: w.facts.Now}}) {
				e.Service = name
			}
		}
	}
	if e.Service == "" || !e.Path.passes() {
		return e.Service != ""
	}
	if !w.mayBeOn(passRole, role.ARN) {
		return false
	}
	for _, service := range append([]string{e.Service}, e.Path.Service...) {
		passed := w.facts.With(map[string][]string{"iam:PassedToService": {service}})
		if f, could := w.ask(Question{Action: passRole, Resource: role.ARN, Facts: passed}); could {
			e.Why = append(e.Why, f)
			return true
		}
	}
	return false
}

// onInstances reports whether instances of EC2 may have the role: by an instance
// profile, which the principal may have to put it into.
func (w *walker) onInstances(p *Path, to int) bool {
	if !w.graph.world.members[to].Unprofiled {
		return true
	}
	m := &w.graph.world.members[w.node.at]
	profiles := iam.ARN{Partition: m.partition, Service: "iam", Account: m.Who.Account, Resource: "instance-profile/*"}.String()
	return p.passes() && w.could("iam:AddRoleToInstanceProfile", profiles) != nil
}

// do asks for one step, on the first of its resources with which it could be
// done.
func (w *walker) do(s Step, to int) (*Finding, bool) {
	resources := w.resources(s.On, to)
	if s.On == OnAnything {
		resources = w.about(s.Action)
	}
	for _, resource := range resources {
		if f := w.could(s.Action, resource); f != nil {
			return f, true
		}
	}
	return nil, false
}

func (w *walker) resources(on On, to int) []string {
	switch on {
	case OnSelf:
		return []string{w.who().ARN}
	case OnTarget, OnTrust:
		return []string{w.graph.who(to).ARN}
	case OnOwnGroup:
		var out []string
		for _, i := range w.graph.inGroups[w.node.at] {
			out = append(out, w.graph.groups[i].ARN)
		}
		return out
	case OnOwnPolicy:
		var all []Policy
		for _, p := range w.permissions {
			all = append(all, p.Identity...)
		}
		return customerPolicies(all)
	case OnOwnBoundary:
		if edge := w.permissions[0].Boundary; edge != nil {
			return customerPolicies([]Policy{*edge})
		}
		return nil
	case OnTargetPolicy:
		return customerPolicies(w.graph.world.members[to].Permissions.Identity)
	case OnTargetIssuer:
		return slices.DeleteFunc(slices.Clone(w.graph.role(to).issuers), func(arn string) bool { return !strings.Contains(arn, ":saml-provider/") })
	}
	return []string{w.account()}
}

// about are patterns of what an action can be about in any account.
func (w *walker) about(name string) []string {
	act, known := action.Lookup(name)
	if !known {
		return []string{w.account()}
	}
	return arnsOf(act, w.graph.world.members[w.node.at].partition)
}

// customerPolicies are the ARNs of the managed policies that AWS does not keep
// itself.
func customerPolicies(policies []Policy) []string {
	var out []string
	for _, p := range policies {
		if arn, err := iam.ParseARN(p.Name); err == nil && iam.IsAccountID(arn.Account) {
			out = append(out, p.Name)
		}
	}
	return out
}

// account is a pattern for all in the principal's account.
func (w *walker) account() string {
	m := &w.graph.world.members[w.node.at]
	return iam.ARN{Partition: m.partition, Service: "*", Region: "*", Account: m.Who.Account, Resource: "*"}.String()
}

func (w *walker) could(action, resource string) *Finding {
	if !w.mayBeOn(action, resource) {
		return nil
	}
	key := ask{action, resource}
	if f, ok := w.found[key]; ok {
		return f
	}
	var why *Finding
	for f := range w.findings(Question{Action: action, Resource: resource, Facts: w.facts}) {
		if f.Unknown || slices.ContainsFunc(f.Resources, w.isHome) {
			why = &f
			break
		}
	}
	w.found[key] = why
	return why
}

// isHome reports whether a pattern does not name another account. By its
// letter "arn:aws:lambda:*:222222222222:*" matches an ARN of any account that
// has these digits further back, as nothing of AWS's has.
func (w *walker) isHome(resource string) bool {
	arn, err := iam.ParseARN(resource)
	return err != nil || !iam.IsAccountID(arn.Account) || arn.Account == w.who().Account
}

// join adds the user to groups: to each that it might join, and to all.
func (w *walker) join(p *Path, wanted func(node) bool, yield func(Edge, node) bool) bool {
	if !w.node.own() {
		return true // what it could do by itself already, it need not do now
	}
	open := w.joinable()
	to := open
	if len(open) > 1 {
		to = append(slices.Clone(open), allGroups)
	}
	for _, i := range to {
		n := w.node
		n.group = i + 1
		if i == allGroups {
			n.group = i
		}
		if !wanted(n) {
			continue
		}
		e := Edge{Path: p, From: w.who().ARN, To: w.who().ARN}
		of := []int{i}
		if i == allGroups {
			of = open
		}
		for _, j := range of {
			e.Groups = append(e.Groups, w.graph.groups[j].ARN)
			e.Why = append(e.Why, *w.could(p.Steps[0].Action, w.graph.groups[j].ARN))
		}
		if !yield(e, n) {
			return false
		}
	}
	return true
}

// joinable are the groups that the user might add itself to and is not in.
func (w *walker) joinable() []int {
	var out []int
	for _, i := range w.graph.territory(w.who().Account).groups {
		if !slices.Contains(w.graph.inGroups[w.node.at], i) && w.could("iam:AddUserToGroup", w.graph.groups[i].ARN) != nil {
			out = append(out, i)
		}
	}
	return out
}
