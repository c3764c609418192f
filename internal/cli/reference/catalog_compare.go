package reference

import (
	"fmt"
	"maps"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/catalog"
	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/ui"
)

// levelChange is what `catalog NAME --compare FROM TO` prints, for people and,
// with --json, for programs.
type levelChange struct {
	Name    string       `json:"name"`
	From    levelArgs    `json:"from"`
	To      levelArgs    `json:"to"`
	Example bool         `json:"example"` // the args are examples: none were given
	Account string       `json:"account"`
	Region  string       `json:"region"`
	Gained  []accessJSON `json:"gained"` // what TO allows and FROM does not surely
	Lost    []accessJSON `json:"lost"`
}

type levelArgs struct {
	Level  string        `json:"level"`
	Args   catalog.Args  `json:"args"`
	policy *iam.Document // of the level for the args
}

// accessJSON is actions on resources, if the conditions hold.
type accessJSON struct {
	Actions    []string            `json:"actions"`
	Resources  []string            `json:"resources"`
	Conditions []command.Condition `json:"conditions,omitempty"`
}

func compareLevels(cmd *cobra.Command, a *command.App, grant *catalog.Grant, o catalogOptions) error {
	change, err := o.levelChange(cmd, grant)
	if err != nil {
		return err
	}
	if o.json {
		return a.Result().JSON(change)
	}
	levelChangeText(a.Result(), change)
	return nil
}

// levelChange compares two levels of a grant, each with those of the values
// given that it takes; if none are given, with example values.
func (o catalogOptions) levelChange(cmd *cobra.Command, grant *catalog.Grant) (*levelChange, error) {
	if err := checkCompare(cmd, grant, o); err != nil {
		return nil, err
	}
	given, err := parseSet(cmd, grant, o.set)
	if err != nil {
		return nil, err
	}
	change := &levelChange{
		Name: grant.Name, Account: o.scope.Account, Region: o.scope.Region,
		From: levelArgs{Level: o.compared[0]}, To: levelArgs{Level: o.compared[1]},
	}
	if len(given) == 0 {
		maps.Copy(given, grant.Example(change.To.Level))
		maps.Copy(given, grant.Example(change.From.Level))
		change.Example = len(given) > 0
	}
	change.split(grant, given)
	for _, side := range []*levelArgs{&change.From, &change.To} {
		if err := side.render(grant, o.scope); err != nil {
			return nil, err
		}
	}
	change.Gained = accessList(catalog.Gained(change.To.policy, change.From.policy))
	change.Lost = accessList(catalog.Gained(change.From.policy, change.To.policy))
	return change, nil
}

// checkCompare refuses what --compare cannot compare.
func checkCompare(cmd *cobra.Command, grant *catalog.Grant, o catalogOptions) error {
	levels := levelNames(grant)
	example := fmt.Sprintf("write `postern catalog %s --compare %s %s`", grant.Name, levels[0], levels[len(levels)-1])
	switch {
	case len(levels) == 1:
		return command.UsageError(cmd, grant.Name+" has one level only", "run `postern catalog "+grant.Name+"`")
	case len(o.compared) != 2:
		return command.UsageError(cmd, "--compare needs two levels", example)
	case o.compared[0] == o.compared[1]:
		return command.UsageError(cmd, "--compare needs two different levels", example)
	case o.policy || o.cases || cmd.Flags().Changed("level"):
		return command.UsageError(cmd, "--compare does not go with --level, --policy or --cases", example)
	}
	return nil
}

// split gives each side those of the values that it takes. One that neither
// takes stays, to be reported.
func (c *levelChange) split(grant *catalog.Grant, given catalog.Args) {
	c.From.Args, c.To.Args = grant.At(c.From.Level, given), grant.At(c.To.Level, given)
	for name, values := range given {
		if c.From.Args[name] == nil && c.To.Args[name] == nil {
			c.From.Args[name] = values
		}
	}
}

func (l *levelArgs) render(grant *catalog.Grant, s catalog.Scope) error {
	if errs := grant.CheckIn(s, l.Level, l.Args); len(errs) > 0 {
		return argErrors(grant, errs, "--compare")
	}
	var err error
	l.policy, err = grant.Policy(s, l.Level, l.Args)
	return err
}

func accessList(list []catalog.Access) []accessJSON {
	out := []accessJSON{}
	for _, one := range list {
		entry := accessJSON{Actions: one.Actions, Resources: one.Resources}
		for _, c := range one.Conditions {
			entry.Conditions = append(entry.Conditions, command.Condition(c))
		}
		out = append(out, entry)
	}
	return out
}

func levelChangeText(out *ui.Printer, change *levelChange) {
	out.Line(ui.Bold(change.Name), ui.Plain(": from level "), ui.Name(change.From.Level), ui.Plain(" to "), ui.Name(change.To.Level))
	for _, side := range []levelArgs{change.From, change.To} {
		out.Line(ui.Plain("  "), ui.Dim(commandLine(change.Name, side.Level, side.Args)))
	}
	if change.Example {
		out.Line(ui.Plain("  "), ui.Dim("with example values; --set gives others"))
	}
	accessChangeText(out, "Gained", ui.Added, change.Gained)
	accessChangeText(out, "Lost", ui.Removed, change.Lost)
}

func accessChangeText(out *ui.Printer, title string, mark ui.Mark, list []accessJSON) {
	out.Heading(title)
	if len(list) == 0 {
		out.Text(2, ui.StylePlain, "nothing")
		return
	}
	for _, one := range list {
		out.Item(2, mark, strings.Join(one.Actions, ", "))
		for _, resource := range one.Resources {
			out.Line(ui.Dim("      on " + resource))
		}
		for _, c := range one.Conditions {
			out.Line(ui.Dim("      if " + c.Operator + " " + c.Key + " " + strings.Join(c.Values, " | ")))
		}
	}
}
