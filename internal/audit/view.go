package audit

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/action"
	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/iam/reach"
	"github.com/postern-dev/postern/internal/estate"
)

// view is an estate made ready to be asked by rules.
type view struct {
	in       Input
	realms   map[string]*realm   // by account
	expected map[string]Expected // by ARN
	used     map[string]bool     // patterns of Input.Expect
}

// realm is one account with those who can act in it. Nobody from outside can:
// what the rules ask about has no policies of its own.
type realm struct {
	members []reach.Member
	worlds  map[string]*reach.World // by what is known of requests
	graph   *reach.Graph
}

func newView(in Input) *view {
	v := &view{in: in, realms: map[string]*realm{}, expected: map[string]Expected{}, used: map[string]bool{}}
	for _, a := range in.Estate.Accounts {
		alone := estate.Estate{Accounts: []estate.Account{a}}
		v.realms[a.ID] = &realm{members: alone.Members(), worlds: map[string]*reach.World{}}
		v.realms[a.ID].graph = reach.NewGraph(v.world(a.ID, reach.Facts{}), alone.Groups())
	}
	return v
}

// deed is a call by which somebody decides about something.
type deed struct {
	action  string
	facts   reach.Facts // of the requests that matter, but for the time; zero: nothing is known
	targets []target
	leaves  func(who string, t target) bool // out who cannot make use of it, or is told of elsewhere; nil: nobody
	doubt   bool                            // it takes more than the call

	does string // "add users to %s": the verb, and where the targets' names belong
	fix  func(eval.PrincipalKind) Fix
}

// target is what a deed is done to.
type target struct {
	arn      string // or a pattern
	wild     string // the characters that its wildcards stand for; empty: any
	name     string
	severity Severity
}

// doers are users, or roles, who could do a deed by the same statements.
type doers struct {
	kind     eval.PrincipalKind
	who      []string // ARNs
	targets  []target
	has      map[target]bool // of targets, once they are several
	extent   reach.Extent    // the most, over the targets
	evidence []reach.Finding
}

// does reports whether a target is among those that somebody, if there is one,
// could do a deed to.
func (d *doers) does(t target) bool {
	return d != nil && (d.has[t] || d.has == nil && slices.Contains(d.targets, t))
}

// aim takes in more targets.
func (d *doers) aim(more []target) {
	if d.has == nil {
		d.has = map[target]bool{}
		for _, t := range d.targets {
			d.has[t] = true
		}
	}
	for _, t := range more {
		if !d.has[t] {
			d.has[t], d.targets = true, append(d.targets, t)
		}
	}
}

// findings has one for each reason why somebody could do the deed.
func (v *view) findings(account string, d deed) []Finding {
	var out []Finding
	for _, who := range v.doers(account, d) {
		if d.doubt {
			who.extent = reach.Sometimes
		}
		out = append(out, Finding{
			Severity: who.severity(), Account: account, Who: who.who, What: who.sentence(d.does),
			Extent: who.extent, Evidence: who.evidence, Fix: d.fix(who.kind),
		})
	}
	return out
}

// doers are those who could do the deed to somebody or something but itself, and
// are not expected to.
func (v *view) doers(account string, d deed) []doers {
	able := v.able(account, d)
	var out []doers
	at := map[string]int{}
	for _, arn := range slices.Sorted(maps.Keys(able)) {
		if v.expects(account, arn) {
			continue
		}
		one := able[arn]
		key := one.key()
		if i, have := at[key]; have {
			out[i].join(one)
			continue
		}
		at[key] = len(out)
		out = append(out, *one)
	}
	return out
}

// able are those who could do the deed one by one, expected or not, by ARN.
func (v *view) able(account string, d deed) map[string]*doers {
	world := v.asked(account, &d)
	by := map[string]*doers{}
	for _, t := range d.targets {
		for _, a := range world.WhoCan(d.action, t.arn) {
			arn := a.Principal.ARN
			if arn == t.arn || d.leaves != nil && d.leaves(arn, t) {
				continue
			}
			one := &doers{kind: a.Principal.Kind, who: []string{arn}, targets: []target{t}, extent: a.Extent, evidence: t.means(a.Via)}
			switch {
			case len(one.evidence) == 0:
			case by[arn] == nil:
				by[arn] = one
			default:
				by[arn].join(one)
			}
		}
	}
	return by
}

// asked is who is asked about a deed. Of many targets each is asked about, as few
// as may be: those who could do it to any but themselves.
func (v *view) asked(account string, d *deed) *reach.World {
	const many = 20
	facts := d.facts.With(unsaid(d.action))
	world := v.world(account, facts)
	if len(d.targets) < many {
		return world
	}
	named := map[string]bool{}
	for _, t := range d.targets {
		named[short(t.arn)] = true
	}
	others := func(who, pattern string) bool {
		if name := short(pattern); !iam.HasWildcard(name) { // most say so whom they mean: oneself
			return name != short(who) && named[name]
		}
		return slices.ContainsFunc(d.targets, func(t target) bool { return t.arn != who && iam.Match(pattern, t.arn) })
	}
	var able []reach.Member
	for _, a := range world.WhoCan(d.action, "*") {
		who := a.Principal.ARN
		if slices.ContainsFunc(a.Via, func(f reach.Finding) bool {
			return f.Unknown || slices.ContainsFunc(f.Resources, func(r string) bool { return others(who, r) })
		}) {
			m, _ := world.Member(who)
			able = append(able, m)
		}
	}
	return reach.NewWorld(able, v.facts(facts))
}

