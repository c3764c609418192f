package trust

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// RolesAnywhere is a machine outside AWS that an X.509 certificate proves. The
// trust anchor says which CA vouches for it; the certificate's names, which the
// service passes as tags of the session, say which machine it is. A trust in
// the anchor alone lets in every certificate of the CA, and one without it every
// anchor of the account. A profile's attribute mapping must not leave out what
// is asked for here. The tags of subject alternative names are not verified for
// certificates that have several.
//
// https://docs.aws.amazon.com/rolesanywhere/latest/userguide/trust-model.html
// https://docs.aws.amazon.com/rolesanywhere/latest/userguide/attribute-mapping-and-trust-policy.html
type RolesAnywhere struct {
	TrustAnchor        string // arn:PARTITION:rolesanywhere:REGION:ACCOUNT:trust-anchor/UUID
	CommonName         string // CN of the subject
	OrganizationalUnit string // OU of the subject
	Organization       string // O of the subject
	IssuerCommonName   string // CN of the issuer, where the anchor has several CAs below it
	URI                string // subject alternative name, such as a SPIFFE id
	DNS                string // subject alternative name
}

// Kind is "roles_anywhere".
func (RolesAnywhere) Kind() string { return "roles_anywhere" }

// Describe names the machine's certificate.
func (r RolesAnywhere) Describe() string {
	var names []string
	for _, tag := range r.tags() {
		names = append(names, strings.TrimPrefix(tag.Name, "x509")+"="+tag.Value)
	}
	return "certificate " + strings.Join(names, ", ")
}

// certified is one name in the certificate: a field here, a tag of the session.
type certified struct{ field, tag, value string }

func (r RolesAnywhere) names() []certified {
	return slices.DeleteFunc([]certified{
		{"common_name", "x509Subject/CN", r.CommonName},
		{"organizational_unit", "x509Subject/OU", r.OrganizationalUnit},
		{"organization", "x509Subject/O", r.Organization},
		{"issuer_common_name", "x509Issuer/CN", r.IssuerCommonName},
		{"uri", "x509SAN/URI", r.URI},
		{"dns", "x509SAN/DNS", r.DNS},
	}, func(n certified) bool { return n.value == "" })
}

// tags are the tags of the session that tell the certificate.
func (r RolesAnywhere) tags() []Claim {
	var tags []Claim
	for _, n := range r.names() {
		tags = append(tags, Claim{n.tag, n.value})
	}
	return tags
}

func anywhere() []string { return []string{"sts:AssumeRole", tagSession, "sts:SetSourceIdentity"} }

func (r RolesAnywhere) statement(s Scope) iam.Statement {
	st := iam.Statement{
		Effect:     iam.Allow,
		Principal:  &iam.Principal{Service: []string{r.principal(s)}},
		Actions:    anywhere(),
		Conditions: []iam.Condition{{Operator: "ArnEquals", Key: "aws:SourceArn", Values: []string{r.TrustAnchor}}},
	}
	for _, tag := range r.tags() {
		st.Conditions = append(st.Conditions, equals("aws:PrincipalTag/"+tag.Name, tag.Value))
	}
	return st
}

// principal is the service in every partition that has it.
func (RolesAnywhere) principal(Scope) string { return "rolesanywhere." + suffix("aws") }

func (r RolesAnywhere) known() Known {
	form := map[string]string{"aws:SourceArn": r.TrustAnchor}
	for _, tag := range r.tags() {
		form["aws:PrincipalTag/"+tag.Name] = tag.Value
	}
	return Known{Forms: []map[string]string{form}}
}

// Caller is the service for the machine's certificate.
func (r RolesAnywhere) Caller(s Scope) Caller {
	c := serving(r.principal(s))
	c.Actions = anywhere()
	for key, value := range r.known().Forms[0] {
		c = c.withKey(key, value)
	}
	if r.CommonName != "" {
		c = c.withKey("sts:SourceIdentity", r.CommonName)
	}
	return c.withKey("aws:SourceAccount", accountOf(r.TrustAnchor))
}

// Attackers are other certificates of the CA, and other CAs.
func (r RolesAnywhere) Attackers(s Scope) []Attack {
	anchor, _, _ := strings.Cut(r.TrustAnchor, "trust-anchor/")
	right := r.Caller(s)
	attacks := []Attack{
		{
			"another trust anchor", "whoever may make one in the account: its CA signs any name; a trust without aws:SourceArn lets it in",
			right.withKey("aws:SourceArn", anchor+"trust-anchor/"+otherUUID(strings.TrimPrefix(r.TrustAnchor, anchor+"trust-anchor/"))),
		},
		{
			"a trust anchor of another account", "anyone can have one; a trust without aws:SourceArn is all that keeps it out",
			right.withKey("aws:SourceArn", strings.Replace(r.TrustAnchor, accountOf(r.TrustAnchor), otherAccount(accountOf(r.TrustAnchor)), 1)),
		},
	}
	for _, tag := range r.tags() {
		key := "aws:PrincipalTag/" + tag.Name
		attacks = append(attacks,
			Attack{"a certificate with another " + tag.Name, "whoever gets one from the CA; a trust in the anchor alone lets it in", right.withKey(key, other("mallory", tag.Value))},
			Attack{"a certificate whose " + tag.Name + " begins alike", "whoever gets one from the CA; a * after the name lets it in", right.withKey(key, evil(tag.Value))},
			Attack{"a certificate without " + tag.Name, "whoever gets one, or maps the attributes of a profile; IfExists holds without", right.withKey(key, "")},
		)
	}
	return attacks
}

var anchorARN = lazily(`^arn:(?:aws|aws-us-gov|aws-cn):rolesanywhere:[a-z0-9-]+:[0-9]{12}:trust-anchor/[0-9a-f-]{36}$`)

// Check refuses an anchor alone: the CA may sign for other machines too.
func (r RolesAnywhere) Check() []Problem {
	var problems []Problem
	const form = "write arn:aws:rolesanywhere:REGION:ACCOUNT:trust-anchor/ID; aws rolesanywhere list-trust-anchors prints it"
	switch {
	case r.TrustAnchor == "":
		problems = append(problems, Problem{Field: "trust_anchor", Msg: "is missing: every CA of the account could vouch for the name", Hint: form})
	case !anchorARN().MatchString(r.TrustAnchor):
		problems = append(problems, Problem{Field: "trust_anchor", Msg: fmt.Sprintf("%q is not the ARN of a trust anchor", r.TrustAnchor), Hint: form})
	}
	if r.CommonName == "" && r.URI == "" && r.DNS == "" {
		problems = append(problems, Problem{Field: "common_name", Msg: "is missing: every certificate of the CA would be trusted", Hint: "add common_name, uri or dns of the machine's certificate"})
	}
	for _, n := range r.names() {
		problems = append(problems, checkText(n.field, n.value)...)
	}
	return problems
}

func (r RolesAnywhere) checkIn(s Scope) []Problem {
	return checkHome(s, "trust_anchor", r.TrustAnchor, "an anchor serves roles of its own account")
}
