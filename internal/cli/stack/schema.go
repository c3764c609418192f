package stack

import (
	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/spec"
)

type schemaOptions struct {
	output string // file; empty: stdout
}

// NewSchema makes the command schema.
func NewSchema(a *command.App) *cobra.Command {
	var o schemaOptions
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the spec, for editors",
		Long:  "An editor with a YAML language server completes and checks postern.yaml when its first line names the schema.",
		Args:  command.AtMost(),
		Example: `
postern schema -o postern.schema.json
# first line of postern.yaml
# yaml-language-server: $schema=./postern.schema.json`,
		RunE: func(*cobra.Command, []string) error { return runSchema(a, o) },
	}
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "`FILE` write to this file instead of stdout")
	return cmd
}

func runSchema(a *command.App, o schemaOptions) error {
	if o.output == "" {
		a.Result().Printf("%s", spec.Schema())
		return nil
	}
	return command.WriteRecord(o.output, spec.Schema(), 0o644)
}
