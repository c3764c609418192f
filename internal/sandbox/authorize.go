package sandbox

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/internal/denial"
	"github.com/postern-dev/postern/internal/wire"
)

// resource is what a call acts on.
type resource struct {
	arn      string // what is evaluated; "*" if the action takes no resource
	show     string // what a denial names, if not arn
	account  string // the owner; empty: the caller's account
	tags     map[string]string
	boundary string              // of the user or role
	context  map[string][]string // further condition keys
}

// judge decides whether the caller may do action, and says why not in AWS's
// words.
func (c *call) judge(action string, on resource) error {
	layers := c.s.layers(c.who)
	return c.refuse(action, on, layers.Explain(c.evalRequest(action, on)))
}

func (c *call) evalRequest(action string, on resource) *eval.Request {
	return &eval.Request{
		Principal: c.who.principal, Action: action, Resource: on.arn, ResourceAccount: on.account,
		Context: eval.NewContext(c.context(on)),
	}
}

// refuse turns a decision into nil or a denial.
func (c *call) refuse(action string, on resource, ex eval.Explanation) error {
	if ex.Decision == eval.Allowed {
		return nil
	}
	shown := on.show
	if shown == "" {
		shown = on.arn
	}
	return refusal{wire.Denied, denial.Message(c.who.principal.ARN, action, shown, ex)}
}

// layers are the caller's policies, as authorisation knows them.
func (s *Server) layers(who *caller) *eval.Layers {
	l := &eval.Layers{}
	var boundary string
	switch {
	case who.role != nil:
		s.addIdentity(l, who.account, who.role.holder)
		boundary = who.role.Boundary
	case who.user != nil:
		s.addIdentity(l, who.account, who.user.holder)
		for _, name := range who.user.Groups {
			if g, ok := who.account.Groups.known(name); ok {
				s.addIdentity(l, who.account, g.holder)
			}
		}
		boundary = who.user.Boundary
	}
	if boundary != "" {
		text := denyAll // a boundary that authorisation does not know yet allows nothing
		if p, ok := s.knownPolicy(who.account, boundary); ok {
			text = p.text()
		}
		l.Boundary = []*eval.Policy{s.compile(eval.Boundary, boundary, text)}
	}
	if who.session != nil {
		for _, text := range who.session.Policies {
			l.Session = append(l.Session, s.compile(eval.Session, "session policy", text))
		}
	}
	return l
}

func (s *Server) addIdentity(l *eval.Layers, a *account, h holder) {
	for _, name := range slices.Sorted(maps.Keys(h.Inline)) {
		l.Identity = append(l.Identity, s.compile(eval.Identity, name, h.Inline[name]))
	}
	for _, arn := range h.Attached {
		if p, ok := s.knownPolicy(a, arn); ok {
			l.Identity = append(l.Identity, s.compile(eval.Identity, arn, p.text()))
		}
	}
}

// knownPolicy finds a managed policy as authorisation knows it.
func (s *Server) knownPolicy(a *account, arn string) (*policy, bool) {
	if p, ok := awsManaged(a.Partition, arn); ok {
		return p, true
	}
	p, ok := a.Policies.known(lastSegment(arn))
	if !ok || a.arn("policy", p.Path, p.Name) != arn {
		return nil, false
	}
	return p, true
}

// context gathers the condition keys of a call.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func (c *call) context(on resource) map[string][]string {
	keys := map[string][]string{
		"aws:CurrentTime":           {stamp(c.now)},
		"aws:EpochTime":             {strconv.FormatInt(c.now.Unix(), 10)},
		"aws:SecureTransport":       {"false"},
		"aws:SourceIp":              {c.sourceIP},
		"aws:UserAgent":             {c.userAgent},
		"aws:RequestedRegion":       {c.region},
		"aws:ViaAWSService":         {"false"},
		"aws:PrincipalIsAWSService": {"false"},
	}
	if c.who != nil {
		c.who.describe(keys)
	}
	c.requestKeys(keys)
	for key, v := range on.tags {
		keys["aws:ResourceTag/"+key] = []string{v}
		if c.service == "iam" || c.service == "sts" {
			keys["iam:ResourceTag/"+key] = []string{v}
		}
	}
	if owner := on.account; owner != "" {
		keys["aws:ResourceAccount"] = []string{owner}
	} else if c.who != nil && on.arn != "*" {
		keys["aws:ResourceAccount"] = []string{c.who.account.ID}
	}
	if _, given := keys["iam:PermissionsBoundary"]; !given && on.boundary != "" {
		keys["iam:PermissionsBoundary"] = []string{on.boundary}
	}
	maps.Copy(keys, on.context)
	return keys
}

