package reach

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

var (
	assumable = []string{
		"arn:aws:iam::222222222222:role/r0", "arn:aws:iam::222222222222:role/path/r1", "arn:aws:iam::222222222222:role/r2", "arn:aws:iam::333333333333:role/r3",
	}
	entering = append([]string{
		"222222222222", "arn:aws:iam::222222222222:root", "333333333333", "arn:aws:iam::222222222222:user/u4",
		"arn:aws:sts::222222222222:assumed-role/r1/build", "arn:aws:iam::444444444444:root", "*",
	}, assumable...)
	asking = append([]string{
		"*", "arn:aws:iam::*:role/r?", "arn:aws:iam::222222222222:role/*", "arn:aws:iam::555555555555:role/far", "arn:aws:iam::*:role/${aws:username}",
	}, assumable...)
)

// drawAsking returns a statement that is mostly about the call to assume roles.
func drawAsking(t *rapid.T) iam.Statement {
	s := drawStatement(t, false)
	s.Actions, s.NotActions = []string{rapid.SampledFrom([]string{"sts:AssumeRole", "sts:*", "*", "s3:Get"}).Draw(t, "asks for")}, nil
	s.Resources, s.NotResources = rapid.SliceOfN(rapid.SampledFrom(asking), 1, 2).Draw(t, "asks for roles"), nil
	return plainer(t, s)
}

func drawEntering(t *rapid.T) iam.Statement {
	s := drawTrust(t)
	for _, p := range []*iam.Principal{s.Principal, s.NotPrincipal} {
		if p != nil && len(p.AWS) > 0 {
			p.AWS = rapid.SliceOfN(rapid.SampledFrom(entering), 1, 3).Draw(t, "who enters")
		}
	}
	return plainer(t, s)
}

// plainer leaves out the conditions of most statements, as little is let in with
// them; of some it asks who comes.
func plainer(t *rapid.T, s iam.Statement) iam.Statement {
	switch rapid.IntRange(0, 3).Draw(t, "conditions") {
	case 0:
		s.Conditions = []iam.Condition{{Operator: "ArnEquals", Key: "aws:PrincipalArn", Values: []string{rapid.SampledFrom(assumable).Draw(t, "who comes")}}}
	case 1, 2:
		s.Conditions = nil
	}
	return s
}

// drawEstate returns roles of two accounts, a user and a root user. Of some
// policies the content is not known.
func drawEstate(t *rapid.T) []Member {
	document := func(statement func(*rapid.T) iam.Statement) *iam.Document {
		if rapid.IntRange(0, 9).Draw(t, "known") == 0 {
			return nil
		}
		return drawDocument(t, statement)
	}
	shared := Policy{Name: "shared", Document: document(drawAsking)}
	permissions := func() (p Principal) {
		if rapid.Bool().Draw(t, "has the shared policy") {
			p.Identity = append(p.Identity, shared)
		}
		for i := range rapid.IntRange(0, 1).Draw(t, "policies") {
			p.Identity = append(p.Identity, Policy{Name: fmt.Sprint("own", i), Document: document(drawAsking)})
		}
		return p
	}
	var out []Member
	for _, arn := range assumable {
		who, _ := eval.ParsePrincipal(arn)
		out = append(out, Member{Who: who, Permissions: permissions(), Trust: document(drawEntering)})
	}
	return append(out, userOf("222222222222", "u4", permissions()), Root("aws", "333333333333", nil))
}

// admitsAfresh is Role.Admits of a role that nobody has asked yet.
func admitsAfresh(r *Role, c Caller) bool { return NewRole(r.ARN, r.Account, r.Trust).Admits(c) }

