package sandbox

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/internal/wire"
)

// Bounds of sessions, in seconds.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
const (
	minSession          = 900
	defaultSession      = 3600
	maxChained          = 3600
	defaultSessionToken = 43200
	maxSessionToken     = 129600
)

var sessionNamePattern = lazily(`^[\w+=,.@-]{2,64}$`)

const webIdentityAction = "AssumeRoleWithWebIdentity"

// stsOperations is everything that the sandbox knows of STS, save for
// AssumeRoleWithWebIdentity, which no key signs: see handleWebIdentity.
func stsOperations() []operation {
	return []operation{
		{name: "GetCallerIdentity", run: getCallerIdentity, allow: anyone, reads: true},
		{name: "GetAccessKeyInfo", run: getAccessKeyInfo, allow: needs("sts:GetAccessKeyInfo", everything), reads: true},
		{name: "GetSessionToken", run: getSessionToken, allow: longTermKey},
		{name: "AssumeRole", run: assumeRole, allow: trusted},
	}
}

// allowedToSessionToken says what the credentials of GetSessionToken may call
// without MFA: STS's AssumeRole and GetCallerIdentity, and nothing of IAM.
func allowedToSessionToken(service, name string) bool {
	return service == "sts" && (name == "AssumeRole" || name == "GetCallerIdentity")
}

func getCallerIdentity(c *call) (any, error) {
	return struct{ Arn, UserId, Account string }{c.who.principal.ARN, c.who.userID, c.account.ID}, nil
}

func getAccessKeyInfo(c *call) (any, error) {
	id, err := c.params.required("AccessKeyId")
	if err != nil {
		return nil, err
	}
	owner := ""
	if session, ok := c.s.state.Sessions[id]; ok {
		owner = session.Account
	}
	for _, a := range c.s.state.Accounts {
		if _, ok := a.Keys.get(id); ok {
			owner = a.ID
		}
	}
	if owner == "" || !isKeyID(id) {
		return nil, invalid("Invalid AccessKeyId %s", id)
	}
	return struct{ Account string }{owner}, nil
}

func longTermKey(c *call) error {
	if c.who.session != nil {
		return refusal{wire.Denied, "Cannot call GetSessionToken with session credentials"}
	}
	return nil
}

type credentialsXML struct{ AccessKeyId, SecretAccessKey, SessionToken, Expiration string }

func credentialsOf(s *session) credentialsXML {
	return credentialsXML{s.KeyID, s.Secret, s.Token, stamp(s.Expires)}
}

// open makes a session's credentials valid for a while.
func (c *call) open(s *session, seconds int) {
	s.KeyID, s.Secret, s.Token = newID(tempKeyPrefix, keyLength), newSecret(), newToken()
	s.Issued = c.now.UTC().Truncate(time.Second)
	s.Expires = s.Issued.Add(time.Duration(seconds) * time.Second)
	c.s.state.Sessions[s.KeyID] = s
}

func getSessionToken(c *call) (any, error) {
	seconds, err := c.params.integer("DurationSeconds", defaultSessionToken, minSession, maxSessionToken)
	if err != nil {
		return nil, err
	}
	session := &session{Account: c.account.ID, User: c.who.user.Name, UserID: c.who.user.ID}
	c.open(session, seconds)
	return struct{ Credentials credentialsXML }{credentialsOf(session)}, nil
}

// target finds the role that a call wants to become, as authorisation knows it.
func (c *call) target() (*account, *role, bool) {
	a, err := iam.ParseARN(c.params["RoleArn"])
	if err != nil || a.Service != "iam" || !strings.HasPrefix(a.Resource, "role/") {
		return nil, nil, false
	}
	owner, ok := c.s.state.Accounts[a.Account]
	if !ok {
		return nil, nil, false
	}
	r, ok := owner.Roles.known(lastSegment(a.Resource))
	if !ok || owner.arn("role", r.Path, r.Name) != c.params["RoleArn"] {
		return nil, nil, false
	}
	return owner, r, true
}

// trusted judges AssumeRole by the caller's policies and by the role's trust
// policy together. What the request adds to the session (tags, a source
// identity) needs permissions of its own from both.
func trusted(c *call) error {
	if _, err := c.params.required("RoleArn"); err != nil {
		return err
	}
	owner, r, ok := c.target()
	if !ok {
		owner, r, ok = c.found()
	}
	if !ok {
		// AWS does not tell whether the role exists.
		return refusal{wire.Denied, "User: " + c.who.principal.ARN + " is not authorized to perform: sts:AssumeRole on resource: " + c.params["RoleArn"]}
	}
	layers := c.s.layers(c.who)
	layers.Resource = c.s.compile(eval.Trust, "trust policy", c.s.trustNow(r))
	on := resource{arn: c.params["RoleArn"], account: owner.ID, tags: r.Tags}
	actions := []string{"sts:AssumeRole"}
	if len(c.params.members("Tags")) > 0 || c.who.session != nil && len(c.who.session.Transitive) > 0 {
		actions = append(actions, "sts:TagSession")
	}
	if c.params.has("SourceIdentity") || c.who.session != nil && c.who.session.SourceIdentity != "" {
		actions = append(actions, "sts:SetSourceIdentity")
	}
	for _, action := range actions {
		if err := c.refuse(action, on, layers.Explain(c.evalRequest(action, on))); err != nil {
			return err
		}
	}
	c.s.state.Accounts[owner.ID] = owner // one that has just been found is new there
	return nil
}

