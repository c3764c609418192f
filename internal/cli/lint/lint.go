// Package lint holds the command of that name: what is wrong with policy
// documents, as text, JSON or SARIF, and the mending of what can be mended.
package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/iam/lint"
	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/fault"
)

type options struct {
	paths    []string // files, folders, or "-"
	typ      lint.Type
	severity lint.Severity // the mildest that counts
	settings lint.Settings
	fix      bool
	json     bool
	sarif    bool
}

// autoType is the --type that leaves it to lint.Guess.
const autoType = "auto"

// New makes the command lint.
func New(a *command.App) *cobra.Command {
	var o options
	typ, severity := autoType, lint.Suggestion.String()
	quotas := map[string]int{}
	cmd := &cobra.Command{
		Use:   "lint FILE|DIR...",
		Short: "Validate policy documents: syntax, actions, ARNs, conditions, breadth",
		Long: "Looks at each policy by itself, with the checks of AWS's Access Analyzer and some more; docs/lint.md lists them. " +
			"No account and no network is needed. Of a folder, all JSON files are read that are meant to be policies, and the others " +
			"named; - is the standard input. Exits with 3 if there are findings.",
		Args: cobra.ArbitraryArgs,
		Example: `
postern lint policy.json
postern lint --type trust --severity warning policies/
# apply the fixes that change nothing of what a policy means
postern lint --fix policies/
aws iam get-role --role-name app --query Role.AssumeRolePolicyDocument | postern lint --type trust -
# for code scanning
postern lint --sarif policies/ >lint.sarif`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.paths = args
			if err := o.parse(cmd, typ, severity, quotas); err != nil {
				return err
			}
			return run(a, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&typ, "type", autoType, "`TYPE` of the policies: auto, "+strings.Join(names(lint.Types()), ", "))
	f.StringVar(&severity, "severity", severity, "`LEVEL` show only findings as bad as this: error, security-warning, warning or suggestion")
	f.StringToIntVar(&quotas, "quota", nil, "`TYPE=CHARACTERS` a quota on the size that AWS has raised for you; 0 for none")
	f.BoolVar(&o.fix, "fix", false, "write safe fixes into the files: the policies mean the same after it")
	f.BoolVar(&o.json, "json", false, "print JSON")
	f.BoolVar(&o.sarif, "sarif", false, "print SARIF 2.1.0")
	_ = cmd.RegisterFlagCompletionFunc("type", cobra.FixedCompletions(append([]string{autoType}, names(lint.Types())...), cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("severity", cobra.FixedCompletions(severityNames(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func names(types []lint.Type) []string {
	var list []string
	for _, t := range types {
		list = append(list, string(t))
	}
	return list
}

func severityNames() []string {
	var list []string
	for _, s := range lint.Severities() {
		list = append(list, s.String())
	}
	return list
}

// parse reads what the flags say.
func (o *options) parse(cmd *cobra.Command, typ, severity string, quotas map[string]int) error {
	if len(o.paths) == 0 {
		return command.UsageError(cmd, "no policy to look at", "name files or folders, or - for the standard input")
	}
	if o.json && o.sarif {
		return command.UsageError(cmd, "--json and --sarif exclude each other", "")
	}
	if o.fix && slices.Contains(o.paths, command.Stdin) {
		return command.UsageError(cmd, "--fix writes files, and the standard input is none", "")
	}
	if i := slices.Index(o.paths, command.Stdin); i >= 0 && slices.Contains(o.paths[i+1:], command.Stdin) {
		return command.UsageError(cmd, "the standard input stands twice, and can be read once", "")
	}
	if typ != autoType {
		if !slices.Contains(names(lint.Types()), typ) {
			return command.UsageError(cmd, fmt.Sprintf("unknown type %q", typ), command.DidYouMean(typ, "--type ", append(names(lint.Types()), autoType)))
		}
		o.typ = lint.Type(typ)
	}
	var ok bool
	if o.severity, ok = lint.ParseSeverity(severity); !ok {
		return command.UsageError(cmd, fmt.Sprintf("unknown severity %q", severity), command.DidYouMean(severity, "--severity ", severityNames()))
	}
	return o.parseQuotas(cmd, quotas)
}

func (o *options) parseQuotas(cmd *cobra.Command, quotas map[string]int) error {
	fields := map[lint.Type]*int{
		lint.Identity: &o.settings.IdentitySize, lint.Boundary: &o.settings.IdentitySize, lint.Resource: &o.settings.ResourceSize,
		lint.Trust: &o.settings.TrustSize, lint.SCP: &o.settings.SCPSize, lint.RCP: &o.settings.RCPSize,
	}
	for typ, quota := range quotas {
		field, ok := fields[lint.Type(typ)]
		if !ok {
			return command.UsageError(cmd, fmt.Sprintf("unknown type %q in --quota", typ), command.DidYouMean(typ, "--quota ", names(lint.Types())))
		}
		if quota < 0 {
			return command.UsageError(cmd, fmt.Sprintf("a quota of %d for %s", quota, typ), "write a number of characters, or 0 for no limit")
		}
		if *field = quota; quota == 0 {
			*field = -1
		}
	}
	return nil
}

// lintFile is a policy with what was found in it.
type lintFile struct {
	path     string // as the user named it; "-" for the standard input
	src      []byte
	typ      lint.Type // empty: without a statement nobody can tell
	guess    string    // why it was taken for its type; empty if the user said it
	findings []lint.Finding
	milder   int            // findings that --severity leaves out
	fixed    []lint.Finding // that --fix has removed
}

func run(a *command.App, o options) error {
	sources := readPolicies(a, o.paths)
	for i := range sources.files {
		if err := o.look(&sources.files[i]); err != nil {
			sources.lost = append(sources.lost, err)
		}
	}
	if err := printLint(a, sources, o); err != nil {
		return err
	}
	if err := sources.lost.Err(); err != nil {
		return err
	}
	if slices.ContainsFunc(sources.files, func(f lintFile) bool { return len(f.findings) > 0 }) {
		return command.Status(fault.Findings)
	}
	return nil
}

// look validates one file and, with --fix, writes it anew.
func (o options) look(f *lintFile) error {
	opt := lint.Options{Type: o.typ, Settings: o.settings}
	if o.fix {
		fixed, done := lint.Fixed(f.src, opt)
		if len(done) > 0 {
			if err := replaceFile(f.path, fixed); err != nil {
				return err
			}
			f.src, f.fixed = fixed, done
		}
	}
	if opt.Type == "" {
		opt.Type, f.guess = lint.Guess(f.src)
	}
	f.typ = opt.Type
	for _, finding := range lint.Run(f.src, opt) {
		if finding.Severity >= o.severity {
			f.findings = append(f.findings, finding)
		} else {
			f.milder++
		}
	}
	return nil
}

func printLint(a *command.App, sources lintSources, o options) error {
	switch {
	case o.json:
		skippedText(a.Talk(), sources.skipped)
		return a.Result().JSON(describeLint(sources))
	case o.sarif:
		skippedText(a.Talk(), sources.skipped)
		return a.Result().JSON(sarif(sources.files))
	}
	lintText(a, sources, o.severity)
	return nil
}
