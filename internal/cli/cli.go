// Package cli is the command line: one file per command, each with its options,
// a constructor that only parses and a run function that only acts. Results go
// to stdout, talk to stderr, errors are printed here and nowhere else. It wires
// the other packages together and decides nothing about AWS itself.
package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/fault"
)

// app is what every command is given.
type app struct {
	*ui.Streams
	env func(string) string // environment variables; "" for one that is not set
}

// group is a heading of the help and the commands under it.
type group struct {
	title    string
	commands []*cobra.Command
}

// commands is the list of all commands, in the order of the help.
func commands(a *app) []group {
	return []group{
		{"The main job", []*cobra.Command{newCheck(a), newPlan(a), newApply(a), newUp(a), newProve(a), newDestroy(a)}},
		{"Look things up", []*cobra.Command{newExplain(a), newWhoCan(a), newWhatCan(a), newEscalations(a), newEntries(a), newDiffAccess(a), newLint(a), newCatalog(a), newData(a), newSchema(a)}},
		{"Guard hosts", []*cobra.Command{newHost(a)}},
		{"Let a job in", []*cobra.Command{newCI(a)}},
		{"Try it without AWS", []*cobra.Command{newSandbox(a)}},
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

	a := &app{Streams: streams, env: env}
	root := newRoot(a)
	root.SetArgs(append([]string{}, args...)) // nil would mean os.Args
	return a.finish(ctx, root.ExecuteContext(ctx))
}

// status is an exit code for a command that has already said all there is to
// say: plan --detailed-exitcode, a guard rail that does not hold.
type status int

func (s status) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// finish prints what went wrong and returns the exit code. A result that could
// not be written is an error whatever the command has to say: nobody has read
// its findings.
func (a *app) finish(ctx context.Context, err error) int {
	code, quiet := errors.AsType[status](err)
	if lost := a.WriteError(); lost != nil && (err == nil || quiet) {
		err, quiet = fmt.Errorf("write result: %w", lost), false
	}
	switch {
	case err == nil:
		return fault.OK
	case quiet:
		return int(code)
	case ctx.Err() != nil:
		return a.interrupted(err)
	}
	a.PrintError(err)
	return fault.ExitCode(err)
}

// interrupted prints err unless it says no more than that the context ended.
func (a *app) interrupted(err error) int {
	if _, ours := errors.AsType[*fault.Error](err); !ours && errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	a.PrintError(err)
	return fault.Interrupted
}

// newRoot builds the command tree.
func newRoot(a *app) *cobra.Command {
	var version bool
	root := &cobra.Command{
		Use:           "postern",
		Short:         "Postern gives machines the least AWS access they need, and proves it.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          unknownCommand,
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
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { a.help(cmd, groups) })
	return root
}
