package catalog

import (
	"slices"
	"strconv"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/fault"
)

// Statements renders the grant for a role in s. An empty level is the default
// one. The same input always gives the same output, whatever the order of the
// lists. Statement ids are alphanumeric and no two grants share one, so that
// different grants fit into one document; the same grant twice repeats them.
// The error is a fault.List of the *ArgErrors of CheckIn, or about the scope.
func (g *Grant) Statements(s Scope, level string, args Args) ([]iam.Statement, error) {
	var list fault.List
	for _, e := range g.CheckIn(s, level, args) {
		list = append(list, e)
	}
	if len(list) > 0 {
		return nil, list
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	l, _ := g.level(level) // Check knows it
	return g.statements(s, l.Name, g.complete(l.Name, args)), nil
}

// Policy renders the grant as a document of its own. Errors are those of
// Statements.
func (g *Grant) Policy(s Scope, level string, args Args) (*iam.Document, error) {
	statements, err := g.Statements(s, level, args)
	if err != nil {
		return nil, err
	}
	return &iam.Document{Version: iam.Version2012, Statements: statements}, nil
}

// Entry is the grant as a role's grants name it in a spec:
// "ecr-docker-push: { repositories: [shop], level: prefix }".
func (g *Grant) Entry(level string, args Args) string {
	var parts []string
	for _, p := range g.Params {
		var values []string
		for _, v := range args[p.Name] {
			values = append(values, scalar(p, v))
		}
		switch text := strings.Join(values, ", "); {
		case len(values) == 0:
		case p.Type == List:
			parts = append(parts, p.Name+": ["+text+"]")
		default:
			parts = append(parts, p.Name+": "+text)
		}
	}
	if l, ok := g.level(level); ok && l.Name != g.DefaultLevel() {
		parts = append(parts, "level: "+l.Name)
	}
	if len(parts) == 0 {
		return g.Name
	}
	return g.Name + ": { " + strings.Join(parts, ", ") + " }"
}

// plainScalar is what YAML reads as text without quotation marks, in a flow too.
var plainScalar = lazily(`^[A-Za-z][A-Za-z0-9_./@+=-]*$`)

// scalar writes one value in YAML.
func scalar(p Param, v string) string {
	if p.Type == Bool || plainScalar().MatchString(v) && !slices.Contains(yamlWords, strings.ToLower(v)) {
		return v
	}
	return strconv.Quote(v)
}

// yamlWords are what some YAML reader takes for something else than text.
var yamlWords = []string{"true", "false", "yes", "no", "on", "off", "null", "y", "n"}

// complete returns the arguments with the level's defaults, lists sorted and
// without repeats.
func (g *Grant) complete(level string, args Args) Args {
	full := Args{}
	for _, p := range g.Params {
		switch given, ok := args[p.Name]; {
		case !p.at(level):
		case ok:
			full[p.Name] = set(given)
		case p.Default != "":
			full[p.Name] = []string{p.Default}
		}
	}
	return full
}

// one returns the single value of a parameter, or "".
func (a Args) one(name string) string {
	if len(a[name]) == 0 {
		return ""
	}
	return a[name][0]
}

// on tells whether a boolean parameter is true.
func (a Args) on(name string) bool { return a.one(name) == "true" }

// allow is an Allow statement, its actions sorted.
func allow(sid string, actions, resources []string, conditions ...iam.Condition) iam.Statement {
	return iam.Statement{SID: sid, Effect: iam.Allow, Actions: set(actions), Resources: resources, Conditions: conditions}
}

// set returns the distinct values, sorted.
func set(values []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(values)))
}

// when is a condition of a statement.
func when(operator, key string, values ...string) iam.Condition {
	return iam.Condition{Operator: operator, Key: key, Values: values}
}

// everything is the resource of actions that know none.
func everything() []string { return []string{"*"} }

// each makes one resource of every name.
func each(names []string, resource func(name string) string) []string {
	var out []string
	for _, name := range names {
		out = append(out, resource(name))
	}
	return out
}

// passRoles allows handing exactly these roles, names or paths within the
// account, to one service: without both bounds PassRole is a way to any
// role's permissions.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
func passRoles(sid string, s Scope, roles []string, service string) iam.Statement {
	arns := each(roles, func(name string) string { return s.iam("role/" + name) })
	return allow(sid, []string{"iam:PassRole"}, arns,
		when("StringEquals", "iam:PassedToService", s.principals(service)...))
}

// passRolesParam is the parameter that feeds passRoles.
func passRolesParam(summary string) Param {
	return Param{
		Name: "pass_roles", Type: List, Max: 20, Roles: true,
		Summary: summary + ": up to 20 names of roles in the account, with their path if they have one; roles of the same stack as the spec names them; whoever deploys with a role holds it",
		Pattern: `^([\w+=,.@-]+/){0,8}[\w+=,.@-]{1,64}$`,
		Example: "shop-task",
		Wider:   "no level passes roles that are not named: passing any role is holding every role's permissions",
	}
}

// call is one request of a Case.
type call struct {
	action, resource string
	context          map[string][]string
}

// cases makes the Cases of one level and its arguments.
func cases(level string, args Args, allowed, denied []call) []Case {
	var out []Case
	add := func(calls []call, allowed bool) {
		for _, c := range calls {
			out = append(out, Case{
				Level: level, Args: args,
				Action: c.action, Resource: c.resource, Context: c.context, Allowed: allowed,
			})
		}
	}
	add(allowed, true)
	add(denied, false)
	return out
}

// calls makes the same call of several actions.
func calls(resource string, context map[string][]string, actions ...string) []call {
	var out []call
	for _, a := range actions {
		out = append(out, call{a, resource, context})
	}
	return out
}

// flat joins lists.
func flat[T any](lists ...[]T) []T { return slices.Concat(lists...) }
