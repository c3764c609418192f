package reach

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/action"
	"github.com/postern-dev/postern/iam/eval"
)

// Member is a user or role of a World, or the root user of an account.
type Member struct {
	Who         eval.Principal // of Kind User, Role or Root
	Permissions Principal
	Trust       *iam.Document // of a role; nil: not known
	// Unprofiled says of a role that no instance profile hands it to instances of
	// EC2. False: one does, or it is not known.
	Unprofiled bool
}

// Root is the root user of an account, which SCPs bind as they do other members.
// It needs no policies for what is in its account, and can assume no role.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user.html
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
func Root(partition, account string, scp [][]Policy) Member {
	return Member{
		Who:         eval.Principal{Kind: eval.Root, ARN: "arn:" + partition + ":iam::" + account + ":root", Account: account},
		Permissions: Principal{Identity: []Policy{{Name: "root user", Document: anything}}, SCP: scp},
	}
}

// World is a set of users and roles, ready to be asked who can do what. It is
// immutable: many goroutines may ask at once.
//
// It knows the principals' own policies, and the trust policies of roles; the
// policies of other resources, and RCPs, if they are given to Beside. The root
// users of accounts, who may do everything there but for SCPs and assuming roles,
// are in it only if they are given as members: see Root.
type World struct {
	beside  *Beside
	members []member // by ARN
	byARN   map[string]int
	index   index
	doors   doors
	facts   Facts
}

type member struct {
	Member
	facts     Facts   // of its requests
	identity  []int32 // places of the documents in the index
	boundary  int32
	scp       int // place among World.scps
	partition string
}

// NewWorld gets the members ready. The facts are those of every request. A
// document that several members share is indexed once: it should be one
// pointer.
func NewWorld(members []Member, facts Facts) *World {
	w := &World{byARN: make(map[string]int, len(members)), facts: facts}
	members = slices.Clone(members)
	slices.SortFunc(members, func(a, b Member) int { return strings.Compare(a.Who.ARN, b.Who.ARN) })
	build := newIndexBuilder()
	var fill filler
	for i, one := range members {
		who := contextOf(one.Who)
		build.tell(who)
		m := member{Member: one, facts: facts.With(who), partition: partitionOf(one.Who.ARN)}
		if m.linked() {
			one.Permissions.SCP = nil
		}
		one.Permissions = fill.principal(one.Permissions, &m.facts)
		m.Permissions = one.Permissions
		m.identity = build.identity(one.Permissions.Identity, i)
		if one.Permissions.Boundary != nil {
			m.boundary = build.document(one.Permissions.Boundary.Document)
		}
		m.scp = build.levels(one.Permissions.SCP)
		w.members = append(w.members, m)
		w.byARN[one.Who.ARN] = i
	}
	w.index = build.done()
	w.doors = newDoors(w.members)
	return w
}

// contextOf are the condition keys that follow from who somebody is. Roles and
// root users have no user name.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-username
func contextOf(who eval.Principal) map[string][]string {
	keys := eval.PrincipalContext(who)
	switch who.Kind {
	case eval.Role, eval.RoleSession, eval.Root:
		keys["aws:username"] = nil
	}
	return keys
}

func partitionOf(arn string) string {
	parsed, err := iam.ParseARN(arn)
	if err != nil {
		return "*"
	}
	return parsed.Partition
}

// Member returns the member with the ARN.
func (w *World) Member(arn string) (Member, bool) {
	i, ok := w.byARN[arn]
	if !ok {
		return Member{}, false
	}
	return w.members[i].Member, true
}

// Answer is somebody who can do what was asked.
type Answer struct {
	Principal eval.Principal
	Extent    Extent    // Sometimes or Always
	Via       []Finding // the statements that allow it, in the order of the policies
}

