package lint

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam/action"
)

// check is one line of the table: what it is called, where it applies and the
// function that looks.
type check struct {
	code     string
	severity Severity
	types    []Type // nil: all
	page     string // of our own checks: the page of AWS that the rule is from
	always   bool   // also when the text is not JSON
	run      func(*pass)
}

func (c *check) appliesTo(t Type) bool { return c.types == nil || slices.Contains(c.types, t) }

// table lists all checks.
func table() []*check {
	return slices.Concat(
		syntaxChecks, elementChecks, sidChecks, sizeChecks, actionChecks, arnChecks, resourceChecks,
		operatorChecks, keyChecks, claimChecks, keyUseChecks, valueChecks, addressChecks, identifierChecks, variableChecks,
		principalChecks, serviceChecks, trustChecks, oidcChecks, organizationChecks, passRoleChecks, tagChecks,
	)
}

// CheckInfo describes a check.
type CheckInfo struct {
	Code     string
	Title    string
	Severity Severity
	Types    []Type // of policies that it looks at
	Own      bool   // AWS's validator has none like it
	URL      string
}

// Checks lists all checks, by severity, the worst first, and by code.
func Checks() []CheckInfo {
	var list []CheckInfo
	for _, c := range table() {
		types := c.types
		if types == nil {
			types = Types()
		}
		list = append(list, CheckInfo{c.code, title(c.code), c.severity, types, c.page != "", c.url()})
	}
	slices.SortFunc(list, func(a, b CheckInfo) int {
		if a.Severity != b.Severity {
			return int(b.Severity) - int(a.Severity)
		}
		return strings.Compare(a.Code, b.Code)
	})
	return list
}

// capitals are the words of titles that are not lower case.
var capitals = map[string]string{
	"arn": "ARN", "boolean": "Boolean", "dynamodb": "DynamoDB", "forallvalues": "ForAllValues", "foranyvalue": "ForAnyValue",
	"github": "GitHub", "ifexists": "IfExists", "ip": "IP", "json": "JSON", "kms": "KMS", "notaction": "NotAction", "notprincipal": "NotPrincipal",
	"oidc": "OIDC", "rcp": "RCP", "s3": "S3", "scp": "SCP", "sid": "Sid", "sids": "Sids", "slr": "SLR", "vpc": "VPC", "vpce": "VPCE",
}

// title is a code as people read it: "Invalid ARN account".
func title(code string) string {
	words := strings.Split(strings.ToLower(code), "_")
	for i, w := range words {
		if c, ok := capitals[w]; ok {
			words[i] = c
		} else if i == 0 {
			words[i] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(words, " ")
}

const page = "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html#access-analyzer-reference-policy-checks-"

func (c *check) url() string {
	if c.page != "" {
		return c.page
	}
	kind := c.severity.String()
	if c.severity == Warning {
		kind = "general-warning"
	}
	return page + kind + "-" + strings.ReplaceAll(strings.ToLower(c.code), "_", "-")
}

// pass is one document on its way through the checks.
type pass struct {
	*document
	typ      Type
	settings Settings
	check    *check
	most     int  // findings that each check may have
	count    int  // those of the check
	full     bool // count is most
	findings []Finding

	expanded map[string][]string // by pattern of actions
	arns     map[string]arn      // by text
	services map[string][]shape  // by the service of ARNs
	types    map[*action.ResourceType][]shape
}

func newPass(d *document, opt Options) *pass {
	return &pass{
		document: d, typ: opt.Type, settings: opt.Settings,
		expanded: map[string][]string{}, arns: map[string]arn{}, services: map[string][]shape{}, types: map[*action.ResourceType][]shape{},
	}
}

// maxFindings bounds the findings of one check: a document of a megabyte can
// have a hundred thousand mistakes that nobody would read.
const maxFindings = 100

// until ends a sequence when the current check has all the findings that it may.
func until[A, B any](p *pass, seq iter.Seq2[A, B]) iter.Seq2[A, B] {
	return func(yield func(A, B) bool) {
		for a, b := range seq {
			if p.full || !yield(a, b) {
				return
			}
		}
	}
}

// values lists the strings of the elements in each statement.
func (p *pass) values(elements ...string) iter.Seq2[*statement, *node] {
	return until(p, p.document.values(elements...))
}

// conditions lists the conditions of all statements.
func (p *pass) conditions() iter.Seq2[*statement, *condition] {
	return until(p, p.document.conditions())
}

// principalValues lists the principals of all statements.
func (p *pass) principalValues() iter.Seq2[*statement, principalValue] {
	return until(p, p.document.principalValues())
}

// report adds a finding about n. The caller may set its Hint and Fix.
func (p *pass) report(n *node, format string, args ...any) *Finding {
	f := Finding{
		Code: p.check.code, Title: title(p.check.code), Severity: p.check.severity, URL: p.check.url(),
		Start: p.pos(n.start), End: p.pos(n.end), Path: n.path(), Message: fmt.Sprintf(format, args...),
	}
	if p.full {
		return &f // lost
	}
	p.findings = append(p.findings, f)
	p.count++
	p.full = p.count >= p.most
	return &p.findings[len(p.findings)-1]
}

// hint sets what to do.
func (f *Finding) hint(format string, args ...any) *Finding {
	f.Hint = fmt.Sprintf(format, args...)
	return f
}

// fix adds a fix that keeps what the policy means; see Fix.Safe.
func (f *Finding) fix(title string, edits ...Edit) *Finding {
	f.Fix = &Fix{Title: title, Safe: true, Edits: edits}
	return f
}

// offer adds a fix that changes what the policy means.
func (f *Finding) offer(title string, edits ...Edit) *Finding {
	f.Fix = &Fix{Title: title, Edits: edits}
	return f
}

// didYouMean hints at the nearest of candidates and offers it in n's place.
func (f *Finding) didYouMean(n *node, prefix, word string, candidates []string) *Finding {
	near := nearest(word, candidates)
	if near == "" {
		return f
	}
	return f.hint("did you mean %q?", prefix+near).offer("write "+prefix+near, replace(n, prefix+near))
}

// asOf is the end of messages that rest on what iam/action knows.
func asOf() string { return ", as of " + action.Date() }

// expand is action.Expand, once for each pattern.
func (p *pass) expand(pattern string) []string {
	list, ok := p.expanded[pattern]
	if !ok {
		list = action.Expand(pattern)
		p.expanded[pattern] = list
	}
	return list
}
