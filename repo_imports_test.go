package postern_test

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
)

// pure are the packages between the two ends, in the order of the data: values
// in, values out. Each may import the ones before it.
var pure = []string{"catalog", "trust", "spec", "estate", "compile", "plan", "prove", "audit", "snippet"}

// layer says which packages of ours a package may import.
type layer struct {
	of  string // a pattern as of within
	may []string
	why string
}

// layers is the whole of what may import what. A package that is not in it
// needs a line here first, and with it a reason.
var layers = slices.Concat([]layer{
	{"cmd/postern", []string{"internal/cli", "internal/cli/ui"}, "main hands over to the CLI and does nothing else"},
	{"iam/...", []string{"iam/..."}, "the policy language is public and stands alone"},
	{"internal/fault", nil, "every package may report a fault, so fault can import none of them"},
	{"internal/suggest", nil, "a leaf: it compares words and knows nothing of the product"},
	{"internal/wire", nil, "a leaf: AWS's protocols as data, for the sandbox, the gateway and the proof that a role works"},
	{"internal/sigv4", nil, "a leaf: signatures as every AWS client makes them, for whoever answers one"},
	{"internal/denial", []string{"iam/..."}, "a leaf: AWS's words for a decision"},
	{"internal/gateway", []string{"iam/...", "internal/denial", "internal/sigv4", "internal/wire"}, "a gateway takes policies and principals as values; whose they are its caller knows"},
	{"internal/apply", []string{"internal/fault", "internal/plan"}, "apply runs a plan through the small interface that it declares; it decides nothing the plan did not"},
	{"internal/aws", []string{"iam/...", "internal/fault", "internal/wire", "internal/estate", "internal/plan", "internal/apply", "internal/host/sshkeys"}, "the cloud implements what plan, apply and sshkeys ask for and knows no command"},
	{"internal/sandbox", []string{"iam/...", "internal/fault", "internal/denial", "internal/sigv4", "internal/wire", "internal/estate"}, "an AWS that shared code with the client that it tests would share its mistakes"},
	{"internal/host/hostfile", []string{"internal/fault", "internal/host/lockdown", "internal/host/sshkeys", "internal/suggest"}, "a file of settings is read without the host that it is for; lockdown and sshkeys know what can be meant by a word"},
	{"internal/host/program", []string{"internal/fault"}, "a leaf: it finds programs of the system and knows none of them"},
	{"internal/host/units", []string{"internal/fault"}, "units name commands; what those do is not theirs"},
	{"internal/host/lockdown/lockdowntest", nil, "a metadata service that shared code with the firewall would share its mistakes"},
	{"internal/host/lockdown", []string{"internal/fault", "internal/suggest", "internal/host/program"}, "a firewall knows uids and addresses; users, files and the terminal are its caller's"},
	{"internal/host/sshd", []string{"internal/fault", "internal/host/program"}, "how sshd is set up does not depend on who may log in"},
	{"internal/host/sshkeys/osusers", []string{"internal/fault", "internal/host/program", "internal/host/sshkeys"}, "accounts are changed by the system's own programs; who gets one is decided above"},
	{"internal/host/sshkeys/...", []string{"iam", "internal/fault", "internal/host/sshkeys", "internal/suggest"}, "who may log in is decided without knowing AWS, which implements the small interface that is declared here"},
	{"internal/trial", []string{"iam/...", "internal/catalog", "internal/compile", "internal/spec", "internal/trust", "internal/wire"}, "a trial knows AWS and the sandbox only by the interface that it declares"},
	{"internal/cli/ui", []string{"internal/fault"}, "the terminal shows values and knows no command"},
	{"internal/cli/command", []string{"internal/cli/ui", "internal/fault", "internal/suggest"}, "what every room of the CLI is made with knows none of them"},
	{"internal/cli/input", []string{"iam/...", "internal/cli/command", "internal/cli/ui", "internal/estate", "internal/fault"}, "snapshots and policies are read alike for every question, whichever it is"},
	{"internal/cli/evidence", []string{"iam/...", "internal/cli/command", "internal/cli/ui"}, "what allows somebody something is shown alike, whoever asked"},
	{"internal/cli", []string{"internal/cli/...", "internal/fault"}, "Main lists the commands and leaves the work to their rooms"},
	{"test/...", []string{"test/..."}, "witnesses are of other people's making and use nothing of ours"},
}, roomLayers(), pureLayers())

