// Package prove holds guard rails against an estate: what must never be
// possible, and what must be. It works on any estate, desired or observed, and
// names the statement to blame. In doubt a "never" fails: a policy whose
// content is not known, or a condition that cannot be decided, is no proof.
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
	Now    time.Time // decides conditions on aws:CurrentTime in trust policies
}

// Report is the outcome of all guard rails and the paths they were tried on.
type Report struct {
	Entries []Entry   `json:"identities"`  // in the order of the spec
	Rails   []Verdict `json:"guard_rails"` // in the order of the spec: never, then expect
}

// Entry is one identity and the roles that it can become.
type Entry struct {
	Identity string    `json:"identity"` // the name in the spec; what it is for inline ones
	Describe string    `json:"describe"` // one line for people
	RedFlag  bool      `json:"red_flag"` // proven by a long-lived access key
	Roles    []Reached `json:"roles"`
}

// Reached is a role that an identity can become, directly or through others.
type Reached struct {
	ARN  string   `json:"arn"`
	Role string   `json:"role,omitempty"` // the name in the spec; empty for a role outside the stack
	Via  []string `json:"via,omitempty"`  // ARNs of the roles in between; nil: directly
}

// Verdict is one guard rail and whether it holds.
type Verdict struct {
	Rail       string      `json:"rail"`  // as a sentence
	Where      string      `json:"where"` // file:line:column
	Holds      bool        `json:"holds"`
	Checked    int         `json:"checked"` // how many principals (never) or calls (expect) were tried
	Violations []Violation `json:"violations,omitempty"`
}

// Violation is one way in which a guard rail fails.
type Violation struct {
	Identity  string        `json:"identity,omitempty"`
	Principal string        `json:"principal,omitempty"` // ARN of the role or user that could, or could not
	Via       []string      `json:"via,omitempty"`       // ARNs of the roles in between
	Action    string        `json:"action"`              // what was asked
	Resource  string        `json:"resource,omitempty"`
	Policy    string        `json:"policy,omitempty"`    // to blame; empty: nothing allows it
	Blame     *iam.Document `json:"statement,omitempty"` // its one statement to blame; nil: none can be shown
	Reason    string        `json:"reason"`              // one line
}

// Holds reports whether every guard rail holds.
func (r *Report) Holds() bool {
	for _, v := range r.Rails {
		if !v.Holds {
			return false
		}
	}
	return true
}

// Run tries every guard rail of the spec on the estate.
func Run(in Input) (*Report, error) {
	m, err := newModel(in)
	if err != nil {
		return nil, err
	}
	report := &Report{Entries: m.entries()}
	for _, n := range in.Spec.Never {
		report.Rails = append(report.Rails, m.never(n, report.Entries))
	}
	for _, e := range in.Spec.Expect {
		report.Rails = append(report.Rails, m.expect(e)...)
	}
	return report, nil
}
