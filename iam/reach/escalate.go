package reach

import (
	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

// Empowers returns the first action by which the principal might give itself
// permissions that it does not have, and why it might. What it then could do
// is not bounded by its policies.
func (p *Principal) Empowers(facts Facts) (action string, why Finding, could bool) {
	for _, action := range empowering() {
		if f, could := p.Could(Question{Action: action, Resource: "*", Facts: facts}); could {
			return action, f, true
		}
	}
	return "", Finding{}, false
}

// Leaves returns a statement by which the principal might assume a role of an
// account besides these, all of the partition. What it then could do is known
// to that account alone.
func (p *Principal) Leaves(partition string, accounts []string, facts Facts) (Finding, bool) {
	q := Question{Action: "sts:AssumeRole", Resource: "arn:" + partition + ":iam::????????????:role/*", Facts: facts}
	for _, id := range accounts {
		q.Except = append(q.Except, iam.ARN{Partition: partition, Service: "iam", Account: id, Resource: "*"}.String())
	}
	return p.Could(q)
}

// Passes reports whether the principal might hand the role to an AWS service
// that the role trusts, and names the service. Whoever may do so can do what
// the role can: with the service's help.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
func (p *Principal) Passes(r *Role, facts Facts) (service string, could bool) {
	if r.Trust == nil {
		_, could = p.Could(Question{Action: "iam:PassRole", Resource: r.ARN, Facts: facts})
		return "a service", could
	}
	for _, service := range r.services {
		to := facts.With(map[string][]string{"iam:PassedToService": {service}})
		if _, could := p.Could(Question{Action: "iam:PassRole", Resource: r.ARN, Facts: to}); !could {
			continue
		}
		if r.Admits(Caller{Principal: eval.Principal{Kind: eval.Service, ARN: service}, Facts: Facts{Now: facts.Now}}) {
			return service, true
		}
	}
	return "", false
}
