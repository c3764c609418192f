package sandbox

import (
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

// policyCache bounds how many compiled policies are kept. Policies come and
// go; the cache is emptied when it is full.
const policyCache = 20000

type policyKey struct {
	kind eval.Kind
	text string
}

// denyAll stands for a policy that cannot be read: in doubt, deny.
const denyAll = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`

// compile returns a stored policy ready for evaluation. The caller holds the
// server's lock.
func (s *Server) compile(kind eval.Kind, name, text string) *eval.Policy {
	key := policyKey{kind, text}
	if p, ok := s.compiled[key]; ok {
		return p
	}
	p, err := compilePolicy(kind, name, text)
	if err != nil {
		// Every text was checked when it was stored; this is a data file edited by hand.
		s.log.Error("policy cannot be read whole", "policy", name, "error", err)
	}
	if p == nil {
		if p, err = compilePolicy(eval.Identity, name, denyAll); err != nil { // a constant: its test compiles it
			return nil
		}
	}
	if len(s.compiled) >= policyCache {
		clear(s.compiled)
	}
	s.compiled[key] = p
	return p
}

func compilePolicy(kind eval.Kind, name, text string) (*eval.Policy, error) {
	doc, err := iam.Parse([]byte(text))
	if err != nil {
		return nil, err
	}
	return eval.Compile(name, kind, doc)
}

// policySize counts characters as IAM's quotas do: without white space.
func policySize(text string) int {
	n := 0
	for _, r := range text {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

// maxPolicyParameter is the longest policy text that a request may carry.
const maxPolicyParameter = 131072

// checkText refuses what no policy may be.
func checkText(field, text string) error {
	switch {
	case text == "":
		return invalid("1 validation error detected: Value '' at '%s' failed to satisfy constraint: Member must have length greater than or equal to 1", field)
	case len(text) > maxPolicyParameter:
		return invalid("1 validation error detected: Value at '%s' failed to satisfy constraint: Member must have length less than or equal to %d", field, maxPolicyParameter)
	case !utf8.ValidString(text):
		return malformedPolicy("The policy contains invalid characters.")
	}
	return nil
}

func isVersion(s string) bool {
	return s == "" || s == iam.Version2008 || s == iam.Version2012
}

// checkIdentityPolicy refuses, in AWS's words, a policy that no user, group or
// role can carry.
func checkIdentityPolicy(field, text string) error {
	if err := checkText(field, text); err != nil {
		return err
	}
	doc, err := iam.Parse([]byte(text))
	if err != nil || !isVersion(doc.Version) {
		return malformedPolicy("Syntax errors in policy.")
	}
	for _, st := range doc.Statements {
		switch {
		case st.Principal != nil:
			return malformedPolicy("Policy document should not specify a principal.")
		case st.NotPrincipal != nil:
			return malformedPolicy("Has prohibited field NotPrincipal")
		case st.Actions == nil && st.NotActions == nil:
			return malformedPolicy("Policy statement must contain actions.")
		case st.Resources == nil && st.NotResources == nil:
			return malformedPolicy("Policy statement must contain resources.")
		}
		for _, r := range slices.Concat(st.Resources, st.NotResources) {
			if err := checkResource(r); err != nil {
				return err
			}
		}
		if err := checkActions(st); err != nil {
			return err
		}
	}
	return checkCompiles(eval.Identity, doc)
}

func checkCompiles(kind eval.Kind, doc *iam.Document) error {
	if _, err := eval.Compile("policy", kind, doc); err != nil {
		return malformedPolicy("Syntax errors in policy.")
	}
	return nil
}

func checkResource(resource string) error {
	if resource == "*" || strings.HasPrefix(resource, "${") || strings.HasPrefix(resource, "*") {
		return nil
	}
	parts := strings.SplitN(resource, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return malformedPolicy("Resource " + resource + " must be in ARN format or \"*\".")
	}
	return nil
}

func checkActions(st iam.Statement) error {
	for _, a := range slices.Concat(st.Actions, st.NotActions) {
		vendor, name, ok := strings.Cut(a, ":")
		switch {
		case a == "*":
		case !ok:
			return malformedPolicy("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
		case strings.ContainsAny(vendor, "*?"):
			return malformedPolicy("Vendor " + vendor + " is not valid")
		case name == "":
			return malformedPolicy("Action " + a + " is not valid")
		}
	}
	return nil
}

// servicePrincipal is the shape of a service's name. AWS knows them all; the
// sandbox takes any that could be one.
var servicePrincipal = lazily(`^[a-z0-9-]+(\.[a-z0-9-]+)*\.(amazonaws\.com(\.cn)?|amazon\.com|aws\.internal)$`)

// checkTrust refuses a trust policy in AWS's words, and returns the unique IDs
// of the principals of this sandbox that it names. The caller holds the lock.
func (s *Server) checkTrust(field, text string) (map[string]string, error) {
	if err := checkText(field, text); err != nil {
		return nil, err
	}
	doc, err := iam.Parse([]byte(text))
	if err != nil || !isVersion(doc.Version) {
		return nil, malformedPolicy("This policy contains invalid Json")
	}
	ids := map[string]string{}
	for _, st := range doc.Statements {
		switch {
		case st.Resources != nil || st.NotResources != nil:
			return nil, malformedPolicy("Has prohibited field Resource")
		case st.NotPrincipal != nil && st.Effect == iam.Allow:
			return nil, malformedPolicy("Allow with NotPrincipal is not allowed.")
		case st.Principal == nil && st.NotPrincipal == nil:
			return nil, malformedPolicy("Missing required field Principal")
		case !slices.ContainsFunc(st.Actions, isAssumeAction):
			return nil, malformedPolicy("AssumeRole policy may only specify STS AssumeRole actions.")
		}
		for _, p := range []*iam.Principal{st.Principal, st.NotPrincipal} {
			if err := s.checkPrincipal(p, ids); err != nil {
				return nil, err
			}
		}
	}
	return ids, checkCompiles(eval.Trust, doc)
}

func isAssumeAction(action string) bool {
	return iam.MatchFold("sts:*", action) || action == "*"
}

func (s *Server) checkPrincipal(p *iam.Principal, ids map[string]string) error {
	if p == nil {
		return nil
	}
	for _, arn := range p.AWS {
		id, ok := s.principalID(arn)
		if !ok {
			return malformedPolicy(`Invalid principal in policy: "AWS":"` + arn + `"`)
		}
		if id != "" {
			ids[arn] = id
		}
	}
	for _, name := range p.Service {
		if !servicePrincipal().MatchString(name) {
			return malformedPolicy(`Invalid principal in policy: "SERVICE":"` + name + `"`)
		}
	}
	for _, name := range p.Federated {
		a, err := iam.ParseARN(name)
		isProvider := err == nil && (strings.HasPrefix(a.Resource, "oidc-provider/") || strings.HasPrefix(a.Resource, "saml-provider/"))
		if !isProvider && (strings.Contains(name, ":") || !strings.Contains(name, ".")) {
			return malformedPolicy(`Invalid principal in policy: "FEDERATED":"` + name + `"`)
		}
	}
	return nil
}

// principalID finds a principal of a trust policy. It returns false for one
// that does not exist, or not yet as far as authorisation knows. The ID is
// empty for accounts, for everyone, and for principals of accounts outside the
// sandbox, of which nothing is known.
func (s *Server) principalID(arn string) (id string, ok bool) {
	if arn == "*" || iam.IsAccountID(arn) || uniqueID().MatchString(arn) {
		return "", true
	}
	a, err := iam.ParseARN(arn)
	if err != nil || a.Service != "iam" && a.Service != "sts" || !iam.IsAccountID(a.Account) {
		return "", false
	}
	acct, here := s.state.Accounts[a.Account]
	kind, name, _ := strings.Cut(a.Resource, "/")
	switch {
	case a.Resource == "root":
		return "", true
	case kind != "user" && kind != "role" && kind != "assumed-role" && kind != "federated-user" || strings.ContainsAny(name, "*?"):
		return "", false
	case !here:
		return "", true
	case kind == "federated-user":
		return "", true
	case kind == "assumed-role":
		roleName, _, _ := strings.Cut(name, "/")
		_, ok := acct.Roles.known(roleName)
		return "", ok
	case kind == "user":
		u, ok := acct.Users.known(lastSegment(name))
		if !ok || acct.arn("user", u.Path, u.Name) != arn {
			return "", false
		}
		return u.ID, true
	}
	r, known := acct.Roles.known(lastSegment(name))
	if !known || acct.arn("role", r.Path, r.Name) != arn {
		return "", false
	}
	return r.ID, true
}

var uniqueID = lazily(`^A(ID|RO|GP|NP|IP)A[A-Z0-9]{17}$`)

func lastSegment(s string) string { return s[strings.LastIndexByte(s, '/')+1:] }

// trustNow is a role's trust policy as AWS keeps it: a principal that was
// deleted stands there with its unique ID, so that a new one of the same name
// does not inherit the trust.
func (s *Server) trustNow(r *role) string {
	text := r.Trust
	for arn, id := range r.TrustIDs {
		if now, ok := s.principalID(arn); !ok || now != id {
			text = strings.ReplaceAll(text, `"`+arn+`"`, `"`+id+`"`)
		}
	}
	return text
}

// Bounds on session policies. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	maxSessionPolicy   = 2048
	maxSessionPolicies = 10
)

func packedTooLarge() error {
	return &apiError{http.StatusBadRequest, "PackedPolicyTooLarge", "Packed policy consumes 100% of allotted space, please use smaller policy."}
}
