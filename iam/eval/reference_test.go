package eval_test

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

// reference is a second evaluator, written from AWS's pages for reading, not
// for speed: no compilation, no shortcuts, one sentence of the documentation
// after the other. It takes only what Compile takes without an error.
type reference struct {
	request *eval.Request
	context map[string][]string // keys in lower case
}

// referenceLayers are the documents of one decision.
type referenceLayers struct {
	identity, boundary, session, endpoint []*iam.Document
	scp, rcp                              [][]*iam.Document
	resource                              *iam.Document
	trust                                 bool
	org                                   eval.Organization
}

// sure is an answer, or doubt: what AWS's pages do not say.
type sure int

const (
	isNot sure = iota - 1
	isDoubt
	is
)

func sureOf(b bool) sure {
	if b {
		return is
	}
	return isNot
}

func (ref reference) decide(l referenceLayers) eval.Decision {
	p := ref.request.Principal
	owner := ref.request.ResourceAccount
	if owner == "" {
		owner = p.Account
	}
	aws := slices.Contains([]eval.PrincipalKind{eval.Root, eval.User, eval.Role, eval.RoleSession, eval.FederatedUser}, p.Kind)
	linked := strings.Contains(p.ARN+p.RoleARN, "aws-service-role")
	managed := func(account string) bool { return account != "" && account == l.org.Management }
	scpBinds := aws && !linked && !managed(p.Account) && !l.org.PrincipalOutside
	service := strings.ToLower(strings.Split(ref.request.Action, ":")[0])
	rcpBinds := !linked && !managed(owner) && !l.org.ResourceOutside && slices.Contains(eval.DefaultRCPServices(), service)

	// "An explicit deny in any of these policies overrides the allow."
	denying := slices.Concat(l.identity, l.boundary, l.session, l.endpoint)
	if scpBinds {
		denying = append(denying, slices.Concat(l.scp...)...)
	}
	if rcpBinds {
		denying = append(denying, slices.Concat(l.rcp...)...)
	}
	if l.resource != nil {
		denying = append(denying, l.resource)
	}
	for _, doc := range denying {
		for _, s := range doc.Statements {
			if s.Effect == iam.Deny && ref.matches(doc, s, len(l.boundary) > 0) {
				return eval.ExplicitDeny
			}
		}
	}

	allowed := true
	require := func(b bool) { allowed = allowed && b }
	toPrincipal, toRole, toAccount := ref.granted(l.resource)
	granted := toPrincipal || toRole || toAccount
	crossAccount := owner != p.Account
	if !aws || crossAccount || l.trust || l.resource != nil && ref.trusted() {
		require(granted)
	}
	if aws {
		excusesIdentity := !crossAccount && (toPrincipal || toRole)
		excusesLimits := !crossAccount && toPrincipal
		require(ref.allowed(l.identity) || excusesIdentity || p.Kind == eval.Root)
		require(len(l.boundary) == 0 || ref.allowed(l.boundary) || excusesLimits)
		require(len(l.session) == 0 && p.Kind != eval.FederatedUser || ref.allowed(l.session) || excusesLimits)
	}
	require(len(l.endpoint) == 0 || ref.allowed(l.endpoint))
	for _, level := range l.scp {
		require(!scpBinds || ref.allowed(level))
	}
	require(ref.taken())
	if allowed {
		return eval.Allowed
	}
	return eval.ImplicitDeny
}

// taken says whether AWS takes the call from such a principal at all: a token
// is for the call that turns it into a session, and for what goes with that.
func (ref reference) taken() bool {
	ownCalls := map[eval.PrincipalKind]string{eval.WebIdentity: "sts:assumerolewithwebidentity", eval.SAML: "sts:assumerolewithsaml"}
	own, bearer := ownCalls[ref.request.Principal.Kind]
	switch action := strings.ToLower(ref.request.Action); action {
	case "sts:assumerole":
		return slices.Contains([]eval.PrincipalKind{eval.User, eval.Role, eval.RoleSession, eval.Service}, ref.request.Principal.Kind)
	case "sts:assumerolewithwebidentity", "sts:assumerolewithsaml":
		return action == own || ref.request.Principal.Kind == eval.Anonymous
	case "sts:tagsession", "sts:setsourceidentity":
		return !bearer || strings.Contains(ref.request.Resource, ":role/")
	}
	return !bearer
}

