package eval

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// grant is how directly a resource policy allows a principal, and so which of
// the principal's own policies it still needs. The order matters.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
type grant uint8

const (
	noGrant   grant = iota
	delegated       // to the account: its identity policies must allow
	limited         // to the role (or a federated session's user): boundary and session policies still limit
	direct          // to the principal itself, or to everyone
	never           // no policy grants this much
)

// principals is a compiled Principal or NotPrincipal element.
type principals struct {
	everyone  bool     // "*"
	allAWS    bool     // {"AWS": "*"}
	accounts  []string // 12 digits
	arns      []string
	services  []string
	federated []string
	// canonical is set when a canonical user id is named. Requests do not
	// carry it: such an Allow never matches, such a Deny always might.
	canonical bool
}

func compilePrincipals(p *iam.Principal) (*principals, error) {
	out := &principals{
		everyone:  p.Everyone,
		services:  slices.Clone(p.Service),
		federated: slices.Clone(p.Federated),
		canonical: len(p.CanonicalUser) > 0,
	}
	if slices.Contains(slices.Concat(p.AWS, p.Service, p.Federated), "") {
		return out, errors.New("a principal has no name")
	}
	for _, s := range slices.Concat(p.Service, p.Federated) {
		if iam.HasWildcard(s) {
			return out, fmt.Errorf("principal %q: a wildcard stands for no service or provider", s)
		}
	}
	for _, s := range p.AWS {
		switch arn, err := iam.ParseARN(s); {
		case s == "*":
			out.allAWS = true
		case iam.HasWildcard(s):
			return out, fmt.Errorf("principal %q: a wildcard must stand alone", s)
		case err == nil && (strings.Contains(s, "${") || arn.Service != "iam" && arn.Service != "sts"), err != nil && !iam.IsAccountID(s) && !isUniqueID(s):
			return out, fmt.Errorf("principal %q names nobody", s)
		case isOriginAccess(s):
			out.services = append(out.services, s)
		case iam.IsAccountID(s):
			out.accounts = append(out.accounts, s)
		case err == nil && arn.Service == "iam" && arn.Resource == "root":
			out.accounts = append(out.accounts, arn.Account)
		default: // also the unique id of a deleted principal: it matches no ARN
			out.arns = append(out.arns, s)
		}
	}
	return out, nil
}

// isUniqueID tells what a deleted principal turns into, such as
// "AIDAJQABLZS4A3QDU576Q".
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
func isUniqueID(s string) bool {
	for i := range len(s) {
		if (s[i] < 'A' || s[i] > 'Z') && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return len(s) >= 16 && s[0] == 'A'
}

// isAWS tells the principals that have an AWS account.
func (k PrincipalKind) isAWS() bool {
	switch k {
	case Root, User, Role, RoleSession, FederatedUser:
		return true
	}
	return false
}

// grant says how directly the Principal element names p.
func (ps *principals) grant(p *Principal) grant {
	switch {
	case ps.everyone:
		return direct
	case p.Kind == Service: // queues let topics in by {"AWS": "*"} with aws:SourceArn
		return directIf(ps.allAWS || slices.Contains(ps.services, p.ARN))
	case p.Kind == WebIdentity || p.Kind == SAML:
		return directIf(slices.Contains(ps.federated, p.ARN))
	case ps.allAWS:
		return direct
	case !p.Kind.isAWS():
		return noGrant
	}
	return ps.grantAWS(p)
}

func (ps *principals) grantAWS(p *Principal) grant {
	switch {
	case p.Kind != Role && slices.Contains(ps.arns, p.ARN):
		return direct
	case p.Kind == Role && slices.Contains(ps.arns, p.ARN),
		p.Kind == RoleSession && ps.namesRole(p),
		p.Kind == FederatedUser && slices.Contains(ps.arns, p.UserARN):
		return limited
	case slices.Contains(ps.accounts, p.Account):
		return delegated
	}
	return noGrant
}

// namesRole says whether the role of a session is named.
func (ps *principals) namesRole(p *Principal) bool {
	if p.RoleARN != "" {
		return slices.Contains(ps.arns, p.RoleARN)
	}
	for _, arn := range ps.arns {
		if isRoleOf(arn, p.ARN) {
			return true
		}
	}
	return false
}

// isRoleOf says whether a role's ARN, whatever its path, is that of a session:
// "arn:aws:iam::1:role/any/path/ci" of "arn:aws:sts::1:assumed-role/ci/run".
func isRoleOf(role, session string) bool {
	head, tail, ok := strings.Cut(role, ":iam::")
	if !ok {
		return false
	}
	account, path, ok := strings.Cut(tail, ":role/")
	if !ok {
		return false
	}
	rest, ok := strings.CutPrefix(session, head)
	if !ok {
		return false
	}
	if rest, ok = strings.CutPrefix(rest, ":sts::"); !ok {
		return false
	}
	if rest, ok = strings.CutPrefix(rest, account); !ok {
		return false
	}
	if rest, ok = strings.CutPrefix(rest, ":assumed-role/"); !ok {
		return false
	}
	name, _, _ := strings.Cut(rest, "/")
	return name != "" && name == path[strings.LastIndexByte(path, '/')+1:]
}

func directIf(named bool) grant {
	if named {
		return direct
	}
	return noGrant
}

// denies says whether a Deny on the Principal element is meant for p.
func (ps *principals) denies(p *Principal) truth {
	if ps.grant(p) != noGrant {
		return yes
	}
	if ps.canonical && (p.Kind.isAWS() || p.Kind == Anonymous) || ps.allAWS {
		return maybe // AWS does not say whether {"AWS": "*"} takes in identities of tokens
	}
	return no
}

// exempts says whether a Deny on the NotPrincipal element passes p by. AWS
// checks the account, then the role, then the session: each must be listed, of
// a role as such its account and itself. A principal with a permissions boundary
// is never passed by.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
func (ps *principals) exempts(p *Principal, bounded bool) truth {
	switch {
	case bounded && p.Kind.isAWS():
		return no
	case ps.everyone:
		return yes
	case p.Kind == Service:
		return truthOf(slices.Contains(ps.services, p.ARN))
	case p.Kind == WebIdentity || p.Kind == SAML:
		return truthOf(slices.Contains(ps.federated, p.ARN))
	case ps.allAWS:
		return yes
	case !p.Kind.isAWS() || !slices.Contains(ps.accounts, p.Account):
		return no
	case p.Kind == Root:
		return yes
	case p.Kind == RoleSession && !ps.namesRole(p), !slices.Contains(ps.arns, p.ARN):
		return no
	}
	return yes
}
