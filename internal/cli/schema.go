package cli

import (
	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/spec"
)

type schemaOptions struct {
	output string // file; empty: stdout
}

func newSchema(a *app) *cobra.Command {
	var o schemaOptions
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the spec, for editors",
		Long:  "An editor with a YAML language server completes and checks postern.yaml when its first line names the schema.",
		Args:  atMost(),
		Example: `
postern schema -o postern.schema.json
# first line of postern.yaml
# yaml-language-server: $schema=./postern.schema.json`,
		RunE: func(*cobra.Command, []string) error { return runSchema(a, o) },
	}
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "`FILE` write to this file instead of stdout")
	return cmd
}

func runSchema(a *app, o schemaOptions) error {
	if o.output == "" {
		a.Result().Printf("%s", spec.Schema())
		return nil
	}
	return writeRecord(o.output, spec.Schema(), 0o644)
}
