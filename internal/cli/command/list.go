package command

import "github.com/spf13/cobra"

// List is commands by their names, and how each of them is made.
type List []struct {
	Name string
	New  func(*App) *cobra.Command
}

// AddTo puts below parent the command that the command line names, or else all
// of the list: for help, for completion, and to say what may have been meant.
// Logins wait for sshd's question, of which making every command was a fifth.
func (l List) AddTo(parent *cobra.Command, a *App) {
	below := *a
	below.Words = nil
	for i, c := range l {
		if len(a.Words) > 0 && a.Words[0] == c.Name {
			below.Words = a.Words[1:]
			l = l[i : i+1]
		}
	}
	for _, c := range l {
		parent.AddCommand(c.New(&below))
	}
}