// unsaid are the condition keys of IAM that no request for one of its actions
// carries, as AWS documents it: those of other actions.
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
func unsaid(name string) map[string][]string {
	act, known := action.Lookup(name)
	if !known || act.Service != "iam" {
		return nil
	}
	service, _ := action.ServiceByPrefix(act.Service)
	out := map[string][]string{}
	for key := range service.ConditionKeys {
		if strings.HasPrefix(key, "iam:") && !strings.Contains(key, "${") && !slices.Contains(act.Keys(), key) {
			out[key] = nil
		}
	}
	return out
}

// means leaves out statements that are about the target only if its wildcards
// stand for what they cannot.
func (t *target) means(list []reach.Finding) []reach.Finding {
	if t.wild == "" {
		return list
	}
	pattern := reach.Pattern{Text: t.arn, Wild: t.wild}
	return slices.DeleteFunc(list, func(f reach.Finding) bool { return !f.Unknown && !slices.ContainsFunc(f.Resources, pattern.Overlaps) })
}

// world is the account's, for requests of which facts are known.
func (v *view) world(account string, f reach.Facts) *reach.World {
	r := v.realms[account]
	f = v.facts(f)
	key := fmt.Sprint(f)
	if r.worlds[key] == nil {
		r.worlds[key] = reach.NewWorld(r.members, f)
	}
	return r.worlds[key]
}

// facts are what is known of requests, and when they are made.
func (v *view) facts(f reach.Facts) reach.Facts {
	f.Now = v.in.Now
	return f
}

// key is the same for those who could do the same for the same reasons. An
// inline policy of a user or role is nobody else's.
func (d *doers) key() string {
	var b strings.Builder
	fmt.Fprint(&b, d.kind, d.extent)
	for _, f := range d.evidence {
		fmt.Fprintf(&b, " %q %v %d %q", f.Policy, f.Unknown, f.Index, f.Open)
		if strings.HasPrefix(f.Policy, "inline policy ") && !strings.Contains(f.Policy, " of group ") {
			b.WriteString(d.who[0])
		}
	}
	return b.String()
}

// join takes in what others could do, or the same ones by other statements.
func (d *doers) join(other *doers) {
	d.who = addNew(d.who, other.who...)
	d.aim(other.targets)
	d.extent = max(d.extent, other.extent)
	for _, f := range other.evidence {
		i := slices.IndexFunc(d.evidence, func(have reach.Finding) bool {
			return have.Policy == f.Policy && have.Index == f.Index && have.Unknown == f.Unknown
		})
		if i < 0 {
			d.evidence = append(slices.Clip(d.evidence), f)
			continue
		}
		have := d.evidence[i] // others share the lists; actions are of the same call
		have.Resources = addNew(slices.Clip(have.Resources), f.Resources...)
		d.evidence = slices.Clone(d.evidence)
		d.evidence[i] = have
	}
}

func addNew[T comparable](list []T, more ...T) []T {
	for _, one := range more {
		if !slices.Contains(list, one) {
			list = append(list, one)
		}
	}
	return list
}

// expects reports whether somebody may do what rules are about, and notes it.
func (v *view) expects(account, arn string) bool {
	if _, known := v.expected[arn]; known {
		return true
	}
	e := Expected{Principal: arn}
	switch at := slices.IndexFunc(v.in.Expect, func(p string) bool { return iam.Match(p, arn) }); {
	case strings.Contains(arn, ":role/aws-service-role/"):
		e.Reason = ServiceLinked
	case v.administers(account, arn):
		e.Reason = Administrator
	case at >= 0:
		e.Reason, e.Pattern = ByPattern, v.in.Expect[at]
		v.used[e.Pattern] = true
	default:
		return false
	}
	v.expected[arn] = e
	return true
}

// administers reports whether somebody is an administrator for certain: one of
// whom not all policies are known is not, nor one whom a condition keeps to some
// calls, as the boundary of the users that it makes.
func (v *view) administers(account, arn string) bool {
	m, _ := v.world(account, reach.Facts{}).Member(arn)
	for _, p := range m.Permissions.Identity {
		if p.Document == nil {
			return false
		}
	}
	if !v.realms[account].graph.Administers(arn) {
		return false
	}
	of := iam.ARN{Partition: v.in.Estate.Account(account).Partition, Service: "iam", Account: account, Resource: "*"}
	q := reach.Question{Action: "iam:*", Resource: of.String(), Facts: v.facts(reach.Facts{})}
	for f := range m.Permissions.Findings(q) {
		all := slices.ContainsFunc(f.Actions, func(a string) bool { return iam.CoversFold(a, q.Action) }) &&
			slices.ContainsFunc(f.Resources, func(r string) bool { return iam.Covers(r, q.Resource) })
		if all && !slices.ContainsFunc(f.Open, aboutCall) {
			return true
		}
	}
	return false
}

// aboutCall tells conditions that hold for some calls of a session and not for
// others, of those that calls of IAM can meet.
func aboutCall(c iam.Condition) bool {
	key := strings.ToLower(c.Key)
	return strings.HasPrefix(key, "iam:") || strings.HasPrefix(key, "aws:resourcetag/") || strings.HasPrefix(key, "aws:requesttag/") || key == "aws:tagkeys"
}
