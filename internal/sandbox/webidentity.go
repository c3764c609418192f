package sandbox

import (
	"context"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/postern-dev/postern/iam/action"
	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/internal/wire"
)

// tokenGrace is how long after its end AWS still takes a token.
const tokenGrace = 5 * time.Minute

// commonClaims are those that STS makes condition keys of whoever issued the
// token, besides aud.
var commonClaims = []string{"sub", "amr", "azp"}

// isKey reports whether STS makes a condition key of a claim. Claims that AWS
// does not know are no keys: a condition on them never holds.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
func isKey(issuer, claim string) bool {
	if slices.Contains(commonClaims, claim) {
		return true
	}
	sts, ok := action.ServiceByPrefix("sts")
	if !ok {
		return false
	}
	_, listed := sts.ConditionKey(issuer + ":" + claim)
	return listed && claim != "aud"
}

func badIdentityToken(message string) error {
	return &apiError{http.StatusBadRequest, "InvalidIdentityToken", message}
}

// identity is what a token says, verified or not.
type identity struct {
	url     string // the issuer
	issuer  string // the same without "https://"
	subject string
	claims  map[string]any
}

// handleWebIdentity serves AssumeRoleWithWebIdentity. The token is verified
// without the lock, because its issuer's keys may have to be fetched.
func (s *Server) handleWebIdentity(x *exchange, p params) answer {
	c := s.newCall(x, p)
	c.service = "sts"
	unverified, err := s.readToken(p["WebIdentityToken"])
	if err != nil {
		return x.failedWith(err)
	}
	verifyErr := s.verifyToken(x.http.Context(), unverified, p["WebIdentityToken"], x.now)

	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.state.Accounts {
		a.arrive(x.now)
	}
	// The refusals come in AWS's order: a role that does not exist is refused
	// like one that does not trust; the provider comes before the signature.
	owner, r, ok := c.target()
	if !ok {
		return x.failedWith(refusal{wire.Denied, "Not authorized to perform sts:" + webIdentityAction})
	}
	c.account, x.event.Account = owner, owner.ID
	if !s.withinRate(owner, x.now) {
		return x.failedWith(refusal{wire.Throttled, "Rate exceeded"})
	}
	who, err := unverified.admit(owner, verifyErr)
	if err != nil {
		return x.failedWith(err)
	}
	x.event.Principal = who.provider
	return s.complete(x, c, operation{
		name:  webIdentityAction,
		allow: func(c *call) error { return c.trustsToken(r, who) },
		run:   func(c *call) (any, error) { return c.assumeAs(owner, r, who) },
	})
}

// readToken takes the claims out of a token without believing them.
func (s *Server) readToken(token string) (identity, error) {
	if token == "" {
		return identity{}, invalid("1 validation error detected: Value null at 'webIdentityToken' failed to satisfy constraint: Member must not be null")
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return identity{}, notAToken()
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return identity{}, notAToken()
	}
	var id identity
	if err := json.Unmarshal(body, &id.claims); err != nil {
		return identity{}, notAToken()
	}
	issuer, _ := id.claims["iss"].(string)
	id.url = issuer
	id.issuer = strings.TrimSuffix(strings.TrimPrefix(issuer, "https://"), "/")
	id.subject, _ = id.claims["sub"].(string)
	if id.issuer == "" || id.subject == "" {
		return identity{}, badIdentityToken("Missing a required claim: sub")
	}
	return id, nil
}