// WhoCan lists the members that might do what the action's pattern names on a
// resource that matches the other pattern, by ARN. Without a resource it asks for
// those that the action can be about, as AWS documents them. Whoever is asked
// about sts:AssumeRole must be let in by the role too; then those from outside
// the World that a role of it lets in are listed as well, behind its members.
// Whoever is asked about a pattern of such calls, or about sts:TagSession, need not.
func (w *World) WhoCan(action, resource string) []Answer {
	if hasCall(assumes, action) {
		return w.whoEnters(action, resource)
	}
	out := w.whoMay(action, resource)
	known := map[string]bool{}
	for i := range out {
		known[out[i].Principal.ARN] = true
	}
	for _, call := range slices.Concat(assumes, marks) {
		if !iam.MatchFold(action, call) {
			continue
		}
		for _, a := range w.whoEnters(call, resource) {
			if !known[a.Principal.ARN] {
				known[a.Principal.ARN], out = true, append(out, a)
			}
		}
	}
	slices.SortFunc(out, w.membersFirst)
	return out
}

// membersFirst orders answers.
func (w *World) membersFirst(a, b Answer) int {
	_, first := w.byARN[a.Principal.ARN]
	_, second := w.byARN[b.Principal.ARN]
	switch {
	case first && !second:
		return -1
	case second && !first:
		return 1
	}
	return strings.Compare(a.Principal.ARN, b.Principal.ARN)
}

// whoMay answers WhoCan by the members' policies, and by those of resources.
func (w *World) whoMay(action, resource string) []Answer {
	if w.beside != nil {
		return w.whoCanBeside(action, resource)
	}
	asked := w.questions(action, resource)
	maybe := newBitset(len(w.members))
	for _, list := range asked {
		for _, q := range list {
			q.allowing(maybe)
		}
	}
	var out []Answer
	partition, questions := "", asked[""]
	for _, i := range maybe.list() {
		m := &w.members[i]
		if m.partition != partition {
			partition, questions = m.partition, asked[m.partition]
		}
		if a, could := m.answer(questions); could {
			out = append(out, a)
		}
	}
	return out
}

// questions are what is asked of the members of each partition.
func (w *World) questions(name, resource string) map[string][]*asked {
	out := map[string][]*asked{}
	actions := w.index.aboutAction(name)
	for partition, list := range w.ask(name, resource) {
		for _, q := range list {
			q.Facts = w.facts
			out[partition] = append(out[partition], w.index.ask(q, actions))
		}
	}
	return out
}

// ask gives the questions for each partition of the members.
func (w *World) ask(name, resource string) map[string][]Question {
	out := map[string][]Question{}
	for i := range w.members {
		partition := w.members[i].partition
		if _, done := out[partition]; !done {
			out[partition] = questionsOf(name, resource, partition)
		}
	}
	return out
}

// questionsOf asks for the resources that an action of AWS can be about; for a
// pattern, or what AWS does not know, for any.
func questionsOf(name, resource, partition string) []Question {
	if resource != "" {
		return []Question{{Action: name, Resource: resource}}
	}
	act, known := action.Lookup(name)
	switch {
	case !known:
		return []Question{{Action: name, Resource: "*"}}
	case act.WildcardOnly:
		return []Question{{Action: name, Resource: "*", Bare: true}}
	}
	var out []Question
	required := false
	for _, r := range act.Resources {
		required = required || r.Required
	}
	if !required {
		out = append(out, Question{Action: name, Resource: "*", Bare: true})
	}
	for _, arn := range arnsOf(act, partition) {
		out = append(out, Question{Action: name, Resource: arn})
	}
	return out
}

// arnsOf are patterns of the resources that an action can be about. Where it
// knows many types, as tagging does, one pattern stands for all of a service.
func arnsOf(act *action.Action, partition string) []string {
	const most = 8
	var types, services []string
	for _, t := range act.ResourceTypes() {
		for _, template := range t.ARNs {
			arn := freeVariables(strings.Replace(template, "${Partition}", partition, 1))
			types = appendNew(types, arn)
			if parts := strings.SplitN(arn, ":", partsBeforeResource+1); len(parts) > partsBeforeResource {
				services = appendNew(services, strings.Join(parts[:3], ":")+":*:*:*")
			} else {
				services = appendNew(services, arn)
			}
		}
	}
	if len(types) > most {
		return services
	}
	return types
}

// answer puts questions to one member. It always can if it always can do all
// of them.
func (m *member) answer(questions []*asked) (Answer, bool) {
	a := Answer{Principal: m.Who}
	var all extents
	var via findings
	for _, q := range questions {
		found, extent := q.put(m)
		all.add(extent)
		via.add(found...)
	}
	a.Via, a.Extent = via.list, all.sum()
	return a, a.Extent != Never
}
