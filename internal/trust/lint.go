package trust

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// Lint returns the reasons to refuse a trust policy for a machine: what would
// let a stranger in, and what no machine could meet. Each message names the
// statement. An empty result says that no rule objects, not that every
// principal is a wise choice.
func Lint(doc *iam.Document) []Problem {
	var problems []Problem
	for i, st := range doc.Statements {
		for _, rule := range rules {
			for _, p := range rule(st) {
				p.Msg = label(i, st) + " " + p.Msg
				problems = append(problems, p)
			}
		}
	}
	return problems
}

// label names a statement, by its place if it has no name.
func label(i int, st iam.Statement) string {
	if st.SID != "" {
		return "statement " + st.SID
	}
	return fmt.Sprintf("statement %d", i+1)
}

// rules judge one statement each. Those about opening the role look at Allow
// only: a Deny that matches more keeps more people out.
var rules = []func(iam.Statement) []Problem{
	refuseNotPrincipal,
	refuseNoPrincipal,
	refuseWildcardPrincipal,
	refuseOpenAccount,
	refuseMFA,
	refuseNoSubject,
	refuseNoAudience,
	refuseForAllValues,
	refuseIfExists,
	refuseLiteralWildcard,
	refuseWideSubject,
}

func one(msg, hint string) []Problem { return []Problem{{Msg: msg, Hint: hint}} }

func refuseNotPrincipal(st iam.Statement) []Problem {
	if st.NotPrincipal == nil {
		return nil
	}
	return one("uses NotPrincipal, which trusts or denies everyone but those it names", "name the principals with Principal")
}

func refuseNoPrincipal(st iam.Statement) []Problem {
	p := st.Principal
	if st.NotPrincipal != nil || p != nil && (p.Everyone || len(p.AWS)+len(p.Service)+len(p.Federated)+len(p.CanonicalUser) > 0) {
		return nil
	}
	return one("names no principal", "add the Principal that is trusted")
}

func refuseWildcardPrincipal(st iam.Statement) []Problem {
	if st.Effect != iam.Allow || st.Principal == nil {
		return nil
	}
	if st.Principal.Everyone || slices.Contains(st.Principal.AWS, "*") {
		return one(`trusts the principal "*": every AWS account in the world, and conditions are all that keeps them out`, "name the role, service or provider")
	}
	for _, names := range [][]string{st.Principal.AWS, st.Principal.Service, st.Principal.Federated} {
		for _, name := range names {
			if strings.ContainsAny(name, wildcards) {
				return one(fmt.Sprintf("trusts %q, but IAM takes no wildcard within a principal", name), "name each principal whole")
			}
		}
	}
	return nil
}

// narrowing are keys that tell a caller of an account from the others.
var narrowing = []string{"sts:externalid", "aws:principalorgid", "aws:principalorgpaths", "aws:principalarn", "aws:userid"}

func refuseOpenAccount(st iam.Statement) []Problem {
	if st.Effect != iam.Allow || st.Principal == nil {
		return nil
	}
	for _, arn := range st.Principal.AWS {
		if !accountARN().MatchString(arn) || slices.ContainsFunc(st.Conditions, narrows) {
			continue
		}
		return one(fmt.Sprintf("trusts the whole account %s without condition", strings.TrimSuffix(arn, ":root")), "name one role, or add sts:ExternalId or aws:PrincipalOrgID")
	}
	return nil
}

func narrows(c iam.Condition) bool {
	key := strings.ToLower(c.Key)
	return compares(c.Operator) && (slices.Contains(narrowing, key) || strings.HasPrefix(key, "aws:principaltag/"))
}

func refuseMFA(st iam.Statement) []Problem {
	for _, c := range st.Conditions {
		if strings.HasPrefix(strings.ToLower(c.Key), "aws:multifactorauth") {
			return one(fmt.Sprintf("has a condition on %s, but a machine has no second factor: it could never become the role", c.Key), "leave the condition out; keep MFA for roles of people")
		}
	}
	return nil
}

func refuseNoSubject(st iam.Statement) []Problem {
	for _, issuer := range issuers(st) {
		if !slices.ContainsFunc(st.Conditions, onClaim(issuer+":sub")) {
			return one(fmt.Sprintf("trusts %s without a condition on %s:sub: every user of the issuer could become the role", issuer, issuer), "add StringEquals "+issuer+":sub")
		}
	}
	return nil
}

func refuseNoAudience(st iam.Statement) []Problem {
	for _, issuer := range issuers(st) {
		exact := func(c iam.Condition) bool {
			return onClaim(issuer+":aud")(c) && !slices.ContainsFunc(c.Values, hasWildcard)
		}
		if !slices.ContainsFunc(st.Conditions, exact) {
			return one(fmt.Sprintf("trusts %s without an exact condition on %s:aud: tokens made for other services would pass", issuer, issuer), "add StringEquals "+issuer+":aud")
		}
	}
	return nil
}

