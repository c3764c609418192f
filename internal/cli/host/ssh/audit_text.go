package ssh

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/evidence"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/estate"
)

// auditResult is what audit prints, for programs.
type auditResult struct {
	SchemaVersion int             `json:"schema_version"`
	Accounts      []string        `json:"accounts"`
	Logins        []loginAnswer   `json:"logins"` // who may log in
	Findings      []findingAnswer `json:"findings"`
	Milder        int             `json:"milder,omitempty"` // findings that --severity leaves out
	Expected      []expected      `json:"expected"`         // who could do what a rule is about, and is no finding
	Unused        []string        `json:"unused_expect,omitempty"`
}

type loginAnswer struct {
	User   string   `json:"user"`
	Groups []string `json:"groups"`
	Sudo   bool     `json:"sudo"`
}

type findingAnswer struct {
	Rule     string         `json:"rule"`
	Title    string         `json:"title"`
	Severity audit.Severity `json:"severity"`
	Account  string         `json:"account"`
	Who      []string       `json:"who,omitempty"` // who could do it; absent: it is about no deed
	What     string         `json:"what"`
	Extent   string         `json:"extent,omitempty"` // of Who: always, or sometimes: if the conditions hold
	Evidence []via          `json:"evidence,omitempty"`
	Why      string         `json:"why"`
	Fix      fix            `json:"fix"`
	Sources  []string       `json:"sources,omitempty"`
}

// via is a statement with its line.
type via struct {
	evidence.Via
	Line int `json:"line,omitempty"` // in the text of the policy, from 1
}

type fix struct {
	What string        `json:"what"`
	Deny *iam.Document `json:"deny,omitempty"` // given to each of Who, ends the finding
}

type expected struct {
	Principal string       `json:"principal"`
	Reason    audit.Reason `json:"reason"`
	Pattern   string       `json:"pattern,omitempty"`
}

func newAuditResult(o auditOptions, e *estate.Estate, report audit.Report) *auditResult {
	r := &auditResult{SchemaVersion: 1, Logins: []loginAnswer{}, Findings: []findingAnswer{}, Expected: []expected{}, Unused: report.Unused}
	for _, a := range e.Accounts {
		r.Accounts = append(r.Accounts, a.ID)
	}
	ssh := o.ssh()
	for _, l := range ssh.Logins(e) {
		r.Logins = append(r.Logins, loginAnswer(l))
	}
	for _, f := range report.Findings {
		if f.Severity < o.severity {
			r.Milder++
			continue
		}
		r.Findings = append(r.Findings, findingOf(f))
	}
	for _, one := range report.Expected {
		r.Expected = append(r.Expected, expected(one))
	}
	return r
}

func findingOf(f audit.Finding) findingAnswer {
	out := findingAnswer{
		Rule: f.Rule.ID, Title: f.Rule.Title, Severity: f.Severity, Account: f.Account, Who: f.Who, What: f.What,
		Why: f.Rule.Why, Fix: fix(f.Fix), Sources: f.Rule.Sources,
	}
	if f.Who != nil {
		out.Extent = f.Extent.String()
	}
	for _, one := range f.Evidence {
		out.Evidence = append(out.Evidence, via{evidence.Of(one), one.Statement.Pos.Line})
	}
	return out
}

func auditText(a *command.App, r *auditResult, o auditOptions) {
	out := a.Result()
	if len(o.Groups)+len(o.SudoGroups) > 0 {
		out.Line(ui.Plain(r.whoLogsIn()))
	}
	for rest := r.Findings; len(rest) > 0; {
		n := slices.IndexFunc(rest, func(f findingAnswer) bool { return f.Rule != rest[0].Rule })
		if n < 0 {
			n = len(rest)
		}
		ruleText(out, rest[:n], len(r.Accounts) > 1)
		rest = rest[n:]
	}
	if len(r.Findings) > 0 {
		out.Blank()
	}
	expectedText(out, r.Expected, o.all)
	verdictText(out, r, o.severity)
	if o.InstanceTags {
		a.Talk().Mark(ui.Warning, ui.Plain("which groups the tags of instances name is not known here: name those with --group, too"))
	}
	for _, pattern := range r.Unused {
		a.Talk().Mark(ui.Warning, ui.Plain("--expect "+pattern+" is of nobody who could do any of this"))
	}
}

