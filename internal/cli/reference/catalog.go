// Package reference holds the commands that look things up: catalog in the
// grants of Postern, data in AWS's own reference of actions.
package reference

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/catalog"
	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/fault"
)

type catalogOptions struct {
	name   string // empty: list them all
	level  string // empty: the grant's default
	set    []string
	scope  catalog.Scope
	cases  bool
	policy bool
	json   bool

	compare  bool
	compared []string // the levels after NAME
}

// exampleAccount is where a policy is shown for when nobody says.
const exampleAccount = "222222222222"

// exampleRegion is a region of the partition; of aws if none is named.
func exampleRegion(partition string) string {
	switch partition {
	case "aws-us-gov":
		return "us-gov-west-1"
	case "aws-cn":
		return "cn-north-1"
	}
	return "eu-west-1"
}

// NewCatalog makes the command catalog.
func NewCatalog(a *command.App) *cobra.Command {
	var o catalogOptions
	cmd := &cobra.Command{
		Use:   "catalog [NAME [--compare LEVEL LEVEL]]",
		Short: "List the grants, or explain one and print its policy",
		Long: "Grants are named least-privilege policies for what machines do. Each has levels; the narrowest is the default. " +
			"With --set, the policy is that for the values given; without, for example values. No account is needed.\n\n" +
			"--compare lists what the second level allows that the first does not surely allow, and the other way round: proven over all requests.",
		Args: func(cmd *cobra.Command, args []string) error {
			if o.compare {
				return command.AtMost("NAME", "LEVEL", "LEVEL")(cmd, args)
			}
			return command.AtMost("NAME")(cmd, args)
		},
		Example: `
postern catalog
postern catalog ecr-docker-push
postern catalog ecr-docker-push --set repositories=shop,web --set pull=true
# only the policy, for a file or a pipe
postern catalog ecr-docker-push --level prefix --set prefixes=team --policy
# what the wider level adds
postern catalog ecr-docker-push --compare repository prefix`,
		ValidArgsFunction: completeGrant,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.name = command.First(args, "")
			o.compared = args[min(1, len(args)):]
			return runCatalog(cmd, a, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.level, "level", "", "`LEVEL` how wide the grant is (default its narrowest)")
	f.StringArrayVar(&o.set, "set", nil, "`PARAM=VALUE` a parameter; lists take commas, or the flag again")
	f.StringVar(&o.scope.Account, "account", exampleAccount, "`ID` the account that the role is in")
	f.StringVar(&o.scope.Region, "region", "", "`REGION` where the resources are (default one of the partition)")
	f.StringVar(&o.scope.Partition, "partition", "", "`NAME` aws, aws-us-gov or aws-cn (default that of the region)")
	f.BoolVar(&o.cases, "cases", false, "list the calls that it is proved to allow and to deny")
	f.BoolVar(&o.compare, "compare", false, "list what the second of two levels adds to the first")
	f.BoolVar(&o.policy, "policy", false, "print only the policy, for the values of --set")
	f.BoolVar(&o.json, "json", false, "print JSON")
	_ = cmd.RegisterFlagCompletionFunc("level", completeLevel) // fails only for a flag that is not there
	return cmd
}

func runCatalog(cmd *cobra.Command, a *command.App, o catalogOptions) error {
	if o.name == "" {
		return listCatalog(cmd, a, o)
	}
	grant, ok := catalog.Lookup(o.name)
	if !ok {
		return unknownGrant(o.name)
	}
	o.scope.Region = cmp.Or(o.scope.Region, exampleRegion(o.scope.Partition))
	if o.scope.Partition == "" {
		o.scope.Partition = iam.LookupPartition(o.scope.Region)
	}
	if o.compare {
		return compareLevels(cmd, a, grant, o)
	}
	entry, err := explain(cmd, grant, o)
	if err != nil {
		return err
	}
	out := a.Result()
	switch {
	case o.policy:
		out.Printf("%s", entry.Policy.Indented())
		return nil
	case o.json:
		return out.JSON(entry)
	case o.cases:
		casesText(out, grant)
		return nil
	}
	grantText(out, grant, entry)
	return nil
}

// listCatalog prints every grant in brief.
func listCatalog(cmd *cobra.Command, a *command.App, o catalogOptions) error {
	for _, flag := range []string{"level", "set", "account", "region", "partition", "cases", "policy", "compare"} {
		if cmd.Flags().Changed(flag) {
			return command.UsageError(cmd, "--"+flag+" needs the name of a grant", "run `postern catalog` to list them")
		}
	}
	if !o.json {
		catalogText(a.Result())
		return nil
	}
	var list []grantJSON
	for _, g := range catalog.All() {
		list = append(list, describeGrant(g))
	}
	return a.Result().JSON(list)
}

func unknownGrant(name string) error {
	hint := "run `postern catalog` to list them"
	if near := catalog.Suggest(name); near != "" {
		hint = "did you mean `postern catalog " + near + "`?"
	} else if speak := grantNames(catalog.Mentioning(name)); len(speak) > 0 {
		hint = "it is mentioned by " + strings.Join(speak, ", ")
	}
	return &fault.Error{Code: fault.Usage, What: fmt.Sprintf("unknown grant %q", name), Hint: hint}
}

func grantNames(grants []*catalog.Grant) []string {
	var out []string
	for _, g := range grants {
		out = append(out, g.Name)
	}
	return out
}

// grantEntry is what `catalog NAME --json` prints: the grant, and its policy
// for the values given.
type grantEntry struct {
	grantJSON
	Level   string        `json:"level"`   // of the policy
	Args    catalog.Args  `json:"args"`    // what the policy is for
	Example bool          `json:"example"` // the args are examples: none were given
	Account string        `json:"account"`
	Region  string        `json:"region"`
	Policy  *iam.Document `json:"policy"`
	Size    int           `json:"size"` // of the policy, in characters without white space, as AWS counts
}

// explain renders the policy of grant for the values of --set. If none are
// given, a reader gets example values; a document that is to be used
// (--policy) gets none, and the missing values are errors.
func explain(cmd *cobra.Command, grant *catalog.Grant, o catalogOptions) (*grantEntry, error) {
	args, err := parseSet(cmd, grant, o.set)
	if err != nil {
		return nil, err
	}
	if o.level == "" {
		o.level = grant.DefaultLevel()
	}
	entry := &grantEntry{
		grantJSON: describeGrant(grant), Level: o.level, Args: args,
		Account: o.scope.Account, Region: o.scope.Region,
	}
	if len(args) == 0 && !o.policy {
		entry.Args = grant.Example(o.level)
		entry.Example = len(entry.Args) > 0
	}
	if errs := grant.CheckIn(o.scope, o.level, entry.Args); len(errs) > 0 {
		return nil, argErrors(grant, errs, "--level")
	}
	entry.Policy, err = grant.Policy(o.scope, o.level, entry.Args)
	if err != nil {
		return nil, err
	}
	entry.Size = entry.Policy.Size()
	return entry, nil
}

// parseSet reads the values of --set. Only lists are split at commas: they may
// stand in a key of an object.
func parseSet(cmd *cobra.Command, grant *catalog.Grant, set []string) (catalog.Args, error) {
	args := catalog.Args{}
	for _, s := range set {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return nil, command.UsageError(cmd, fmt.Sprintf("--set %s: no PARAM=VALUE", s), "")
		}
		values := []string{value}
		if p := param(grant, name); p != nil && p.Type == catalog.List {
			values = strings.Split(value, ",")
		}
		args[name] = append(args[name], values...)
	}
	return args, nil
}