// trusted says whether the trust policy of a role must allow, whatever else does.
func (ref reference) trusted() bool {
	action, toRole := strings.ToLower(ref.request.Action), strings.Contains(ref.request.Resource, ":role/")
	return strings.HasPrefix(action, "sts:assumerole") || (action == "sts:tagsession" || action == "sts:setsourceidentity") && toRole
}

func (ref reference) allowed(docs []*iam.Document) bool {
	for _, doc := range docs {
		for _, s := range doc.Statements {
			if s.Effect == iam.Allow && ref.matches(doc, s, false) {
				return true
			}
		}
	}
	return false
}

// granted tells how the resource's policy names the principal.
func (ref reference) granted(doc *iam.Document) (toPrincipal, toRole, toAccount bool) {
	if doc == nil {
		return false, false, false
	}
	for _, s := range doc.Statements {
		if s.Effect != iam.Allow || s.Principal == nil || !ref.matches(doc, s, false) {
			continue
		}
		for _, how := range ref.names(s.Principal) {
			toPrincipal = toPrincipal || how == "principal"
			toRole = toRole || how == "role"
			toAccount = toAccount || how == "account"
		}
	}
	return toPrincipal, toRole, toAccount
}

// names lists in what capacities a Principal element names the requester.
func (ref reference) names(element *iam.Principal) []string {
	p := ref.request.Principal
	if element.Everyone {
		return []string{"principal"}
	}
	var out []string
	switch p.Kind {
	case eval.Service:
		if slices.Contains(element.Service, p.ARN) || slices.Contains(element.AWS, "*") {
			out = append(out, "principal")
		}
		return out
	case eval.WebIdentity, eval.SAML:
		if slices.Contains(element.Federated, p.ARN) {
			out = append(out, "principal")
		}
		return out
	}
	for _, name := range element.AWS {
		account, _ := strings.CutSuffix(strings.TrimPrefix(name, "arn:aws:iam::"), ":root")
		switch {
		case name == "*", name == p.ARN && p.Kind != eval.Role && p.Kind != eval.Root:
			out = append(out, "principal")
		case p.Kind == eval.Anonymous:
		case name == p.ARN && p.Kind == eval.Role, p.RoleARN != "" && name == p.RoleARN, p.UserARN != "" && name == p.UserARN:
			out = append(out, "role")
		case account == p.Account:
			out = append(out, "account")
		}
	}
	return out
}

// isFor says whether a statement is for the requester.
func (ref reference) isFor(s iam.Statement, bounded bool) bool {
	p := ref.request.Principal
	aws := p.Kind != eval.Service && p.Kind != eval.WebIdentity && p.Kind != eval.SAML
	switch {
	case s.NotPrincipal != nil:
		// "NotPrincipal with Deny will always deny any IAM principal that has a
		// permissions boundary." Else account, role and session must all be listed.
		if bounded && aws && p.Kind != eval.Anonymous {
			return true
		}
		how := ref.names(s.NotPrincipal)
		if !aws {
			return !s.NotPrincipal.Everyone && !slices.Contains(slices.Concat(s.NotPrincipal.Service, s.NotPrincipal.Federated), p.ARN)
		}
		if slices.Contains(s.NotPrincipal.AWS, "*") || s.NotPrincipal.Everyone {
			return false
		}
		listed := slices.Contains(how, "account")
		if p.Kind != eval.Root {
			listed = listed && slices.Contains(s.NotPrincipal.AWS, p.ARN)
		}
		if p.Kind == eval.RoleSession {
			listed = listed && slices.Contains(s.NotPrincipal.AWS, p.RoleARN)
		}
		return !listed
	case s.Principal == nil:
		return true
	case len(ref.names(s.Principal)) > 0:
		return true
	}
	// Whether {"AWS": "*"} takes in identities of tokens is not said: a Deny does.
	return s.Effect == iam.Deny && slices.Contains(s.Principal.AWS, "*")
}

