package stack

import (
	"strings"
	"time"

	"github.com/postern-dev/postern/iam/action"
	"github.com/postern-dev/postern/internal/catalog"
	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/ui"
)

// checkText says what a valid spec declares.
func checkText(out *ui.Printer, r checkResult) {
	out.Mark(ui.OK, ui.Bold(r.Stack), ui.Plain(" is valid "), ui.Dim("("+strings.Join(r.Files, ", ")+", "+r.Region+")"))
	for _, w := range r.Warnings {
		out.Item(0, ui.Warning, w)
	}
	accountsText(out, r.Accounts)
	identitiesText(out, r.Identities)
	rolesText(out, r.Roles)
	railsText(out, r.proof)
}

func accountsText(out *ui.Printer, accounts []accountJSON) {
	out.Heading("Accounts")
	t := ui.Table{Indent: 2}
	for _, a := range accounts {
		how := "managed with your own credentials"
		if a.AdminRole != "" {
			how = "managed through " + a.AdminRole
		}
		t.Rows = append(t.Rows, []ui.Span{ui.Name(a.Name), ui.Plain(a.ID), ui.Dim(how)})
	}
	out.Table(t)
}

func identitiesText(out *ui.Printer, identities []identityJSON) {
	if len(identities) == 0 {
		return
	}
	out.Heading("Identities")
	t := ui.Table{Indent: 2}
	for _, id := range identities {
		t.Rows = append(t.Rows, []ui.Span{ui.Name(id.Name), ui.Plain(id.Who)})
		if id.Wider {
			t.Rows = append(t.Rows, []ui.Span{ui.Plain(""), ui.Warn(wideText)})
		}
		if id.Because != "" {
			t.Rows = append(t.Rows, []ui.Span{ui.Plain(""), ui.Warn("long-lived key because " + id.Because)})
		}
	}
	out.Table(t)
}

func rolesText(out *ui.Printer, roles []roleJSON) {
	if len(roles) > 0 {
		out.Heading("Roles")
	}
	for _, role := range roles {
		roleText(out, role)
	}
}

// wideText says what a wildcard in an identity means.
const wideText = "wider than one: whoever may push any that matches, now or later, is trusted"

// standardSession is how long sessions may last where a spec says nothing.
const standardSession = "1h"

// roleText is a role, who may become it, and below what it may do.
func roleText(out *ui.Printer, r roleJSON) {
	var trusted []string
	for _, t := range r.Trust {
		trusted = append(trusted, t.Who+untilText(t.Until))
	}
	line := "in " + r.Account + " for " + strings.Join(trusted, ", ")
	if r.Session != standardSession {
		line += "; sessions of up to " + r.Session
	}
	out.Table(ui.Table{Indent: 2, Gap: 1, Rows: [][]ui.Span{{ui.Name(r.Name), ui.Plain(line)}}})
	for _, t := range r.Trust {
		if t.Wider {
			out.Item(4, ui.Warning, t.Who+": "+wideText)
		}
		endedText(out, 4, t.Who, t.Until, t.Ended)
	}
	grantsText(out, r.Grants)
	for _, c := range r.Custom {
		customText(out, c)
	}
}

func grantsText(out *ui.Printer, grants []grantUse) {
	t := ui.Table{Indent: 4}
	for _, g := range grants {
		level := ui.Plain(g.Level)
		if g.Wider {
			level = ui.Warn(g.Level + ", wider than the default")
		}
		t.Rows = append(t.Rows, []ui.Span{ui.Plain(g.Name), level, ui.Dim(useText(g))})
	}
	out.Table(t)
	for _, g := range grants {
		endedText(out, 4, g.Name, g.Until, g.Ended)
	}
}

// endedText warns of access that is written down and does not exist.
func endedText(out *ui.Printer, indent int, what string, until *time.Time, ended bool) {
	if ended {
		out.Item(indent, ui.Warning, what+" has ended"+strings.Replace(untilText(until), " until", " on", 1)+": remove it")
	}
}

// customText is a statement of one's own: what, on what, if what, and why.
func customText(out *ui.Printer, c customJSON) {
	what := strings.Join(c.Actions, " ")
	if c.NotActions != nil {
		what = "all but " + strings.Join(c.NotActions, " ")
	}
	out.Table(ui.Table{Indent: 4, Gap: 1, Rows: [][]ui.Span{{ui.Plain("custom"), ui.Warn(strings.ToLower(c.Effect)), ui.Plain(what)}}})
	t := ui.Table{Indent: 6, Gap: 1, Rows: [][]ui.Span{{ui.Dim("on"), ui.Plain(strings.Join(c.Resources, " "))}}}
	for _, cond := range c.Conditions {
		t.Rows = append(t.Rows, []ui.Span{ui.Dim("if"), ui.Plain(onlyIf(cond))})
	}
	t.Rows = append(t.Rows, []ui.Span{ui.Dim("because"), ui.Dim(c.Because + untilText(c.Until))})
	out.Table(t)
	for _, broad := range c.Broad {
		out.Item(6, ui.Warning, "broad: "+broad)
	}
	if len(c.Unknown) > 0 {
		out.Item(6, ui.Warning, "not in AWS's reference of "+action.Date()+": "+strings.Join(c.Unknown, " "))
	}
	endedText(out, 6, "the statement", c.Until, c.Ended)
}

// onlyIf is "StringEquals aws:PrincipalTag/team: web or shop".
func onlyIf(c command.Condition) string {
	return c.Operator + " " + c.Key + ": " + strings.Join(c.Values, " or ")
}

// useText is the arguments of a grant in the catalogue's order, and its end:
// "bucket=acme-state key=shop/terraform.tfstate until 2027-06-30".
func useText(g grantUse) string {
	var parts []string
	if grant, ok := catalog.Lookup(g.Name); ok {
		for _, p := range grant.Params {
			if values := g.Args[p.Name]; len(values) > 0 {
				parts = append(parts, p.Name+"="+strings.Join(values, ","))
			}
		}
	}
	return strings.TrimSpace(strings.Join(parts, " ") + untilText(g.Until))
}

func untilText(until *time.Time) string {
	if until == nil {
		return ""
	}
	if utc := until.UTC(); !utc.Equal(utc.Truncate(24 * time.Hour)) {
		return " until " + utc.Format(time.RFC3339)
	}
	return " until " + until.UTC().Format(time.DateOnly)
}
