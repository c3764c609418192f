package trust

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/action"
	"github.com/postern-dev/postern/iam/eval"
)

// Token is an identity that an OIDC token proves.
type Token interface {
	Identity
	// Tokens says what is asked of the identity's tokens and what they are.
	Tokens(Scope) Tokens
}

// Tokens are the tokens of one identity: what a trust policy asks of them, what
// is fixed in them beyond that, and one of them.
type Tokens struct {
	Issuer    string   // as IAM spells it, in provider ARNs and condition keys: without "https://"
	Audiences []string // any of them; the provider in the account must list them too
	Subjects  []string // any of them; a "*" stands for text
	Pins      []Claim  // what must hold beside them
	Tags      []Claim  // session tags that the token must carry, with these values
	Wide      bool     // the spec's own wildcard: many branches, tags or the like, present and future
	Sample    Claims   // a token that must pass
	Known     Known
}

// Claim is a claim of a token, or a session tag in it, with its value.
type Claim struct{ Name, Value string }

// TokensOf returns the tokens that prove the identity to a role in s; ok is
// false if no token does.
func TokensOf(id Identity, s Scope) (tokens Tokens, ok bool) {
	t, ok := id.(Token)
	if !ok {
		return Tokens{}, false
	}
	return t.Tokens(s), true
}

// Wide reports whether an identity stands for many things by a wildcard in the
// spec: whoever may make one of them is trusted.
func Wide(id Identity) bool {
	tokens, ok := TokensOf(id, Scope{Partition: "aws"})
	return ok && tokens.Wide
}

// Audience is what AWS's own action asks for as the audience of a token for STS
// of the partition. It ties a token to AWS, not to an account: any job may ask
// for it.
//
// https://github.com/aws-actions/configure-aws-credentials#oidc-audience
func Audience(partition string) string {
	return "sts." + suffix(partition)
}

// ProviderARN names the OIDC provider of the issuer in the scope's account.
func ProviderARN(s Scope, issuer string) string {
	return fmt.Sprintf("arn:%s:iam::%s:oidc-provider/%s", s.Partition, s.Account, issuer)
}

const (
	withToken  = "sts:AssumeRoleWithWebIdentity"
	tagSession = "sts:TagSession"
)

// statement is the one shape that trust in tokens has: exact audience, subjects
// compared exactly unless they are patterns, and all pins beside them in the same
// statement.
func (t Tokens) statement(s Scope) iam.Statement {
	subject := equals(t.Issuer+":sub", t.Subjects...)
	if slices.ContainsFunc(t.Subjects, hasWildcard) {
		subject.Operator = "StringLike"
	}
	st := iam.Statement{
		Effect:     iam.Allow,
		Principal:  &iam.Principal{Federated: []string{ProviderARN(s, t.Issuer)}},
		Actions:    t.actions(),
		Conditions: []iam.Condition{equals(t.Issuer+":aud", t.Audiences...), subject},
	}
	for _, pin := range t.Pins {
		st.Conditions = append(st.Conditions, comparing(t.Issuer+":"+pin.Name, pin.Value))
	}
	for _, tag := range t.Tags {
		st.Conditions = append(st.Conditions, comparing("aws:RequestTag/"+tag.Name, tag.Value))
	}
	return st
}

func (t Tokens) actions() []string {
	if len(t.Tags) > 0 {
		return []string{withToken, tagSession}
	}
	return []string{withToken}
}

// asked is Known for identities of which nothing is fixed beyond what is asked.
func (t Tokens) asked() Known {
	var known Known
	for _, subject := range t.Subjects {
		claims := map[string]string{"sub": subject}
		for _, pin := range t.Pins {
			claims[pin.Name] = pin.Value
		}
		known.Forms = append(known.Forms, keysOf(t.Issuer, claims))
	}
	return known
}

// comparing is a condition on one value, which is a pattern if it has a "*".
func comparing(key, value string) iam.Condition {
	c := equals(key, value)
	if hasWildcard(value) {
		c.Operator = "StringLike"
	}
	return c
}

// caller is who presents a token of these claims to a role in s.
func (c Claims) caller(s Scope) Caller {
	caller := Caller{
		Principal: eval.Principal{Kind: eval.WebIdentity, ARN: ProviderARN(s, c.issuer()), Account: s.Account},
		Actions:   []string{withToken}, Keys: c.Context(), Claims: c,
	}
	if len(c.tags()) > 0 {
		caller.Actions = append(caller.Actions, tagSession)
	}
	return caller
}

