package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/cli/command"
)

func newCompletion(a *command.App) *cobra.Command {
	return &cobra.Command{
		Use:       "completion bash|zsh|fish",
		Short:     "Print a completion script for your shell",
		Args:      oneShell,
		ValidArgs: []cobra.Completion{"bash", "zsh", "fish"},
		Example: `
# bash, in ~/.bashrc
source <(postern completion bash)
# zsh, once
postern completion zsh > "${fpath[1]}/_postern"
# fish, once
postern completion fish > ~/.config/fish/completions/postern.fish`,
		RunE: func(cmd *cobra.Command, args []string) error { return runCompletion(a, cmd.Root(), args[0]) },
	}
}

// oneShell is the Args of completion.
func oneShell(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return command.UsageError(cmd, "no shell named", "one of bash, zsh, fish")
	}
	switch args[0] {
	case "bash", "zsh", "fish":
		return command.AtMost("SHELL")(cmd, args)
	}
	return command.UsageError(cmd, fmt.Sprintf("no completion for %q", args[0]), "one of bash, zsh, fish")
}

func runCompletion(a *command.App, root *cobra.Command, shell string) error {
	switch shell {
	case "zsh":
		return root.GenZshCompletion(a.Out)
	case "fish":
		return root.GenFishCompletion(a.Out, true)
	default:
		return root.GenBashCompletionV2(a.Out, true)
	}
}
