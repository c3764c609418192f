package simulate

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// row is a row of `postern explain --batch`, as a user would write it.
type row struct {
	ID       int               `json:"id"`
	Request  request           `json:"request"`
	Identity []*iam.Document   `json:"identity_policies,omitempty"`
	Session  []*iam.Document   `json:"session_policies,omitempty"`
	Boundary []*iam.Document   `json:"permissions_boundaries,omitempty"`
	Resource *iam.Document     `json:"resource_policy,omitempty"`
	Endpoint []*iam.Document   `json:"vpc_endpoint_policies,omitempty"`
	SCP      [][]*iam.Document `json:"scp_levels,omitempty"`
	RCP      [][]*iam.Document `json:"rcp_levels,omitempty"`
}

type request struct {
	Principal any            `json:"principal"` // a string, or anonymous
	Action    string         `json:"action"`
	Resource  string         `json:"resource"`
	Owner     string         `json:"resource_account,omitempty"`
	Context   map[string]any `json:"context"` // strings and lists of strings
}

type verdict struct {
	ID       any      `json:"id"`
	Decision string   `json:"decision"`
	Ignored  []string `json:"ignored"` // the witness: context keys that it dropped
	Error    string   `json:"error"`
}

func (r *row) line() []byte {
	text, err := json.Marshal(r)
	if err != nil {
		panic(err) // strings only
	}
	return append(text, '\n')
}

// place is where in a row a statement stands.
type place string

const (
	inIdentity place = "identity"
	inSession  place = "session"
	inBoundary place = "boundary"
	inResource place = "resource"
	inEndpoint place = "endpoint"
	inSCP      place = "scp"
	inRCP      place = "rcp"
)

// statements calls do with every statement of a row.
func (r *row) statements(do func(place, *iam.Document, *iam.Statement)) {
	each := func(at place, docs []*iam.Document) {
		for _, doc := range docs {
			for i := range doc.Statements {
				do(at, doc, &doc.Statements[i])
			}
		}
	}
	each(inIdentity, r.Identity)
	each(inSession, r.Session)
	each(inBoundary, r.Boundary)
	each(inEndpoint, r.Endpoint)
	for _, level := range r.SCP {
		each(inSCP, level)
	}
	for _, level := range r.RCP {
		each(inRCP, level)
	}
	if r.Resource != nil {
		each(inResource, []*iam.Document{r.Resource})
	}
}

// has says whether some statement is as asked.
func (r *row) has(is func(place, *iam.Document, *iam.Statement) bool) bool {
	found := false
	r.statements(func(at place, doc *iam.Document, s *iam.Statement) { found = found || is(at, doc, s) })
	return found
}

// hasCondition says whether some condition is as asked.
func (r *row) hasCondition(is func(*iam.Document, *iam.Statement, iam.Condition) bool) bool {
	return r.has(func(_ place, doc *iam.Document, s *iam.Statement) bool {
		for _, c := range s.Conditions {
			if is(doc, s, c) {
				return true
			}
		}
		return false
	})
}

// value is what the context has for a key, in any case.
func (r *row) value(key string) any {
	for have, value := range r.Request.Context {
		if strings.EqualFold(have, key) {
			return value
		}
	}
	return nil
}

// usesKey says whether some condition asks for a key.
func (r *row) usesKey(key string) bool {
	return r.hasCondition(func(_ *iam.Document, _ *iam.Statement, c iam.Condition) bool { return strings.EqualFold(c.Key, key) })
}

// grants says whether the resource policy allows one of these by name; "*" is
// everyone in either form.
func (r *row) grants(names ...string) bool {
	return r.has(func(at place, _ *iam.Document, s *iam.Statement) bool {
		if at != inResource || s.Effect != iam.Allow || s.Principal == nil {
			return false
		}
		return s.Principal.Everyone && slices.Contains(names, "*") ||
			slices.ContainsFunc(names, func(name string) bool { return slices.Contains(s.Principal.AWS, name) })
	})
}

// hasText says whether some Resource, NotResource or value of a condition is as
// asked.
func (r *row) hasText(is func(*iam.Document, *iam.Statement, string) bool) bool {
	return r.has(func(_ place, doc *iam.Document, s *iam.Statement) bool {
		texts := slices.Concat(s.Resources, s.NotResources)
		for _, c := range s.Conditions {
			texts = append(texts, c.Values...)
		}
		return slices.ContainsFunc(texts, func(text string) bool { return is(doc, s, text) })
	})
}

// hasUnsetVariable says whether a variable without value and default stands
// where a match keeps out.
func (r *row) hasUnsetVariable() bool {
	unset := func(texts []string) bool {
		return slices.ContainsFunc(texts, func(text string) bool {
			_, rest, found := strings.Cut(text, "${")
			name, _, _ := strings.Cut(rest, "}")
			return found && name != "*" && !strings.Contains(name, ",") && r.value(name) == nil
		})
	}
	return r.has(func(_ place, _ *iam.Document, s *iam.Statement) bool {
		return unset(s.NotResources) || slices.ContainsFunc(s.Conditions, func(c iam.Condition) bool {
			return strings.Contains(c.Operator, "Not") && unset(c.Values)
		})
	})
}
