// Package command is what every command is made with: the streams and the
// environment that it is given, exit codes, mistakes in command lines, and files
// that users name. What only one room needs is not here.
package command

import (
	"fmt"

	"github.com/postern-dev/postern/internal/cli/ui"
)

// App is what every command is given by Main.
type App struct {
	*ui.Streams
	Env   func(string) string // environment variables; "" for one that is not set
	Words []string            // of the command line, after those that named the command above
}

// Status is an exit code for a command that has already said all there is to
// say: plan --detailed-exitcode, a guard rail that does not hold.
type Status int

func (s Status) Error() string { return fmt.Sprintf("exit status %d", int(s)) }
