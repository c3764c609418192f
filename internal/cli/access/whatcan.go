package access

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/iam/action"
	"github.com/postern-dev/postern/iam/reach"
	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/evidence"
	"github.com/postern-dev/postern/internal/cli/input"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/estate"
)

type whatCanOptions struct {
	principal string
	estates   []string // files of snapshots
	json      bool
}

// NewWhatCan makes the command what-can.
func NewWhatCan(a *command.App) *cobra.Command {
	var o whatCanOptions
	cmd := &cobra.Command{
		Use:   "what-can PRINCIPAL",
		Short: "List all that a user or role may do, from a snapshot",
		Long: "Lists what the policies of a user or role, those of its groups too, let it do within its boundary: by service, each with the " +
			"statement that allows it, always or sometimes, under conditions or on some of the resources. What a denial or the boundary takes away " +
			"is left out. Then the roles that it may assume, and whether it could become an administrator.\n\n" +
			"What policies of resources and of organisations add or take is not in the answer.",
		Args: command.AtMost("PRINCIPAL"),
		Example: `
aws iam get-account-authorization-details > account.json
postern what-can arn:aws:iam::111111111111:role/deploy --estate account.json
postern what-can arn:aws:iam::111111111111:user/bob --estate account.json --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.principal = command.First(args, "")
			return runWhatCan(cmd, a, o)
		},
	}
	input.EstateFlag(cmd, &o.estates)
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

func runWhatCan(cmd *cobra.Command, a *command.App, o whatCanOptions) error {
	if o.principal == "" {
		return command.UsageError(cmd, "PRINCIPAL is missing", "")
	}
	q, err := askSnapshots(cmd, a, o.estates)
	if err != nil {
		return err
	}
	m, err := q.member(o.principal)
	if err != nil {
		return err
	}
	result := q.whatCan(&m)
	if o.json {
		return a.Result().JSON(result)
	}
	whatCanText(a.Result(), result)
	return nil
}

// asked is an estate that is ready for questions.
type asked struct {
	snapshot *estate.Estate
	world    *reach.World
	graph    *reach.Graph
}

func askSnapshots(cmd *cobra.Command, a *command.App, files []string) (*asked, error) {
	if len(files) == 0 {
		return nil, input.NeedEstate(cmd)
	}
	in := input.Files{Stdin: a.In}
	e, err := in.Snapshots(files)
	if err != nil {
		return nil, err
	}
	world := reach.NewWorld(e.Members(), reach.Facts{Now: time.Now()})
	return &asked{snapshot: e, world: world, graph: reach.NewGraph(world, e.Groups())}, nil
}

// member finds a user or role by its ARN, or a role by that of a session.
func (q *asked) member(arn string) (reach.Member, error) {
	if m, ok := q.world.Member(arn); ok {
		return m, nil
	}
	if account, role := input.FindRole(q.snapshot, arn); role != nil {
		m, _ := q.world.Member(account.RoleARN(role.Path, role.Name))
		return m, nil
	}
	return reach.Member{}, input.NotInSnapshot(q.snapshot, arn)
}

// whatCanResult is what what-can prints, for programs.
type whatCanResult struct {
	Principal     string           `json:"principal"`
	Administrator bool             `json:"administrator"`         // it may give itself whatever it likes
	Unknown       bool             `json:"unknown,omitempty"`     // not all of its policies are known: they may allow anything
	Boundary      string           `json:"boundary,omitempty"`    // ARN of its permissions boundary
	May           []powerAnswer    `json:"may"`                   // by service
	Becomes       []entranceAnswer `json:"becomes"`               // roles, by ARN
	Escalations   int              `json:"escalations,omitempty"` // administrators that it could become; `postern escalations` lists the ways
}

// powerAnswer is what one statement allows in one service.
type powerAnswer struct {
	Service   string       `json:"service"` // prefix; * for all
	Extent    reach.Extent `json:"extent"`
	Actions   []string     `json:"actions"`
	Resources []string     `json:"resources"`
	Via       evidence.Via `json:"via"`
}

type entranceAnswer struct {
	Role   string         `json:"role"`
	Extent reach.Extent   `json:"extent"`
	Via    []evidence.Via `json:"via"`
}

func (q *asked) whatCan(m *reach.Member) *whatCanResult {
	arn := m.Who.ARN
	r := &whatCanResult{
		Principal: arn, Administrator: q.graph.Administers(arn), Escalations: len(q.graph.Escalations(arn)),
		Unknown: hasUnknown(m), May: []powerAnswer{}, Becomes: []entranceAnswer{},
	}
	if m.Permissions.Boundary != nil {
		r.Boundary = m.Permissions.Boundary.Name
	}
	for _, p := range q.world.WhatCan(arn) {
		r.May = append(r.May, powerAnswer{
			Service: p.Service, Extent: p.Extent, Actions: append([]string{}, p.Actions...), Resources: append([]string{}, p.Resources...), Via: evidence.Of(p.Via),
		})
	}
	slices.SortStableFunc(r.May, func(a, b powerAnswer) int { return cmp.Compare(a.Service, b.Service) })
	for _, e := range q.world.Becomes(arn) {
		one := entranceAnswer{Role: e.Role, Extent: e.Extent, Via: []evidence.Via{}}
		for _, f := range e.Via {
			one.Via = append(one.Via, evidence.Of(f))
		}
		r.Becomes = append(r.Becomes, one)
	}
	return r
}

// hasUnknown reports whether somebody has a policy whose content is not known.
func hasUnknown(m *reach.Member) bool {
	return slices.ContainsFunc(m.Permissions.Identity, func(p reach.Policy) bool { return p.Document == nil })
}

func whatCanText(out *ui.Printer, r *whatCanResult) {
	out.Line(ui.Name(r.Principal))
	switch {
	case r.Unknown:
		out.Item(2, ui.Warning, "not all of its policies are known: it may be an administrator")
	case r.Administrator:
		out.Item(2, ui.Warning, "an administrator: it may give itself whatever it likes")
	}
	if r.Boundary != "" {
		out.Line(ui.Plain("  within the permissions boundary "), ui.Name(r.Boundary))
	}
	if len(r.May) == 0 {
		out.Mark(ui.OK, ui.Plain("its policies allow nothing"))
	}
	for i, p := range r.May {
		if i == 0 || p.Service != r.May[i-1].Service {
			out.Heading(serviceHeading(p.Service))
		}
		text := manyActions(p.Actions) + " on " + ui.Few(p.Resources)
		if p.Via.Unknown {
			text = "whatever it allows"
		}
		extentText(out, p.Extent, text, p.Via.Brief())
	}
	becomesText(out, r.Becomes)
	if r.Escalations > 0 {
		out.Blank()
		out.Item(0, ui.Warning, "it could become an administrator: `postern escalations "+r.Principal+"` shows how, with the same --estate")
	}
}

func serviceHeading(prefix string) string {
	switch prefix {
	case "":
		return "Not known"
	case "*":
		return "Every service"
	}
	if s, ok := action.ServiceByPrefix(prefix); ok {
		return prefix + "  " + s.Name
	}
	return prefix + "  (AWS has no such service)"
}

// manyActions lists what fits a few lines.
func manyActions(names []string) string {
	const most = 12
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

func becomesText(out *ui.Printer, list []entranceAnswer) {
	if len(list) > 0 {
		out.Heading("May become")
	}
	for _, e := range list {
		var by []string
		for _, via := range e.Via {
			by = append(by, via.Brief())
		}
		extentText(out, e.Extent, e.Role, by...)
	}
}

// extentText is something that is possible, and what allows it below.
func extentText(out *ui.Printer, extent reach.Extent, text string, by ...string) {
	t := ui.Table{Indent: 2, Rows: [][]ui.Span{{extentSpan(extent, fmt.Sprintf("%-9s", extent)), ui.Plain(text)}}}
	for _, one := range by {
		t.Rows = append(t.Rows, []ui.Span{ui.Dim("       by"), ui.Dim(one)})
	}
	out.Table(t)
}
