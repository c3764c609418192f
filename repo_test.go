// Package postern_test polices the repository: what may import what, where the
// clock and the environment may be read, and what every file owes its reader.
// Rules are data with their reasons; a breach prints the reason. It tests no
// behaviour of the product.
package postern_test

import (
	"os"
	"testing"
)

// rule is something that holds for the whole repository.
type rule struct {
	name  string
	check func(*module) []breach
}

// breach is one place where a rule does not hold.
type breach struct {
	where string // a file, or a package's folder
	what  string
	why   string // the reason for the rule
}

var rules = []rule{
	{"imports point downward", checkLayers},
	{"pure packages import nothing impure", checkPure},
	{"some packages have few importers", checkImporters},
	{"some functions have few callers", checkUses},
	{"test code stays out of the binary", checkTesting},
	{"one package comment per package", checkPackageComments},
	{"packages are named for what they hold", checkPackageNames},
	{"no init functions", checkInit},
	{"files are short", checkLengths},
	{"no open ends", checkOpenEnds},
	{"no paths of a build machine", checkMachinePaths},
	{"go.mod replaces nothing", checkReplace},
	{"go.mod knows what is direct", checkDirect},
	{"dependencies are explained", checkDependencies},
	{"exit codes are documented", checkExitCodes},
}

func TestRepository(t *testing.T) {
	m, err := load(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			for _, b := range r.check(m) {
				t.Errorf("%s: %s\n\twhy: %s", b.where, b.what, b.why)
			}
		})
	}
}
