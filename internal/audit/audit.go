// Package audit looks for what is dangerous in an estate: rules in, findings
// out. A rule is data and a function; a file of rules is all that it takes to
// add some. What a rule cannot rule out it reports as possible, with what it
// hangs on. It reads nothing, changes nothing and prints nothing.
package audit

import (
	"maps"
	"slices"
	"time"

	"github.com/postern-dev/postern/iam/reach"
	"github.com/postern-dev/postern/internal/estate"
)

// Input is what an audit is about.
type Input struct {
	Estate *estate.Estate
	Now    time.Time // the first instant of "could ever"
	SSH    SSH
	// Expect are patterns of the ARNs of users and roles that are meant to
	// decide: what they can do is no finding.
	Expect []string
}

// Report is what the rules found.
type Report struct {
	Findings []Finding  // by rule; within one, the worst first
	Expected []Expected // by ARN: who could do what a rule is about, and is no finding
	Unused   []string   // patterns of Input.Expect that kept nobody out
}

// Finding is one thing that a rule has to say.
type Finding struct {
	Rule     *Rule
	Severity Severity
	Account  string          // 12 digits
	Who      []string        // ARNs of the users and roles that could do it, all by the same statements; nil: it is about no deed
	What     string          // one sentence, without a full stop
	Extent   reach.Extent    // of Who: Sometimes is "could, if the conditions of Evidence hold"
	Evidence []reach.Finding // the statements that allow it
	Fix      Fix
}

// Severity says how much a finding matters.
type Severity uint8

// The severities, the mildest first.
const (
	Low    Severity = iota + 1 // gives nobody anything, and may lock somebody out
	Medium                     // lets somebody in
	High                       // makes somebody an administrator of something
)

// Severities are all of them, the worst first.
func Severities() []Severity { return []Severity{High, Medium, Low} }

// String is "high", "medium" or "low".
func (s Severity) String() string {
	switch s {
	case High:
		return "high"
	case Medium:
		return "medium"
	}
	return "low"
}

// MarshalText writes the severity as String does.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Expected is somebody who could do what a rule is about, and may.
type Expected struct {
	Principal string // ARN
	Reason    Reason
	Pattern   string // of ByPattern
}

// Reason is why somebody is expected to be able to do what a rule is about.
type Reason string

// The reasons.
const (
	Administrator Reason = "administrator" // can do all of IAM in its account anyway
	ServiceLinked Reason = "service"       // a service's own role, which only AWS can use
	ByPattern     Reason = "expected"      // Input.Expect names it
)

// Run tries all rules.
func Run(in Input) Report {
	v := newView(in)
	var r Report
	rules := Rules()
	for i := range rules {
		found := rules[i].find(v)
		slices.SortStableFunc(found, func(a, b Finding) int { return int(b.Severity) - int(a.Severity) })
		for _, f := range found {
			f.Rule = &rules[i]
			r.Findings = append(r.Findings, f)
		}
	}
	for _, arn := range slices.Sorted(maps.Keys(v.expected)) {
		r.Expected = append(r.Expected, v.expected[arn])
	}
	r.Unused = slices.DeleteFunc(slices.Clone(in.Expect), func(p string) bool { return v.used[p] })
	return r
}