// param returns the grant's parameter of that name, or nil.
func param(grant *catalog.Grant, name string) *catalog.Param {
	i := slices.IndexFunc(grant.Params, func(p catalog.Param) bool { return p.Name == name })
	if i < 0 {
		return nil
	}
	return &grant.Params[i]
}

// argErrors says where on the command line each mistake stands; levelFlag is
// the flag that the level came from.
func argErrors(grant *catalog.Grant, errs []*catalog.ArgError, levelFlag string) error {
	var list fault.List
	for _, e := range errs {
		where := "--set " + e.Param
		if e.Param == "level" {
			where = levelFlag
		}
		list = append(list, &fault.Error{Code: fault.Usage, Where: where, What: e.Msg, Hint: onCommandLine(grant, e)})
	}
	return list.Err()
}

// onCommandLine turns the hint of e, which shows the parameter as a spec writes
// it, into one for --set.
func onCommandLine(grant *catalog.Grant, e *catalog.ArgError) string {
	p := param(grant, e.Param)
	if p == nil {
		return e.Hint
	}
	flag := "--set " + p.Name + "=" + p.Example
	return strings.NewReplacer(p.Name+": ["+p.Example+"]", flag, p.Name+": "+p.Example, flag).Replace(e.Hint)
}

// completeGrant completes the names of grants, and after --compare the levels.
func completeGrant(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var names []cobra.Completion
	if len(args) == 0 {
		for _, g := range catalog.All() {
			names = append(names, cobra.CompletionWithDesc(g.Name, g.Summary))
		}
	}
	if compare, _ := cmd.Flags().GetBool("compare"); compare && len(args) > 0 && len(args) < 3 {
		return completeLevel(cmd, args, word)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeLevel completes the levels of the grant that the line names.
func completeLevel(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var names []cobra.Completion
	if grant, ok := catalog.Lookup(command.First(args, "")); ok {
		for _, l := range grant.Levels {
			names = append(names, cobra.CompletionWithDesc(l.Name, l.Summary))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
