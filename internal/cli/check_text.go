package cli

import (
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/catalog"
	"github.com/postern-dev/postern/internal/cli/ui"
)

// checkText says what a valid spec declares.
func checkText(out *ui.Printer, r checkResult) {
	out.Mark(ui.OK, ui.Bold(r.Stack), ui.Plain(" is valid "), ui.Dim("("+strings.Join(r.Files, ", ")+", "+r.Region+")"))
	accountsText(out, r.Accounts)
	identitiesText(out, r.Identities)
	rolesText(out, r.Roles)
	railsText(out, r.Rails)
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

// roleText is a role, who may become it, and below what it may do.
func roleText(out *ui.Printer, r roleJSON) {
	var trusted []string
	for _, t := range r.Trust {
		trusted = append(trusted, t.Who+untilText(t.Until))
	}
	out.Line(ui.Plain("  "), ui.Name(r.Name), ui.Dim(" in "), ui.Plain(r.Account),
		ui.Dim(" for "), ui.Plain(strings.Join(trusted, ", ")))
	t := ui.Table{Indent: 4}
	for _, g := range r.Grants {
		level := ui.Plain(g.Level)
		if g.Wider {
			level = ui.Warn(g.Level + ", wider than the default")
		}
		t.Rows = append(t.Rows, []ui.Span{ui.Plain(g.Name), level, ui.Dim(useText(g))})
	}
	for _, c := range r.Custom {
		t.Rows = append(t.Rows, []ui.Span{
			ui.Plain("custom"), ui.Warn(strings.ToLower(c.Effect)),
			ui.Dim(strings.Join(c.Actions, " ") + " because " + c.Because + untilText(c.Until)),
		})
	}
	out.Table(t)
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
	return " until " + until.Format(time.DateOnly)
}
