package stack

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/plan"
)

// accessText prints who gains and loses what. What a deleted role had is said
// in one line: all of it goes.
func accessText(out *ui.Printer, access []plan.Access) {
	if len(access) == 0 {
		return
	}
	out.Heading("Permissions")
	for i, a := range access {
		kind, name := kindAndName(a.Entity)
		if a.Gone {
			out.Line(ui.Plain("  "+kind+" "), ui.Name(name), ui.Plain("  "), ui.Removed.Span(), ui.Plain(" loses all it had"))
			continue
		}
		if i > 0 {
			out.Blank()
		}
		line := []ui.Span{ui.Plain("  " + kind + " "), ui.Name(name)}
		switch {
		case a.New:
			line = append(line, ui.Dim("  new"))
		case a.Widens:
			line = append(line, ui.Plain("  "), ui.Warning.Span(), ui.Warn(" widens"))
		}
		out.Line(line...)
		trustText(out, ui.Added, "may be assumed by ", a.Joins)
		trustText(out, ui.Removed, "may no longer be assumed by ", a.Leaves)
		trustText(out, ui.Added, "no longer refused: ", a.Unbarred)
		trustText(out, ui.Removed, "refused: ", a.Barred)
		permissionsText(out, ui.Added, "", a.Gained)
		permissionsText(out, ui.Removed, "", a.Lost)
		permissionsText(out, ui.Point, "remains: ", a.Remains)
		if a.Boundary != "" {
			out.Line(ui.Plain("    "), ui.Changed.Span(), ui.Plain(" permissions boundary "+a.Boundary))
		}
	}
}

func trustText(out *ui.Printer, mark ui.Mark, verb string, whom []string) {
	for _, who := range whom {
		name, condition, _ := strings.Cut(who, " if ")
		out.Item(4, mark, verb+name)
		conditionLines(out, condition)
	}
}

// permissionsText prints permissions: actions first, then where and when.
func permissionsText(out *ui.Printer, mark ui.Mark, label string, list []plan.Permission) {
	for _, g := range groupPermissions(list) {
		out.Item(4, mark, label+g.title())
		for _, r := range g.resources {
			if r != "" {
				out.Line(ui.Dim("        on " + r))
			}
		}
		conditionLines(out, g.condition)
	}
}

func conditionLines(out *ui.Printer, condition string) {
	if condition == "" {
		return
	}
	for _, part := range strings.Split(condition, " and ") {
		out.Line(ui.Dim("        if " + part))
	}
}

// permissionGroup is every action of a list on every resource of another.
type permissionGroup struct {
	effect             iam.Effect
	condition, policy  string
	actions, resources []string
}

// groupPermissions puts actions on the same resource together, and then
// resources with the same actions.
func groupPermissions(list []plan.Permission) []permissionGroup {
	var byResource []permissionGroup
	for _, p := range list {
		same := func(g permissionGroup) bool {
			return g.effect == p.Effect && g.condition == p.Condition && g.policy == p.Policy && slices.Contains(g.resources, p.Resource)
		}
		i := slices.IndexFunc(byResource, same)
		if i < 0 {
			i = len(byResource)
			byResource = append(byResource, permissionGroup{effect: p.Effect, condition: p.Condition, policy: p.Policy, resources: []string{p.Resource}})
		}
		byResource[i].actions = append(byResource[i].actions, p.Action)
	}
	var groups []permissionGroup
	for _, r := range byResource {
		same := func(g permissionGroup) bool {
			return g.effect == r.effect && g.condition == r.condition && g.policy == r.policy && slices.Equal(g.actions, r.actions)
		}
		if i := slices.IndexFunc(groups, same); i >= 0 {
			groups[i].resources = append(groups[i].resources, r.resources...)
			continue
		}
		groups = append(groups, r)
	}
	return groups
}

func (g permissionGroup) title() string {
	if g.policy != "" {
		return "everything in " + g.policy
	}
	title := strings.Join(g.actions, ", ")
	if g.effect == iam.Deny {
		title = "denied: " + title
	}
	return title
}
