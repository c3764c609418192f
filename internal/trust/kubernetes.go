package trust

import (
	"fmt"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// Kubernetes is a service account of a cluster, proven by its projected token:
// what EKS calls IAM roles for service accounts. The issuer is the cluster's
// own, so AWS does not insist on a subject.
//
// https://docs.aws.amazon.com/eks/latest/userguide/iam-roles-for-service-accounts.html
// https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/
type Kubernetes struct {
	Issuer         string // URL: "https://oidc.eks.REGION.amazonaws.com/id/ID"
	Namespace      string
	ServiceAccount string
	Audience       string // of the projected token; empty: STS
}

// Kind is "kubernetes".
func (Kubernetes) Kind() string { return "kubernetes" }

// Describe names the service account and the cluster's issuer.
func (k Kubernetes) Describe() string {
	return "Kubernetes service account " + k.Namespace + "/" + k.ServiceAccount + " of " + withoutScheme(k.Issuer)
}

func (k Kubernetes) statement(s Scope) iam.Statement { return k.Tokens(s).statement(s) }

// Caller is the pod with its token.
func (k Kubernetes) Caller(s Scope) Caller { return k.Tokens(s).Sample.caller(s) }

// Tokens asks for one service account.
func (k Kubernetes) Tokens(s Scope) Tokens { return k.plain().tokens(s) }

func (k Kubernetes) plain() plainToken {
	return plainToken{issuer: withoutScheme(k.Issuer), audience: k.Audience, subject: accountSubject(k.Namespace, k.ServiceAccount)}
}

func accountSubject(namespace, account string) string {
	return "system:serviceaccount:" + namespace + ":" + account
}

// Attackers are other service accounts of the cluster, and the same of others.
func (k Kubernetes) Attackers(s Scope) []Attack {
	as := func(namespace, account string) func(*plainToken) {
		return func(p *plainToken) { p.subject = accountSubject(namespace, account) }
	}
	return k.Tokens(s).attacks(s, "https://kubernetes.default.svc", forge(k.plain().in(s),
		change[plainToken]{"another cluster", "whoever runs it can name a service account alike; its issuer is another, and a provider may stand in the account for it", func(p *plainToken) {
			p.issuer = another(p.issuer, "oidc.eks.eu-west-1.amazonaws.com/id/99999999999999999999999999999999", "oidc.eks.eu-west-1.amazonaws.com/id/88888888888888888888888888888888")
		}},
		change[plainToken]{"another service account of the namespace", "whoever may make a pod there; NAMESPACE:* lets it in", as(k.Namespace, other("default", k.ServiceAccount))},
		change[plainToken]{"the same name in another namespace", "whoever may make a pod there; *:SERVICEACCOUNT lets it in", as(other("playground", k.Namespace), k.ServiceAccount)},
		change[plainToken]{"a service account whose name begins alike", whyAlike, as(k.Namespace, evil(k.ServiceAccount))},
		change[plainToken]{"a namespace whose name begins alike", whyAlike, as(evil(k.Namespace), k.ServiceAccount)},
	))
}

// kubernetesName is a DNS label, or a subdomain for service accounts.
//
// https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
var (
	namespaceName = lazily(`^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$`)
	accountName   = lazily(`^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$`)
)

// Check refuses an issuer that AWS cannot take and anything but one service account.
func (k Kubernetes) Check() []Problem {
	problems := checkIssuer(k.Issuer, "https://oidc.eks.REGION.amazonaws.com/id/ID; aws eks describe-cluster --name CLUSTER --query cluster.identity.oidc.issuer prints it")
	problems = append(problems, checkServiceAccount(k.Namespace, k.ServiceAccount)...)
	return append(problems, checkAudience(k.Audience)...)
}

const (
	maxNamespace = 63
	maxAccount   = 253
)

func checkServiceAccount(namespace, account string) []Problem {
	var problems []Problem
	for _, name := range []struct {
		field, value string
		fits         bool
	}{
		{"namespace", namespace, len(namespace) <= maxNamespace && namespaceName().MatchString(namespace)},
		{"service_account", account, len(account) <= maxAccount && accountName().MatchString(account)},
	} {
		switch {
		case name.value == "":
			problems = append(problems, Problem{Field: name.field, Msg: "is missing: any of the cluster would be trusted", Hint: "write its name"})
		case strings.ContainsAny(name.value, wildcards):
			problems = append(problems, Problem{Field: name.field, Msg: fmt.Sprintf("%q has a wildcard: whoever may make a pod under such a name would be trusted", name.value), Hint: "declare one identity for each"})
		case !name.fits:
			problems = append(problems, Problem{Field: name.field, Msg: fmt.Sprintf("%q is not a name that Kubernetes allows", name.value), Hint: "write it in lower case, as kubectl shows it"})
		}
	}
	return problems
}
