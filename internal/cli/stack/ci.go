package stack

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/snippet"
	"github.com/postern-dev/postern/internal/spec"
)

type ciOptions struct {
	path     string // a spec file, a folder of them, or - for stdin
	system   string // empty: list what there is
	role     string // empty: all that the system's identities may take
	identity string // empty: all of the system that may take the role
	json     bool
}

// NewCI makes the command ci.
func NewCI(a *command.App) *cobra.Command {
	var o ciOptions
	cmd := &cobra.Command{
		Use:   "ci [SYSTEM [ROLE [IDENTITY]]]",
		Short: "Print the job configuration by which an identity takes its role",
		Long: "Prints, for each identity of the system and each role that it may take, what the job needs: a workflow, a pipeline, a profile or a command. " +
			"It starts the job where the trust policy admits it: on the branch, the tag or the environment that the identity names. " +
			"Words in capitals are yours to fill in. SYSTEM is the identity's kind, such as github or gitlab; or travis, for a key that is delivered there. " +
			"Name the IDENTITY too where several may take the role and one file is wanted. Without SYSTEM, lists what there is.",
		Args: command.AtMost("SYSTEM", "ROLE", "IDENTITY"),
		Example: `
postern ci --spec examples/identities
postern ci gitlab --spec examples/identities
postern ci github deploy --spec examples/shop > .github/workflows/deploy.yml`,
		ValidArgsFunction: completeCI,
		RunE: func(_ *cobra.Command, args []string) error {
			for i, at := range []*string{&o.system, &o.role, &o.identity}[:len(args)] {
				*at = args[i]
			}
			return runCI(a, o)
		},
	}
	cmd.Flags().StringVar(&o.path, "spec", "", "`FILE|DIR` the spec (default postern.yaml, or the current folder)")
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

func runCI(a *command.App, o ciOptions) error {
	s, err := readSpec(a, specPath(o.paths()))
	if err != nil {
		return err
	}
	all, err := snippet.All(s)
	if err != nil {
		return err
	}
	matching := slices.DeleteFunc(slices.Clone(all), func(s snippet.Snippet) bool {
		return o.system != "" && s.System != o.system || o.role != "" && s.Role != o.role || o.identity != "" && s.Identity != o.identity
	})
	if o.system != "" && len(matching) == 0 {
		return o.nothing(all)
	}
	switch {
	case o.json:
		return a.Result().JSON(matching)
	case len(all) == 0:
		a.Talk().Text(0, ui.StylePlain, "no role trusts an identity")
	case o.system == "":
		snippetsTable(a.Result(), matching)
	default:
		snippetsText(a.Result(), matching)
	}
	return nil
}

// paths are the arguments that other commands would have.
func (o *ciOptions) paths() []string {
	if o.path == "" {
		return nil
	}
	return []string{o.path}
}

// nothing is about a system, a role or an identity for which there is nothing to
// print. It says what there is.
func (o *ciOptions) nothing(all []snippet.Snippet) error {
	e := &fault.Error{Code: fault.Usage}
	roles, identities := rolesOf(all, o.system), identitiesOf(all, o.system, o.role)
	switch {
	case len(identities) > 0:
		e.What = fmt.Sprintf("no %s identity %q may take role %s", o.system, o.identity, o.role)
		e.Hint = cmp.Or(command.DidYouMean(o.identity, "postern ci "+o.system+" "+o.role+" ", identities), "there is "+strings.Join(identities, ", "))
	case len(roles) > 0:
		e.What = fmt.Sprintf("no %s identity may take a role %q", o.system, o.role)
		e.Hint = cmp.Or(command.DidYouMean(o.role, "postern ci "+o.system+" ", roles), "they may take "+strings.Join(roles, ", "))
	case !slices.Contains(snippet.Systems(), o.system):
		e.What = fmt.Sprintf("%q is no kind of identity", o.system)
		e.Hint = cmp.Or(spec.KindHint(o.system), command.DidYouMean(o.system, "postern ci ", snippet.Systems()), thereIs(all))
	default:
		e.What = fmt.Sprintf("no role trusts an identity of kind %s", o.system)
		e.Hint = thereIs(all)
	}
	return e
}

func thereIs(all []snippet.Snippet) string {
	if len(all) == 0 {
		return "declare a role that trusts one"
	}
	return "there is " + strings.Join(systemsOf(all), ", ")
}

// systemsOf are the systems of the snippets, and rolesOf the roles of those of
// one: each once.
func systemsOf(all []snippet.Snippet) []string {
	return distinct(all, func(s snippet.Snippet) string { return s.System })
}

func rolesOf(all []snippet.Snippet, system string) []string {
	return distinct(all, func(s snippet.Snippet) string {
		if s.System != system {
			return ""
		}
		return s.Role
	})
}

func identitiesOf(all []snippet.Snippet, system, role string) []string {
	return distinct(all, func(s snippet.Snippet) string {
		if s.System != system || s.Role != role {
			return ""
		}
		return s.Identity
	})
}

func distinct(all []snippet.Snippet, of func(snippet.Snippet) string) []string {
	var names []string
	for _, s := range all {
		if name := of(s); name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func snippetsTable(out *ui.Printer, all []snippet.Snippet) {
	t := ui.Table{Header: []string{"SYSTEM", "IDENTITY", "ROLE", "FILE"}}
	for _, s := range all {
		t.Rows = append(t.Rows, []ui.Span{ui.Plain(s.System), ui.Plain(s.Identity), ui.Plain(s.Role), ui.Plain(s.File)})
	}
	out.Table(t)
}

// snippetsText prints the texts as they are to be used: each says in its first
// comment where it belongs.
func snippetsText(out *ui.Printer, all []snippet.Snippet) {
	for i, s := range all {
		if i > 0 {
			out.Blank()
		}
		out.Printf("%s", s.Text)
	}
}

// completeCI completes the systems of the spec, then the roles, then the identities. What is wrong
// with the spec is for the command itself to say.
func completeCI(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	const directive = cobra.ShellCompDirectiveNoFileComp
	var o ciOptions
	o.path, _ = cmd.Flags().GetString("spec")
	s, err := loadSpec(specPath(o.paths()))
	if err != nil {
		return nil, directive
	}
	all, err := snippet.All(s)
	if err != nil {
		return nil, directive
	}
	switch len(args) {
	case 0:
		return systemsOf(all), directive
	case 1:
		return rolesOf(all, args[0]), directive
	case 2:
		return identitiesOf(all, args[0], args[1]), directive
	}
	return nil, directive
}
