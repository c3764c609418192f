// Package catalog holds the grants: named, parameterised least-privilege
// policies for what machines really do, at named levels of restriction. Each
// grant lives in a file of its own, with the calls that it must allow and must
// deny. It needs no account and refuses to widen: a value that would is an
// error that names the level to ask for.
package catalog

import "github.com/postern-dev/postern/iam"

// Grant is one entry of the catalogue.
type Grant struct {
	Name       string // as the spec writes it: "ecr-docker-push"
	Summary    string // one line: what a job can do with it
	Never      string // one line: what it deliberately withholds
	Params     []Param
	Levels     []Level      // narrowest first; the first is the default
	Unscopable []Unscopable // actions that must stand on "*", and why
	Cases      []Case       // what it must allow and deny; tests evaluate them
	statements func(Scope, string, Args) []iam.Statement
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

// Unscopable says why an action stands on the resource "*".
type Unscopable struct {
	Action string
	Reason string
}

// Case is one call that a grant must allow or must deny.
type Case struct {
	Level    string // empty: the default level
	Args     Args
	Action   string
	Resource string              // "*" or an ARN in the test scope
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
