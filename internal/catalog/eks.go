package catalog

import "github.com/postern-dev/postern/iam"

// eksDescribe lets kubectl and helm find a cluster. What they may do in it is
// Kubernetes' own to say, by an access entry of the role.
//
// https://docs.aws.amazon.com/eks/latest/userguide/create-kubeconfig.html
func eksDescribe() *Grant {
	return &Grant{
		Name:    "eks-describe",
		Area:    Containers,
		Summary: "find an EKS cluster and make a kubeconfig for it; what follows is up to the cluster's access entries",
		Never:   "change a cluster, a node group or an add-on, make or change access entries, read objects through the AWS console",
		Params: []Param{{
			Name: "clusters", Type: List, Max: 50, Pattern: `^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$`, Example: "prod", Levels: []string{"cluster", "nodes"},
			Summary: "up to 50 names of clusters",
			Wider:   "for every cluster of the account use level account",
		}},
		Levels: []Level{
			{Name: "cluster", Summary: "find the named clusters: aws eks update-kubeconfig", Needs: []string{"clusters"}},
			{Name: "nodes", Summary: "also see the named clusters' node groups, Fargate profiles, add-ons and updates", Adds: "what the clusters run on: versions, sizes, roles", Needs: []string{"clusters"}},
			{Name: "account", Summary: "see every cluster of the account in the region", Adds: "every other cluster, and the list of them"},
		},
		Unscopable: []Unscopable{{
			Actions: []string{"eks:ListClusters"},
			Reason:  "a list of the account's clusters knows no resource; a condition bounds it to the role's region",
		}},
		Why: Why{
			"eks:DescribeAddon":          "aws eks wait addon-active: waits for an add-on",
			"eks:DescribeCluster":        "aws eks update-kubeconfig, for kubectl and helm: reads endpoint and certificate; get-token needs no permission",
			"eks:DescribeFargateProfile": "aws eks wait fargate-profile-active: waits for a profile",
			"eks:DescribeNodegroup":      "aws eks wait nodegroup-active: waits for nodes",
			"eks:DescribeUpdate":         "aws eks describe-update: follows an upgrade",
			"eks:ListAddons":             "aws eks list-addons: finds the add-ons of a cluster",
			"eks:ListClusters":           "aws eks list-clusters: finds the clusters",
			"eks:ListFargateProfiles":    "aws eks list-fargate-profiles: finds the profiles of a cluster",
			"eks:ListNodegroups":         "aws eks list-nodegroups: finds the nodes of a cluster",
			"eks:ListUpdates":            "aws eks list-updates: finds an upgrade",
		},
		Cases:      eksCases,
		statements: eksStatements,
	}
}

func eksStatements(s Scope, level string, args Args) []iam.Statement {
	names := args["clusters"]
	if level == "account" {
		names = []string{"*"}
	}
	arns := func(kind, below string) []string {
		return each(names, func(name string) string { return s.arn("eks", kind+"/"+name+below) })
	}
	clusters := arns("cluster", "")
	out := []iam.Statement{allow("EksDescribe", []string{"eks:DescribeCluster"}, clusters)}
	if level == "cluster" {
		return out
	}
	nodes, addons, profiles := arns("nodegroup", "/*"), arns("addon", "/*"), arns("fargateprofile", "/*")
	out = append(out,
		allow("EksList", []string{"eks:ListAddons", "eks:ListFargateProfiles", "eks:ListNodegroups"}, clusters),
		allow("EksNodegroups", []string{"eks:DescribeNodegroup"}, nodes),
		allow("EksAddons", []string{"eks:DescribeAddon"}, addons),
		allow("EksFargateProfiles", []string{"eks:DescribeFargateProfile"}, profiles),
		allow("EksUpdates", []string{"eks:DescribeUpdate", "eks:ListUpdates"}, flat(clusters, nodes, addons)))
	if level == "account" {
		out = append(out, allow("EksListClusters", []string{"eks:ListClusters"}, everything(), when("StringEquals", "aws:RequestedRegion", s.Region)))
	}
	return out
}

func eksCases() []Case {
	const eks = "arn:aws:eks:eu-west-1:222222222222:"
	find := func(cluster string) []call { return calls(eks+"cluster/"+cluster, nil, "eks:DescribeCluster") }
	nodes := func(cluster string) []call {
		return flat(
			calls(eks+"cluster/"+cluster, nil, "eks:ListAddons", "eks:ListFargateProfiles", "eks:ListNodegroups", "eks:ListUpdates", "eks:DescribeUpdate"),
			calls(eks+"nodegroup/"+cluster+"/big/0a1b", nil, "eks:DescribeNodegroup", "eks:DescribeUpdate"),
			calls(eks+"addon/"+cluster+"/coredns/0a1b", nil, "eks:DescribeAddon"),
			calls(eks+"fargateprofile/"+cluster+"/jobs/0a1b", nil, "eks:DescribeFargateProfile"),
		)
	}
	in := func(region string) []call {
		return calls("*", map[string][]string{"aws:RequestedRegion": {region}}, "eks:ListClusters")
	}
	never := flat(
		calls(eks+"cluster/prod", nil, "eks:UpdateClusterConfig", "eks:UpdateClusterVersion", "eks:DeleteCluster", "eks:CreateAccessEntry", "eks:AccessKubernetesApi", "eks:CreateNodegroup"),
		calls(eks+"access-entry/prod/role/222222222222/deploy/0a1b", nil, "eks:AssociateAccessPolicy", "eks:UpdateAccessEntry"),
		calls("arn:aws:eks:us-east-1:222222222222:cluster/prod", nil, "eks:DescribeCluster"),
		calls("arn:aws:eks:eu-west-1:333333333333:cluster/prod", nil, "eks:DescribeCluster"),
		in("us-east-1"),
	)
	prod := Args{"clusters": {"prod"}}
	return flat(
		cases("", prod, find("prod"), flat(never, nodes("prod"), find("prod2"), find("test"), in("eu-west-1"))),
		cases("nodes", prod, flat(find("prod"), nodes("prod")), flat(never, nodes("test"), nodes("prod2"), in("eu-west-1"))),
		cases("account", nil, flat(find("prod"), nodes("prod"), find("test"), nodes("test"), in("eu-west-1")), never),
	)
}
