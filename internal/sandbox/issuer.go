package sandbox

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// tokenLifetime is that of GitHub's tokens.
const tokenLifetime = 5 * time.Minute

const issuerKeyBits = 2048

// issuer is the embedded issuer's key, made when it is first needed and kept
// in the state, so that tokens outlive a restart.
func (s *Server) issuer() (jose.JSONWebKey, error) {
	s.keyOnce.Do(func() { s.issuerKey, s.issuerErr = s.makeIssuer() })
	return s.issuerKey, s.issuerErr
}

func (s *Server) makeIssuer() (jose.JSONWebKey, error) {
	s.mu.Lock()
	kept := s.state.Issuer
	s.mu.Unlock()
	if len(kept) == 0 {
		key, err := rsa.GenerateKey(rand.Reader, issuerKeyBits)
		if err != nil {
			return jose.JSONWebKey{}, fmt.Errorf("make issuer's key: %w", err)
		}
		if kept, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
			return jose.JSONWebKey{}, fmt.Errorf("make issuer's key: %w", err)
		}
		s.mu.Lock()
		s.state.Issuer = kept
		s.changed()
		s.mu.Unlock()
	}
	parsed, err := x509.ParsePKCS8PrivateKey(kept)
	if err != nil {
		return jose.JSONWebKey{}, fmt.Errorf("read issuer's key: %w", err)
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return jose.JSONWebKey{}, errors.New("read issuer's key: it is not an RSA key")
	}
	return jose.JSONWebKey{Key: key, KeyID: "postern-sandbox", Algorithm: string(jose.RS256), Use: "sig"}, nil
}

// Mint signs a token of the embedded issuer, as a CI system's would. Claims
// that it lacks are added: iss (GitHub's), iat, nbf, exp and jti.
func (s *Server) Mint(claims map[string]any) (string, error) {
	key, err := s.issuer()
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", fmt.Errorf("mint token: %w", err)
	}
	now := s.opt.Clock()
	all := map[string]any{
		"iss": GitHubIssuer, "iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(tokenLifetime).Unix(), "jti": newRequestID(),
	}
	maps.Copy(all, claims)
	token, err := jwt.Signed(signer).Claims(all).Serialize()
	if err != nil {
		return "", fmt.Errorf("mint token: %w", err)
	}
	return token, nil
}

// Job makes the two values that GitHub gives to a job that may have tokens:
// ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN. The tokens
// that it fetches carry the claims; their audience is the request's, or else
// the claims'. The server must listen.
func (s *Server) Job(claims map[string]any) (requestURL, bearer string) {
	bearer = rand.Text()
	s.jobs.Store(bearer, maps.Clone(claims))
	return s.URL() + issuerPath + "/token?api-version=2.0", bearer
}

func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	kind, bearer, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	job, ok := s.jobs.Load(bearer)
	if !ok || !strings.EqualFold(kind, "bearer") {
		http.Error(w, `{"message":"unknown job"}`, http.StatusUnauthorized)
		return
	}
	claims, ok := job.(map[string]any)
	if !ok {
		http.Error(w, `{"message":"unknown job"}`, http.StatusUnauthorized)
		return
	}
	claims = maps.Clone(claims)
	if audience := r.URL.Query().Get("audience"); audience != "" {
		claims["aud"] = audience
	}
	token, err := s.Mint(claims)
	if err != nil {
		s.log.Error("token not minted", "error", err)
		http.Error(w, `{"message":"internal error"}`, http.StatusInternalServerError)
		return
	}
	s.writeJSON(w, map[string]any{"count": len(token), "value": token})
}

func (s *Server) serveDiscovery(w http.ResponseWriter, _ *http.Request) {
	s.writeJSON(w, map[string]any{
		"issuer": GitHubIssuer, "jwks_uri": s.URL() + issuerPath + "/.well-known/jwks",
		"subject_types_supported": []string{"public", "pairwise"}, "response_types_supported": []string{"id_token"},
		"id_token_signing_alg_values_supported": []string{"RS256"}, "scopes_supported": []string{"openid"},
		"claims_supported": []string{"sub", "aud", "exp", "iat", "iss", "jti", "nbf"},
	})
}

func (s *Server) serveKeys(w http.ResponseWriter, _ *http.Request) {
	key, err := s.issuer()
	if err != nil {
		s.log.Error("no issuer key", "error", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	s.writeJSON(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}})
}

func (s *Server) writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		s.log.Debug("answer not delivered", "error", err)
	}
}

// checkIssuers refuses JWKS outside the loopback interface: the sandbox calls
// nobody else.
func checkIssuers(issuers map[string]string) error {
	for issuer, jwks := range issuers {
		if u, err := url.Parse(issuer); err != nil || u.Scheme != "https" || u.Host == "" {
			return fmt.Errorf("issuer %q is not an https URL", issuer)
		}
		if jwks == "" {
			continue
		}
		if u, err := url.Parse(jwks); err != nil || u.Scheme != "http" || !isLoopback(u.Hostname()) {
			return fmt.Errorf("the JWKS of %s must be an http URL on the loopback interface, not %q", issuer, jwks)
		}
	}
	return nil
}
