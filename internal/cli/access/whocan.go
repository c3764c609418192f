// Package access holds the commands that ask who can do what: who-can, what-can,
// escalations and entries, from snapshots, and diff-access between two of them
// or two policies.
package access

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/iam/action"
	"github.com/postern-dev/postern/iam/reach"
	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/evidence"
	"github.com/postern-dev/postern/internal/cli/input"
	"github.com/postern-dev/postern/internal/cli/ui"
)

type whoCanOptions struct {
	action, resource string
	estates          []string // files of snapshots
	json             bool
}

// NewWhoCan makes the command who-can.
func NewWhoCan(a *command.App) *cobra.Command {
	var o whoCanOptions
	cmd := &cobra.Command{
		Use:   "who-can ACTION [RESOURCE]",
		Short: "List who can do something, from a snapshot",
		Long: "Lists the users and roles of snapshots whose policies, within their boundaries, let them do the action on the resource: always, " +
			"or sometimes, under conditions or on some of what was asked. Both may be patterns. Without a resource, any that the action can be about counts. " +
			"For sts:AssumeRole and its relatives the trust policies of the roles are asked too, and those outside whom they let in are listed.\n\n" +
			"Who could get there by becoming somebody else, and what policies of resources and of organisations add or take, is not in the answer. " +
			"An account's root user can do everything in it and is not listed.",
		Args: command.AtMost("ACTION", "RESOURCE"),
		Example: `
aws iam get-account-authorization-details > account.json
postern who-can s3:GetObject arn:aws:s3:::state/key --estate account.json
postern who-can 'iam:Put*' --estate account.json --estate other.json
postern who-can sts:AssumeRole arn:aws:iam::111111111111:role/deploy --estate account.json --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.action = command.First(args, "")
			if len(args) > 1 {
				o.resource = args[1]
			}
			return runWhoCan(cmd, a, o)
		},
	}
	input.EstateFlag(cmd, &o.estates)
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

func runWhoCan(cmd *cobra.Command, a *command.App, o whoCanOptions) error {
	if err := o.check(cmd); err != nil {
		return err
	}
	in := input.Files{Stdin: a.In}
	e, err := in.Snapshots(o.estates)
	if err != nil {
		return err
	}
	world := reach.NewWorld(e.Members(), reach.Facts{Now: time.Now()})
	answers := whoCanAnswers(world.WhoCan(o.action, o.resource))
	note := o.note()
	if o.json {
		return a.Result().JSON(whoCanResult{Action: o.action, Resource: o.resource, Note: note, Answers: answers})
	}
	whoCanText(a.Result(), o, answers, a.Width)
	if note != "" {
		a.Talk().Item(0, ui.Warning, note)
	}
	return nil
}

// note says that no request is like the one that was asked for.
func (o *whoCanOptions) note() string {
	act, known := action.Lookup(o.action)
	if !known || o.resource == "" || o.resource == "*" {
		return ""
	}
	return input.Misfit(act, o.resource)
}

// check refuses what is no action of AWS: a misspelt one would look as if nobody
// could do it.
func (o *whoCanOptions) check(cmd *cobra.Command) error {
	switch {
	case o.action == "":
		return command.UsageError(cmd, "ACTION is missing", "")
	case input.CheckAction(o.action) != nil:
		return input.CheckAction(o.action)
	case len(o.estates) == 0:
		return input.NeedEstate(cmd)
	case o.resource != "" && o.resource != "*" && !strings.HasPrefix(o.resource, "arn:"):
		return command.UsageError(cmd, fmt.Sprintf("resource %q is neither an ARN nor *", o.resource), "")
	}
	return nil
}

// whoCanResult is what who-can prints, for programs.
type whoCanResult struct {
	Action   string         `json:"action"`
	Resource string         `json:"resource,omitempty"`
	Note     string         `json:"note,omitempty"` // why no request is for the action on the resource
	Answers  []whoCanAnswer `json:"answers"`
}

type whoCanAnswer struct {
	Principal string         `json:"principal"`
	Extent    reach.Extent   `json:"extent"` // sometimes, always
	Via       []evidence.Via `json:"via"`
}

func whoCanAnswers(list []reach.Answer) []whoCanAnswer {
	out := []whoCanAnswer{}
	for _, one := range list {
		answer := whoCanAnswer{Principal: one.Principal.ARN, Extent: one.Extent, Via: []evidence.Via{}}
		for _, f := range one.Via {
			answer.Via = append(answer.Via, evidence.Of(f))
		}
		out = append(out, answer)
	}
	return out
}

// roomForBy is what a table must leave of the terminal for its last column.
const roomForBy = 40

func whoCanText(out *ui.Printer, o whoCanOptions, answers []whoCanAnswer, width int) {
	if len(answers) == 0 {
		out.Mark(ui.OK, ui.Plain("nobody in the snapshot can do "+whatAsked(o)))
		return
	}
	longest := 0
	for _, one := range answers {
		longest = max(longest, ui.Width(one.Principal))
	}
	if width > 0 && width < longest+len("  sometimes  ")+roomForBy {
		whoCanBlocks(out, answers)
		return
	}
	t := ui.Table{Header: []string{"WHO", "WHEN", "BY"}}
	for _, one := range answers {
		name, extent := partyText(one.Principal), one.Extent.String()
		for _, via := range one.Via {
			t.Rows = append(t.Rows, []ui.Span{ui.Name(name), extentSpan(one.Extent, extent), ui.Plain(via.Text())})
			name, extent = "", ""
		}
	}
	out.Table(t)
}

// whoCanBlocks is for terminals that are too narrow for the ARNs and a column
// beside them.
func whoCanBlocks(out *ui.Printer, answers []whoCanAnswer) {
	for _, one := range answers {
		out.Line(ui.Name(partyText(one.Principal)), ui.Plain("  "), extentSpan(one.Extent, one.Extent.String()))
		for _, via := range one.Via {
			byText(out, 2, via.Text())
		}
	}
}

// byText is a dimmed line that says what allows the one above.
func byText(out *ui.Printer, indent int, text string) {
	out.Table(ui.Table{Indent: indent, Gap: 1, Rows: [][]ui.Span{{ui.Dim("by"), ui.Dim(text)}}})
}

func whatAsked(o whoCanOptions) string {
	if o.resource == "" {
		return o.action
	}
	return o.action + " on " + o.resource
}

func extentSpan(e reach.Extent, text string) ui.Span {
	if e == reach.Always {
		return ui.Bold(text)
	}
	return ui.Plain(text)
}
