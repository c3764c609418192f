package plan

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/estate"
)

// roleUpdate brings an existing role to what the spec says, first all that
// narrows, then all that widens. Whoever leaves the trust leaves before
// permissions widen; whoever joins it joins after they narrow. Within that,
// permissions that stay are not interrupted.
type roleUpdate struct {
	*accountPlan
	arn   string
	stage int          // of what widens
	want  *estate.Role // never changed
	have  estate.Role  // as the changes planned so far leave it
}

func (a *accountPlan) updateRole(want, have *estate.Role) {
	u := &roleUpdate{accountPlan: a, arn: a.want.RoleARN(want.Path, want.Name), want: want, have: *standing(have)}
	u.have.Attached = slices.Clone(have.Attached)
	u.stage = a.stageOf(u.arn)
	common := commonTrust(want.Trust, have.Trust)
	u.narrow(common)
	u.widen(common)
	u.settings()
}

// replaced reports whether the old and the new identities have nothing in
// common.
func (u *roleUpdate) replaced(common *iam.Document) bool {
	return common == nil && !sameTrust(u.want.Trust, u.have.Trust)
}

// exchanged reports whether one boundary takes the place of another: neither
// is known to be the narrower.
func (u *roleUpdate) exchanged() bool {
	return u.have.Boundary != "" && u.want.Boundary != "" && u.have.Boundary != u.want.Boundary
}

func (u *roleUpdate) narrow(common *iam.Document) {
	if u.have.Boundary == "" && u.want.Boundary != "" {
		u.setBoundary(stageNarrow, "the role has no boundary")
	}
	if common != nil && !sameTrust(common, u.have.Trust) {
		u.setTrust(stageNarrow, common, "trusts more than the spec says")
	}
	replaced, exchanged := u.replaced(common), u.exchanged()
	if replaced || exchanged {
		u.clear(stageNarrow, replaced && exchanged)
	} else {
		u.dropForeign()
	}
	if exchanged {
		u.setBoundary(stageNarrow, "the boundary differs")
	}
	if replaced && u.principalsStand() {
		u.setTrust(stageNarrow, u.want.Trust, "trusts whom the spec does not name")
	}
}

func (u *roleUpdate) widen(common *iam.Document) {
	if u.replaced(common) {
		u.setTrust(u.stage, u.want.Trust, "trusts whom the spec does not name")
	}
	u.attachMissing()
	for _, d := range diffInline(u.want.Inline, u.have.Inline) {
		if d.want != nil {
			u.put(u.stage, d.name, d.want, d.reason())
		}
	}
	u.dropRest()
	if !sameTrust(u.want.Trust, u.have.Trust) {
		u.setTrust(u.stage, u.want.Trust, "does not trust all that the spec says")
	}
	if u.have.Boundary != u.want.Boundary {
		u.setBoundary(u.stage, "not in the spec")
	}
}

// clear leaves every denial, and of what allows only what is wanted as it
// stands, or nothing.
func (u *roleUpdate) clear(stage int, everything bool) {
	const reason = "must not meet what comes after"
	for _, p := range slices.Clone(u.have.Inline) {
		switch denials := denialsOf(p.Document); {
		case !everything && u.wantsInline(p):
		case denials == nil:
			u.remove(stage, p.Name, reason)
		case !iam.Equal(denials, p.Document):
			u.put(stage, p.Name, denials, reason)
		}
	}
	for _, p := range slices.Clone(u.have.Attached) {
		if !u.denies(p) && (everything || !slices.Contains(u.want.Attached, p)) {
			u.detach(stage, p, reason)
		}
	}
}

func (u *roleUpdate) wantsInline(p estate.InlinePolicy) bool {
	return slices.ContainsFunc(u.want.Inline, func(w estate.InlinePolicy) bool {
		return w.Name == p.Name && iam.Equal(w.Document, p.Document)
	})
}

// dropForeign takes away at once what somebody else has put on the role. What
// denies stays to the end, and what may only be moving until it has moved.
func (u *roleUpdate) dropForeign() {
	for _, p := range missing(u.have.Attached, u.want.Attached) {
		if !u.own(p) && !u.denies(p) {
			u.detach(stageNarrow, p, "not in the spec")
		}
	}
	for _, d := range diffInline(u.want.Inline, u.have.Inline) {
		if d.want == nil && denialsOf(d.have) == nil && !u.moving(d) {
			u.remove(stageNarrow, d.name, "not in the spec")
		}
	}
}

