package cli

import (
	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/ui"
)

type versionOptions struct {
	json bool
}

func newVersion(a *command.App) *cobra.Command {
	var o versionOptions
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  command.AtMost(),
		RunE:  func(*cobra.Command, []string) error { return runVersion(a, o) },
	}
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON, with commit and compiler")
	return cmd
}

func runVersion(a *command.App, o versionOptions) error {
	v := command.Build()
	if o.json {
		return a.Result().JSON(v)
	}
	line := []ui.Span{ui.Plain("postern " + v.Version)}
	if v.Commit != "" {
		line = append(line, ui.Dim(" ("+v.Commit[:min(12, len(v.Commit))]+")"))
	}
	a.Result().Line(line...)
	return nil
}
