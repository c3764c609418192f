package eval

import (
	"errors"
	"fmt"
	"slices"

	"github.com/postern-dev/postern/iam"
)

// Policy is a compiled policy. It is immutable and safe for any number of
// goroutines.
type Policy struct {
	name   string
	kind   Kind
	vars   bool // ${…} is a variable
	denies block
	allows block
}

// statement is a compiled statement.
type statement struct {
	index  int
	sid    string
	effect iam.Effect
	pos    iam.Pos

	actions      []pattern
	notActions   bool // actions are those of NotAction
	resources    []pattern
	notResources bool
	anyResource  bool // no Resource element: whatever the policy is attached to

	principals   *principals // nil: the kind has none
	notPrincipal bool
	doubtful     bool // holds what cannot be evaluated: never better than maybe

	conditions []condition
	source     iam.Statement // for explanations
}

// Compile prepares a policy for evaluation. The name appears in explanations.
//
// The error tells everything that cannot be evaluated: unknown operators,
// values of the wrong type, unclosed variables, elements that this kind of
// policy cannot have. A policy is returned beside it, for callers that must
// judge an account as it stands. In it, an Allow statement of that sort never
// matches, and a Deny statement matches whenever the rest of it does.
func Compile(name string, kind Kind, doc *iam.Document) (*Policy, error) {
	return Settings{}.Compile(name, kind, doc)
}

// Compile is Compile with other readings of what AWS leaves open.
func (set Settings) Compile(name string, kind Kind, doc *iam.Document) (*Policy, error) {
	p := &Policy{name: name, kind: kind}
	if doc == nil {
		return p, fmt.Errorf("compile policy %s: no document", name)
	}
	c := compiler{set: set, kind: kind, vars: doc.Version == iam.Version2012}
	p.vars = c.vars
	c.checkVersion(doc.Version)
	for i := range doc.Statements {
		s := c.statement(i, &doc.Statements[i])
		if s.effect == iam.Allow {
			p.allows.add(s)
		} else {
			p.denies.add(s)
		}
	}
	if len(c.errs) > 0 {
		return p, fmt.Errorf("compile policy %s: %w", name, errors.Join(c.errs...))
	}
	return p, nil
}

// compiler compiles one document and collects what it cannot.
type compiler struct {
	set   Settings
	kind  Kind
	vars  bool // ${…} is a variable
	doubt bool // nothing in the document is certain
	errs  []error
}

func (c *compiler) checkVersion(version string) {
	switch version {
	case "", iam.Version2008, iam.Version2012:
		return
	}
	c.doubt = true
	c.errs = append(c.errs, fmt.Errorf("version %q is unknown", version))
}

func (c *compiler) statement(index int, s *iam.Statement) statement {
	out := statement{index: index, sid: s.SID, effect: s.Effect, pos: s.Pos, source: cloneStatement(s)}
	errs := []error{
		compileEffect(s, &out),
		compileActions(s, &out),
		c.compileResources(s, &out),
		c.compilePrincipal(s, &out),
	}
	errs = append(errs, c.compileConditions(s, &out)...)
	out.doubtful = c.doubt
	for _, err := range flatten(errs) {
		c.errs = append(c.errs, fmt.Errorf("statement %d%s: %w", index, place(s), err))
		if _, harmless := err.(notice); !harmless {
			out.doubtful = true
		}
	}
	return out
}

// flatten takes joined errors apart and drops the nil ones.
func flatten(errs []error) []error {
	var out []error
	for _, err := range errs {
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			out = append(out, flatten(joined.Unwrap())...)
		} else if err != nil {
			out = append(out, err)
		}
	}
	return out
}

// place is " (Sid at 3:5)", as far as it is known.
func place(s *iam.Statement) string {
	switch known := s.Pos.Line > 0; {
	case s.SID != "" && known:
		return fmt.Sprintf(" (%s at %v)", s.SID, s.Pos)
	case s.SID != "":
		return fmt.Sprintf(" (%s)", s.SID)
	case known:
		return fmt.Sprintf(" (at %v)", s.Pos)
	}
	return ""
}

// compileEffect makes a Deny of what is no effect.
func compileEffect(s *iam.Statement, out *statement) error {
	if s.Effect == iam.Allow || s.Effect == iam.Deny {
		return nil
	}
	out.effect = iam.Deny
	return fmt.Errorf("effect %q is neither Allow nor Deny", s.Effect)
}

// checkPair refuses both of Action and NotAction, and an empty NotAction: AWS
// leaves open whether all but nothing is everything.
func checkPair(name string, list, notList []string) error {
	switch {
	case list != nil && notList != nil:
		return fmt.Errorf("both %s and Not%s", name, name)
	case notList != nil && len(notList) == 0:
		return fmt.Errorf("empty Not%s", name)
	}
	return nil
}

