package command

import (
	"runtime"
	"runtime/debug"
)

// version is set by the linker in releases:
//
//	-ldflags "-X github.com/postern-dev/postern/internal/cli/command.version=v1.2.3"
var version = "dev"

// BuildInfo is what a program knows of itself, as `version --json` prints it.
type BuildInfo struct {
	Version  string `json:"version"`            // "v1.2.3"; "dev" for a build from a working copy
	Commit   string `json:"commit,omitempty"`   // the source's revision, where the build knows it
	Modified bool   `json:"modified,omitempty"` // built from a changed working copy
	Go       string `json:"go"`                 // the compiler: "go1.26.8"
	Platform string `json:"platform"`           // "linux/amd64"
}

// Build is what the linker was told, else what the Go tool recorded: the
// module's version for `go install …@v1.2.3`, the commit for a working copy.
func Build() BuildInfo {
	v := BuildInfo{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
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
