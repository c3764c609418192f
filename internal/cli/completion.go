package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newCompletion(a *app) *cobra.Command {
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
		return usageError(cmd, "no shell named", "one of bash, zsh, fish")
	}
	switch args[0] {
	case "bash", "zsh", "fish":
		return atMost("SHELL")(cmd, args)
	}
	return usageError(cmd, fmt.Sprintf("no completion for %q", args[0]), "one of bash, zsh, fish")
}

func runCompletion(a *app, root *cobra.Command, shell string) error {
	switch shell {
	case "zsh":
		return root.GenZshCompletion(a.Out)
	case "fish":
		return root.GenFishCompletion(a.Out, true)
	default:
		return root.GenBashCompletionV2(a.Out, true)
	}
}
