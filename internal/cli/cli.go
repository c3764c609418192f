// Package cli is the command line: Main, the list of all commands, help. The
// commands are in the folders below, the rooms: one file for each, with its
// options, a constructor that only parses and a run function that only acts.
// Results go to stdout, talk to stderr, errors are printed here and nowhere
// else. Nothing below decides about AWS itself.
package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/cli/access"
	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/explain"
	"github.com/postern-dev/postern/internal/cli/host"
	"github.com/postern-dev/postern/internal/cli/lint"
	"github.com/postern-dev/postern/internal/cli/reference"
	"github.com/postern-dev/postern/internal/cli/stack"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/fault"
)

// group is a heading of the help and the commands under it.
type group struct {
	title    string
	commands []*cobra.Command
}

// commands is the list of all commands, in the order of the help.
func commands(a *command.App) []group {
	return []group{
		{"The main job", []*cobra.Command{stack.NewCheck(a), stack.NewPlan(a), stack.NewApply(a), stack.NewUp(a), stack.NewProve(a), stack.NewDestroy(a)}},
		{"Look things up", []*cobra.Command{explain.New(a), access.NewWhoCan(a), access.NewWhatCan(a), access.NewEscalations(a), access.NewEntries(a), access.NewDiffAccess(a), lint.New(a), reference.NewCatalog(a), reference.NewData(a), stack.NewSchema(a)}},
		{"Guard hosts", []*cobra.Command{host.New(a)}},
		{"Let a job in", []*cobra.Command{stack.NewCI(a)}},
		{"Try it without AWS", []*cobra.Command{stack.NewSandbox(a)}},
		{"The tool itself", []*cobra.Command{newHelp(), newVersion(a), newCompletion(a)}},
	}
}

// Main runs the command line args (without the program's name) and returns the
// exit code. The first ctrl-C or SIGTERM cancels the command's context, the
// second ends the process as if nobody had caught it.
func Main(ctx context.Context, args []string, streams *ui.Streams, env func(string) string) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	a := &command.App{Streams: streams, Env: env}
	root := newRoot(a)
	root.SetArgs(append([]string{}, args...)) // nil would mean os.Args
	return finish(ctx, a, root.ExecuteContext(ctx))
}

// finish prints what went wrong and returns the exit code. A result that could
// not be written is an error whatever the command has to say: nobody has read
// its findings.
func finish(ctx context.Context, a *command.App, err error) int {
	code, quiet := errors.AsType[command.Status](err)
	if lost := a.WriteError(); lost != nil && (err == nil || quiet) {
		err, quiet = fmt.Errorf("write result: %w", lost), false
	}
	switch {
	case err == nil:
		return fault.OK
	case quiet:
		return int(code)
	case ctx.Err() != nil:
		return interrupted(a, err)
	}
	a.PrintError(err)
	return fault.ExitCode(err)
}

// interrupted prints err unless it says no more than that the context ended.
func interrupted(a *command.App, err error) int {
	if _, ours := errors.AsType[*fault.Error](err); !ours && errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	a.PrintError(err)
	return fault.Interrupted
}

// newRoot builds the command tree.
func newRoot(a *command.App) *cobra.Command {
	var version bool
	root := &cobra.Command{
		Use:           "postern",
		Short:         "Postern gives machines the least AWS access they need, and proves it.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          command.UnknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if version {
				return runVersion(a, versionOptions{})
			}
			return cmd.Help()
		},
	}
	root.Flags().BoolVar(&version, "version", false, "print the version")
	root.PersistentFlags().BoolP("help", "h", false, "show help for a command")
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	root.SetFlagErrorFunc(flagError)
	root.CompletionOptions.DisableDefaultCmd = true // completion.go has it in our words
	groups := commands(a)
	for _, g := range groups {
		for _, c := range g.commands {
			if c.Name() == "help" {
				root.SetHelpCommand(c) // instead of cobra's own
			}
			root.AddCommand(c)
		}
	}
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { help(a, cmd, groups) })
	return root
}
