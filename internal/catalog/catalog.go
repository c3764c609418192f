// Package catalog holds the grants: named, parameterised least-privilege
// policies for what machines really do, at named levels of restriction. Each
// grant lives in a file of its own, with the calls that it must allow and must
// deny. It needs no account and refuses to widen: a value that would is an
// error that names the level to ask for.
package catalog

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/suggest"
)

// Grant is one entry of the catalogue. It is shared: treat it as read-only.
type Grant struct {
	Name       string // as the spec writes it: "ecr-docker-push"
	Area       Area
	Summary    string // one line: what a job can do with it
	Never      string // one line: what it deliberately withholds
	Params     []Param
	Levels     []Level       // narrowest first; the first is the default
	Unscopable []Unscopable  // actions that must stand on "*", and why
	Why        Why           // every action that any level may render, and no other
	Cases      func() []Case // what it must allow and deny; tests evaluate them. Many: made when asked for

	// statements renders arguments that have passed Check, completed with the
	// defaults, their lists sorted and without repeats.
	statements func(s Scope, level string, args Args) []iam.Statement
}

// Level is how wide a grant is.
type Level struct {
	Name    string
	Summary string   // what it allows
	Adds    string   // what it adds over the level before; empty for the first
	Needs   []string // parameters that are required at this level
}

// Param is one parameter of a grant.
type Param struct {
	Name     string
	Type     ParamType
	Summary  string // with unit and bounds
	Required bool   // at every level
	Default  string // empty: none
	Pattern  string // an anchored regular expression for each value; empty: any
	Max      int    // most values of a list (List), or characters (String); 0: no bound
	Example  string
	Levels   []string // where it may be given; nil: at every level
	Wider    string   // what to write instead of a wildcard: the level to ask for
	Why      string   // why the level that needs it does; empty: the summary says enough
	Regions  bool     // the values are regions of the role's partition
	Roles    bool     // the values are names of roles of the account, with their paths

	pattern func() *regexp.Regexp // Pattern, compiled when first used; nil: any
}

// ParamType is the form of a parameter's value.
type ParamType string

// The forms of value.
const (
	String ParamType = "string"
	List   ParamType = "list of strings"
	Bool   ParamType = "boolean"
)

// Args are the values for a grant's parameters: one element for a String or a
// Bool ("true", "false"), any number for a List.
type Args map[string][]string

// Scope is where the role that receives the grant lives.
type Scope struct {
	Partition string // aws, aws-us-gov, aws-cn
	Region    string
	Account   string // 12 digits
}

// Why says for each action which call of which tool needs it, in a short line
// such as "docker push: starts the upload of each layer".
type Why map[string]string

// Unscopable says why actions stand on the resource "*".
type Unscopable struct {
	Actions []string
	Reason  string
}

// Case is one call that a grant must allow or must deny, in CaseScope.
type Case struct {
	Level    string // empty: the default level
	Args     Args
	Action   string
	Resource string              // "*" or an ARN in CaseScope
	Context  map[string][]string // condition keys; may be nil
	Allowed  bool
}

// ArgError is one mistake in the arguments of a grant.
type ArgError struct {
	Param string // the parameter's name; "level"; or an unknown name
	Msg   string // what is wrong
	Hint  string // what to write instead; may be empty
}

func (e *ArgError) Error() string { return e.Param + ": " + e.Msg }

// CaseScope is where the Cases of every grant play.
func CaseScope() Scope {
	return Scope{Partition: "aws", Region: "eu-west-1", Account: "222222222222"}
}

// All returns the whole catalogue, by name.
func All() []*Grant { return slices.Clone(grants()) }

// Lookup returns the grant of that exact name.
func Lookup(name string) (*Grant, bool) {
	i, ok := slices.BinarySearchFunc(grants(), name, func(g *Grant, name string) int {
		return strings.Compare(g.Name, name)
	})
	if !ok {
		return nil, false
	}
	return grants()[i], true
}

// Suggest returns the name of the grant that name was probably meant to be,
// or "".
func Suggest(name string) string {
	var names []string
	for _, g := range grants() {
		names = append(names, g.Name)
	}
	return suggest.Nearest(name, names)
}

// grants is the one list of the catalogue, built when first asked for: most
// commands never do.
var grants = sync.OnceValue(newGrants)

func newGrants() []*Grant {
	all := []*Grant{ // by name: Lookup searches
		assumeRoles(),
		auditRead(),
		autoDeployEC2(),
		cdkDeploy(),
		cloudFormationDeploy(),
		codeDeploy(),
		consulAutoDiscovery(),
		ecrDockerPull(),
		ecrDockerPush(),
		ecsRunTask(),
		ecsServiceDeployment(),
		eksDescribe(),
		lambdaDeploy(),
		packerAMI(),
		posternApply(),
		pulumiStateS3(),
		rotateAccessKeys(),
		route53ACME(),
		s3StaticSite(),
		samDeploy(),
		secretsRead(),
		sshKeyLookup(),
		ssmParametersRead(),
		ssmRunCommand(),
		terraformPlan(),
		terraformRemoteStateS3(),
		terragrunt(),
	}
	for _, g := range all {
		for i, p := range g.Params {
			if p.Pattern != "" {
				g.Params[i].pattern = lazily(p.Pattern)
			}
		}
	}
	return all
}

// DefaultLevel is the level of a grant that names none: the narrowest.
func (g *Grant) DefaultLevel() string { return g.Levels[0].Name }

// Example are example values for what a level requires. Those of a level lie
// within those of the next, so that the policies of two levels can be compared.
func (g *Grant) Example(level string) Args {
	l, _ := g.level(level)
	args := Args{}
	for _, p := range g.Params {
		if p.Required || slices.Contains(l.Needs, p.Name) {
			args[p.Name] = []string{p.Example}
		}
	}
	return args
}

// level returns the level of that name; empty stands for the default.
func (g *Grant) level(name string) (Level, bool) {
	if name == "" {
		return g.Levels[0], true
	}
	i := slices.IndexFunc(g.Levels, func(l Level) bool { return l.Name == name })
	if i < 0 {
		return Level{}, false
	}
	return g.Levels[i], true
}

func (g *Grant) levelNames() []string {
	var names []string
	for _, l := range g.Levels {
		names = append(names, l.Name)
	}
	return names
}

func (g *Grant) paramNames() []string {
	var names []string
	for _, p := range g.Params {
		names = append(names, p.Name)
	}
	return names
}

// at tells whether the parameter may be given at a level.
func (p *Param) at(level string) bool {
	return p.Levels == nil || slices.Contains(p.Levels, level)
}
