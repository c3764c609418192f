package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/internal/cli/input"
	"github.com/postern-dev/postern/internal/estate"
	"github.com/postern-dev/postern/internal/fault"
)

// explanation is one request on its way to an answer.
type explanation struct {
	question *question
	request  *eval.Request
	layers   *eval.Layers
	keys     map[string][]string // condition keys that were filled in
	doubts   []string            // what in the policies cannot be evaluated
	note     string              // why AWS gets no such request

	// From the snapshot.
	identity, boundary []*eval.Policy
	trust              *eval.Policy
}

// compile names a policy after its file, if it came from one.
func (e *explanation) compile(kind eval.Kind, name string, text []byte) (*eval.Policy, error) {
	if len(e.question.files) > 0 {
		name, e.question.files = e.question.files[0], e.question.files[1:]
	}
	doc, err := input.ParsePolicy(name, text)
	if err != nil {
		return nil, err
	}
	return e.compileDocument(kind, name, doc), nil
}

func (e *explanation) compileDocument(kind eval.Kind, name string, doc *iam.Document) *eval.Policy {
	if doc == nil {
		e.doubts = append(e.doubts, fmt.Sprintf("%s %s is not known", kind, name))
		return nil
	}
	p, err := eval.Compile(name, kind, doc)
	if err != nil {
		for line := range strings.Lines(strings.TrimPrefix(err.Error(), "compile policy "+name+": ")) {
			e.doubts = append(e.doubts, name+": "+strings.TrimSpace(line))
		}
	}
	return p
}

// useEstates takes the principal's policies, and the trust policy of a role to
// assume, out of snapshots. A trust policy that was not read decides nothing:
// without it there is no answer.
func (e *explanation) useEstates(o *options, in *input.Files, m *eval.Model) error {
	snapshot, err := in.Snapshots(o.estates)
	if err != nil {
		return err
	}
	if err := e.usePrincipal(snapshot, m); err != nil {
		return err
	}
	kind, owned := eval.Owned(e.request.Action, e.request.Resource)
	if !owned || kind != eval.Trust || o.resourcePolicy != "" {
		return nil
	}
	_, role := input.FindRole(snapshot, e.request.Resource)
	if role == nil {
		return &fault.Error{
			What: "the trust policy of " + e.request.Resource + " was not read: no such role is in the snapshots",
			Hint: "add --estate with a snapshot of its account, or --resource-policy with the trust policy",
		}
	}
	e.trust = e.compileDocument(eval.Trust, "trust policy of "+role.Name, unplaced(role.Trust))
	return nil
}

func (e *explanation) usePrincipal(snapshot *estate.Estate, m *eval.Model) error {
	p := &e.request.Principal
	account := snapshot.Account(p.Account)
	switch p.Kind {
	case eval.User:
		i := -1
		if account != nil {
			i = slices.IndexFunc(account.Users, func(u estate.User) bool { return account.UserARN(u.Path, u.Name) == p.ARN })
		}
		if i < 0 {
			return input.NotInSnapshot(snapshot, p.ARN)
		}
		u := &account.Users[i]
		e.attach(account, "", u.Inline, u.Attached)
		e.bound(account, u.Boundary)
		for _, g := range account.Groups {
			if slices.Contains(u.Groups, g.Name) {
				e.attach(account, " of group "+g.Name, g.Inline, g.Attached)
			}
		}
		m.PrincipalTags = u.Tags
	case eval.Role, eval.RoleSession:
		account, role := input.FindRole(snapshot, p.ARN)
		if role == nil {
			return input.NotInSnapshot(snapshot, p.ARN)
		}
		if p.Kind == eval.RoleSession {
			p.RoleARN = account.RoleARN(role.Path, role.Name)
		}
		e.attach(account, "", role.Inline, role.Attached)
		e.bound(account, role.Boundary)
		m.PrincipalTags = role.Tags
	}
	return nil
}

// attach takes the policies of the principal or, as of says, of a group.
func (e *explanation) attach(a *estate.Account, of string, inline []estate.InlinePolicy, attached []string) {
	for _, p := range inline {
		e.identity = append(e.identity, e.compileDocument(eval.Identity, p.Name+of, unplaced(p.Document)))
	}
	for _, arn := range attached {
		e.identity = append(e.identity, e.compileDocument(eval.Identity, arn+of, unplaced(a.PolicyDocument(arn))))
	}
}

func (e *explanation) bound(a *estate.Account, boundary string) {
	if boundary != "" {
		e.boundary = append(e.boundary, e.compileDocument(eval.Boundary, boundary, unplaced(a.PolicyDocument(boundary))))
	}
}

// unplaced is a document of a snapshot without its lines: they would be those
// of no file.
func unplaced(doc *iam.Document) *iam.Document {
	if doc == nil {
		return nil
	}
	out := *doc
	out.Statements = slices.Clone(doc.Statements)
	for i := range out.Statements {
		out.Statements[i].Pos = iam.Pos{}
	}
	return &out
}

