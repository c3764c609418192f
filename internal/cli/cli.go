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

	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/fault"
)

// Main runs the command line args (without the program's name) and returns the
// exit code.
func Main(ctx context.Context, args []string, streams *ui.Streams, env func(string) string) int {
	a := &command.App{Streams: streams, Env: env}
	if len(args) > 0 && args[0] != "help" { // which tells of every command
		a.Words = args
	}
	root := newRoot(a)
	stop := func() {}
	root.PersistentPreRun = func(cmd *cobra.Command, _ []string) { stop = catchSignals(cmd) }
	root.SetArgs(append([]string{}, args...)) // nil would mean os.Args
	cmd, err := root.ExecuteContextC(ctx)
	defer stop()
	return finish(cmd.Context(), a, err)
}

// catchSignals has the first ctrl-C or SIGTERM cancel the command's context. The
// second ends the process as if nobody had caught it.
func catchSignals(cmd *cobra.Command) (stop func()) {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	cmd.SetContext(ctx)
	return stop
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
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { help(a, cmd) })
	var all command.List
	for _, g := range groups() {
		all = append(all, g.commands...)
	}
	all.AddTo(root, a)
	for _, c := range root.Commands() {
		if c.Name() == "help" {
			root.SetHelpCommand(c) // instead of cobra's own
		}
	}
	return root
}