// Claims are the claims of an OIDC token by name, without the times, which
// whoever signs the token adds.
type Claims map[string]any

// tagsClaim is where a token carries session tags.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_adding-assume-role-idp
const tagsClaim = "https://aws.amazon.com/tags"

// withTags returns a copy that carries session tags.
func (c Claims) withTags(tags ...Claim) Claims {
	principal := map[string]any{}
	for _, tag := range tags {
		principal[tag.Name] = []any{tag.Value}
	}
	tagged := maps.Clone(c)
	tagged[tagsClaim] = map[string]any{"principal_tags": principal}
	return tagged
}

func (c Claims) tags() map[string]any {
	all, _ := c[tagsClaim].(map[string]any)
	principal, _ := all["principal_tags"].(map[string]any)
	return principal
}

// Context returns the condition keys that STS derives from the token when it
// judges a trust policy: "token.actions.githubusercontent.com:sub" and so on.
// Claims that AWS offers as no key of the issuer are left out: a condition on
// them never holds.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
func (c Claims) Context() map[string][]string {
	context := map[string][]string{}
	for claim, value := range c {
		if text, ok := value.(string); ok && text != "" && Offered(c.issuer(), claim) {
			context[c.issuer()+":"+claim] = []string{text}
		}
	}
	for tag, value := range c.tags() {
		if list, ok := value.([]any); ok && len(list) == 1 {
			text, _ := list[0].(string)
			context["aws:RequestTag/"+tag] = []string{text}
			context["aws:TagKeys"] = append(context["aws:TagKeys"], tag)
		}
	}
	slices.Sort(context["aws:TagKeys"])
	return context
}

// Offered reports whether AWS makes a condition key of the claim of an issuer's
// tokens: of aud and sub always, of others for issuers that it knows.
func Offered(issuer, claim string) bool {
	if claim == "aud" || claim == "sub" {
		return true
	}
	sts, ok := action.ServiceByPrefix("sts")
	if !ok {
		return false
	}
	_, listed := sts.ConditionKey(issuer + ":" + claim)
	return listed
}

func (c Claims) issuer() string { return strings.TrimPrefix(c.text("iss"), "https://") }

func (c Claims) text(claim string) string {
	v, _ := c[claim].(string)
	return v
}

// with returns a copy with other values for some claims; "" drops the claim.
func (c Claims) with(changes map[string]string) Claims {
	changed := maps.Clone(c)
	for claim, value := range changes {
		if value == "" {
			delete(changed, claim)
			continue
		}
		changed[claim] = value
	}
	return changed
}

// forgery is a token that must not pass.
type forgery struct {
	name, why string
	claims    Claims
}

// attacks are the forgeries of a kind, and those that every kind has: the right
// token for another service, whose usual audience is elsewhere ("": the issuer has one
// audience only), and without what the trust policy asks of it.
func (t Tokens) attacks(s Scope, elsewhere string, forged []forgery) []Attack {
	if elsewhere != "" {
		forged = append(forged, forgery{"a wrong audience", "a token that the job handed to another service; a trust without aud lets it in", t.Sample.with(map[string]string{"aud": elsewhere})})
	}
	forged = append(forged,
		forgery{"no subject", "ForAllValues and IfExists hold when the claim is missing", t.Sample.with(map[string]string{"sub": ""})},
	)
	for _, pin := range t.Pins {
		forged = append(forged, forgery{"no " + pin.Name, "ForAllValues and IfExists hold when the claim is missing", t.Sample.with(map[string]string{pin.Name: ""})})
	}
	for i, tag := range t.Tags {
		without := t.Sample.withTags(slices.Delete(slices.Clone(t.Tags), i, i+1)...)
		forged = append(forged, forgery{"no session tag " + tag.Name, "whoever asks for the token decides which tags it carries; IfExists holds without", without})
	}
	var attacks []Attack
	for _, f := range forged {
		attacks = append(attacks, Attack{f.name, f.why, f.claims.caller(s)})
	}
	return attacks
}

// keysOf names claims as condition keys of an issuer, without those that AWS
// offers no key for and those without value.
func keysOf(issuer string, claims map[string]string) map[string]string {
	keys := map[string]string{}
	for claim, value := range claims {
		if value != "" && Offered(issuer, claim) {
			keys[issuer+":"+claim] = value
		}
	}
	return keys
}