// rooms are the packages of commands below internal/cli. None imports another,
// so that each can be read by itself; only host imports those below it.
var rooms = []layer{
	{"internal/cli/stack", slices.Concat(pureDirs(), []string{"internal/apply", "internal/aws", "internal/sandbox", "internal/trial", "internal/wire"}), "the commands on a spec wire the pure packages, AWS and the sandbox together"},
	{"internal/cli/access", []string{"iam/...", "internal/cli/evidence", "internal/cli/input", "internal/estate"}, "who can do what is asked of snapshots and policies alone"},
	{"internal/cli/explain", []string{"iam/...", "internal/cli/input", "internal/estate"}, "a decision is explained from snapshots and policies alone"},
	{"internal/cli/lint", []string{"iam/..."}, "a policy is linted for itself, whoever it belongs to"},
	{"internal/cli/reference", []string{"iam/...", "internal/catalog", "internal/cli/input"}, "what is looked up is embedded: it comes from no account"},
	{"internal/cli/host", []string{"internal/cli/host/...", "internal/host/..."}, "a host's commands need no stack"},
	{"internal/cli/host/lockdown", []string{"internal/aws", "internal/host/...", "internal/spec"}, "the firewall asks nobody but the host, and EC2 what it says of the instance; of spec it takes how times are written"},
	{"internal/cli/host/ssh", []string{"iam", "internal/audit", "internal/aws", "internal/cli/evidence", "internal/cli/input", "internal/estate", "internal/host/..."}, "a host's commands need no stack; the audit of its logins needs what the questions about access read"},
}

// roomLayers gives each room what all of them are made with.
func roomLayers() []layer {
	var of []layer
	for _, r := range rooms {
		r.may = append([]string{"internal/cli/command", "internal/cli/ui", "internal/fault"}, r.may...)
		of = append(of, r)
	}
	return of
}

// pureLayers gives each pure package the ones before it.
func pureLayers() []layer {
	may := []string{"iam/...", "internal/fault", "internal/suggest"}
	var of []layer
	for _, name := range pure {
		of = append(of, layer{
			of: "internal/" + name, may: slices.Clone(may),
			why: "data flows one way: " + strings.Join(pure, ", "),
		})
		may = append(may, "internal/"+name)
	}
	return of
}

// checkLayers holds every import among our own packages against layers. Tests
// may import more: they drive several layers at once.
func checkLayers(m *module) []breach {
	var found []breach
	for _, s := range m.shipped() {
		i := slices.IndexFunc(layers, func(l layer) bool { return within(s.dir, []string{l.of}) })
		if i < 0 {
			found = append(found, breach{s.name, s.dir + " is in no layer", "a new package says what it may import, in layers of repo_imports_test.go"})
			continue
		}
		for _, imported := range s.imports {
			if dir, ok := m.ours(imported); ok && !within(dir, layers[i].may) {
				found = append(found, breach{s.name, "imports " + dir, layers[i].why})
			}
		}
	}
	return found
}

// impure is what a pure package cannot import, with what to do in its place.
var impure = []struct {
	imports string
	but     []string // packages that may
	why     string
}{
	{imports: "context", why: "nothing pure takes long enough to be cancelled, or waits"},
	{imports: "log", why: "what is worth saying is a value that the caller prints"},
	{imports: "log/slog", why: "what is worth saying is a value that the caller prints"},
	{imports: "math/rand", why: "the same input gives the same output"},
	{imports: "math/rand/v2", why: "the same input gives the same output"},
	{imports: "net", why: "addresses are compared with net/netip; connections are for internal/aws"},
	{imports: "net/http", why: "connections are for internal/aws"},
	{imports: "os", but: []string{"internal/spec", "iam/action/gen"}, why: "files are read by the caller, who hands their content over; only spec.Load reads some, and spec.Parse does the work; gen is a program that writes one"},
	{imports: "os/exec", why: "other programs are run by internal/cli"},
}

