package eval

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Model is what is known of a request's surroundings, from which the condition
// keys follow that AWS puts into every request. What is left zero gives no key.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
type Model struct {
	// Of the principal.
	UserID         string            // aws:userid: "AIDA…", "AROA…:session", "ACCOUNT:name", the account of root
	PrincipalTags  map[string]string // of the user, or of the session: the role's and those passed
	PrincipalOrg   string            // "o-…"
	PrincipalPaths []string          // aws:PrincipalOrgPaths: "o-…/r-…/ou-…/"
	Issued         time.Time         // of temporary credentials
	MFA            *bool             // of temporary credentials and console sessions
	SourceIdentity string
	Federated      string // provider of the session

	// Of the resource.
	ResourceOrg   string
	ResourcePaths []string
	ResourceTags  map[string]string

	// Of the request.
	Now            time.Time
	SourceIP       string // absent by AWS's rule if Endpoint is set
	VPC            string
	Endpoint       string // "vpce-…"
	VPCSourceIP    string
	Region         string
	UserAgent      string
	Plain          bool              // not over TLS
	Tags           map[string]string // passed with the request
	SourceARN      string            // on whose behalf a service calls
	SourceAccount  string
	CalledVia      []string // services in between, first to last
	ServiceCalling bool     // a service makes the call for the principal, with its credentials
}

// Context returns the condition keys that follow from the model and from who
// asks for what. Keys that stand in given have the last word.
func (m *Model) Context(r *Request, given map[string][]string) Context {
	return NewContext(m.Keys(r, given))
}

// Keys are the keys and values of Context.
func (m *Model) Keys(r *Request, given map[string][]string) map[string][]string {
	keys := PrincipalContext(r.Principal)
	m.ofPrincipal(r, keys)
	m.ofResource(r, keys)
	m.ofRequest(r, keys)
	lower := map[string]bool{}
	for key := range given {
		lower[strings.ToLower(key)] = true
	}
	maps.DeleteFunc(keys, func(key string, _ []string) bool { return lower[strings.ToLower(key)] })
	maps.Copy(keys, given)
	return keys
}

// setter puts the values that are there into a map.
type setter map[string][]string

func (s setter) text(key, value string) {
	if value != "" {
		s[key] = []string{value}
	}
}

func (s setter) list(key string, values []string) {
	if len(values) > 0 {
		s[key] = slices.Clone(values)
	}
}

func (s setter) tags(prefix string, tags map[string]string) {
	for key, value := range tags {
		s[prefix+key] = []string{value}
	}
}

func (m *Model) ofPrincipal(r *Request, keys setter) {
	p := &r.Principal
	keys.text("aws:userid", m.UserID)
	if p.Kind == Root && m.UserID == "" {
		keys.text("aws:userid", p.Account)
	}
	keys.tags("aws:PrincipalTag/", m.PrincipalTags)
	keys.text("aws:PrincipalOrgID", m.PrincipalOrg)
	keys.list("aws:PrincipalOrgPaths", m.PrincipalPaths)
	keys.text("aws:SourceIdentity", m.SourceIdentity)
	keys.text("aws:FederatedProvider", m.Federated)
	if !m.Issued.IsZero() {
		keys.text("aws:TokenIssueTime", m.Issued.UTC().Format(time.RFC3339))
	}
	if m.MFA != nil {
		keys.text("aws:MultiFactorAuthPresent", strconv.FormatBool(*m.MFA))
	}
	if p.Kind.isAWS() {
		keys.text("aws:ViaAWSService", strconv.FormatBool(m.ServiceCalling))
	}
}

func (m *Model) ofResource(r *Request, keys setter) {
	if r.Resource != "*" {
		keys.text("aws:ResourceAccount", r.owner())
	}
	keys.text("aws:ResourceOrgID", m.ResourceOrg)
	keys.list("aws:ResourceOrgPaths", m.ResourcePaths)
	keys.tags("aws:ResourceTag/", m.ResourceTags)
}

func (m *Model) ofRequest(r *Request, keys setter) {
	if !m.Now.IsZero() {
		keys.text("aws:CurrentTime", m.Now.UTC().Format(time.RFC3339))
		keys.text("aws:EpochTime", strconv.FormatInt(m.Now.Unix(), 10))
	}
	if m.Endpoint == "" {
		keys.text("aws:SourceIp", m.SourceIP)
	}
	keys.text("aws:SourceVpc", m.VPC)
	keys.text("aws:SourceVpce", m.Endpoint)
	keys.text("aws:VpcSourceIp", m.VPCSourceIP)
	keys.text("aws:RequestedRegion", m.Region)
	keys.text("aws:UserAgent", m.UserAgent)
	keys.text("aws:SecureTransport", strconv.FormatBool(!m.Plain))
	keys.tags("aws:RequestTag/", m.Tags)
	keys.list("aws:TagKeys", slices.Sorted(maps.Keys(m.Tags)))
	keys.text("aws:SourceArn", m.SourceARN)
	keys.text("aws:SourceAccount", m.SourceAccount)
	if len(m.CalledVia) > 0 {
		keys.list("aws:CalledVia", m.CalledVia)
		keys.text("aws:CalledViaFirst", m.CalledVia[0])
		keys.text("aws:CalledViaLast", m.CalledVia[len(m.CalledVia)-1])
	}
}