// mostFindings is how many of a rule are shown; more nobody reads.
const mostFindings = 20

// ruleText shows the findings of a rule. A fix that several have in common
// stands below the last of them.
func ruleText(out *ui.Printer, list []findingAnswer, several bool) {
	out.Heading(list[0].Rule + " " + list[0].Title)
	out.Text(2, ui.StyleDim, list[0].Why)
	shown := list[:min(len(list), mostFindings)]
	for i := range shown {
		findingText(out, &shown[i], several)
		if fix := shown[i].Fix.text(); i+1 == len(shown) || fix != shown[i+1].Fix.text() {
			out.Table(ui.Table{Indent: 4, Gap: 1, Rows: [][]ui.Span{{ui.Dim("fix:"), ui.Plain(fix)}}})
		}
	}
	if more := len(list) - len(shown); more > 0 {
		out.Line(ui.Dim(fmt.Sprintf("  … and %d more: --json has all", more)))
	}
}

// whoLogsIn counts the users who get in.
func (r *auditResult) whoLogsIn() string {
	n := 0
	for _, l := range r.Logins {
		if l.Sudo {
			n++
		}
	}
	sudo := "none"
	if n > 0 {
		sudo = fmt.Sprint(n)
	}
	return ui.Plural(len(r.Logins), "user", "users") + " may log in, " + sudo + " with sudo"
}

func findingText(out *ui.Printer, f *findingAnswer, several bool) {
	mark := map[audit.Severity]ui.Mark{audit.High: ui.Failed, audit.Medium: ui.Failed, audit.Low: ui.Warning}[f.Severity]
	what := f.Severity.String() + ": " + f.What
	if several {
		what += ", in account " + f.Account
	}
	out.Table(ui.Table{Indent: 2, Gap: 1, Rows: [][]ui.Span{{mark.Span(), ui.Plain(what)}}})
	t := ui.Table{Indent: 4, Gap: 1}
	for i := range f.Evidence {
		t.Rows = append(t.Rows, []ui.Span{ui.Dim("by"), ui.Dim(f.Evidence[i].Text())})
	}
	out.Table(t)
}

func (f *fix) text() string {
	if f.Deny == nil {
		return f.What
	}
	deny, err := json.Marshal(f.Deny)
	if err != nil { // two conditions in it are alike, which no rule makes
		return f.What
	}
	return f.What + ", or deny it: " + string(deny)
}

// reasons say what those have in common who are no findings.
var reasons = []struct {
	reason    audit.Reason
	one, many string
}{
	{audit.Administrator, "administrator can do all of IAM", "administrators can do all of IAM"},
	{audit.ServiceLinked, "role of an AWS service could do some of this", "roles of AWS services could do some of this"},
	{audit.ByPattern, "could do some of this and is expected to", "could do some of this and are expected to"},
}

func expectedText(out *ui.Printer, list []expected, all bool) {
	hidden := false
	for _, r := range reasons {
		var who []string
		for _, e := range list {
			if e.Reason == r.reason {
				who = append(who, e.Principal)
			}
		}
		if len(who) == 0 {
			continue
		}
		out.Mark(ui.Point, ui.Plain(ui.Plural(len(who), r.one, r.many)))
		hidden = hidden || !all
		for _, arn := range who {
			if all {
				out.Line(ui.Plain("  "), ui.Name(arn))
			}
		}
	}
	if hidden {
		out.Line(ui.Dim("  --all names them"))
	}
}

func verdictText(out *ui.Printer, r *auditResult, severity audit.Severity) {
	milder := ""
	if r.Milder > 0 {
		milder = fmt.Sprintf(" (%s below --severity %s)", ui.Plural(r.Milder, "finding", "findings"), severity)
	}
	if len(r.Findings) == 0 {
		out.Mark(ui.OK, ui.Plain("nobody else decides who logs in"), ui.Dim(milder))
		return
	}
	var parts []string
	for _, s := range audit.Severities() {
		n := 0
		for _, f := range r.Findings {
			if f.Severity == s {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	out.Mark(ui.Failed, ui.Plain(ui.Plural(len(r.Findings), "finding", "findings")+": "+strings.Join(parts, ", ")), ui.Dim(milder))
}
