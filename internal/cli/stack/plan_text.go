package stack

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/plan"
	"github.com/postern-dev/postern/internal/spec"
)

// What a plan is to reach.
const (
	goalSpec    = "everything is as the spec says"
	goalNothing = "nothing of the stack is left"
)

// planText prints a plan: what changes by account and entity, then who gains
// and loses what. If nothing changes, the goal is reached.
func (t *target) planText(out *ui.Printer, p *plan.Plan, goal string) {
	for _, note := range p.Notes {
		out.Item(0, ui.Warning, note)
	}
	if p.Empty() {
		out.Mark(ui.OK, ui.Plain("no changes: "+goal))
		return
	}
	for _, id := range accountsOf(p.Changes) {
		out.Heading("Account " + t.accountName(id))
		for _, e := range entitiesOf(p.Changes, id) {
			e.print(out)
		}
	}
	accessText(out, p.Access)
	out.Blank()
	out.Line(ui.Bold(planSummary(p)))
	if widened := p.Widened(); len(widened) > 0 {
		out.Mark(ui.Warning, ui.Warn("access widens: "+strings.Join(widened, ", ")))
	}
}

func planSummary(p *plan.Plan) string {
	counts := map[ui.Mark]int{}
	for _, id := range accountsOf(p.Changes) {
		for _, e := range entitiesOf(p.Changes, id) {
			counts[e.mark()]++
		}
	}
	return fmt.Sprintf("Plan: %d to create, %d to change, %d to delete, in %s",
		counts[ui.Added], counts[ui.Changed], counts[ui.Removed], ui.Plural(len(p.Changes), "call", "calls"))
}

func accountsOf(changes []plan.Change) []string {
	var ids []string
	for _, c := range changes {
		if !slices.Contains(ids, c.Account) {
			ids = append(ids, c.Account)
		}
	}
	slices.Sort(ids)
	return ids
}

// entity is the changes of one thing, in order.
type entity struct {
	arn     string
	changes []plan.Change
}

func entitiesOf(changes []plan.Change, account string) []entity {
	var out []entity
	for _, c := range changes {
		if c.Account != account {
			continue
		}
		i := slices.IndexFunc(out, func(e entity) bool { return e.arn == c.Entity })
		if i < 0 {
			i = len(out)
			out = append(out, entity{arn: c.Entity})
		}
		out[i].changes = append(out[i].changes, c)
	}
	return out
}

// mark says what becomes of the thing as a whole.
func (e entity) mark() ui.Mark {
	for _, c := range e.changes {
		switch c.Verb {
		case plan.CreateRole, plan.CreateUser, plan.CreateGroup, plan.CreatePolicy, plan.CreateOpenIDConnectProvider, plan.CreateInstanceProfile:
			return ui.Added
		case plan.DeleteRole, plan.DeleteUser, plan.DeleteGroup, plan.DeletePolicy, plan.DeleteOpenIDConnectProvider, plan.DeleteInstanceProfile:
			return ui.Removed
		}
	}
	return ui.Changed
}

func (e entity) print(out *ui.Printer) {
	kind, name := kindAndName(e.arn)
	out.Line(ui.Plain("  "), e.mark().Span(), ui.Plain(" "+kind+" "), ui.Name(name))
	var rows [][]ui.Span
	for _, c := range e.changes {
		rows = append(rows, []ui.Span{ui.Plain(string(c.Verb)), ui.Plain(changeObject(c)), ui.Dim(c.Reason)})
	}
	out.Table(ui.Table{Indent: 6, Rows: rows})
}

// kindAndName splits an IAM ARN's resource: "role", "postern/shop/shop-deploy".
func kindAndName(arn string) (kind, name string) {
	a, err := iam.ParseARN(arn)
	if err != nil {
		return "", arn
	}
	kind, name, _ = strings.Cut(a.Resource, "/")
	if kind == "oidc-provider" {
		return "OIDC provider", name
	}
	return strings.ReplaceAll(kind, "-", " "), name[strings.LastIndex(name, "/")+1:]
}

// changeObject is what a call is about beside its entity.
func changeObject(c plan.Change) string {
	in := c.Input
	switch c.Verb {
	case plan.PutRolePolicy, plan.DeleteRolePolicy, plan.PutGroupPolicy, plan.DeleteGroupPolicy, plan.DeleteUserPolicy:
		return in.PolicyName
	case plan.AttachRolePolicy, plan.DetachRolePolicy, plan.DetachGroupPolicy, plan.DetachUserPolicy, plan.PutRolePermissionsBoundary:
		return in.PolicyARN
	case plan.AddUserToGroup, plan.RemoveUserFromGroup:
		_, entity := kindAndName(c.Entity)
		if entity == in.UserName {
			return in.GroupName
		}
		return in.UserName
	case plan.AddClientIDToOpenIDConnectProvider, plan.CreateOpenIDConnectProvider:
		return strings.Join(in.ClientIDs, ", ")
	case plan.AddRoleToInstanceProfile, plan.RemoveRoleFromInstanceProfile, plan.CreateInstanceProfile:
		return in.InstanceProfileName
	case plan.DeletePolicyVersion:
		return in.VersionID
	case plan.DeleteAccessKey:
		return in.AccessKeyID
	case plan.UntagRole, plan.UntagUser:
		return strings.Join(in.TagKeys, ", ")
	case plan.CreateRole:
		return "session " + spec.FormatDuration(in.MaxSession)
	}
	return ""
}
