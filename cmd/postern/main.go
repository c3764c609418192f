// Command postern gives machines the least AWS access that their work needs,
// and proves it. Everything it does is in internal/cli.
package main

import (
	"context"
	"os"

	"github.com/postern-dev/postern/internal/cli"
	"github.com/postern-dev/postern/internal/cli/ui"
)

func main() {
	os.Exit(cli.Main(context.Background(), os.Args[1:], ui.System(os.Getenv), os.Getenv))
}
