package prove

import (
	"slices"
	"time"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/iam/reach"
	"github.com/postern-dev/postern/internal/compile"
	"github.com/postern-dev/postern/internal/spec"
	"github.com/postern-dev/postern/internal/trust"
)

// entries finds the roles that each identity can become: those whose trust
// policy admits it, in whatever path they lie, and from there those that these
// may assume.
func (m *model) entries() []Entry {
	var out []Entry
	for i := range m.Spec.Identities {
		id := &m.Spec.Identities[i]
		proof := compile.Proof(m.Spec, id)
		out = append(out, Entry{
			Identity: id.Name, Describe: proof.Describe(), RedFlag: id.AccessKey != nil,
			Roles: m.reached(m.direct(proof)),
		})
	}
	for i := range m.Spec.Roles {
		r := &m.Spec.Roles[i]
		for _, t := range r.Trust {
			if t.Proof == nil {
				continue
			}
			out = append(out, m.inline(r, t.Proof))
		}
	}
	return out
}

// inline is an identity that a role names itself. It is taken for that role
// alone: a service may enter many roles of an account, each for another
// purpose.
func (m *model) inline(r *spec.Role, proof trust.Identity) Entry {
	e := Entry{Identity: proof.Describe() + " (role " + r.Name + ")", Describe: proof.Describe()}
	if one := m.byARN[compile.RoleARN(m.Spec, r)]; one != nil && m.enters(proof, one, "") {
		e.Roles = m.reached([]*role{one})
	}
	return e
}

func (m *model) direct(proof trust.Identity) []*role {
	var out []*role
	for _, r := range m.roles {
		if _, service := proof.(trust.Service); service && r.name == "" {
			continue
		}
		if m.enters(proof, r, m.externalID(r)) {
			out = append(out, r)
		}
	}
	return out
}

func (m *model) externalID(r *role) string {
	i := slices.IndexFunc(m.Spec.Roles, func(s spec.Role) bool { return s.Name == r.name })
	if i < 0 {
		return ""
	}
	return m.Spec.Roles[i].ExternalID
}

// enters reports whether the identity can become the role.
func (m *model) enters(proof trust.Identity, r *role, externalID string) bool {
	known := map[string][]string{"aws:CurrentTime": {m.Now.UTC().Format(time.RFC3339)}}
	req := eval.Request{Action: "sts:AssumeRole"}
	identity := []*eval.Policy{}
	switch id := proof.(type) {
	case trust.GitHub:
		return m.entersWithToken(id, r, known)
	case trust.AWSRole:
		req.Principal = eval.Principal{Kind: eval.Role, ARN: id.ARN, Account: accountOf(id.ARN)}
		known["sts:ExternalId"] = nonEmpty(id.ExternalID, externalID)
		if own := m.byARN[id.ARN]; own != nil {
			return own.mayAssume(r, known)
		}
		identity = allPowerful()
	case trust.AWSAccount:
		arn := iam.ARN{Partition: m.Spec.Partition, Service: "iam", Account: id.ID, Resource: "root"}.String()
		req.Principal = eval.Principal{Kind: eval.Root, ARN: arn, Account: id.ID}
		known["sts:ExternalId"] = nonEmpty(id.ExternalID, externalID)
		identity = allPowerful()
	case trust.AWSUser:
		return m.userEnters(id, r, known)
	case trust.Service:
		req.Principal = eval.Principal{Kind: eval.Service, ARN: id.Principal(m.scope(r))}
	}
	return r.admits(req, known, identity)
}

func (m *model) scope(r *role) trust.Scope {
	return trust.Scope{Partition: r.account.Partition, Region: m.Spec.Region, Account: r.account.ID}
}

func (m *model) entersWithToken(id trust.GitHub, r *role, known map[string][]string) bool {
	scope := m.scope(r)
	issuer, _ := trust.Issuer(id)
	for key, values := range id.TokenIn(scope).Context() {
		known[key] = values
	}
	return r.admits(eval.Request{
		Principal: eval.Principal{Kind: eval.WebIdentity, ARN: trust.ProviderARN(scope, issuer), Account: r.account.ID},
		Action:    "sts:AssumeRoleWithWebIdentity",
	}, known, nil)
}

// userEnters judges a machine user with its own policies: it must be allowed
// on both sides.
func (m *model) userEnters(id trust.AWSUser, r *role, known map[string][]string) bool {
	req := eval.Request{
		Action:    "sts:AssumeRole",
		Principal: eval.Principal{Kind: eval.User, ARN: id.ARN, Account: accountOf(id.ARN)},
	}
	p, ok := m.user(id.ARN)
	if !ok {
		return false
	}
	if _, could := p.Could("sts:AssumeRole", r.arn); !could {
		return r.admits(req, known, nil)
	}
	return r.admits(req, known, allPowerful())
}

func (m *model) user(arn string) (reach.Principal, bool) {
	for i := range m.Estate.Accounts {
		account := &m.Estate.Accounts[i]
		for j := range account.Users {
			u := &account.Users[j]
			if account.UserARN(u.Path, u.Name) == arn {
				return userPrincipal(account, u), true
			}
		}
	}
	return reach.Principal{}, false
}

// mayAssume reports whether a role of the estate can become another.
func (r *role) mayAssume(target *role, known map[string][]string) bool {
	req := eval.Request{
		Action:    "sts:AssumeRole",
		Principal: eval.Principal{Kind: eval.Role, ARN: r.arn, Account: r.account.ID},
	}
	if _, could := r.principal.Could("sts:AssumeRole", target.arn); could {
		return target.admits(req, known, allPowerful())
	}
	return target.admits(req, known, nil)
}

// reached follows roles that may assume further roles, nearest first.
func (m *model) reached(direct []*role) []Reached {
	var out []Reached
	seen := map[string]bool{}
	type step struct {
		role *role
		via  []string
	}
	queue := []step{}
	for _, r := range direct {
		queue = append(queue, step{role: r})
		seen[r.arn] = true
	}
	known := map[string][]string{"aws:CurrentTime": {m.Now.UTC().Format(time.RFC3339)}}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		out = append(out, Reached{ARN: at.role.arn, Role: at.role.name, Via: at.via})
		for _, next := range m.roles {
			if seen[next.arn] || !at.role.mayAssume(next, known) {
				continue
			}
			seen[next.arn] = true
			queue = append(queue, step{role: next, via: append(slices.Clone(at.via), at.role.arn)})
		}
	}
	return out
}

func allPowerful() []*eval.Policy {
	p, err := eval.Compile("a principal's own policies", eval.Identity, everything())
	if err != nil {
		panic("prove: compile a constant policy: " + err.Error())
	}
	return []*eval.Policy{p}
}

func nonEmpty(candidates ...string) []string {
	for _, c := range candidates {
		if c != "" {
			return []string{c}
		}
	}
	return []string{}
}

func accountOf(arn string) string {
	a, err := iam.ParseARN(arn)
	if err != nil {
		return ""
	}
	return a.Account
}
