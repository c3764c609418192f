package prove

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/postern-dev/postern/internal/compile"
	"github.com/postern-dev/postern/internal/spec"
	"github.com/postern-dev/postern/internal/trust"
)

// Attacks is the outcome of trying every role's trust policy on those who come
// close to its identities. Of the callers' own policies nothing is known: they
// are taken to allow all.
type Attacks struct {
	Observed bool       `json:"observed"` // on what stands in AWS, not on what the spec asks for
	Targets  []Attacked `json:"targets"`  // role by role, identity by identity, in the order of the spec
}

// Attacked is one identity that a role trusts, and those who pose as it.
type Attacked struct {
	Identity string    `json:"identity"` // the name in the spec; what it is for inline ones
	Describe string    `json:"describe"` // one line for people
	Role     string    `json:"role"`     // the name in the spec
	ARN      string    `json:"arn"`
	Standing bool      `json:"standing"`       // the role is in the estate; if not, nothing was tried
	Enters   bool      `json:"enters"`         // the identity itself is admitted now
	Open     []string  `json:"open,omitempty"` // who else passes, or might some day, by what the identity says
	Attempts []Attempt `json:"attempts"`
}

// Attempt is one who must not become the role.
type Attempt struct {
	Attack   string `json:"attack"`
	Why      string `json:"why"` // who can ask so, and what would let it in
	Admitted bool   `json:"admitted"`
}

// Refused reports whether nobody was admitted who must not be.
func (a *Attacks) Refused() bool {
	return !slices.ContainsFunc(a.Targets, func(t Attacked) bool {
		return slices.ContainsFunc(t.Attempts, func(one Attempt) bool { return one.Admitted })
	})
}

// RunAttacks tries them all.
func RunAttacks(in Input) *Attacks {
	m := newModel(in)
	out := &Attacks{Observed: in.Observed, Targets: []Attacked{}}
	for i := range in.Spec.Roles {
		r := &in.Spec.Roles[i]
		for j := range r.Trust {
			out.Targets = append(out.Targets, m.attacked(r, j))
		}
	}
	return out
}

func (m *model) attacked(r *spec.Role, i int) Attacked {
	entries := compile.Entries(m.Spec, r)
	id := entries[i].Identity
	out := Attacked{Identity: r.Trust[i].Identity, Describe: id.Describe(), Role: r.Name, ARN: compile.RoleARN(m.Spec, r), Open: trust.Open(id), Attempts: []Attempt{}}
	if out.Identity == "" {
		out.Identity = id.Kind()
	}
	role := m.byARN[out.ARN]
	if role == nil || role.Trust == nil {
		return out
	}
	scope := m.scope(role)
	admits := func(c trust.Caller) bool { return trust.Admits(role.Trust, out.ARN, at(c, m.Now)) }
	out.Standing, out.Enters = true, admits(entries[i].Caller(scope))
	for _, a := range trust.Strangers(scope, entries, i) {
		out.Attempts = append(out.Attempts, Attempt{a.Name, a.Why, admits(a.Caller)})
	}
	return out
}

// at is the caller at an instant.
func at(c trust.Caller, now time.Time) trust.Caller {
	c.Keys = maps.Clone(c.Keys)
	if c.Keys == nil {
		c.Keys = map[string][]string{}
	}
	c.Keys["aws:CurrentTime"] = []string{now.UTC().Format(time.RFC3339)}
	c.Keys["aws:EpochTime"] = []string{strconv.FormatInt(now.Unix(), 10)}
	return c
}
