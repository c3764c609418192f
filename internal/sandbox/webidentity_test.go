package sandbox_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/postern-dev/postern/internal/sandbox"
)

const (
	github   = "token.actions.githubusercontent.com"
	audience = "sts.amazonaws.com"
	subject  = "repo:acme/shop:environment:production"
	release  = "arn:aws:iam::222222222222:role/release"
)

// withProvider makes the prod account trust GitHub's issuer, and a role trust
// one subject.
func withProvider(t *testing.T, s *sandbox.Server, conditions map[string]any) {
	t.Helper()
	prodIAM := iamOf(s, admin(t, s))
	must[*iam.CreateOpenIDConnectProviderOutput](t)(prodIAM.CreateOpenIDConnectProvider(context.Background(), &iam.CreateOpenIDConnectProviderInput{
		Url: aws.String("https://" + github), ClientIDList: []string{audience},
	}))
	newRole(t, prodIAM, "release", policy(t, trust(
		map[string]any{"Federated": "arn:aws:iam::222222222222:oidc-provider/" + github}, "sts:AssumeRoleWithWebIdentity", conditions,
	)), allow("iam:ListUsers", "*"))
}

func exactly(key, value string) map[string]any {
	return map[string]any{"StringEquals": map[string]any{github + ":aud": audience, github + ":" + key: value}}
}

func present(s *sandbox.Server, token string) (*sts.AssumeRoleWithWebIdentityOutput, error) {
	return stsOf(s, keys{}).AssumeRoleWithWebIdentity(context.Background(), &sts.AssumeRoleWithWebIdentityInput{
		RoleArn: aws.String(release), RoleSessionName: aws.String("run-1"), WebIdentityToken: &token,
	})
}

