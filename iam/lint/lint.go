// Package lint validates one policy document: its JSON, its elements, the
// actions, ARNs, principals and conditions in it, its size, and what it lets in
// by mistake. Its checks bear the codes of AWS's own validator, Access Analyzer;
// those that AWS lacks are marked as our own. Every finding has a place in the
// text, and some a fix.
//
// It looks at one document alone: what several of them allow together is for
// iam/eval and iam/reach. It asks no network; what exists at AWS is what
// iam/action knows, and findings that rest on it say of which day that is.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
package lint

import (
	"cmp"
	"slices"

	"github.com/postern-dev/postern/iam"
)

// Type is what a policy is used as. It decides which elements it may have.
type Type string

// The types of policies.
const (
	Identity Type = "identity" // of a user, group or role
	Resource Type = "resource" // of a bucket, key, queue…
	Trust    Type = "trust"    // who may assume a role
	SCP      Type = "scp"      // service control policy
	RCP      Type = "rcp"      // resource control policy
	Boundary Type = "boundary" // permissions boundary
)

// Types lists all types.
func Types() []Type { return []Type{Identity, Resource, Trust, SCP, RCP, Boundary} }

// Severity is how bad a finding is, in the four kinds of AWS's validator.
type Severity uint8

// The severities, the mildest first.
const (
	Suggestion      Severity = iota + 1 // style; access stays the same
	Warning                             // probably not what was meant
	SecurityWarning                     // lets in more than was meant
	Error                               // AWS refuses it, or it has no effect
)

var severityNames = [...]string{"", "suggestion", "warning", "security-warning", "error"}

// Severities lists all severities, the worst first.
func Severities() []Severity { return []Severity{Error, SecurityWarning, Warning, Suggestion} }

// String is "error", "security-warning", "warning" or "suggestion".
func (s Severity) String() string {
	if int(s) >= len(severityNames) {
		return ""
	}
	return severityNames[s]
}

// MarshalText is String.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// ParseSeverity is the inverse of String.
func ParseSeverity(s string) (Severity, bool) {
	i := slices.Index(severityNames[1:], s)
	return Severity(i + 1), i >= 0
}

// Options say how to look at a document.
type Options struct {
	Type     Type // empty: what Guess says
	Settings Settings
}

// Settings are AWS's quotas on the size of policies, which an account can have
// raised. Zero stands for AWS's default; a negative number for no limit.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
type Settings struct {
	IdentitySize int // characters without white space; default 6,144, a managed policy's
	TrustSize    int // characters without white space; default 2,048
	ResourceSize int // bytes; default 20,480, a bucket policy's
	SCPSize      int // characters, white space included; default 5,120
	RCPSize      int // characters, white space included; default 5,120
}

// Finding is one thing that a check has to say about a place of the document.
type Finding struct {
	Code     string
	Title    string
	Severity Severity
	Start    iam.Pos // of the text meant
	End      iam.Pos // just behind it
	Path     string  // "Statement[0].Action[2]"; empty for the whole document
	Message  string  // the fact
	Hint     string  // what to do; may be empty
	Fix      *Fix    // nil if there is none
	URL      string  // AWS's page
}

// Fix is a change of the text that makes the finding go away.
type Fix struct {
	Title string // "remove s3:GetObject"
	// Safe means that the fixed policy allows and denies what the policy did, or
	// that AWS refused the policy and there is one way to read it. Others are for
	// a person to agree to: they change what the policy means. All safe fixes of
	// one Run can be applied together: one that another is in the way of is left
	// for the next Run.
	Safe  bool
	Edits []Edit // none overlaps another
}

// Edit replaces a range of the text.
type Edit struct {
	Start, End int    // bytes
	Text       string // in its place
}

// Run validates a policy. Any text whatever gives a result: what is not a
// policy gives findings of severity Error, and only those if it is not JSON. What
// iam.Parse refuses always has one. Findings stand in the order of the text.
func Run(src []byte, opt Options) []Finding { return run(src, opt, maxFindings) }

// run is Run with a bound on the findings of each check.
func run(src []byte, opt Options, most int) []Finding {
	doc := read(src)
	if opt.Type == "" {
		opt.Type, _ = guess(doc)
	}
	p := newPass(doc, opt)
	p.most = most
	for _, c := range table() {
		if (doc.root != nil || c.always) && c.appliesTo(opt.Type) {
			p.check, p.count, p.full = c, 0, false
			c.run(p)
		}
	}
	slices.SortStableFunc(p.findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Start.Line, b.Start.Line), cmp.Compare(a.Start.Column, b.Start.Column), -cmp.Compare(a.Severity, b.Severity))
	})
	separate(p.findings)
	return p.findings
}