// requestKeys adds what the parameters of IAM's and STS's calls say.
func (c *call) requestKeys(keys map[string][]string) {
	one := map[string]string{
		"iam:PolicyARN": "PolicyArn", "iam:PermissionsBoundary": "PermissionsBoundary",
		"sts:ExternalId": "ExternalId", "sts:RoleSessionName": "RoleSessionName", "sts:SourceIdentity": "SourceIdentity",
	}
	for key, param := range one {
		if v := c.params[param]; v != "" {
			keys[key] = []string{v}
		}
	}
	var tagKeys []string
	for _, m := range c.params.members("Tags") {
		keys["aws:RequestTag/"+m["Key"]] = []string{m["Value"]}
		tagKeys = append(tagKeys, m["Key"])
	}
	if tagKeys = append(tagKeys, c.params.list("TagKeys")...); len(tagKeys) > 0 {
		keys["aws:TagKeys"] = tagKeys
	}
	if transitive := c.params.list("TransitiveTagKeys"); len(transitive) > 0 {
		keys["sts:TransitiveTagKeys"] = transitive
	}
}

// describe adds what is known of the caller.
func (who *caller) describe(keys map[string][]string) {
	arn, kind := who.principal.ARN, "User"
	if who.role != nil {
		// A session's aws:PrincipalArn is its role's ARN.
		arn, kind = who.principal.RoleARN, "AssumedRole"
	}
	keys["aws:PrincipalArn"] = []string{arn}
	keys["aws:PrincipalType"] = []string{kind}
	keys["aws:PrincipalAccount"] = []string{who.account.ID}
	keys["aws:userid"] = []string{who.userID}
	if who.user != nil {
		keys["aws:username"] = []string{who.user.Name}
	}
	for key, v := range who.tags {
		keys["aws:PrincipalTag/"+key] = []string{v}
	}
	if who.session == nil {
		return
	}
	keys["aws:TokenIssueTime"] = []string{who.session.Issued.UTC().Format(time.RFC3339)}
	keys["aws:MultiFactorAuthPresent"] = []string{"false"}
	if id := who.session.SourceIdentity; id != "" {
		keys["aws:SourceIdentity"] = []string{id}
	}
	if provider := who.session.Federated; provider != "" {
		keys["aws:FederatedProvider"] = []string{provider}
	}
}

// ownerOf is the account in an ARN; empty if it names none.
func ownerOf(arn string) string {
	a, err := iam.ParseARN(arn)
	if err != nil || !iam.IsAccountID(a.Account) {
		return ""
	}
	return a.Account
}

// needs is the authorisation of most operations: an action on a resource.
func needs(action string, on func(*call) resource) func(*call) error {
	return func(c *call) error { return c.judge(action, on(c)) }
}

// all is the authorisation of operations that need several permissions.
func all(checks ...func(*call) error) func(*call) error {
	return func(c *call) error {
		for _, check := range checks {
			if err := check(c); err != nil {
				return err
			}
		}
		return nil
	}
}

// given is a check that applies only if the request has a parameter or list of
// that name.
func given(param string, check func(*call) error) func(*call) error {
	return func(c *call) error {
		if !c.params.has(param) && !slices.ContainsFunc(slices.Collect(maps.Keys(c.params)), func(name string) bool {
			return strings.HasPrefix(name, param+".member.")
		}) {
			return nil
		}
		return check(c)
	}
}

// anyone is the authorisation of the calls that AWS allows every caller.
func anyone(*call) error { return nil }