// fill completes the context with what follows from the model.
func (e *explanation) fill(m *eval.Model) {
	given := map[string][]string{}
	for key, values := range e.question.Request.Context {
		given[key] = values
	}
	e.keys = m.Keys(e.request, given)
	e.request.Context = m.Context(e.request, given)
}

// regionOf is the region in an ARN; empty if it names none.
func regionOf(arn string) string {
	parsed, err := iam.ParseARN(arn)
	if err != nil || strings.ContainsAny(parsed.Region, "*?") {
		return ""
	}
	return parsed.Region
}

// answer is what explain prints: an answer for people and, with --json, for
// programs.
type answer struct {
	Decision  string              `json:"decision"` // allowed, implicitly_denied, explicitly_denied; with --open always, never, depends
	DependsOn string              `json:"depends_on,omitempty"`
	Rule      string              `json:"rule,omitempty"` // of AWS, that decided whatever the policies say
	BlockedBy []string            `json:"blocked_by"`     // as in a verdict of --batch
	Principal string              `json:"principal"`
	Action    string              `json:"action"`
	Resource  string              `json:"resource"`
	Note      string              `json:"note,omitempty"` // why AWS gets no such request
	Because   []statementAnswer   `json:"because"`        // the statements that match
	NearMiss  []statementAnswer   `json:"near_misses"`    // statements about the action that do not
	Context   map[string][]string `json:"context"`        // condition keys, those filled in included
	Doubts    []string            `json:"doubts"`         // what could not be evaluated: it does not allow, and it denies

	blocked []eval.Kind
}

// statementAnswer is what one statement made of the request.
type statementAnswer struct {
	Layer      string            `json:"layer"`
	Level      int               `json:"level"` // of the organisation
	Policy     string            `json:"policy"`
	Statement  int               `json:"statement"` // from 0
	SID        string            `json:"sid,omitempty"`
	Line       int               `json:"line,omitempty"`
	Column     int               `json:"column,omitempty"`
	Effect     iam.Effect        `json:"effect"`
	Matches    string            `json:"matches"`           // yes, no, maybe
	Element    string            `json:"element,omitempty"` // that kept it from matching
	Principal  string            `json:"principal,omitempty"`
	Action     string            `json:"action,omitempty"`
	Resource   string            `json:"resource,omitempty"`
	Conditions []conditionAnswer `json:"conditions,omitempty"`

	kind eval.Kind
}

type conditionAnswer struct {
	Operator string   `json:"operator"`
	Key      string   `json:"key"`
	Values   []string `json:"values"`
	Value    string   `json:"value,omitempty"` // of them, that matched
	Holds    string   `json:"holds"`
	Present  bool     `json:"present"`
	Request  []string `json:"request,omitempty"`
}

func (a *answer) allowed() bool { return a.Decision == "allowed" || a.Decision == "always" }

// answer asks the engine.
func (e *explanation) answer(open bool) *answer {
	r := e.request
	if open {
		r.Context = r.Context.Open()
	}
	ex := e.layers.Explain(r)
	a := &answer{
		Decision: decisionName(ex.Decision), Rule: ex.Rule, BlockedBy: layerKeys(ex.BlockedBy), blocked: ex.BlockedBy,
		Principal: r.Principal.ARN, Action: r.Action, Resource: r.Resource, Note: e.note,
		Because: []statementAnswer{}, NearMiss: []statementAnswer{}, Context: e.keys, Doubts: append([]string{}, e.doubts...),
	}
	if r.Principal.Kind == eval.Anonymous {
		a.Principal = "anonymous"
	}
	if open {
		judged := e.layers.Judge(r)
		a.Decision = judged.Outlook.String()
		if judged.Outlook == eval.Depends {
			a.DependsOn = judged.When.String()
		}
		if judged.Outlook != eval.Never {
			a.BlockedBy, a.blocked = []string{}, nil
		}
	}
	for _, d := range e.layers.Details(r) {
		switch {
		case d.Outcome != eval.No:
			a.Because = append(a.Because, statementText(d))
		case d.Element == eval.ElementAction:
		default:
			a.NearMiss = append(a.NearMiss, statementText(d))
		}
	}
	return a
}

func statementText(d eval.Detail) statementAnswer {
	s := statementAnswer{
		Layer: d.Kind.String(), Level: d.Level, Policy: d.Policy, Statement: d.Statement, SID: d.SID, Line: d.Pos.Line, Column: d.Pos.Column,
		Effect: d.Effect, Matches: d.Outcome.String(), Element: d.Element, Principal: d.Principal, Action: d.Action, Resource: d.Resource,
		kind: d.Kind,
	}
	for _, c := range d.Conditions {
		s.Conditions = append(s.Conditions, conditionAnswer{
			Operator: c.Operator, Key: c.Key, Values: c.Values, Value: c.Value, Holds: c.Outcome.String(), Present: c.Present, Request: c.Got,
		})
	}
	return s
}
