package aws

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"sync"
)

// Denied is a call that IAM refused, in IAM's words.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
type Denied struct {
	Principal string // ARN; empty if AWS did not say
	Action    string // "iam:CreateRole"
	Resource  string // ARN or "*"
	Reason    string // AWS's own, such as "with an explicit deny in a service control policy"; may be empty
}

// Error says who may not do what.
func (d *Denied) Error() string {
	s := d.who() + " may not " + d.Action + " on " + d.Resource
	if d.Reason != "" {
		s += ", " + d.Reason
	}
	return s
}

func (d *Denied) who() string {
	if d.Principal == "" {
		return "the caller"
	}
	return d.Principal
}

// Explicit says whether a Deny statement refused the call, rather than the
// absence of an Allow.
func (d *Denied) Explicit() bool { return strings.Contains(d.Reason, "explicit deny") }

// Statement is the policy statement, as JSON, that would grant the call.
func (d *Denied) Statement() string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	// A struct of strings: encoding cannot fail.
	_ = e.Encode(struct{ Effect, Action, Resource string }{"Allow", d.Action, d.Resource})
	return strings.TrimSpace(b.String())
}

func (d *Denied) hint() string {
	if d.Explicit() {
		return "a Deny wins over every Allow: narrow it where it stands (" + d.Reason + ")"
	}
	switch d.Action {
	case "sts:AssumeRoleWithWebIdentity":
		return "the role must exist and its trust policy accept the token: compare issuer, audience and subject with its conditions"
	case "sts:AssumeRole":
		return "the role must exist and its trust policy name " + d.who() + "; and the caller needs: " + d.Statement()
	}
	for _, kind := range []string{"permissions boundary", "service control policy", "resource control policy", "session policy", "VPC endpoint policy"} {
		if strings.Contains(d.Reason, kind) {
			return "the " + kind + " must allow it too: " + d.Statement()
		}
	}
	return "grant it: " + d.Statement()
}

func isDenied(code string) bool {
	switch code {
	case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized":
		return true
	}
	return false
}

// lazily compiles a regular expression when it is first used: few starts need
// one, and each would pay for all.
func lazily(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

var (
	deniedFull = lazily(`(?s)User: (\S+) is not authorized to perform: (\S+?)(?: on resource: (.+?))?(?: ((?:because|with an explicit deny) .+?))?(?:\. Encoded .*)?$`)
	deniedOp   = lazily(`[Nn]ot authorized to perform:? ([a-z0-9-]+:\w+)`)
)

// parseDenied reads AWS's message; what it lacks comes from the call itself.
func parseDenied(message, op, where string) *Denied {
	d := &Denied{Action: op, Resource: where}
	if m := deniedFull().FindStringSubmatch(message); m != nil {
		d.Principal, d.Action, d.Reason = m[1], m[2], m[4]
		if named := strings.Trim(m[3], `"'`); strings.HasPrefix(named, "arn:") || named == "*" {
			d.Resource = named
		}
	} else if m := deniedOp().FindStringSubmatch(message); m != nil {
		d.Action = m[1]
	}
	if !strings.HasPrefix(d.Resource, "arn:") {
		d.Resource = "*"
	}
	return d
}
