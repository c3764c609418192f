package cli

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/cli/ui"
)

// version is set by the linker in releases:
//
//	-ldflags "-X github.com/postern-dev/postern/internal/cli.version=v1.2.3"
var version = "dev"

type versionOptions struct {
	json bool
}

// versionResult is what `version --json` prints.
type versionResult struct {
	Version  string `json:"version"`            // "v1.2.3"; "dev" for a build from a working copy
	Commit   string `json:"commit,omitempty"`   // the source's revision, where the build knows it
	Modified bool   `json:"modified,omitempty"` // built from a changed working copy
	Go       string `json:"go"`                 // the compiler: "go1.26.8"
	Platform string `json:"platform"`           // "linux/amd64"
}

func newVersion(a *app) *cobra.Command {
	var o versionOptions
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  atMost(),
		RunE:  func(*cobra.Command, []string) error { return runVersion(a, o) },
	}
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON, with commit and compiler")
	return cmd
}

func runVersion(a *app, o versionOptions) error {
	v := buildVersion()
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

// buildVersion is what the linker was told, else what the Go tool recorded: the
// module's version for `go install …@v1.2.3`, the commit for a working copy.
func buildVersion() versionResult {
	v := versionResult{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if m := info.Main.Version; v.Version == "dev" && m != "" && m != "(devel)" {
		v.Version = m
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Commit = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}
