package trust

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/fault"
)

// Policy returns the trust policy of a role in s that trusts the entries, in
// their order: one statement each, or one for those whose tokens differ in their
// subject alone. It fails with a fault.List of everything that
// is wrong: with the scope, with each identity, or with the finished document.
// No entries is an error, for AWS has no empty trust policy.
func Policy(s Scope, entries []Entry) (*iam.Document, error) {
	if err := refusal("", s.check()); err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return nil, &fault.Error{What: "trust is empty: nobody could ever become the role", Hint: "name at least one identity under trust"}
	}
	var failed fault.List
	var parts []part
	for _, e := range entries {
		if problems := e.check(s); len(problems) > 0 {
			failed = append(failed, refusal(e.Name, problems)...)
			continue
		}
		parts = join(parts, part{[]string{e.Name}, e.statement(s)})
	}
	if len(failed) > 0 {
		return nil, failed
	}
	doc := &iam.Document{Version: iam.Version2012}
	names := sids{}
	for _, p := range parts {
		p.statement.SID = names.next(sidOf(p.names))
		doc.Statements = append(doc.Statements, p.statement)
	}
	if problems := Lint(doc); len(problems) > 0 {
		return nil, refusal("", problems)
	}
	return doc, nil
}

// CheckIn returns what is wrong with an identity for a role in s: Check and
// what only the place can tell, such as a principal of another partition.
func CheckIn(s Scope, id Identity) []Problem {
	problems := id.Check()
	if local, ok := id.(interface{ checkIn(Scope) []Problem }); ok && len(problems) == 0 {
		problems = local.checkIn(s)
	}
	return problems
}

func (e Entry) check(s Scope) []Problem {
	if e.Identity == nil {
		return []Problem{{Msg: "no identity is given"}}
	}
	problems := CheckIn(s, e.Identity)
	if e.externalID(s) != "" {
		problems = append(problems, checkExternalID(e.ExternalID)...)
	}
	if account, ok := e.Identity.(AWSAccount); ok {
		problems = append(problems, account.CheckNarrowed(s.Account, e.ExternalID)...)
	}
	return problems
}

// Caller is the identity as it asks for the role, with the external id that the
// entry wants.
func (e Entry) Caller(s Scope) Caller {
	c := e.Identity.Caller(s)
	if id := e.externalID(s); id != "" {
		c = c.withKey("sts:ExternalId", id)
	}
	return c
}

// attackers are those of the identity, who have learnt the entry's external id,
// and those who have not.
func (e Entry) attackers(s Scope) []Attack {
	attacks, id := e.Identity.Attackers(s), e.externalID(s)
	if id == "" {
		return attacks
	}
	for i := range attacks {
		attacks[i].Caller = attacks[i].withKey("sts:ExternalId", id)
	}
	return append(attacks, e.Caller(s).deputies(id)...)
}

// Strangers are the attackers of one of a role's entries, save those whom
// another entry means to let in.
func Strangers(s Scope, entries []Entry, i int) []Attack {
	var others []*iam.Document
	for j, e := range entries {
		if j != i && len(e.check(s)) == 0 {
			e.Until = time.Time{} // meant is meant
			others = append(others, &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{e.statement(s)}})
		}
	}
	role := iam.ARN{Partition: s.Partition, Service: "iam", Account: s.Account, Resource: "role/role"}.String()
	return slices.DeleteFunc(entries[i].attackers(s), func(a Attack) bool {
		return slices.ContainsFunc(others, func(doc *iam.Document) bool { return Admits(doc, role, a.Caller) })
	})
}

// statement adds to the identity's statement what the entry says.
func (e Entry) statement(s Scope) iam.Statement {
	st := e.Identity.statement(s)
	st.Effect = iam.Allow
	if id := e.externalID(s); id != "" {
		st.Conditions = append(st.Conditions, equals("sts:ExternalId", id))
	}
	if !e.Until.IsZero() {
		st.Conditions = append(st.Conditions, EndsAt(e.Until))
	}
	return st
}

// EndsAt is the condition under which access ends by itself at an instant,
// whole seconds of UTC. Grants with an end use it too.
func EndsAt(until time.Time) iam.Condition {
	return iam.Condition{
		Operator: "DateLessThan",
		Key:      "aws:CurrentTime",
		Values:   []string{until.UTC().Format(time.RFC3339)},
	}
}

// externalID is the entry's external id where it applies.
func (e Entry) externalID(s Scope) string {
	if TakesExternalID(e.Identity, s.Account) {
		return e.ExternalID
	}
	return ""
}

// TakesExternalID reports whether the external id of a role in the account own
// is asked of the identity: a role or an account that states none itself and is
// not of own, whose principals are no third party.
func TakesExternalID(id Identity, own string) bool {
	switch id := id.(type) {
	case AWSRole:
		return id.ExternalID == "" && accountOf(id.ARN) != own
	case AWSAccount:
		return id.ExternalID == "" && id.ID != own
	}
	return false
}

// refusal turns problems into errors that name the entry they belong to.
func refusal(where string, problems []Problem) fault.List {
	var list fault.List
	for _, p := range problems {
		list = append(list, &fault.Error{Where: where, What: p.Error(), Hint: p.Hint})
	}
	return list
}

// partitions are those that Postern knows: service names, audiences and
// regions differ between them.
var partitions = []string{"aws", "aws-us-gov", "aws-cn"}

func (s Scope) check() []Problem {
	var problems []Problem
	if !slices.Contains(partitions, s.Partition) {
		problems = append(problems, Problem{Msg: fmt.Sprintf("partition %q is unknown", s.Partition), Hint: "write one of " + strings.Join(partitions, ", ")})
	}
	if !iam.IsAccountID(s.Account) {
		problems = append(problems, Problem{Msg: fmt.Sprintf("account %q is not 12 digits", s.Account)})
	}
	return problems
}

// sids counts the statement names given so far, since IAM wants them unique.
type sids map[string]bool

// next returns name in letters and digits, as IAM wants it: "release-prod"
// becomes "ReleaseProd", a second one "ReleaseProd2".
func (used sids) next(name string) string {
	base := camel(name)
	if base == "" {
		base = "Trust"
	}
	sid := base
	for n := 2; used[sid]; n++ {
		sid = base + strconv.Itoa(n)
	}
	used[sid] = true
	return sid
}

func camel(name string) string {
	var b strings.Builder
	start := true
	for _, r := range name {
		if r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			start = true
			continue
		}
		if start {
			r = unicode.ToUpper(r)
		}
		b.WriteRune(r)
		start = false
	}
	return b.String()
}

func equals(key string, values ...string) iam.Condition {
	return iam.Condition{Operator: "StringEquals", Key: key, Values: values}
}