// dropRest takes away what is left over, what denies last: until then it holds
// back what the others allow.
func (u *roleUpdate) dropRest() {
	for _, denying := range []bool{false, true} {
		for _, d := range diffInline(u.want.Inline, u.have.Inline) {
			if d.want == nil && (denialsOf(d.have) != nil) == denying {
				u.remove(u.stage, d.name, "not in the spec")
			}
		}
		for _, p := range missing(u.have.Attached, u.want.Attached) {
			if u.denies(p) == denying {
				u.detach(u.stage, p, "replaced or not in the spec")
			}
		}
	}
}

// attachMissing attaches what is new. Where the role has no room for old and
// new at once, an old one makes place. If all that could denies something, what
// it holds back goes first.
func (u *roleUpdate) attachMissing() {
	for _, p := range missing(u.want.Attached, u.have.Attached) {
		unwanted := missing(u.have.Attached, u.want.Attached)
		if len(u.have.Attached) >= u.accountPlan.want.Quotas.AttachedPerRole && len(unwanted) > 0 {
			first := slices.IndexFunc(unwanted, func(p string) bool { return !u.denies(p) })
			if first < 0 {
				u.clear(u.stage, false)
				first = 0
			}
			u.detach(u.stage, unwanted[first], "makes place for its successor")
		}
		u.attach(u.stage, p, "holds what does not fit inline")
	}
}

func (u *roleUpdate) own(policyARN string) bool {
	return strings.Contains(policyARN, ":policy"+u.path())
}

// denies reports whether a managed policy is known to deny something.
func (u *roleUpdate) denies(policyARN string) bool {
	return denialsOf(u.accountPlan.have.PolicyDocument(policyARN)) != nil
}

// moving reports whether all that an unwanted inline policy says is wanted in
// another policy, and the role has room for both until that one stands.
func (u *roleUpdate) moving(d inlineDiff) bool {
	var wanted []string
	for _, p := range u.want.Inline {
		wanted = append(wanted, statementKeys(p.Document)...)
	}
	for _, arn := range u.want.Attached {
		wanted = append(wanted, statementKeys(u.accountPlan.want.PolicyDocument(arn))...)
	}
	return len(missing(statementKeys(d.have), wanted)) == 0 && u.fits()
}

// fits reports whether the account has room for the old and the new inline
// policies at once.
func (u *roleUpdate) fits() bool {
	total := 0
	for _, p := range u.want.Inline {
		total += size(p.Document)
	}
	for _, d := range diffInline(u.want.Inline, u.have.Inline) {
		if d.want == nil {
			total += size(d.have)
		}
	}
	return total <= u.accountPlan.want.Quotas.RoleInlineSize
}

// principalsStand reports whether everything of the stack that the new trust
// names exists already.
func (u *roleUpdate) principalsStand() bool {
	standing := u.accountPlan.have.Principals()
	for _, s := range u.want.Trust.Statements {
		if s.Principal == nil {
			continue
		}
		for _, arn := range slices.Concat(s.Principal.AWS, s.Principal.Federated) {
			made := strings.Contains(arn, u.path()) || strings.Contains(arn, ":oidc-provider/")
			if made && !standing[arn] {
				return false
			}
		}
	}
	return true
}

// settings are what neither trusts nor permits.
func (u *roleUpdate) settings() {
	if u.want.MaxSession != u.have.MaxSession || u.want.Description != u.have.Description {
		u.add(u.stage, UpdateRole, Input{MaxSession: u.want.MaxSession, Description: u.want.Description}, "session length or description differs")
	}
	set, remove := tagDiff(u.want.Tags, u.have.Tags)
	if len(set) > 0 {
		u.add(u.stage, TagRole, Input{Tags: set}, "tags differ")
	}
	if len(remove) > 0 {
		u.add(u.stage, UntagRole, Input{TagKeys: remove}, "tags not in the spec")
	}
}

// denialsOf is the part of a policy that denies, nil if there is none or the
// policy is not known.
func denialsOf(d *iam.Document) *iam.Document {
	if d == nil {
		return nil
	}
	out := *d
	out.Statements = slices.DeleteFunc(slices.Clone(d.Statements), func(s iam.Statement) bool { return s.Effect != iam.Deny })
	if len(out.Statements) == 0 {
		return nil
	}
	return &out
}
