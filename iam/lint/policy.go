package lint

import (
	"iter"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/action"
)

// document is a policy as far as it could be read: what has the wrong form is
// left out of it and noted in a list of problems.
type document struct {
	src   []byte
	lines []int // see pos

	broken     *problem // the text is no JSON; all else is empty
	root       *node
	version    *node // nil: none
	statements []*statement

	doubled    []problem // names that stand twice in one object
	foldDouble []problem // the same but for their case, in a Condition
	mistyped   []problem // JSON values of the wrong kind
	unknown    []*node   // names of elements that there are not
	principals []problem // Principal elements of the wrong form
	badKeys    []*node   // names of kinds of principals that there are not
}

// statement is one statement. Its elements are nil where they are absent or of
// the wrong form; has tells whether they stand there at all.
type statement struct {
	*node
	members    map[string]member // by element
	sid        *node
	effect     *node
	lists      map[string]*list // Action, NotAction, Resource, NotResource
	principals map[string]*principal
	condition  *node
	conditions []*condition
}

// list is the value of an Action or the like: one string or several.
type list struct {
	key    *node
	node   *node
	values []*node
}

// principal is the value of Principal or NotPrincipal.
type principal struct {
	key      *node
	node     *node
	everyone bool // the bare "*"
	values   []principalValue
}

// principalValue is one principal: "AWS" and its ARN.
type principalValue struct {
	kind string
	*node
}

// condition is one operator applied to one key.
type condition struct {
	operator *node // its name
	key      *node // its name
	value    *node // as it stands there
	values   []*node
	op       iam.Operator
	known    bool // there is such an operator
}

// elements of a statement.
const (
	sid          = "Sid"
	effect       = "Effect"
	principals   = "Principal"
	notPrincipal = "NotPrincipal"
	actions      = "Action"
	notAction    = "NotAction"
	resources    = "Resource"
	notResource  = "NotResource"
	conditions   = "Condition"
)

var (
	documentElements  = []string{"Version", "Id", "Statement"}
	statementElements = []string{sid, effect, principals, notPrincipal, actions, notAction, resources, notResource, conditions}
	principalKinds    = []string{"AWS", "Service", "Federated", "CanonicalUser"}
)

// has reports whether the statement has one of the elements, of whatever form.
func (s *statement) has(elements ...string) bool {
	return slices.ContainsFunc(elements, func(e string) bool { _, ok := s.members[e]; return ok })
}

// allows reports whether the statement is an Allow.
func (s *statement) allows() bool { return s.effect != nil && s.effect.text == string(iam.Allow) }

// denies reports whether the statement is a Deny.
func (s *statement) denies() bool { return s.effect != nil && s.effect.text == string(iam.Deny) }

// values lists the strings of the elements in each statement.
func (d *document) values(elements ...string) iter.Seq2[*statement, *node] {
	return func(yield func(*statement, *node) bool) {
		for _, s := range d.statements {
			for _, e := range elements {
				for _, v := range s.values(e) {
					if !yield(s, v) {
						return
					}
				}
			}
		}
	}
}

// values are the strings of an element, nil if there are none.
func (s *statement) values(element string) []*node {
	if l := s.lists[element]; l != nil {
		return l.values
	}
	return nil
}

// conditions lists the conditions of all statements.
func (d *document) conditions() iter.Seq2[*statement, *condition] {
	return func(yield func(*statement, *condition) bool) {
		for _, s := range d.statements {
			for _, c := range s.conditions {
				if !yield(s, c) {
					return
				}
			}
		}
	}
}

// principalValues lists the principals of all statements.
func (d *document) principalValues() iter.Seq2[*statement, principalValue] {
	return func(yield func(*statement, principalValue) bool) {
		for _, s := range d.statements {
			for _, e := range []string{principals, notPrincipal} {
				if s.principals[e] == nil {
					continue
				}
				for _, v := range s.principals[e].values {
					if !yield(s, v) {
						return
					}
				}
			}
		}
	}
}

// of lists the values of Principal of one kind.
func (s *statement) of(kind string) []*node {
	var found []*node
	if p := s.principals[principals]; p != nil {
		for _, v := range p.values {
			if v.kind == kind {
				found = append(found, v.node)
			}
		}
	}
	return found
}

// is reports whether the condition is on one of the keys, in any case.
func (c *condition) is(keys ...string) bool {
	return slices.ContainsFunc(keys, func(k string) bool { return strings.EqualFold(k, c.key.text) })
}

// uses reports whether a condition of the statement is on one of the keys.
func (s *statement) uses(keys ...string) bool {
	return slices.ContainsFunc(s.conditions, func(c *condition) bool { return c.is(keys...) })
}

// keyType is the type of the condition's key; false if AWS has no such key.
func (c *condition) keyType() (action.Type, bool) {
	k, ok := conditionKey(c.key.text)
	return k.Type, ok
}

// conditionKey finds a key, first among the global ones: some services document
// these as their own too. It also knows keys of tags that AWS's pages write
// without a variable: "sagemaker:ResourceTag/", "ssm:resourceTag/tag-key".
func conditionKey(name string) (action.Key, bool) {
	if k, ok := action.ConditionKey("aws", name); ok {
		return k, true
	}
	if k, ok := action.ConditionKey("", name); ok {
		return k, true
	}
	base, tag, ok := strings.Cut(name, "/")
	if !ok || tag == "" {
		return action.Key{}, false
	}
	for _, form := range []string{"/", "/tag-key"} {
		if k, ok := action.ConditionKey("", base+form); ok && !k.Claim {
			return k, true
		}
	}
	return action.Key{}, false
}

// negated reports whether the operator holds where no value matches.
func (c *condition) negated() bool { return strings.Contains(c.op.Name, "Not") }

// like reports whether values of the operator may have wildcards.
func (c *condition) like() bool {
	return strings.Contains(c.op.Name, "Like") || strings.HasPrefix(c.op.Name, "Arn")
}

// one reports whether every value equals want, in any case.
func (c *condition) one(want string) bool {
	return len(c.values) > 0 && !slices.ContainsFunc(c.values, func(v *node) bool { return !strings.EqualFold(v.text, want) })
}
