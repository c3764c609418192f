package reach

import "slices"

// Entrance is a role that a member might assume.
type Entrance struct {
	Role   string    // ARN
	Extent Extent    // Sometimes or Always
	Via    []Finding // of the member's policies first, then of the role's trust policy
}

// Becomes lists the roles of the World that a member might assume by itself, by
// ARN. Nothing for who is not a member.
func (w *World) Becomes(arn string) []Entrance {
	at, ok := w.byARN[arn]
	if !ok {
		return nil
	}
	m := &w.members[at]
	var out []Entrance
	for i, role := range w.doors.roles {
		if role == nil || i == at || !role.mentions(&m.Who, true) {
			continue
		}
		q := Question{Action: assumeRole, Resource: role.ARN, Facts: m.facts}
		e := Entrance{Role: role.ARN, Extent: Sometimes, Via: slices.Collect(m.Permissions.Findings(q))}
		if !role.Admits(Caller{Principal: m.Who, MayAsk: len(e.Via) > 0, Facts: w.facts}) || len(e.Via) == 0 && m.Permissions.barred(q) {
			continue
		}
		e.Via = slices.AppendSeq(e.Via, role.findings(assumeRole).naming(&m.Who))
		if m.Permissions.always(q) && role.alwaysAdmits(&m.Who, assumeRole) {
			e.Extent = Always
		}
		out = append(out, e)
	}
	return out
}
