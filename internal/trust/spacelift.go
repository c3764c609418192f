package trust

import (
	"github.com/postern-dev/postern/iam"
)

// Spacelift is the runs of one type of a stack or module, proven by Spacelift's
// OIDC token. The issuer is the account's own, so AWS does not insist on a
// subject. Spaces of one name in different branches of the hierarchy have the
// same subject unless the account's template names the path. A tracked run
// reads while it plans and writes while it applies. The run types, as they
// stand in the subject, are not verified beyond TRACKED and PROPOSED.
//
// https://docs.spacelift.io/integrations/cloud-providers/oidc/
// https://docs.spacelift.io/integrations/cloud-providers/oidc/subject-template
type Spacelift struct {
	Host    string // "ACCOUNT.app.spacelift.io"; issuer and audience
	Space   string // id
	Stack   string // id; or
	Module  string // id
	RunType string // "TRACKED", ...
	Scope   string // "read" or "write"
}

// Kind is "spacelift".
func (Spacelift) Kind() string { return "spacelift" }

// Describe names the stack or module and the runs.
func (l Spacelift) Describe() string {
	kind, name := l.caller()
	return "Spacelift " + l.Host + ", " + kind + " " + name + ", " + l.RunType + " runs, " + l.Scope
}

func (l Spacelift) caller() (kind, name string) {
	if l.Module != "" {
		return "module", l.Module
	}
	return "stack", l.Stack
}

func (l Spacelift) statement(s Scope) iam.Statement { return l.Tokens(s).statement(s) }

// Caller is the run with its token.
func (l Spacelift) Caller(s Scope) Caller { return l.Tokens(s).Sample.caller(s) }

// Tokens asks for the whole subject.
func (l Spacelift) Tokens(Scope) Tokens {
	run := spaceliftRun{l}
	t := Tokens{Issuer: l.Host, Audiences: []string{l.Host}, Subjects: []string{run.subject()}, Sample: run.claims()}
	t.Known = t.asked()
	return t
}

type spaceliftRun struct{ Spacelift }

func (r spaceliftRun) subject() string {
	kind, name := r.caller()
	return "space:" + r.Space + ":" + kind + ":" + name + ":run_type:" + r.RunType + ":scope:" + r.Scope
}

func (r spaceliftRun) claims() Claims {
	kind, name := r.caller()
	return Claims{
		"iss": "https://" + r.Host, "aud": r.Host, "sub": r.subject(),
		"spaceId": r.Space, "callerType": kind, "callerId": name, "runType": r.RunType, "scope": r.Scope,
	}
}

// Attackers are runs of other stacks, spaces, types and scopes of the account,
// and of other accounts.
func (l Spacelift) Attackers(s Scope) []Attack {
	kind, name := l.caller()
	named := func(kind, name string) func(*spaceliftRun) {
		return func(r *spaceliftRun) {
			r.Stack, r.Module = "", name
			if kind == "stack" {
				r.Stack, r.Module = name, ""
			}
		}
	}
	return l.Tokens(s).attacks(s, "", forge(spaceliftRun{l},
		change[spaceliftRun]{"another account's stack", "anyone can have one with names alike; its issuer is another, and nobody should add that as provider", func(r *spaceliftRun) {
			r.Host = another(l.Host, "mallory.app.spacelift.io", "mallory-2.app.spacelift.io")
		}},
		change[spaceliftRun]{"another " + kind + " of the space", whyElse, named(kind, other("playground", name))},
		change[spaceliftRun]{"a " + kind + " whose name begins alike", whyAlike, named(kind, evil(name))},
		change[spaceliftRun]{"the same name as the other kind", "whoever may make one: stacks and modules have names apart; a * for the kind lets both in", named(map[string]string{"stack": "module", "module": "stack"}[kind], name)},
		change[spaceliftRun]{"another space", "whoever runs one; space:* lets it in", func(r *spaceliftRun) { r.Space = other("playground", l.Space) }},
		change[spaceliftRun]{"another run type", "whoever may propose a change starts a PROPOSED run; run_type:* lets it in", func(r *spaceliftRun) {
			r.RunType = "PROPOSED"
			if l.RunType == "PROPOSED" {
				r.RunType = "TASK"
			}
		}},
		change[spaceliftRun]{"the other scope", "a run that has not been approved reads, and a task writes; scope:* lets both in", func(r *spaceliftRun) {
			r.Scope = map[string]string{"read": "write", "write": "read"}[l.Scope]
		}},
	))
}

var runTypes = []string{"PROPOSED", "TRACKED", "TASK", "TESTING", "DESTROY", "DEPENDENCY_GRAPH"}

// Check refuses names that could pose as several parts of the subject, and runs
// that are not chosen.
func (l Spacelift) Check() []Problem {
	problems := checkHost("host", l.Host, "acme.app.spacelift.io")
	problems = append(problems, checkParts(subjectPart{"space", l.Space, ":", "write the space's id, as its settings show it"})...)
	kind, name := l.caller()
	switch {
	case l.Stack != "" && l.Module != "":
		problems = append(problems, Problem{Field: "module", Msg: "stack and module exclude each other", Hint: "declare one identity for each"})
	default:
		problems = append(problems, checkParts(subjectPart{kind, name, ":", "write the id of the stack or module, as its settings show it"})...)
	}
	problems = append(problems, checkChoice("run_type", l.RunType, runTypes...)...)
	return append(problems, checkChoice("scope", l.Scope, "read", "write")...)
}

func (l Spacelift) open() []string {
	return facts(
		fact{l.Scope == "read", "whoever may propose a change, before anyone has approved it"},
		fact{true, "spaces of the same id elsewhere in the account, unless the subject template names the path"},
	)
}
