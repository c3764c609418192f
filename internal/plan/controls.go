package plan

import (
	"fmt"

	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/trust"
)

// refusedTrusts are the planned trust policies that AWS would not take, for it
// wants certain claims of shared issuers to be asked for.
func refusedTrusts(changes []Change) fault.List {
	var errs fault.List
	for _, c := range changes {
		if c.Input.Document == nil || c.Verb != CreateRole && c.Verb != UpdateAssumeRolePolicy {
			continue
		}
		for _, p := range trust.Controls(c.Input.Document) {
			errs = append(errs, &fault.Error{Where: c.Entity, What: "AWS would refuse its trust policy: " + p.Msg, Hint: p.Hint})
		}
	}
	return errs
}

// lockedTrusts are the roles of the stack whose standing trust policy AWS would
// not take again: it was made before AWS began to ask. Whoever edits a word of it
// by hand is refused, and nothing tells why.
func (a *accountPlan) lockedTrusts() []string {
	var notes []string
	for _, p := range match(a.want.Roles, a.have.Roles, roleKey, a.path()) {
		if p.want == nil || p.have == nil || p.have.Trust == nil {
			continue
		}
		then := "this plan replaces it"
		if sameTrust(p.want.Trust, p.have.Trust) {
			then = "it stays as it is until somebody edits it"
		}
		for _, problem := range trust.Controls(p.have.Trust) {
			notes = append(notes, fmt.Sprintf("role %s: AWS takes no edit of its trust policy as it stands: %s; %s (%s)", p.have.Name, problem.Msg, then, problem.Hint))
		}
	}
	return notes
}
