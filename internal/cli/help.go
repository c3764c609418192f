package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/ui"
)

// newHelp makes the command help.
func newHelp(*command.App) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND...]",
		Short: "Show help for a command",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			var names []cobra.Completion
			if topic, rest, err := cmd.Root().Find(args); err == nil && len(rest) == 0 {
				for _, c := range available(topic) {
					names = append(names, cobra.CompletionWithDesc(c.Name(), c.Short))
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			topic, rest, err := cmd.Root().Find(args)
			if err != nil {
				return err
			}
			if len(rest) > 0 {
				return command.UnknownCommand(topic, rest)
			}
			return topic.Help()
		},
	}
}

// help prints what cmd is for and how it is called, for the root with the list
// of all commands. Asked for, help is a result: it goes to stdout.
func help(a *command.App, cmd *cobra.Command) {
	out := a.Result()
	out.Text(0, ui.StyleBold, cmd.Short)
	out.Heading("Usage")
	out.Line(ui.Plain("  " + usageLine(cmd)))
	if cmd.Long != "" {
		out.Blank()
		out.Text(0, ui.StylePlain, cmd.Long)
	}
	if !cmd.HasParent() {
		for _, g := range groups() {
			helpCommands(out, g.title, g.of(cmd))
		}
	} else if cmd.HasAvailableSubCommands() {
		helpCommands(out, "Commands", available(cmd))
	}
	helpFlags(out, cmd)
	helpExamples(out, cmd.Example)
	if !cmd.HasParent() {
		out.Heading("Exit codes")
		out.Text(2, ui.StylePlain, "0 done, 1 error, 2 usage (plan --detailed-exitcode: changes), 3 findings, 4 credentials, 130 interrupted")
		out.Blank()
		out.Text(0, ui.StyleDim, "`postern help COMMAND` tells more about a command.")
	}
}

// usageLine is how cmd is called.
func usageLine(cmd *cobra.Command) string {
	if !cmd.HasParent() {
		return cmd.Name() + " COMMAND [FLAGS]"
	}
	line := cmd.Parent().CommandPath() + " " + cmd.Use
	if cmd.HasAvailableLocalFlags() {
		line += " [FLAGS]"
	}
	return line
}

// helpCommands lists commands under a heading, all of them in one column.
func helpCommands(out *ui.Printer, title string, commands []*cobra.Command) {
	t := ui.Table{Indent: 2}
	for _, c := range commands {
		t.Rows = append(t.Rows, []ui.Span{ui.Name(pad(c.Name())), ui.Plain(c.Short)})
	}
	out.Heading(title)
	out.Table(t)
}

// available are the commands of cmd that are not hidden.
func available(cmd *cobra.Command) []*cobra.Command {
	return slices.DeleteFunc(slices.Clone(cmd.Commands()), func(c *cobra.Command) bool { return c.Hidden })
}

// pad gives command names of all groups one width.
func pad(name string) string { return name + strings.Repeat(" ", max(0, 11-len(name))) }

// helpFlags lists the flags of cmd with their values and defaults.
func helpFlags(out *ui.Printer, cmd *cobra.Command) {
	t := ui.Table{Indent: 2}
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" && cmd.HasParent() {
			return
		}
		t.Rows = append(t.Rows, []ui.Span{ui.Name(flagName(f)), ui.Plain(flagUsage(f))})
	})
	if len(t.Rows) == 0 {
		return
	}
	out.Heading("Flags")
	out.Table(t)
}

// flagName is "-o, --output FILE", the long names under each other. A flag that
// takes a value begins its usage with the value's name in back quotes.
func flagName(f *pflag.Flag) string {
	name := "    --" + f.Name
	if f.Shorthand != "" {
		name = "-" + f.Shorthand + ", --" + f.Name
	}
	if value, _ := pflag.UnquoteUsage(f); value != "" {
		name += " " + value
	}
	return name
}

// flagUsage is the flag's purpose without the name of its value, which flagName
// shows, and with its default where that says something.
func flagUsage(f *pflag.Flag) string {
	usage := f.Usage
	if rest, ok := strings.CutPrefix(usage, "`"); ok {
		_, usage, _ = strings.Cut(rest, "` ")
	}
	switch f.DefValue {
	case "", "false", "0", "0s", "[]":
		return usage
	}
	return usage + " (default " + f.DefValue + ")"
}

// helpExamples prints command lines, and their comments dimmed.
func helpExamples(out *ui.Printer, examples string) {
	if examples == "" {
		return
	}
	out.Heading("Examples")
	for line := range strings.SplitSeq(strings.Trim(examples, "\n"), "\n") {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			out.Line(ui.Plain("  "), ui.Dim(line))
		} else {
			out.Line(ui.Plain("  "), ui.Name(line))
		}
	}
}
