package explain

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/internal/fault"
)

// question is one request and the policies that take part: a row of
// `explain --batch`, the file of `explain --request`. An absent list means that
// no such layer applies; keys that are not here are left alone.
type question struct {
	ID           json.RawMessage     `json:"id,omitempty"` // handed back as it is
	Request      questionRequest     `json:"request"`
	Identity     []json.RawMessage   `json:"identity_policies,omitempty"`
	Session      []json.RawMessage   `json:"session_policies,omitempty"`
	Boundary     []json.RawMessage   `json:"permissions_boundaries,omitempty"`
	Resource     json.RawMessage     `json:"resource_policy,omitempty"`
	Endpoint     []json.RawMessage   `json:"vpc_endpoint_policies,omitempty"`
	SCP          [][]json.RawMessage `json:"scp_levels,omitempty"` // the root's first
	RCP          [][]json.RawMessage `json:"rcp_levels,omitempty"`
	Organization organization        `json:"organization,omitzero"`

	files []string // that the policies came from, in the order of compiling
}

type questionRequest struct {
	Principal       principalName          `json:"principal"`
	Action          string                 `json:"action"`
	Resource        string                 `json:"resource"`
	ResourceAccount string                 `json:"resource_account,omitempty"` // default: that of the ARN, else the principal's
	Context         map[string]contextList `json:"context,omitempty"`
}

// organization says whom SCPs and RCPs leave alone.
type organization struct {
	Management       string `json:"management_account,omitempty"`
	PrincipalOutside bool   `json:"principal_outside,omitempty"`
	ResourceOutside  bool   `json:"resource_outside,omitempty"`
}

// principalName is an ARN, an account, a service's name, or
// {"type": "anonymous"}.
type principalName struct {
	Name      string
	Anonymous bool
}

func (p principalName) principal() (eval.Principal, error) {
	switch {
	case p.Anonymous:
		return eval.Principal{Kind: eval.Anonymous}, nil
	case p.Name == "":
		return eval.Principal{}, errors.New("request.principal is missing")
	}
	return eval.ParsePrincipal(p.Name)
}

// contextList is the values of a condition key: a string, number or boolean,
// or a list of them.
type contextList []string

// request is the request with the context given, nothing filled in.
func (q *question) request() (*eval.Request, error) {
	r := &q.Request
	if err := r.tooLong(); err != nil {
		return nil, err
	}
	principal, err := r.Principal.principal()
	switch {
	case err != nil:
		return nil, err
	case r.Action == "":
		return nil, errors.New("request.action is missing")
	case !isActionName(r.Action):
		return nil, fmt.Errorf("request.action %q is not of the form service:Name", r.Action)
	case r.Resource == "":
		return nil, errors.New("request.resource is missing")
	case !isResourceName(r.Resource):
		return nil, fmt.Errorf("request.resource %q is neither an ARN nor *", r.Resource)
	case r.ResourceAccount != "" && !iam.IsAccountID(r.ResourceAccount):
		return nil, fmt.Errorf("request.resource_account %q is not an account id", r.ResourceAccount)
	}
	keys := make(map[string][]string, len(r.Context))
	for key, values := range r.Context {
		keys[key] = values
	}
	ctx := eval.NewContext(keys)
	return &eval.Request{
		Principal: knownBy(principal.WithRole(ctx)), Action: r.Action, Resource: r.Resource,
		ResourceAccount: r.owner(), Context: ctx,
	}, nil
}

// knownBy takes a federated user for the session of the IAM user of its name:
// a row has no other way to say whose session it is.
func knownBy(p eval.Principal) eval.Principal {
	if p.Kind == eval.FederatedUser {
		p.UserARN = strings.Replace(strings.Replace(p.ARN, ":sts:", ":iam:", 1), ":federated-user/", ":user/", 1)
	}
	return p
}

// maxValue is the most bytes of a value of a request. ARNs have up to 2048
// characters.
const maxValue = 8 << 10

// tooLong bounds what matching the values against patterns may cost.
func (r *questionRequest) tooLong() error {
	for _, v := range []struct{ name, value string }{{"principal", r.Principal.Name}, {"action", r.Action}, {"resource", r.Resource}} {
		if len(v.value) > maxValue {
			return fmt.Errorf("request.%s is longer than %d bytes", v.name, maxValue)
		}
	}
	for _, values := range r.Context {
		for _, value := range values {
			if len(value) > maxValue {
				return fmt.Errorf("a value of request.context is longer than %d bytes", maxValue)
			}
		}
	}
	return nil
}

