package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/estate"
)

// AWS puts these on users and roles, or has an operator put them there, when
// credentials have leaked. They only deny. Postern sees them, says so and
// leaves them to people: taking them away as drift would undo an emergency
// stop.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCompromisedKeyQuarantineV3.html
const (
	quarantinePolicy = "policy/AWSCompromisedKeyQuarantine" // and its successors V2, V3, …
	revokedSessions  = "AWSRevokeOlderSessions"
)

func isQuarantine(policyARN string) bool {
	return strings.Contains(policyARN, "::aws:"+quarantinePolicy)
}

// standing is a role as a plan sees it: without what people must remove.
func standing(r *estate.Role) *estate.Role {
	out := *r
	out.Inline = slices.DeleteFunc(slices.Clone(r.Inline), func(p estate.InlinePolicy) bool { return p.Name == revokedSessions })
	return &out
}

// standingUser is standing for a machine user.
func standingUser(u *estate.User) *estate.User {
	out := *u
	out.Attached = slices.DeleteFunc(slices.Clone(u.Attached), isQuarantine)
	return &out
}

// notes are what the plan sees and leaves in place: emergency stops, and trust
// policies that AWS would not take again.
func (a *accountPlan) notes() []string {
	var out []string
	for _, p := range match(a.want.Roles, a.have.Roles, roleKey, a.path()) {
		if p.want != nil && p.have != nil && len(standing(p.have).Inline) < len(p.have.Inline) {
			out = append(out, fmt.Sprintf("role %s: its sessions were revoked (inline policy %s); Postern leaves that: remove it yourself when the danger is over", p.have.Name, revokedSessions))
		}
	}
	for _, p := range match(a.want.Users, a.have.Users, userKey, a.path()) {
		if p.want != nil && p.have != nil && len(standingUser(p.have).Attached) < len(p.have.Attached) {
			out = append(out, fmt.Sprintf("user %s: AWS has quarantined it, so its key has leaked; delete the key, then detach the quarantine policy yourself", p.have.Name))
		}
	}
	return append(out, a.lockedTrusts()...)
}