func compileActions(s *iam.Statement, out *statement) error {
	err := checkPair("Action", s.Actions, s.NotActions)
	switch {
	case err != nil:
	case s.Actions == nil && s.NotActions == nil:
		err = errors.New("no Action")
	case s.NotActions != nil:
		out.notActions = true
		out.actions, err = compilePatterns(s.NotActions, style{wild: true, fold: true})
	default:
		out.actions, err = compilePatterns(s.Actions, style{wild: true, fold: true})
	}
	if err != nil {
		out.actions, out.notActions = []pattern{{shape: anything}}, false
	}
	return err
}

func (c *compiler) compileResources(s *iam.Statement, out *statement) error {
	err := checkPair("Resource", s.Resources, s.NotResources)
	absent := s.Resources == nil && s.NotResources == nil
	switch {
	case err != nil:
	case absent && (c.kind == Resource || c.kind == Trust):
		out.anyResource = true
	case absent:
		err = errors.New("no Resource")
	case s.NotResources != nil:
		out.notResources = true
		out.resources, err = compilePatterns(s.NotResources, style{wild: true, vars: c.vars, negated: true})
	default:
		out.resources, err = compilePatterns(s.Resources, style{wild: true, vars: c.vars})
	}
	if err != nil {
		out.anyResource = true
	} else if c.kind == Trust && !absent {
		err = notice("a trust policy has no Resource")
	}
	return err
}

// notice is an error in a policy that leaves no doubt what it means: AWS
// refuses it, but it can be evaluated as it stands.
type notice string

func (n notice) Error() string { return string(n) }

// hasPrincipals tells the kinds of policy that say whom they are for.
func (k Kind) hasPrincipals() bool {
	switch k {
	case Resource, Trust, Endpoint, RCP:
		return true
	}
	return false
}

func (c *compiler) compilePrincipal(s *iam.Statement, out *statement) error {
	named := s.Principal != nil || s.NotPrincipal != nil
	if !c.kind.hasPrincipals() {
		if named {
			return fmt.Errorf("%s has no Principal", article(c.kind))
		}
		return nil
	}
	var err error
	switch {
	case s.Principal != nil && s.NotPrincipal != nil:
		err = errors.New("both Principal and NotPrincipal")
		out.principals = &principals{everyone: true}
	case s.NotPrincipal != nil:
		out.notPrincipal = true
		out.principals, err = compilePrincipals(s.NotPrincipal)
		err = errors.Join(err, c.checkNotPrincipal(s.Effect))
	case s.Principal != nil:
		out.principals, err = compilePrincipals(s.Principal)
		if err != nil { // what the bad name would have matched is open
			out.principals.everyone = true
		}
	case c.kind == Endpoint || c.kind == RCP:
		err = fmt.Errorf("%s needs a Principal", article(c.kind))
		out.principals = &principals{everyone: true}
	default: // matches nobody
		out.principals = &principals{}
	}
	return err
}

func (c *compiler) checkNotPrincipal(effect iam.Effect) error {
	switch {
	case c.kind == RCP:
		return errors.New("a resource control policy has no NotPrincipal")
	case effect == iam.Allow && !c.set.AllowNotPrincipal:
		return errors.New("NotPrincipal with Allow is not supported")
	}
	return nil
}

func article(k Kind) string {
	if k == Identity {
		return "an " + k.String()
	}
	return "a " + k.String()
}

func (c *compiler) compileConditions(s *iam.Statement, out *statement) []error {
	var errs []error
	for i, cond := range s.Conditions {
		compiled, err := c.compileCondition(cond)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		compiled.source = i
		out.conditions = append(out.conditions, compiled)
	}
	return errs
}

// cloneStatement copies what a caller might change after Compile.
func cloneStatement(s *iam.Statement) iam.Statement {
	out := *s
	out.Principal, out.NotPrincipal = clonePrincipal(s.Principal), clonePrincipal(s.NotPrincipal)
	out.Actions, out.NotActions = slices.Clone(s.Actions), slices.Clone(s.NotActions)
	out.Resources, out.NotResources = slices.Clone(s.Resources), slices.Clone(s.NotResources)
	out.Conditions = slices.Clone(s.Conditions)
	for i := range out.Conditions {
		out.Conditions[i].Values = slices.Clone(out.Conditions[i].Values)
	}
	return out
}

func clonePrincipal(p *iam.Principal) *iam.Principal {
	if p == nil {
		return nil
	}
	return &iam.Principal{
		Everyone: p.Everyone, AWS: slices.Clone(p.AWS), Service: slices.Clone(p.Service),
		Federated: slices.Clone(p.Federated), CanonicalUser: slices.Clone(p.CanonicalUser),
	}
}