func notAToken() error {
	return badIdentityToken("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
}

// verifyToken checks a token's signature and times.
func (s *Server) verifyToken(ctx context.Context, id identity, token string, now time.Time) error {
	keys, err := s.keySet(ctx, id.url)
	if err != nil {
		return err
	}
	verifier := oidc.NewVerifier(id.url, keys, &oidc.Config{
		SkipClientIDCheck: true, // the provider's audiences are checked by admit
		SkipExpiryCheck:   true, // AWS's words and grace, below
		Now:               func() time.Time { return now },
	})
	verified, err := verifier.Verify(ctx, token)
	if err != nil {
		s.log.Debug("token refused", "error", err)
		return badIdentityToken("Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements")
	}
	if end := verified.Expiry; now.After(end.Add(tokenGrace)) {
		return &apiError{http.StatusBadRequest, "ExpiredTokenException", fmt.Sprintf(
			"Token expired: current date/time %d must be before the expiration date/time%d", now.Unix(), end.Unix())}
	}
	return nil
}

// keySet is where an issuer's keys come from.
func (s *Server) keySet(ctx context.Context, issuer string) (oidc.KeySet, error) {
	jwks, ok := s.opt.Issuers[issuer]
	if !ok {
		return nil, &apiError{http.StatusBadRequest, "IDPCommunicationError", "Could not reach " + issuer + ": it is not one of the sandbox's issuers"}
	}
	if jwks != "" {
		return oidc.NewRemoteKeySet(ctx, jwks), nil
	}
	key, err := s.issuer()
	if err != nil {
		return nil, err
	}
	return &oidc.StaticKeySet{PublicKeys: []crypto.PublicKey{key.Public().Key}}, nil
}

// webIdentity is a token that an account's provider vouches for.
type webIdentity struct {
	identity
	provider string // ARN
	audience string
}

// admit finds the account's provider for the token, and then passes on what
// verification said.
func (id identity) admit(a *account, verifyErr error) (webIdentity, error) {
	p, ok := a.Providers.known(id.issuer)
	if !ok {
		return webIdentity{}, badIdentityToken("No OpenIDConnect provider found in your account for https://" + id.issuer)
	}
	if verifyErr != nil {
		return webIdentity{}, verifyErr
	}
	for _, audience := range id.audiences() {
		if slices.Contains(p.ClientIDs, audience) {
			return webIdentity{id, a.arn("oidc-provider", "/", p.URL), audience}, nil
		}
	}
	return webIdentity{}, badIdentityToken("Incorrect token audience")
}

// audiences are the token's: azp, where there is one, speaks for all.
func (id identity) audiences() []string {
	if azp, ok := id.claims["azp"].(string); ok && azp != "" {
		return []string{azp}
	}
	return stringsOf(id.claims["aud"])
}

// stringsOf reads a claim that is one value or a list.
func stringsOf(claim any) []string {
	switch v := claim.(type) {
	case string:
		return []string{v}
	case bool:
		return []string{strconv.FormatBool(v)}
	case float64:
		return []string{strconv.FormatFloat(v, 'f', -1, 64)}
	case []any:
		var out []string
		for _, item := range v {
			out = append(out, stringsOf(item)...)
		}
		return out
	}
	return nil
}

// keys are the condition keys that STS makes of a token.
func (w webIdentity) keys() map[string][]string {
	keys := map[string][]string{
		w.issuer + ":aud": {w.audience}, "aws:FederatedProvider": {w.provider},
	}
	for name, claim := range w.claims {
		if values := stringsOf(claim); len(values) > 0 && isKey(w.issuer, name) {
			keys[w.issuer+":"+name] = values
		}
	}
	for tag, value := range w.tags() {
		keys["aws:RequestTag/"+tag] = []string{value}
		keys["aws:TagKeys"] = append(keys["aws:TagKeys"], tag)
	}
	slices.Sort(keys["aws:TagKeys"])
	return keys
}

// tags are the session tags in the token.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_adding-assume-role-idp
func (id identity) tags() map[string]string {
	all, _ := id.claims["https://aws.amazon.com/tags"].(map[string]any)
	principal, _ := all["principal_tags"].(map[string]any)
	tags := map[string]string{}
	for tag, value := range principal {
		if values := stringsOf(value); len(values) == 1 {
			tags[tag] = values[0]
		}
	}
	return tags
}

// trustsToken judges by the trust policy alone: a token has no policies.
func (c *call) trustsToken(r *role, w webIdentity) error {
	keys := c.context(resource{arn: c.params["RoleArn"], account: c.account.ID, tags: r.Tags})
	maps.Copy(keys, w.keys())
	who := eval.Principal{Kind: eval.WebIdentity, ARN: w.provider, Account: c.account.ID}
	if !c.trustsAll(r, who, assumeActions("sts:"+webIdentityAction, w.tags()), keys) {
		return refusal{wire.Denied, "Not authorized to perform sts:" + webIdentityAction}
	}
	return nil
}

func (c *call) assumeAs(owner *account, r *role, w webIdentity) (any, error) {
	session, err := c.newRoleSession(owner, r)
	if err != nil {
		return nil, err
	}
	seconds, err := c.sessionSeconds(r, false)
	if err != nil {
		return nil, err
	}
	session.Federated, session.Tags = w.provider, w.tags()
	c.open(session, seconds)
	return struct {
		AssumedRoleUser             assumedXML
		Credentials                 credentialsXML
		SubjectFromWebIdentityToken string
		Audience                    string
		Provider                    string
	}{assumedXML{r.ID + ":" + session.Name, sessionARN(owner, session)}, credentialsOf(session), w.subject, w.audience, w.provider}, nil
}
