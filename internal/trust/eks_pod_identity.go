package trust

import (
	"fmt"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// podPrincipal is the service that assumes roles for pods, in every partition.
const podPrincipal = "pods.eks.amazonaws.com"

// EKSPodIdentity is a service account of an EKS cluster whose pods get their
// role by EKS Pod Identity. EKS says for which by session tags. A trust in the
// service alone lets in every service account that somebody may associate with
// the role; an association with disableSessionTags is then refused.
//
// https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html
// https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html
type EKSPodIdentity struct {
	ClusterARN     string // arn:PARTITION:eks:REGION:ACCOUNT:cluster/NAME
	Namespace      string
	ServiceAccount string
}

// Kind is "eks_pod_identity".
func (EKSPodIdentity) Kind() string { return "eks_pod_identity" }

// Describe names the service account and the cluster.
func (p EKSPodIdentity) Describe() string {
	return "EKS service account " + p.Namespace + "/" + p.ServiceAccount + " of " + nameOf(p.ClusterARN, "cluster")
}

// tags are the session tags that tell the pod.
func (p EKSPodIdentity) tags() []Claim {
	return []Claim{{"eks-cluster-arn", p.ClusterARN}, {"kubernetes-namespace", p.Namespace}, {"kubernetes-service-account", p.ServiceAccount}}
}

func (p EKSPodIdentity) statement(Scope) iam.Statement {
	st := iam.Statement{
		Effect:    iam.Allow,
		Principal: &iam.Principal{Service: []string{podPrincipal}},
		Actions:   []string{"sts:AssumeRole", tagSession},
	}
	for _, tag := range p.tags() {
		st.Conditions = append(st.Conditions, equals("aws:RequestTag/"+tag.Name, tag.Value))
	}
	return st
}

func (p EKSPodIdentity) known() Known {
	form := map[string]string{}
	for _, tag := range p.tags() {
		form["aws:RequestTag/"+tag.Name] = tag.Value
	}
	return Known{Forms: []map[string]string{form}}
}

// Caller is EKS for a pod of the service account.
func (p EKSPodIdentity) Caller(Scope) Caller {
	c := serving(podPrincipal)
	c.Actions = append(c.Actions, tagSession)
	for _, tag := range p.tags() {
		c = c.withKey("aws:RequestTag/"+tag.Name, tag.Value)
	}
	return c.withKey("aws:RequestTag/kubernetes-pod-name", p.ServiceAccount+"-1")
}

// Attackers are pods of other service accounts, namespaces and clusters.
func (p EKSPodIdentity) Attackers(s Scope) []Attack {
	pod := func(name, why string, change func(*EKSPodIdentity)) Attack {
		moved := p
		change(&moved)
		return Attack{name, why, moved.Caller(s)}
	}
	untold := serving(podPrincipal)
	return []Attack{
		pod("another service account of the namespace", "whoever may make a pod there and an association; a trust in the service alone lets it in", func(m *EKSPodIdentity) { m.ServiceAccount = other("default", p.ServiceAccount) }),
		pod("the same name in another namespace", "whoever may make a pod there; a trust in the service account's name alone lets it in", func(m *EKSPodIdentity) { m.Namespace = other("playground", p.Namespace) }),
		pod("the same names in another cluster", "whoever runs a cluster in the account; a trust in the names alone lets it in", func(m *EKSPodIdentity) { m.ClusterARN = evil(p.ClusterARN) }),
		pod("a service account whose name begins alike", whyAlike, func(m *EKSPodIdentity) { m.ServiceAccount = evil(p.ServiceAccount) }),
		{"an association without session tags", "whoever may associate the role: disableSessionTags; IfExists holds without", untold},
		{"another AWS service with the tags", "whoever may configure it; a trust in several services lets it in", Caller{Principal: serving("ec2." + suffix("aws")).Principal, Actions: p.Caller(s).Actions, Keys: p.Caller(s).Keys}},
	}
}

var clusterARN = lazily(`^arn:(?:aws|aws-us-gov|aws-cn):eks:[a-z0-9-]+:[0-9]{12}:cluster/[0-9A-Za-z][A-Za-z0-9_-]*$`)

// Check refuses anything but one service account of one cluster.
func (p EKSPodIdentity) Check() []Problem {
	var problems []Problem
	const form = "write arn:aws:eks:REGION:ACCOUNT:cluster/NAME"
	switch {
	case p.ClusterARN == "":
		problems = append(problems, Problem{Field: "cluster_arn", Msg: "is missing: the names alone would be trusted in every cluster", Hint: form})
	case strings.ContainsAny(p.ClusterARN, wildcards):
		problems = append(problems, Problem{Field: "cluster_arn", Msg: fmt.Sprintf("%q has a wildcard", p.ClusterARN), Hint: "declare one identity for each cluster"})
	case !clusterARN().MatchString(p.ClusterARN):
		problems = append(problems, Problem{Field: "cluster_arn", Msg: fmt.Sprintf("%q is not the ARN of an EKS cluster", p.ClusterARN), Hint: form})
	}
	return append(problems, checkServiceAccount(p.Namespace, p.ServiceAccount)...)
}

// checkIn wants the cluster's own account: EKS passes no role of another.
func (p EKSPodIdentity) checkIn(s Scope) []Problem {
	return checkHome(s, "cluster_arn", p.ClusterARN, "EKS associates roles of the cluster's own account; from there the pod may assume others")
}

// checkHome refuses a resource that is not of the role's own account.
func checkHome(s Scope, field, arn, why string) []Problem {
	if problems := checkPartition(s, field, arn); problems != nil {
		return problems
	}
	if account := accountOf(arn); s.Account != "" && account != s.Account {
		return []Problem{{Field: field, Msg: fmt.Sprintf("is of account %s, but the role is of %s", account, s.Account), Hint: why}}
	}
	return nil
}