type assumedXML struct{ AssumedRoleId, Arn string }

func assumeRole(c *call) (any, error) {
	owner, r, ok := c.target()
	if !ok { // trusted has just found it
		return nil, refusal{wire.Denied, "Not authorized to perform sts:AssumeRole"}
	}
	session, err := c.newRoleSession(owner, r)
	if err != nil {
		return nil, err
	}
	chained := c.who.session != nil
	seconds, err := c.sessionSeconds(r, chained)
	if err != nil {
		return nil, err
	}
	if err := c.inherit(session); err != nil {
		return nil, err
	}
	c.open(session, seconds)
	return struct {
		AssumedRoleUser assumedXML
		Credentials     credentialsXML
		SourceIdentity  string `xml:",omitempty"`
	}{assumedXML{r.ID + ":" + session.Name, sessionARN(owner, session)}, credentialsOf(session), session.SourceIdentity}, nil
}

// newRoleSession reads what AssumeRole and AssumeRoleWithWebIdentity share.
func (c *call) newRoleSession(owner *account, r *role) (*session, error) {
	name, err := c.params.required("RoleSessionName")
	if err != nil {
		return nil, err
	}
	if !sessionNamePattern().MatchString(name) {
		return nil, invalid("1 validation error detected: Value '%s' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*", name)
	}
	policies, err := c.sessionPolicies(owner)
	if err != nil {
		return nil, err
	}
	return &session{Account: owner.ID, Role: r.Name, RoleID: r.ID, Name: name, Policies: policies}, nil
}

// sessionSeconds is how long the session may last.
func (c *call) sessionSeconds(r *role, chained bool) (int, error) {
	seconds, err := c.params.integer("DurationSeconds", defaultSession, minSession, maxMaxSession)
	switch {
	case err != nil:
		return 0, err
	case seconds > r.MaxSession:
		return 0, invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	case chained && seconds > maxChained:
		return 0, invalid("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	}
	return seconds, nil
}

// sessionPolicies reads Policy and PolicyArns. The managed ones are those of
// the role's account.
func (c *call) sessionPolicies(owner *account) ([]string, error) {
	var texts []string
	if text := c.params["Policy"]; text != "" {
		if err := checkIdentityPolicy("policy", text); err != nil {
			return nil, err
		}
		if len(text) > maxSessionPolicy {
			return nil, packedTooLarge()
		}
		texts = append(texts, text)
	}
	arns := c.params.members("PolicyArns")
	if len(arns) > maxSessionPolicies {
		return nil, packedTooLarge()
	}
	for _, m := range arns {
		p, ok := c.s.knownPolicy(owner, m["arn"])
		if !ok {
			return nil, &apiError{http.StatusBadRequest, "ValidationError", "Policy " + m["arn"] + " does not exist or is not attachable."}
		}
		texts = append(texts, p.text())
	}
	return texts, nil
}

// inherit gives the session its tags and source identity: the request's, and
// from a calling session those that pass on along the chain.
func (c *call) inherit(session *session) error {
	tags, err := c.params.tags()
	if err != nil {
		return err
	}
	session.Tags, session.Transitive, session.SourceIdentity = tags, c.params.list("TransitiveTagKeys"), c.params["SourceIdentity"]
	if id := session.SourceIdentity; id != "" && !sessionNamePattern().MatchString(id) {
		return invalid("1 validation error detected: Value '%s' at 'sourceIdentity' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*", id)
	}
	from := c.who.session
	if from == nil {
		return nil
	}
	for _, key := range from.Transitive {
		if i := slices.IndexFunc(c.params.members("Tags"), func(m params) bool { return strings.EqualFold(m["Key"], key) }); i >= 0 {
			return invalidInput("One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
		}
		session.Tags[key] = from.Tags[key]
		session.Transitive = append(session.Transitive, key)
	}
	if from.SourceIdentity != "" {
		if session.SourceIdentity != "" && session.SourceIdentity != from.SourceIdentity {
			return refusal{wire.Denied, "The source identity of the calling session cannot be changed"}
		}
		session.SourceIdentity = from.SourceIdentity
	}
	return nil
}
