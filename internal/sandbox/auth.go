package sandbox

import (
	"crypto/subtle"
	"errors"
	"net/http"
	"time"

	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/internal/sigv4"
	"github.com/postern-dev/postern/internal/wire"
)

// caller is who signed a request, as authorisation knows them.
type caller struct {
	account   *account
	principal eval.Principal
	userID    string // aws:userid, and UserId of GetCallerIdentity
	keyID     string
	user      *user    // a user, with a long-term key or from GetSessionToken
	role      *role    // a role session
	session   *session // temporary credentials
	tags      map[string]string
}

// refusal is a failure for which each protocol has its own code.
type refusal struct {
	why     wire.Refusal
	message string
}

func (e refusal) Error() string { return e.message }

const (
	badToken     = "The security token included in the request is invalid."
	expiredToken = "The security token included in the request is expired"
	badSignature = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)

// authenticate finds out who signed a request, and refuses in AWS's order: key,
// time, signature, end of the session. The caller holds the lock.
func (s *Server) authenticate(r *http.Request, body []byte, sig sigv4.Signature, now time.Time) (*caller, error) {
	who, secret, err := s.credentials(sig, now)
	if err != nil {
		return nil, err
	}
	if message := sig.CheckTime(now); message != "" {
		return nil, refusal{wire.BadSignature, message}
	}
	if _, ok := sig.Verify(r, body, secret); !ok {
		return nil, refusal{wire.BadSignature, badSignature}
	}
	if who.session != nil && !now.Before(who.session.Expires) {
		return nil, refusal{wire.ExpiredToken, expiredToken}
	}
	return who, nil
}

// credentials looks an access key up.
func (s *Server) credentials(sig sigv4.Signature, now time.Time) (*caller, string, error) {
	if session, ok := s.state.Sessions[sig.KeyID]; ok {
		if subtle.ConstantTimeCompare([]byte(session.Token), []byte(sig.Token)) != 1 {
			return nil, "", refusal{wire.WrongToken, badToken}
		}
		who, err := s.sessionCaller(session)
		return who, session.Secret, err
	}
	for _, a := range s.state.Accounts {
		key, ok := a.Keys.known(sig.KeyID)
		if !ok {
			continue
		}
		u, ok := a.Users.known(key.User)
		if !ok || !key.Active || sig.Token != "" {
			break
		}
		a.KeyUses[key.ID] = keyUse{now, sig.Service, sig.Region}
		return userCaller(a, u, key.ID), key.Secret, nil
	}
	return nil, "", refusal{wire.UnknownKey, badToken}
}

func userCaller(a *account, u *user, keyID string) *caller {
	return &caller{
		account: a, user: u, userID: u.ID, keyID: keyID, tags: u.Tags,
		principal: eval.Principal{Kind: eval.User, ARN: a.arn("user", u.Path, u.Name), Account: a.ID},
	}
}

// sessionCaller refuses sessions whose role or user is gone, even if another
// one has its name now.
func (s *Server) sessionCaller(session *session) (*caller, error) {
	a, ok := s.state.Accounts[session.Account]
	if !ok {
		return nil, refusal{wire.UnknownKey, badToken}
	}
	if session.Role == "" {
		u, ok := a.Users.known(session.User)
		if !ok || u.ID != session.UserID {
			return nil, refusal{wire.UnknownKey, badToken}
		}
		who := userCaller(a, u, session.KeyID)
		who.session = session
		return who, nil
	}
	r, ok := a.Roles.known(session.Role)
	if !ok || r.ID != session.RoleID {
		return nil, refusal{wire.UnknownKey, badToken}
	}
	tags, err := withTags(r.Tags, session.Tags)
	if err != nil {
		tags = session.Tags
	}
	return &caller{
		account: a, role: r, session: session, keyID: session.KeyID, tags: tags,
		userID: session.RoleID + ":" + session.Name,
		principal: eval.Principal{
			Kind: eval.RoleSession, ARN: sessionARN(a, session), Account: a.ID,
			RoleARN: a.arn("role", r.Path, r.Name),
		},
	}, nil
}

func sessionARN(a *account, session *session) string {
	return "arn:" + a.Partition + ":sts::" + a.ID + ":assumed-role/" + session.Role + "/" + session.Name
}

// asFailure turns any error of a call into the protocol's failure.
func asFailure(p wire.Protocol, err error) wire.Failure {
	if r, ok := errors.AsType[refusal](err); ok {
		return p.Refuse(r.why, r.message)
	}
	if i, ok := errors.AsType[sigv4.Incomplete](err); ok {
		return p.Refuse(wire.Incomplete, i.Message)
	}
	if e, ok := errors.AsType[*apiError](err); ok {
		return wire.Failure{Status: e.Status, Code: e.Code, Message: e.Message}
	}
	return p.Refuse(wire.InternalFailure, "The request processing has failed because of an unknown error, exception or failure.")
}