// multivalued are the keys that a set operator is made for.
var multivalued = []string{"aws:tagkeys", "sts:transitivetagkeys", "aws:principalorgpaths"}

func refuseForAllValues(st iam.Statement) []Problem {
	for _, c := range st.Conditions {
		op, _ := iam.ParseOperator(c.Operator)
		if st.Effect == iam.Allow && op.Set == iam.ForAllValues && !slices.Contains(multivalued, strings.ToLower(c.Key)) {
			return one(fmt.Sprintf("tests %s with %s, which holds when the key is missing", c.Key, c.Operator), "use "+op.Name)
		}
	}
	return nil
}

func refuseIfExists(st iam.Statement) []Problem {
	for _, c := range st.Conditions {
		op, _ := iam.ParseOperator(c.Operator)
		if st.Effect == iam.Allow && op.IfExists && proves(st, c.Key) {
			return one(fmt.Sprintf("tests %s with %s, which holds when the key is missing", c.Key, c.Operator), "use "+op.Name)
		}
	}
	return nil
}

// proves reports whether the key says who or on whose behalf someone asks.
func proves(st iam.Statement, key string) bool {
	key = strings.ToLower(key)
	for _, issuer := range issuers(st) {
		if strings.HasPrefix(key, strings.ToLower(issuer)+":") {
			return true
		}
	}
	return slices.Contains(narrowing, key) || key == "aws:sourcearn" || key == "aws:sourceaccount" || key == "aws:sourceorgid"
}

func refuseLiteralWildcard(st iam.Statement) []Problem {
	for _, c := range st.Conditions {
		if name := plain(c.Operator); name != "StringEquals" && name != "StringEqualsIgnoreCase" {
			continue
		}
		if i := slices.IndexFunc(c.Values, hasWildcard); i >= 0 {
			return one(fmt.Sprintf("tests %s with %s against %q, where the wildcard is an ordinary character: nothing matches", c.Key, c.Operator, c.Values[i]), "write the value out")
		}
	}
	return nil
}

func refuseWideSubject(st iam.Statement) []Problem {
	for _, issuer := range issuers(st) {
		for _, c := range st.Conditions {
			if !strings.EqualFold(c.Key, issuer+":sub") || plain(c.Operator) != "StringLike" {
				continue
			}
			for _, pattern := range c.Values {
				if crossed := crosses(pattern); crossed != "" {
					return one(fmt.Sprintf("trusts the subject %q, which %s", pattern, crossed), "write the subject out, with a wildcard only within its last part")
				}
			}
		}
	}
	return nil
}

// crosses says what boundary a subject pattern crosses; "" if none. It knows
// the subjects of GitHub (repo:…) and GitLab (project_path:…).
func crosses(pattern string) string {
	first := strings.IndexAny(pattern, wildcards)
	if first < 0 {
		return ""
	}
	fixed := pattern[:first]
	form, rest, _ := strings.Cut(fixed, ":")
	place, context, complete := strings.Cut(rest, ":")
	github := form == "repo"
	switch {
	case fixed == "" || !strings.ContainsAny(fixed, ":/"):
		return "matches anyone's"
	case !github && form != "project_path":
		return ""
	case !strings.Contains(place, "/"):
		return "reaches other owners"
	case !complete:
		return "reaches other repositories"
	case github && !strings.HasPrefix(context, "ref:") && !strings.HasPrefix(context, "environment:"):
		return "takes in pull requests and every branch"
	}
	return ""
}

// issuers returns, for an Allow statement, the issuers of the OIDC providers
// it trusts, without "https://".
func issuers(st iam.Statement) []string {
	if st.Effect != iam.Allow || st.Principal == nil {
		return nil
	}
	var found []string
	for _, arn := range st.Principal.Federated {
		if _, issuer, ok := strings.Cut(arn, ":oidc-provider/"); ok {
			found = append(found, issuer)
		}
	}
	return found
}

// onClaim returns whether a condition binds the claim to values.
func onClaim(key string) func(iam.Condition) bool {
	return func(c iam.Condition) bool {
		return strings.EqualFold(c.Key, key) && compares(c.Operator) && len(c.Values) > 0
	}
}

// compares reports whether the operator holds only for values like the given
// ones: Null and the negated operators do not.
func compares(operator string) bool {
	switch plain(operator) {
	case "StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike":
		return true
	}
	return false
}

// plain returns the operator without set prefix and IfExists, in AWS's
// spelling; "" if AWS has no such operator.
func plain(operator string) string {
	op, _ := iam.ParseOperator(operator)
	return op.Name
}

// hasWildcard reports a wildcard that is not written as the literal ${*}.
func hasWildcard(value string) bool {
	return strings.ContainsAny(strings.NewReplacer("${*}", "", "${?}", "").Replace(value), wildcards)
}