// entersOneByOne answers WhoCan by putting each member before each role.
func entersOneByOne(w *World, action, resource string) []Answer {
	var roles []*Role
	for _, r := range w.doors.roles {
		if r != nil && (&Question{Resource: resource}).about(r.ARN) {
			roles = append(roles, r)
		}
	}
	var out []Answer
	for i := range w.members {
		m := &w.members[i]
		if m.Who.Kind == eval.Root || action != assumeRole {
			continue
		}
		a := Answer{Principal: m.Who, Extent: Sometimes}
		for _, r := range roles {
			q := Question{Action: action, Resource: r.ARN, Facts: m.facts}
			own := slices.Collect(m.Permissions.Findings(q))
			if !admitsAfresh(r, Caller{Principal: m.Who, MayAsk: len(own) > 0, Facts: w.facts}) || len(own) == 0 && m.Permissions.barred(q) {
				continue
			}
			a.Via = merge(a.Via, append(own, slices.Collect(r.findings(action).naming(&m.Who))...))
			if r.ARN == resource && m.Permissions.Extent(q) == Always && r.alwaysAdmits(&m.Who, action) {
				a.Extent = Always
			}
		}
		if !coversAny(w.doors.accounts, resource) {
			a.Via = merge(a.Via, slices.Collect(m.Permissions.Findings(Question{Action: action, Resource: resource, Except: w.doors.accounts, Facts: m.facts})))
		}
		if len(a.Via) > 0 {
			out = append(out, a)
		}
	}
	return append(out, outsidersOneByOne(w, roles, action)...)
}

func outsidersOneByOne(w *World, roles []*Role, action string) []Answer {
	admits := func(r *Role, who eval.Principal) bool {
		switch who.Kind {
		case eval.Anonymous:
			d := door{asked: &asked{Question: Question{Action: action, Resource: r.ARN}}, role: r}
			return d.letsEveryoneIn(w.facts)
		case eval.Root:
			return !hasAccount(w.doors.accounts, who.Account) && r.AdmitsAccount(who.Account, w.facts)
		}
		return admitsAfresh(r, Caller{Principal: who, MayAsk: true, Facts: w.facts})
	}
	var out []Answer
	for _, r := range roles {
		for _, who := range r.outsiders(action) {
			if _, member := w.Member(who.ARN); member || !admits(r, who) {
				continue
			}
			i := slices.IndexFunc(out, func(a Answer) bool { return a.Principal.ARN == who.ARN })
			if i < 0 {
				i = len(out)
				out = append(out, Answer{Principal: who, Extent: Sometimes})
			}
			out[i].Via = merge(out[i].Via, slices.Collect(r.findings(action).naming(&who)))
		}
	}
	slices.SortFunc(out, func(a, b Answer) int { return strings.Compare(a.Principal.ARN, b.Principal.ARN) })
	return out
}

func merge(list, more []Finding) []Finding {
	for _, f := range more {
		i := slices.IndexFunc(list, func(have Finding) bool { return have.Policy == f.Policy && have.Index == f.Index })
		if i < 0 {
			list = append(list, f)
			continue
		}
		for _, a := range f.Actions {
			list[i].Actions = appendNew(slices.Clip(list[i].Actions), a)
		}
		for _, r := range f.Resources {
			list[i].Resources = appendNew(slices.Clip(list[i].Resources), r)
		}
	}
	return list
}

// TestWhoEntersAsOneByOne: who enters which roles is answered as if each member
// were put before each role.
func TestWhoEntersAsOneByOne(t *testing.T) {
	members, outsiders := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		_, facts := drawRequest(t)
		w := NewWorld(drawEstate(t), facts)
		action := rapid.SampledFrom([]string{assumeRole, assumeRole, assumeRole, "sts:AssumeRoleWithWebIdentity"}).Draw(t, "call")
		resource := rapid.SampledFrom(append([]string{"*", "arn:aws:iam::222222222222:role/*"}, assumable...)).Draw(t, "asked resource")
		want, got := entersOneByOne(w, action, resource), w.WhoCan(action, resource)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("who can %s on %s (-one by one, +at once): %s", action, resource, diff)
		}
		for _, a := range got {
			if _, member := w.Member(a.Principal.ARN); member {
				members++
			} else {
				outsiders++
			}
		}
	})
	if members == 0 || outsiders == 0 {
		t.Errorf("%d members and %d others entered: nothing was tried", members, outsiders)
	}
}
