package aws

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"

	"github.com/postern-dev/postern/internal/fault"
)

// explain turns an error of the SDK into a fault. where is an ARN or an
// account, op the call in IAM's words ("iam:CreateRole"); both may be empty.
// Messages of AWS are passed on; they hold no secrets, only key ids.
func explain(err error, where, op string) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	if errors.Is(err, context.Canceled) {
		return &fault.Error{Code: fault.Interrupted, Where: where, What: op + " was interrupted"}
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return explainCode(api, where, op)
	}
	if host, ok := unreachable(err); ok {
		return &fault.Error{
			What:  "cannot reach AWS at " + host,
			Hint:  "check the network, the proxy (HTTPS_PROXY) and AWS_ENDPOINT_URL, then repeat the command",
			Cause: innermost(err),
		}
	}
	if _, ok := errors.AsType[*smithy.DeserializationError](err); ok {
		return &fault.Error{
			Where: where, What: op + ": the answer is not one of AWS", Cause: err,
			Hint: "something else answers, such as a proxy or the sign-in page of a network: check HTTPS_PROXY and AWS_ENDPOINT_URL",
		}
	}
	return &fault.Error{Where: where, What: op, Cause: err}
}

func explainCode(api smithy.APIError, where, op string) error {
	code, message := api.ErrorCode(), api.ErrorMessage()
	if isDenied(code) {
		d := parseDenied(message, op, where)
		return &fault.Error{Code: fault.Auth, Where: where, What: "access denied", Cause: d, Hint: d.hint()}
	}
	if hint, ok := badCredentials[code]; ok {
		return &fault.Error{Code: fault.Auth, What: "AWS does not accept the credentials: " + code, Hint: hint}
	}
	f := &fault.Error{Where: where, What: join(op, code, message)}
	switch code {
	case "LimitExceeded", "LimitExceededException":
		f.What = join(op, "quota reached", message)
		f.Hint = "raise the quota in AWS's Service Quotas (IAM, region us-east-1) or make room, then run postern apply again"
	case "MalformedPolicyDocument":
		if isFreshPrincipal(api) {
			f.Hint = "make sure that the user or role exists: a trust policy names only what stands"
		}
	case "DeleteConflict":
		f.Hint = "AWS is slow to see what was removed, or somebody added to it since the plan: run postern plan again"
	}
	return f
}

func join(parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, ": ")
}

const (
	hintExpired = "the session has ended: sign in again (such as aws sso login) or renew it, then repeat the command"
	hintUnknown = "the access key does not exist or is inactive: check AWS_ACCESS_KEY_ID and AWS_PROFILE; a key made seconds ago needs a moment"
	hintSecret  = "the secret does not belong to the key, or this machine's clock is wrong: check AWS_SECRET_ACCESS_KEY and the time"
)

// badCredentials maps the codes by which services refuse credentials.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
var badCredentials = map[string]string{
	"ExpiredToken":                hintExpired,
	"ExpiredTokenException":       hintExpired,
	"RequestExpired":              hintExpired,
	"InvalidClientTokenId":        hintUnknown,
	"UnrecognizedClientException": hintUnknown,
	"InvalidAccessKeyId":          hintUnknown,
	"InvalidToken":                hintUnknown,
	"AuthFailure":                 hintUnknown,
	"MissingAuthenticationToken":  hintUnknown,
	"SignatureDoesNotMatch":       hintSecret,
	"InvalidSignatureException":   hintSecret,
	"IncompleteSignature":         hintSecret,
}

// explainCredentials says why no credentials were found.
func explainCredentials(err error) error {
	if _, ok := errors.AsType[config.SharedConfigProfileNotExistError](err); ok {
		return &fault.Error{Code: fault.Auth, What: err.Error(), Hint: "list the profiles with: aws configure list-profiles"}
	}
	if errors.Is(err, context.Canceled) {
		return explain(err, "", "finding AWS credentials")
	}
	// The instance metadata service comes last in the chain: all else was absent.
	if strings.Contains(err.Error(), "no EC2 IMDS role found") {
		return &fault.Error{
			Code: fault.Auth,
			What: "no AWS credentials",
			Hint: "sign in and set AWS_PROFILE (aws configure sso; aws sso login), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, " +
				"or run where a role is attached (EC2, ECS, Lambda, a CI job with OIDC); to try without AWS: postern up --sandbox",
		}
	}
	f := &fault.Error{Code: fault.Auth, What: "load AWS credentials", Cause: err, Hint: "check with: aws sts get-caller-identity"}
	if text := err.Error(); strings.Contains(text, "SSO") || strings.Contains(text, "sso") {
		f.Hint = "the sign-in may have ended: aws sso login"
	}
	return f
}

// explainAssume says why the admin role of an account could not be assumed.
// STS answers alike for a role that is absent and one that does not trust the
// caller, so the hint names both sides.
func explainAssume(err error, role, account string, caller Caller) error {
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok || !isDenied(api.ErrorCode()) {
		return explain(err, role, "sts:AssumeRole")
	}
	d := parseDenied(api.ErrorMessage(), "sts:AssumeRole", role)
	if d.Principal == "" {
		d.Principal = caller.ARN
	}
	return &fault.Error{Code: fault.Auth, Where: role, What: "cannot assume the admin role of account " + account, Cause: d, Hint: d.hint()}
}

// unreachable says whether the request got no answer, and from which host.
func unreachable(err error) (host string, ok bool) {
	u, isURL := errors.AsType[*url.Error](err)
	_, isNet := errors.AsType[net.Error](err)
	if !isURL && !isNet {
		return "", false
	}
	if isURL {
		if at, perr := url.Parse(u.URL); perr == nil && at.Host != "" {
			return at.Host, true
		}
	}
	return "its endpoint", true
}

// innermost is the part of a chain of network errors that tells something.
func innermost(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		if _, ok := err.(*net.DNSError); ok {
			return err
		}
		err = next
	}
}