func (ref reference) matches(doc *iam.Document, s iam.Statement, bounded bool) bool {
	action := func(pattern string) bool {
		return slowMatch(plainPattern(strings.ToLower(pattern)), []rune(strings.ToLower(ref.request.Action)))
	}
	switch {
	case s.Actions != nil && !slices.ContainsFunc(s.Actions, action),
		s.NotActions != nil && slices.ContainsFunc(s.NotActions, action),
		!ref.isFor(s, bounded):
		return false
	}
	all := is
	if s.Resources != nil {
		all = ref.anyText(doc, s.Resources, ref.request.Resource, true)
	}
	if s.NotResources != nil {
		all = -ref.anyTextKeptOut(doc, s.NotResources, ref.request.Resource, true)
	}
	for _, c := range s.Conditions {
		all = min(all, ref.holds(doc, c))
	}
	return all == is || all == isDoubt && s.Effect == iam.Deny
}

func (ref reference) holds(doc *iam.Document, c iam.Condition) sure {
	values, present := ref.context[strings.ToLower(c.Key)]
	set, name, hasSet := strings.Cut(c.Operator, ":")
	if !hasSet {
		set, name = "", c.Operator
	}
	name, ifExists := strings.CutSuffix(name, "IfExists")
	plain := strings.Replace(name, "Not", "", 1)
	negated := plain != name && name != "Null"
	if name == "Null" {
		return sureOf(slices.ContainsFunc(c.Values, func(v string) bool { return strings.EqualFold(v, "true") != present }))
	}
	one := func(value string) sure {
		if negated {
			return -ref.relates(doc, plain, c.Values, value, true)
		}
		return ref.relates(doc, plain, c.Values, value, false)
	}
	nothing := !present || len(values) == 1 && values[0] == ""
	switch {
	case set == "ForAllValues":
		out := is
		for _, v := range values {
			if !nothing {
				out = min(out, one(v))
			}
		}
		return out
	case set == "ForAnyValue" && !present && ifExists:
		return isDoubt
	case set == "ForAnyValue":
		out := isNot
		for _, v := range values {
			if !nothing {
				out = max(out, one(v))
			}
		}
		return out
	case !present:
		return sureOf(ifExists || negated)
	}
	for _, v := range values {
		if one(v) != one(values[0]) {
			return isDoubt // several values without a set operator
		}
	}
	return one(values[0])
}

// relates compares one value with the policy's, of which one is enough.
func (ref reference) relates(doc *iam.Document, operator string, policy []string, value string, keptOut bool) sure {
	text := ref.anyText
	if keptOut {
		text = ref.anyTextKeptOut
	}
	switch operator {
	case "StringEquals":
		return text(doc, policy, value, false)
	case "StringLike":
		return text(doc, policy, value, true)
	case "StringEqualsIgnoreCase", "Bool":
		var folded []string
		for _, p := range policy {
			folded = append(folded, strings.ToLower(p))
		}
		return reference{ref.request, lowerAll(ref.context)}.anyText2(doc, folded, strings.ToLower(value), keptOut)
	case "ArnEquals", "ArnLike":
		out := isNot
		for _, p := range policy {
			out = max(out, ref.arnMatches(doc, p, value, keptOut))
		}
		return out
	case "BinaryEquals":
		got, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			return isDoubt
		}
		return sureOf(slices.ContainsFunc(policy, func(p string) bool {
			want, _ := base64.StdEncoding.DecodeString(p)
			return string(want) == string(got)
		}))
	case "IpAddress":
		return addressIn(policy, value)
	}
	return compares(operator, policy, value)
}

func lowerAll(context map[string][]string) map[string][]string {
	out := map[string][]string{}
	for key, values := range context {
		for _, v := range values {
			out[key] = append(out[key], strings.ToLower(v))
		}
	}
	return out
}

func (ref reference) anyText2(doc *iam.Document, policy []string, value string, keptOut bool) sure {
	if keptOut {
		return ref.anyTextKeptOut(doc, policy, value, false)
	}
	return ref.anyText(doc, policy, value, false)
}