func pureDirs() []string {
	dirs := []string{"iam/..."}
	for _, name := range pure {
		dirs = append(dirs, "internal/"+name)
	}
	return dirs
}

func checkPure(m *module) []breach {
	var found []breach
	for _, s := range m.shipped() {
		for _, ban := range impure {
			if within(s.dir, pureDirs()) && !within(s.dir, ban.but) && slices.Contains(s.imports, ban.imports) {
				found = append(found, breach{s.name, "imports " + ban.imports, ban.why})
			}
		}
	}
	return found
}

// importers are the standard packages with a short list of importers. That of
// other people's modules is in docs/dependencies.md.
var importers = []struct {
	imports string
	only    []string
	why     string
}{
	{"html/template", []string{"internal/server", "internal/audit"}, "pages come from two places, where escaping and the content security policy are reviewed"},
	{"log", nil, "logging goes through a *slog.Logger that is passed in, never a global one"},
	{"unsafe", nil, "nothing here is worth it"},
}

func checkImporters(m *module) []breach {
	var found []breach
	for _, s := range m.shipped() {
		for _, i := range importers {
			if slices.Contains(s.imports, i.imports) && !within(s.dir, i.only) {
				found = append(found, breach{s.name, "imports " + i.imports, i.why})
			}
		}
	}
	return found
}

// uses are the functions with few callers, outside of tests.
var uses = []struct {
	pkg   string
	names []string
	only  []string // the packages that may; where empty, all but those of not
	not   []string
	why   string
}{
	{
		pkg: "os", names: []string{"Getenv", "LookupEnv", "Environ", "ExpandEnv"},
		only: []string{"cmd/postern", "internal/cli", "test/..."},
		why:  "the environment is an input like any other: the CLI reads it once and hands it on",
	},
	{
		pkg: "os", names: []string{"Exit"}, only: []string{"cmd/postern", "iam/action/gen"},
		why: "an exit anywhere but in a main function skips deferred clean-up and cannot be tested",
	},
	{
		pkg: "context", names: []string{"Background", "TODO"}, only: []string{"cmd/postern", "test/..."},
		why: "a context made half-way does not end on Ctrl-C",
	},
	{
		pkg: "time", names: []string{"Sleep"}, only: []string{"test/..."},
		why: "a bare sleep does not end on Ctrl-C: select on ctx.Done",
	},
	{
		pkg: "time", names: []string{"Now", "Since", "Until", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}, not: pureDirs(),
		why: "a pure package has no clock: the caller passes the time",
	},
	{
		pkg: "log/slog", names: []string{"Default", "SetDefault", "Debug", "Info", "Warn", "Error"}, only: []string{"-"},
		why: "logging goes through a *slog.Logger that is passed in, never a global one",
	},
}

func checkUses(m *module) []breach {
	var found []breach
	for _, s := range m.shipped() {
		for _, u := range uses {
			if within(s.dir, u.only) || len(u.only) == 0 && !within(s.dir, u.not) {
				continue
			}
			for _, sel := range selectors(s, u.pkg, u.names) {
				found = append(found, breach{s.at(sel), fmt.Sprintf("uses %s.%s", u.pkg, sel.Sel.Name), u.why})
			}
		}
	}
	return found
}

// selectors finds the places where a file names one of a package's functions,
// called or not.
func selectors(s source, pkg string, names []string) []*ast.SelectorExpr {
	called := s.called(pkg)
	var found []*ast.SelectorExpr
	for n := range ast.Preorder(s.syntax) {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok || !slices.Contains(names, sel.Sel.Name) {
			continue
		}
		if x, ok := sel.X.(*ast.Ident); ok && slices.Contains(called, x.Name) {
			found = append(found, sel)
		}
	}
	return found
}

// checkTesting keeps package testing, whose flags and weight would come along,
// out of what users run.
func checkTesting(m *module) []breach {
	var found []breach
	for _, s := range m.shipped() {
		helper := within(s.dir, []string{"test/..."}) || strings.HasSuffix(s.syntax.Name.Name, "test")
		if slices.Contains(s.imports, "testing") && !helper {
			found = append(found, breach{s.name, "imports testing", "test code stays in _test.go files, packages named …test, and test/"})
		}
	}
	return found
}