var actionName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9-]+:[A-Za-z0-9]+$`) })

// isActionName tells "s3:GetObject" from patterns and lists.
func isActionName(s string) bool { return actionName().MatchString(s) }

func isResourceName(s string) bool {
	_, err := iam.ParseARN(s)
	return s == "*" || err == nil
}

// owner is the account of the resource, as far as the request says; empty
// leaves it to be the principal's.
func (r *questionRequest) owner() string {
	if r.ResourceAccount != "" {
		return r.ResourceAccount
	}
	if arn, err := iam.ParseARN(r.Resource); err == nil && iam.IsAccountID(arn.Account) {
		return arn.Account
	}
	return ""
}

// compileText compiles a policy of a question; name says where it stands.
type compileText func(kind eval.Kind, name string, text []byte) (*eval.Policy, error)

// noStatements is the policy of a resource that must have one and whose policy
// was not given: it lets nobody in.
const noStatements = `{"Version":"2012-10-17","Statement":[]}`

func (q *question) layers(compile compileText) (*eval.Layers, error) {
	l := &eval.Layers{Org: eval.Organization{
		Management: q.Organization.Management, PrincipalOutside: q.Organization.PrincipalOutside, ResourceOutside: q.Organization.ResourceOutside,
	}}
	var errs fault.List
	list := func(kind eval.Kind, name string, texts []json.RawMessage) []*eval.Policy {
		var out []*eval.Policy
		for i, text := range texts {
			p, err := compile(kind, fmt.Sprintf("%s[%d]", name, i), text)
			if err != nil {
				errs = append(errs, err)
			}
			out = append(out, p)
		}
		return out
	}
	levels := func(kind eval.Kind, name string, texts [][]json.RawMessage) [][]*eval.Policy {
		var out [][]*eval.Policy
		for i, level := range texts {
			out = append(out, list(kind, fmt.Sprintf("%s[%d]", name, i), level))
		}
		return out
	}
	l.Identity = list(eval.Identity, "identity_policies", q.Identity)
	l.Session = list(eval.Session, "session_policies", q.Session)
	l.Boundary = list(eval.Boundary, "permissions_boundaries", q.Boundary)
	l.Endpoint = list(eval.Endpoint, "vpc_endpoint_policies", q.Endpoint)
	l.SCP = levels(eval.SCP, "scp_levels", q.SCP)
	l.RCP = levels(eval.RCP, "rcp_levels", q.RCP)
	var err error
	if l.Resource, err = q.resourcePolicy(compile); err != nil {
		errs = append(errs, err)
	}
	return l, errs.Err()
}

func (q *question) resourcePolicy(compile compileText) (*eval.Policy, error) {
	kind, owned := eval.Owned(q.Request.Action, q.Request.Resource)
	given := len(q.Resource) > 0 && string(q.Resource) != "null"
	switch {
	case given && owned:
		return compile(kind, "resource_policy", q.Resource)
	case given:
		return compile(eval.Resource, "resource_policy", q.Resource)
	case owned:
		return compile(kind, "resource_policy", []byte(noStatements))
	}
	return nil, nil
}

// verdict is the answer to a row.
type verdict struct {
	ID        json.RawMessage `json:"id"`
	Decision  string          `json:"decision,omitempty"`
	BlockedBy []string        `json:"blocked_by,omitzero"` // keys of the row
	Error     string          `json:"error,omitempty"`
}

// decisionName is a decision in the words of a verdict.
func decisionName(d eval.Decision) string {
	switch d {
	case eval.Allowed:
		return "allowed"
	case eval.ExplicitDeny:
		return "explicitly_denied"
	}
	return "implicitly_denied"
}

// layerKey is the key of a question that holds policies of a kind.
func layerKey(k eval.Kind) string {
	switch k {
	case eval.Identity:
		return "identity_policies"
	case eval.Boundary:
		return "permissions_boundaries"
	case eval.Session:
		return "session_policies"
	case eval.Endpoint:
		return "vpc_endpoint_policies"
	case eval.SCP:
		return "scp_levels"
	case eval.RCP:
		return "rcp_levels"
	}
	return "resource_policy"
}

func layerKeys(kinds []eval.Kind) []string {
	out := make([]string, 0, len(kinds))
	for _, k := range kinds {
		out = append(out, layerKey(k))
	}
	return out
}
