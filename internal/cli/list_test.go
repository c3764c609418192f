package cli

import (
	"slices"
	"testing"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/ui"
)

// TestOneCommandIsMade names each command in turn: it is the same as among all,
// and nothing beside it is made.
func TestOneCommandIsMade(t *testing.T) {
	streams, _, _ := ui.Test("")
	made := 0
	for _, words := range leaves(newRoot(&command.App{Streams: streams}), nil) {
		cmd := newRoot(&command.App{Streams: streams, Words: slices.Concat(words, []string{"--json", "x"})})
		for _, word := range words {
			below := cmd.Commands()
			if len(below) != 1 || below[0].Name() != word {
				t.Fatalf("%v: below %s there are %d commands, want %s alone", words, cmd.CommandPath(), len(below), word)
			}
			cmd = below[0]
		}
		made++
	}
	if made < 30 {
		t.Errorf("%d commands, want all", made)
	}
}

// leaves are the words that name each command without others below it.
func leaves(cmd *cobra.Command, words []string) [][]string {
	if !cmd.HasSubCommands() {
		return [][]string{words}
	}
	var all [][]string
	for _, c := range cmd.Commands() {
		all = append(all, leaves(c, slices.Concat(words, []string{c.Name()}))...)
	}
	return all
}
