package trust

import (
	"maps"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

// Caller is the role, with the external id that it states.
func (r AWSRole) Caller(Scope) Caller {
	return assuming(eval.Role, r.ARN, externalIDKeys(r.ExternalID))
}

// Attackers are other principals that have a name like the role's, and callers
// who make the role ask on behalf of somebody else.
func (r AWSRole) Attackers(s Scope) []Attack {
	return append(r.Caller(s).namesakes("role"), r.Caller(s).deputies(r.ExternalID)...)
}

// Caller is the user.
func (u AWSUser) Caller(Scope) Caller { return assuming(eval.User, u.ARN, nil) }

// Attackers are other principals that have a name like the user's.
func (u AWSUser) Attackers(s Scope) []Attack { return u.Caller(s).namesakes("user") }

// Caller is some role of the account.
func (a AWSAccount) Caller(s Scope) Caller {
	keys := externalIDKeys(a.ExternalID)
	if a.OrgID != "" {
		keys["aws:PrincipalOrgID"] = []string{a.OrgID}
	}
	return assuming(eval.Role, iam.ARN{Partition: s.Partition, Service: "iam", Account: a.ID, Resource: "role/deploy"}.String(), keys)
}

// Attackers come from another account or organisation, or on behalf of
// somebody else.
func (a AWSAccount) Attackers(s Scope) []Attack {
	right := a.Caller(s)
	stranger := right
	stranger.Principal = inAccount(right.Principal, otherAccount(a.ID))
	attacks := append([]Attack{{"another account", "anyone can open one, and learn what the right one presents", stranger}}, right.deputies(a.ExternalID)...)
	if a.OrgID != "" {
		left := right.withKey("aws:PrincipalOrgID", "o-mallory0000")
		attacks = append(attacks, Attack{"the account in another organisation", "an account that was sold or left; a trust in its number alone lets it in", left})
	}
	return attacks
}

// assuming is a principal of AWS that asks for a role.
func assuming(kind eval.PrincipalKind, arn string, keys map[string][]string) Caller {
	return Caller{Principal: eval.Principal{Kind: kind, ARN: arn, Account: accountOf(arn)}, Actions: assumeRole, Keys: keys}
}

func externalIDKeys(id string) map[string][]string {
	keys := map[string][]string{}
	if id != "" {
		keys["sts:ExternalId"] = []string{id}
	}
	return keys
}

// namesakes are principals of the caller's kind, "role" or "user", that a
// careless pattern or a trust in the whole account lets in.
func (c Caller) namesakes(kind string) []Attack {
	another := func(change func(string) string) Caller {
		moved := c
		moved.Principal.ARN = change(c.Principal.ARN)
		return moved
	}
	last := strings.LastIndex(c.Principal.ARN, "/") + 1
	elsewhere := c
	elsewhere.Principal = inAccount(c.Principal, otherAccount(c.Principal.Account))
	return []Attack{
		{"another " + kind + " of the account", "whoever may make one there; a trust in the account's root lets it in", another(func(arn string) string { return arn[:last] + other("mallory", arn[last:]) })},
		{"a " + kind + " whose name begins alike", "whoever may make one there; aws:PrincipalArn with a * at its end lets it in", another(func(arn string) string { return arn + "-evil" })},
		{"the same name under another path", "whoever may make one there; a * for the path lets it in", another(func(arn string) string { return arn[:last] + "mallory/" + arn[last:] })},
		{"the same name in another account", "anyone can open an account; a * for the account lets it in", elsewhere},
	}
}

// deputies are the right caller without the external id, or with the one that
// it has for another customer; none if no external id is asked for.
func (c Caller) deputies(externalID string) []Attack {
	if externalID == "" {
		return nil
	}
	return []Attack{
		{"the right caller without external id", "whoever makes it act on their behalf: the confused deputy", c.withKey("sts:ExternalId", "")},
		{"the right caller for another customer", "another of its customers, who names this role as their own", c.withKey("sts:ExternalId", externalID+"-2")},
	}
}

// withKey returns a copy with another value of a condition key; "" drops it.
func (c Caller) withKey(key, value string) Caller {
	c.Keys = maps.Clone(c.Keys)
	if c.Keys == nil {
		c.Keys = map[string][]string{}
	}
	if value == "" {
		delete(c.Keys, key)
		return c
	}
	c.Keys[key] = []string{value}
	return c
}

func inAccount(p eval.Principal, account string) eval.Principal {
	p.ARN = strings.Replace(p.ARN, ":"+p.Account+":", ":"+account+":", 1)
	p.Account = account
	return p
}

// otherAccount is an account that is not the given one.
func otherAccount(id string) string {
	if id == "999999999999" {
		return "888888888888"
	}
	return "999999999999"
}