func TestWebIdentity(t *testing.T) {
	now := time.Now()
	denied := refusal{403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"}
	good := map[string]any{"aud": audience, "sub": subject, "repository_id": "42", "repository": "acme/shop"}
	with := func(key string, v any) map[string]any {
		claims := map[string]any{}
		for k := range good {
			claims[k] = good[k]
		}
		claims[key] = v
		return claims
	}
	for _, test := range []struct {
		name       string
		conditions map[string]any
		claims     map[string]any
		forge      func(string) string
		want       refusal
	}{
		{name: "good", conditions: exactly("sub", subject), claims: good},
		{name: "another repository", conditions: exactly("sub", subject), claims: with("sub", "repo:evil/shop:environment:production"), want: denied},
		{name: "a pull request", conditions: exactly("sub", subject), claims: with("sub", "repo:acme/shop:pull_request"), want: denied},
		{name: "by repository id", conditions: exactly("repository_id", "42"), claims: good},
		{name: "another repository id", conditions: exactly("repository_id", "42"), claims: with("repository_id", "43"), want: denied},
		{
			name: "a claim that AWS does not know", conditions: exactly("event_name", "push"), claims: with("event_name", "push"), want: denied,
		},
		{
			name: "wrong audience", conditions: exactly("sub", subject), claims: with("aud", "https://github.com/acme"),
			want: refusal{400, "InvalidIdentityToken", "Incorrect token audience"},
		},
		{name: "one of several audiences", conditions: exactly("sub", subject), claims: with("aud", []string{"other", audience})},
		{
			name: "issuer without provider", conditions: exactly("sub", subject), claims: with("iss", "https://gitlab.com"),
			want: refusal{400, "InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://gitlab.com"},
		},
		{
			name: "no subject", conditions: exactly("sub", subject), claims: map[string]any{"aud": audience},
			want: refusal{400, "InvalidIdentityToken", "Missing a required claim: sub"},
		},
		{name: "just expired", conditions: exactly("sub", subject), claims: with("exp", now.Add(-4*time.Minute).Unix())},
		{
			name: "long expired", conditions: exactly("sub", subject), claims: with("exp", int64(1700000000)),
			want: refusal{400, "ExpiredTokenException", ""},
		},
		{
			name: "changed claims", conditions: exactly("sub", subject), claims: with("sub", "repo:evil/shop:environment:production"),
			forge: func(token string) string {
				p := strings.Split(token, ".")
				body, _ := json.Marshal(with("iss", "https://"+github))
				return p[0] + "." + base64URL(body) + "." + p[2]
			},
			want: refusal{400, "InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements"},
		},
		{
			name: "no signature at all", conditions: exactly("sub", subject), claims: good,
			forge: func(string) string {
				body, _ := json.Marshal(with("iss", "https://"+github))
				return base64URL([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + base64URL(body) + "."
			},
			want: refusal{400, "InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements"},
		},
		{
			name: "not a token", conditions: exactly("sub", subject), claims: good, forge: func(string) string { return "gho_0000" },
			want: refusal{400, "InvalidIdentityToken", "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := start(t, twoAccounts())
			withProvider(t, s, test.conditions)
			token, err := s.Mint(test.claims)
			if err != nil {
				t.Fatal(err)
			}
			if test.forge != nil {
				token = test.forge(token)
			}
			out, err := present(s, token)
			got := refusalOf(t, err)
			if test.want.Code == "ExpiredTokenException" && strings.HasPrefix(got.Message, "Token expired: current date/time ") {
				got.Message = "" // it holds the time
			}
			if got != test.want {
				t.Fatalf("got  %+v\nwant %+v", got, test.want)
			}
			if err != nil {
				return
			}
			session := iamOf(s, keys{*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken})
			if _, err := session.ListUsers(context.Background(), nil); err != nil {
				t.Errorf("the session cannot be used: %v", err)
			}
		})
	}
}

func TestUnreachableIssuer(t *testing.T) {
	s := start(t, twoAccounts())
	withProvider(t, s, exactly("sub", subject))
	must[*iam.CreateOpenIDConnectProviderOutput](t)(iamOf(s, admin(t, s)).CreateOpenIDConnectProvider(context.Background(), &iam.CreateOpenIDConnectProviderInput{
		Url: aws.String("https://gitlab.com"), ClientIDList: []string{audience},
	}))
	token, err := s.Mint(map[string]any{"iss": "https://gitlab.com", "aud": audience, "sub": "x"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = present(s, token)
	wantCode(t, err, "IDPCommunicationError")
}

// TestForeignJWKS: another sandbox plays an issuer whose keys are fetched.
func TestForeignJWKS(t *testing.T) {
	issuer := start(t, twoAccounts())
	opt := twoAccounts()
	opt.Issuers = map[string]string{"https://" + github: issuer.URL() + "/_issuer/.well-known/jwks"}
	s := start(t, opt)
	withProvider(t, s, exactly("sub", subject))
	claims := map[string]any{"aud": audience, "sub": subject}
	token := must[string](t)(issuer.Mint(claims))
	if _, err := present(s, token); err != nil {
		t.Error(err)
	}
	own := must[string](t)(s.Mint(claims))
	_, err := present(s, own)
	wantCode(t, err, "InvalidIdentityToken")
}

func TestIssuersStayOnLoopback(t *testing.T) {
	for _, issuers := range []map[string]string{
		{"https://" + github: "https://" + github + "/.well-known/jwks"},
		{"https://" + github: "http://192.0.2.1/jwks"},
		{"http://insecure.example": ""},
	} {
		opt := twoAccounts()
		opt.Issuers = issuers
		if _, err := sandbox.New(opt); err == nil {
			t.Errorf("issuers %v accepted", issuers)
		}
	}
}

// TestJob fetches a token as a step of a GitHub workflow does.
func TestJob(t *testing.T) {
	s := start(t, twoAccounts())
	withProvider(t, s, exactly("sub", subject))
	url, bearer := s.Job(map[string]any{"sub": subject})
	resp := get(t, url+"&audience="+audience, bearer)
	var answer struct{ Value string }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if _, err := present(s, answer.Value); err != nil {
		t.Error(err)
	}
	if got := get(t, url, "other").StatusCode; got != http.StatusUnauthorized {
		t.Errorf("status %d with another bearer", got)
	}
}

func TestDiscovery(t *testing.T) {
	s := start(t, twoAccounts())
	var doc struct {
		Issuer  string
		JWKSURI string `json:"jwks_uri"`
	}
	if err := json.NewDecoder(get(t, s.URL()+"/_issuer/.well-known/openid-configuration", "").Body).Decode(&doc); err != nil {
		t.Fatal(err)
	}
	var set struct {
		Keys []map[string]any
	}
	if err := json.NewDecoder(get(t, doc.JWKSURI, "").Body).Decode(&set); err != nil {
		t.Fatal(err)
	}
	if doc.Issuer != "https://"+github || len(set.Keys) != 1 || set.Keys[0]["kty"] != "RSA" {
		t.Errorf("issuer %q, keys %v", doc.Issuer, set.Keys)
	}
	if _, private := set.Keys[0]["d"]; private {
		t.Error("the private key is published")
	}
}

// TestHandler: the sandbox works behind any server, and
// refuses the unsigned.
func TestHandler(t *testing.T) {
	s := start(t, twoAccounts())
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader("Action=ListUsers")))
	if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "<Code>MissingAuthenticationToken</Code>") {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}
