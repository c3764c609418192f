// Package prove holds guard rails against an estate: what must never be
// possible, and what must be. It works on any estate, desired or observed, and
// names the statement to blame. In doubt a "never" fails: a policy whose
// content is not known, or a condition that cannot be decided, is no proof.
// "Ever" is from the given instant on: access that has ended does not count,
// access that begins later does. What it does not look at, it names.
package prove

import (
	"time"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/estate"
	"github.com/postern-dev/postern/internal/spec"
)

// Input is what a proof is about.
type Input struct {
	Spec   *spec.Spec
	Estate *estate.Estate
	// Observed says that the estate is all that stands in its accounts. If not,
	// it is what the spec asks for: then what only AWS knows stays undecided.
	Observed bool
	Now      time.Time // the first instant of "ever", and that of expected calls
}

// Report is the outcome of all guard rails and the paths they were tried on.
type Report struct {
	Observed bool      `json:"observed"`    // on what stands in AWS, not on what the spec asks for
	Entries  []Entry   `json:"identities"`  // in the order of the spec
	Rails    []Verdict `json:"guard_rails"` // in the order of the spec: never, then expect
	Notes    []string  `json:"notes,omitempty"`
	Unseen   []string  `json:"not_looked_at"` // what no guard rail was tried on
}

// Entry is one identity and the roles that it can become.
type Entry struct {
	Identity string    `json:"identity"` // the name in the spec; what it is for inline ones
	Describe string    `json:"describe"` // one line for people
	RedFlag  bool      `json:"red_flag"` // proven by a long-lived access key
	Roles    []Reached `json:"roles"`
}

// Reached is a role that an identity can use, directly or through others.
type Reached struct {
	ARN  string   `json:"arn"`
	Role string   `json:"role,omitempty"` // the name in the spec; empty for a role outside the stack
	Via  []string `json:"via,omitempty"`  // ARNs of the roles in between; nil: directly
	// PassedTo is the service to which the last role in between may hand this
	// one; empty: it is assumed.
	PassedTo string `json:"passed_to,omitempty"`
}

// Verdict is one guard rail and whether it holds.
type Verdict struct {
	Rail  string `json:"rail"`  // as a sentence
	Where string `json:"where"` // file:line:column
	Holds bool   `json:"holds"`
	// Undecided says that nothing speaks against the guard rail, but that Doubts
	// keep it from holding.
	Undecided  bool        `json:"undecided,omitempty"`
	Checked    int         `json:"checked"` // how many principals (never) or calls (expect) were tried
	Violations []Violation `json:"violations,omitempty"`
	Doubts     []Violation `json:"doubts,omitempty"` // calls that cannot be decided here
}

// Violation is one way in which a guard rail fails, or might.
type Violation struct {
	Identity  string        `json:"identity,omitempty"`
	Principal string        `json:"principal,omitempty"` // ARN of the role or user that could, or could not
	Via       []string      `json:"via,omitempty"`       // ARNs of the roles in between
	PassedTo  string        `json:"passed_to,omitempty"` // as in Reached
	Action    string        `json:"action"`              // what was asked
	Resource  string        `json:"resource,omitempty"`  // as the spec has it
	Policy    string        `json:"policy,omitempty"`    // to blame; empty: nothing allows it
	Blame     *iam.Document `json:"statement,omitempty"` // its one statement to blame; nil: none can be shown
	Reason    string        `json:"reason"`              // one line
}

// Holds reports whether no guard rail fails. One that is undecided fails once
// the estate is observed: then there is no later proof to wait for.
func (r *Report) Holds() bool {
	for _, v := range r.Rails {
		if !v.Holds && (r.Observed || !v.Undecided) {
			return false
		}
	}
	return true
}

// Run tries every guard rail of the spec on the estate.
func Run(in Input) *Report {
	m := newModel(in)
	report := &Report{Observed: in.Observed, Unseen: m.unseen(), Notes: m.notes()}
	reaches := m.identities()
	for _, r := range reaches {
		report.Entries = append(report.Entries, r.Entry)
	}
	for _, n := range in.Spec.Never {
		report.Rails = append(report.Rails, m.never(n, reaches))
	}
	for _, e := range in.Spec.Expect {
		report.Rails = append(report.Rails, m.expect(e)...)
	}
	return report
}

// settle draws the conclusion from what was found.
func (v *Verdict) settle() {
	v.Holds = len(v.Violations) == 0 && len(v.Doubts) == 0
	v.Undecided = len(v.Violations) == 0 && len(v.Doubts) > 0
}
