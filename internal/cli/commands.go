package cli

import (
	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/cli/access"
	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/explain"
	"github.com/postern-dev/postern/internal/cli/host"
	"github.com/postern-dev/postern/internal/cli/lint"
	"github.com/postern-dev/postern/internal/cli/reference"
	"github.com/postern-dev/postern/internal/cli/stack"
)

// group is a heading of the help and the commands under it.
type group struct {
	title    string
	commands command.List
}

// of are the commands of the group that root has.
func (g group) of(root *cobra.Command) []*cobra.Command {
	var out []*cobra.Command
	for _, listed := range g.commands {
		for _, c := range root.Commands() {
			if c.Name() == listed.Name {
				out = append(out, c)
			}
		}
	}
	return out
}

// groups is the list of all commands, in the order of the help.
func groups() []group {
	return []group{
		{"The main job", command.List{
			{"check", stack.NewCheck},
			{"plan", stack.NewPlan},
			{"apply", stack.NewApply},
			{"up", stack.NewUp},
			{"prove", stack.NewProve},
			{"destroy", stack.NewDestroy},
		}},
		{"Look things up", command.List{
			{"explain", explain.New},
			{"who-can", access.NewWhoCan},
			{"what-can", access.NewWhatCan},
			{"escalations", access.NewEscalations},
			{"entries", access.NewEntries},
			{"diff-access", access.NewDiffAccess},
			{"lint", lint.New},
			{"catalog", reference.NewCatalog},
			{"data", reference.NewData},
			{"schema", stack.NewSchema},
		}},
		{"Guard hosts", command.List{{"host", host.New}}},
		{"Let a job in", command.List{{"ci", stack.NewCI}}},
		{"Try it without AWS", command.List{{"sandbox", stack.NewSandbox}}},
		{"The tool itself", command.List{
			{"help", newHelp},
			{"version", newVersion},
			{"completion", newCompletion},
		}},
	}
}
