package cli

import (
	"cmp"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/plan"
)

// accessText prints who gains and loses what.
func (t *target) accessText(out *ui.Printer, access []plan.Access) {
	if len(access) == 0 {
		return
	}
	out.Heading("Permissions")
	for _, a := range access {
		kind, name := kindAndName(a.Entity)
		line := []ui.Span{ui.Plain("  " + kind + " "), ui.Name(name)}
		if a.Widens {
			line = append(line, ui.Plain("  "), ui.Warning.Span(), ui.Warn(" widens"))
		}
		out.Line(line...)
		for _, who := range a.Joins {
			out.Line(ui.Plain("    "), ui.Added.Span(), ui.Plain(" may be assumed by "+who))
		}
		for _, who := range a.Leaves {
			out.Line(ui.Plain("    "), ui.Removed.Span(), ui.Plain(" may no longer be assumed by "+who))
		}
		permissionsText(out, ui.Added, a.Gained)
		permissionsText(out, ui.Removed, a.Lost)
		if a.Boundary != "" {
			out.Line(ui.Plain("    "), ui.Changed.Span(), ui.Plain(" permissions boundary "+a.Boundary))
		}
	}
}

// permissionsText prints permissions, actions of the same resource and
// condition together.
func permissionsText(out *ui.Printer, mark ui.Mark, list []plan.Permission) {
	for _, g := range groupPermissions(list) {
		out.Line(ui.Plain("    "), mark.Span(), ui.Plain(" "+g.title()))
		out.Text(8, ui.StyleDim, strings.Join(g.actions, ", "))
	}
}

// permissionGroup is the actions that share everything else.
type permissionGroup struct {
	key     plan.Permission // without an action
	actions []string
}

func groupPermissions(list []plan.Permission) []permissionGroup {
	var groups []permissionGroup
	for _, p := range list {
		key := p
		key.Action = ""
		i := slices.IndexFunc(groups, func(g permissionGroup) bool { return g.key == key })
		if i < 0 {
			i = len(groups)
			groups = append(groups, permissionGroup{key: key})
		}
		if p.Action != "" {
			groups[i].actions = append(groups[i].actions, p.Action)
		}
	}
	slices.SortStableFunc(groups, func(a, b permissionGroup) int { return cmp.Compare(a.key.Resource, b.key.Resource) })
	return groups
}

func (g permissionGroup) title() string {
	if g.key.Policy != "" {
		return "everything in " + g.key.Policy
	}
	s := ""
	if g.key.Effect == iam.Deny {
		s = "denied "
	}
	s += "on " + g.key.Resource
	if g.key.Condition != "" {
		s += " if " + g.key.Condition
	}
	return s
}
