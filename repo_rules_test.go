package postern_test

import (
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// broken are small repositories that each break one rule, so that no rule can
// quietly stop looking. What is right stands beside what is wrong.
var broken = []struct {
	rule  string
	files map[string]string
	want  []string // "where: what" of each breach
}{
	{
		rule: "imports point downward",
		files: map[string]string{
			"iam/eval/eval.go":           importing("eval", "example.com/m/iam", "example.com/m/internal/fault"),
			"internal/trust/trust.go":    importing("trust", "example.com/m/internal/catalog", "example.com/m/internal/spec"),
			"internal/trust/x_test.go":   importing("trust", "example.com/m/internal/spec"),
			"internal/cli/cli.go":        importing("cli", "example.com/m/internal/cli/stack", "example.com/m/internal/aws"),
			"internal/cli/stack/up.go":   importing("stack", "example.com/m/internal/aws", "example.com/m/internal/plan", "example.com/m/internal/cli/lint"),
			"internal/apply/run.go":      importing("apply", "example.com/m/internal/cli"),
			"internal/unheard/of.go":     importing("unheard"),
			"internal/fault/fault.go":    importing("fault", "example.com/m/iam"),
			"test/witness/witness.go":    importing("witness", "example.com/m/internal/cli"),
			"internal/prove/prove.go":    importing("prove", "example.com/m/internal/plan", "example.com/m/iam/reach"),
			"internal/compile/plan.go":   importing("compile", "example.com/m/internal/plan"),
			"internal/cli/ui/ui.go":      importing("ui", "example.com/m/internal/cli"),
			"internal/sandbox/server.go": importing("sandbox", "example.com/m/internal/aws"),
		},
		want: []string{
			"iam/eval/eval.go: imports internal/fault",
			"internal/apply/run.go: imports internal/cli",
			"internal/cli/cli.go: imports internal/aws",
			"internal/cli/stack/up.go: imports internal/cli/lint",
			"internal/cli/ui/ui.go: imports internal/cli",
			"internal/compile/plan.go: imports internal/plan",
			"internal/fault/fault.go: imports iam",
			"internal/sandbox/server.go: imports internal/aws",
			"internal/trust/trust.go: imports internal/spec",
			"internal/unheard/of.go: internal/unheard is in no layer",
			"test/witness/witness.go: imports internal/cli",
		},
	},
	{
		rule: "pure packages import nothing impure",
		files: map[string]string{
			"iam/iam.go":               importing("iam", "os", "strings"),
			"internal/plan/plan.go":    importing("plan", "net/http", "time"),
			"internal/plan/x_test.go":  importing("plan", "os"),
			"internal/spec/load.go":    importing("spec", "os"),
			"internal/aws/cloud.go":    importing("aws", "net/http"),
			"internal/prove/prove.go":  importing("prove", "log/slog"),
			"internal/planner/plan.go": importing("planner", "os"),
		},
		want: []string{
			"iam/iam.go: imports os",
			"internal/plan/plan.go: imports net/http",
			"internal/prove/prove.go: imports log/slog",
		},
	},
	{
		rule: "some packages have few importers",
		files: map[string]string{
			"internal/aws/page.go":     importing("aws", "html/template", "log"),
			"internal/server/page.go":  importing("server", "html/template"),
			"internal/aws/log_test.go": importing("aws", "log"),
		},
		want: []string{
			"internal/aws/page.go: imports html/template",
			"internal/aws/page.go: imports log",
		},
	},
	{
		rule: "some functions have few callers",
		files: map[string]string{
			"cmd/postern/main.go":     "package main\nimport \"os\"\nfunc main() { os.Exit(len(os.Getenv(\"A\"))) }\n",
			"internal/aws/cloud.go":   "package aws\nimport env \"os\"\nvar (\n\tget = env.Getenv\n\tfile = env.Open\n)\n",
			"internal/plan/plan.go":   "package plan\nimport \"time\"\n\nvar now, zero = time.Now(), time.Time{}\n",
			"internal/apply/run.go":   "package apply\nimport (\n\t\"context\"\n\t\"time\"\n)\nvar ctx = context.Background()\nfunc f() { time.Sleep(1); time.Now() }\n",
			"internal/cli/cli.go":     "package cli\nimport \"os\"\nfunc f() { os.Getenv(\"A\"); os.Exit(1) }\n",
			"internal/aws/os_test.go": "package aws\nimport \"os\"\nvar home = os.Getenv(\"HOME\")\n",
			"internal/aws/own.go":     "package aws\nvar os = struct{ Getenv func() }{}\nfunc f() { os.Getenv() }\n",
		},
		want: []string{
			"internal/apply/run.go:6: uses context.Background",
			"internal/apply/run.go:7: uses time.Sleep",
			"internal/aws/cloud.go:4: uses os.Getenv",
			"internal/cli/cli.go:3: uses os.Exit",
			"internal/plan/plan.go:4: uses time.Now",
		},
	},
	{
		rule: "test code stays out of the binary",
		files: map[string]string{
			"internal/aws/fake.go":         importing("aws", "testing"),
			"internal/aws/x_test.go":       importing("aws", "testing"),
			"internal/aws/awstest/fake.go": importing("awstest", "testing"),
			"test/witness/witness.go":      importing("witness", "testing"),
		},
		want: []string{"internal/aws/fake.go: imports testing"},
	},
	{
		rule: "one package comment per package",
		files: map[string]string{
			"iam/a.go":             "// Package iam is one.\npackage iam\n",
			"iam/a_test.go":        "package iam_test\n",
			"iam/eval/a.go":        "//go:generate make eval\npackage eval\n",
			"internal/plan/a.go":   "// Package plan is one.\npackage plan\n",
			"internal/plan/b.go":   "// Package plan is another.\npackage plan\n",
			"internal/prove/a.go":  "// A licence, set apart.\n\npackage prove\n",
			"internal/plan/sub.md": "package\n",
		},
		want: []string{
			"iam/eval: 0 package comments []",
			"internal/plan: 2 package comments [a.go b.go]",
			"internal/prove: 0 package comments []",
		},
	},
	{
		rule:  "packages are named for what they hold",
		files: map[string]string{"internal/util/a.go": "package util\n", "iam/a.go": "package iam\n"},
		want:  []string{"internal/util/a.go: is package util"},
	},
	{
		rule: "no init functions",
		files: map[string]string{
			"iam/a.go":      "package iam\n\nfunc init() {}\n",
			"iam/b.go":      "package iam\n\ntype t int\n\nfunc (t) init() {}\n",
			"iam/c_test.go": "package iam\n\nfunc init() {}\n",
		},
		want: []string{"iam/a.go:3: has an init function", "iam/c_test.go:3: has an init function"},
	},
	{
		rule: "files are short",
		files: map[string]string{
			"cmd/postern/main.go": "package main\n" + strings.Repeat("\n", 20),
			"iam/long.go":         "package iam\n" + strings.Repeat("\n", 600),
			"iam/right.go":        "package iam\n" + strings.Repeat("\n", 599),
			"iam/long_test.go":    "package iam\n" + strings.Repeat("\n", 1200),
			"iam/made.go":         "// Code generated by a tool. DO NOT EDIT.\n\npackage iam\n" + strings.Repeat("\n", 2000),
		},
		want: []string{
			"cmd/postern/main.go: has 21 lines, more than 20",
			"iam/long.go: has 601 lines, more than 600",
			"iam/long_test.go: has 1201 lines, more than 1200",
		},
	},
	{
		rule: "no open ends",
		files: map[string]string{
			"iam/a.go":         "package iam\n\n// " + "TO" + "DO: later\nvar s = \"TO" + "DO\"\n",
			"iam/b.go":         "package iam\n\n// " + "TO" + "DO(#12): AWS cannot do this yet\n",
			"test/tools/c":     "#!/bin/sh\n# FIX" + "ME\n",
			"docs/notes.md":    "a FIX" + "ME in prose\n",
			"internal/x/d.txt": "",
		},
		want: []string{"iam/a.go:3: leaves an end open", "test/tools/c: leaves an end open"},
	},
	{
		rule: "no paths of a build machine",
		files: map[string]string{
			"Makefile":    "run:\n\t/ho" + "me/ann/bin/postern\n",
			"docs/a.md":   "see `/ro" + "ot/postern`\n",
			"iam/arn.go":  "package iam\n\nvar arn = \"arn:aws:iam::111111111111:role/work/deploy\"\n",
			"docs/b.md":   "https://example.com/ho" + "me/page\n",
			"docs/c.yaml": "path: /postern/shop/\n",
		},
		want: []string{
			`Makefile: names a path of one machine: "\t/ho` + `me/a"`,
			"docs/a.md: names a path of one machine: \"`/ro" + `ot/p"`,
		},
	},
	{
		rule:  "go.mod replaces nothing",
		files: map[string]string{"go.mod": "module example.com/m\n\nreplace example.com/a => ./a\n"},
		want:  []string{"go.mod: replaces example.com/a"},
	},
	{
		rule: "go.mod knows what is direct",
		files: map[string]string{
			"go.mod": "module example.com/m\n\nrequire (\n\texample.com/a/b v1.0.0\n\texample.com/a v1.0.0 // indirect\n" +
				"\texample.com/c v1.0.0\n\texample.com/d v1.0.0 // indirect\n)\n",
			"iam/a.go": importing("iam", "example.com/a/sub", "example.com/a/b/sub", "example.com/m/iam"),
		},
		want: []string{
			"go.mod: example.com/a is marked indirect, and imported",
			"go.mod: example.com/c is not marked indirect, and not imported",
		},
	},
	{
		rule: "dependencies are explained",
		files: map[string]string{
			"go.mod": "module example.com/m\n\nrequire (\n\texample.com/cli v1.0.0\n\texample.com/sdk/iam v1.0.0\n" +
				"\texample.com/cmp v1.0.0\n\texample.com/new v1.0.0\n\texample.com/vet v1.0.0\n)\n\ntool example.com/vet/cmd/vet\n",
			dependencyDoc: "| Module | Imported by | Why |\n|---|---|---|\n" +
				"| `example.com/cli` | `internal/cli`, `internal/host/...` | Flags. |\n" +
				"| `example.com/sdk/...` | `internal/aws` | AWS. |\n" +
				"| `example.com/cmp` | tests | Compares. |\n" +
				"| `example.com/old` | tests | Nobody knows. |\n",
			"internal/cli/a.go":      importing("cli", "example.com/cli", "example.com/new/sub", "strings"),
			"internal/host/ssh/a.go": importing("ssh", "example.com/cli"),
			"internal/plan/a.go":     importing("plan", "example.com/cli", "example.com/sdk/iam", "example.com/cmp"),
			"internal/aws/a.go":      importing("aws", "example.com/sdk/iam"),
			"internal/aws/a_test.go": importing("aws", "example.com/sdk/iam", "example.com/cmp"),
		},
		want: []string{
			"docs/dependencies.md: lists example.com/old, which nothing needs",
			"go.mod: needs example.com/vet, which docs/dependencies.md does not list",
			"internal/cli/a.go: needs example.com/new, which docs/dependencies.md does not list",
			"internal/plan/a.go: needs example.com/cli, which is for internal/cli, internal/host/...",
			"internal/plan/a.go: needs example.com/cmp, which is for tests",
			"internal/plan/a.go: needs example.com/sdk/iam, which is for internal/aws",
		},
	},
	{
		rule: "exit codes are documented",
		files: map[string]string{
			"internal/fault/fault.go": "package fault\n\nconst (\n\tOK = 0\n\tAuth = 4\n\tUsage = 2\n\thidden = 9\n)\n",
			exitDoc:                   "| 0 | `OK` | Fine. |\n| 3 | `Usage` | Wrong. |\n| 7 | `Gone` | Away. |\n",
		},
		want: []string{
			`docs/exit-codes.md: has "" for Auth, which is 4 in internal/fault`,
			`docs/exit-codes.md: has "3" for Usage, which is 2 in internal/fault`,
			"docs/exit-codes.md: lists Gone, which internal/fault does not have",
		},
	},
}

// importing gives a Go file that imports packages and does nothing.
func importing(pkg string, imports ...string) string {
	text := "package " + pkg + "\n"
	for _, i := range imports {
		text += "import _ \"" + i + "\"\n"
	}
	return text
}

func TestRulesFindBreaches(t *testing.T) {
	checks := map[string]func(*module) []breach{}
	for _, r := range rules {
		checks[r.name] = r.check
	}
	for _, tt := range broken {
		t.Run(tt.rule, func(t *testing.T) {
			m, err := load(tree(tt.files))
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]bool{}
			for _, b := range checks[tt.rule](m) {
				got[b.where+": "+b.what] = true
				if b.why == "" {
					t.Errorf("%s: %s: no reason is given", b.where, b.what)
				}
			}
			want := map[string]bool{}
			for _, b := range tt.want {
				want[b] = true
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
	maps.DeleteFunc(checks, func(name string, _ func(*module) []breach) bool {
		for _, tt := range broken {
			if tt.rule == name {
				return true
			}
		}
		return false
	})
	for name := range checks {
		t.Errorf("no broken repository shows that %q finds anything", name)
	}
}

// tree gives files as a file system, with a go.mod of example.com/m if none is
// among them.
func tree(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{"go.mod": {Data: []byte("module example.com/m\n")}}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}
