package prove

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/reach"
	"github.com/postern-dev/postern/internal/compile"
	"github.com/postern-dev/postern/internal/trust"
)

// unseen lists what the model leaves out and what that may do to a verdict.
func (m *model) unseen() []string {
	out := []string{
		"resource policies, which may allow more",
		"SCPs and RCPs, which may allow less",
		"other accounts",
	}
	if !m.Observed {
		out = append(out, "what else stands in these accounts")
	}
	return out
}

// notes tell of principals that have a part in the stack and that the estate
// does not hold.
func (m *model) notes() []string {
	var out []string
	for _, r := range m.roles {
		if r.name == "" {
			continue
		}
		if strangers := m.strangers(r, "sts:AssumeRole"); len(strangers) > 0 {
			out = append(out, "role "+r.name+" may assume "+strings.Join(strangers, ", ")+": "+m.notSeen())
		}
		if strangers := m.strangers(r, "iam:PassRole"); len(strangers) > 0 {
			out = append(out, "role "+r.name+" may pass "+strings.Join(strangers, ", ")+": "+m.notSeen())
		}
	}
	for i := range m.Spec.Identities {
		id := &m.Spec.Identities[i]
		proof, is := compile.Proof(m.Spec, id).(trust.AWSRole)
		if is && !m.Observed && m.byARN[proof.ARN] == nil && slices.Contains(m.accountIDs(), accountOf(proof.ARN)) {
			out = append(out, "identity "+id.Name+" is "+proof.ARN+": "+m.notSeen())
		}
	}
	return out
}

func (m *model) notSeen() string {
	if m.Observed {
		return "no such role stands in the accounts that were read"
	}
	return "not of the stack, so that only a proof on AWS sees what that gives"
}

// strangers are the resources of the action that no role of the estate is.
func (m *model) strangers(r *role, action string) []string {
	var out []string
	for f := range r.permissions.Findings(reach.Question{Action: action, Resource: "*", Facts: r.facts}) {
		for _, pattern := range f.Resources {
			known := slices.ContainsFunc(m.roles, func(r *role) bool { return iam.Match(pattern, r.ARN) })
			if !known && !slices.Contains(out, pattern) {
				out = append(out, pattern)
			}
		}
	}
	return out
}
