package trust

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// finding is a problem as the tables state it: which field, and words of the
// message and the hint.
type finding struct{ field, msg, hint string }

func checkFindings(t *testing.T, problems []Problem, want ...finding) {
	t.Helper()
	if len(problems) != len(want) {
		t.Fatalf("got %d problems, want %d: %+v", len(problems), len(want), problems)
	}
	for i, p := range problems {
		w := want[i]
		if p.Field != w.field || !strings.Contains(p.Msg, w.msg) || !strings.Contains(p.Hint, w.hint) {
			t.Errorf("problem %d = %+v, want %+v", i, p, w)
		}
	}
}

func TestCheck(t *testing.T) {
	github := func(change func(*GitHub)) GitHub {
		g := GitHub{Repository: "acme/shop", Branch: "main"}
		change(&g)
		return g
	}
	repository := func(name string) GitHub { return github(func(g *GitHub) { g.Repository = name }) }
	branch := func(name string) GitHub { return github(func(g *GitHub) { g.Branch = name }) }
	environment := func(name string) GitHub { return GitHub{Repository: "acme/shop", Environment: name} }

	for _, test := range []struct {
		name string
		id   Identity
		want []finding
	}{
		{"github branch", branch("main"), nil},
		{"github nested branch", branch("feature/ABC-1_x.y#2"), nil},
		{"github ids", github(func(g *GitHub) { g.RepositoryID, g.OwnerID = "1", "22" }), nil},
		{"github odd names", repository("Octo-Org_x/My.Repo-1_"), nil},
		{"github environment with colon and space", environment("prod: eu/1"), nil},
		{"github Latin-1", environment("süd"), nil},

		{"github no repository", repository(""), []finding{{"repository", "is missing", "OWNER/NAME"}}},
		{"github no owner", repository("shop"), []finding{{"repository", "not a name that GitHub allows", "OWNER/NAME"}}},
		{"github three parts", repository("acme/shop/x"), []finding{{"repository", "not a name", ""}}},
		{"github dot", repository("acme/.."), []finding{{"repository", "not a name", ""}}},
		{"github .git", repository("acme/shop.git"), []finding{{"repository", "ends in .git", "write acme/shop"}}},
		{"github colon", repository("acme/shop:x"), []finding{{"repository", "not a name", ""}}},
		{"github long owner", repository(strings.Repeat("a", 40) + "/shop"), []finding{{"repository", "not a name", ""}}},
		{"github long name", repository("acme/" + strings.Repeat("a", 101)), []finding{{"repository", "not a name", ""}}},
		{"github long id", github(func(g *GitHub) { g.RepositoryID, g.OwnerID = strings.Repeat("9", 20), "1" }), []finding{{"repository_id", "not a decimal id", ""}}},
		{"github address", repository("https://github.com/acme/shop"), []finding{{"repository", "is an address", "acme/shop"}}},
		{"github ids in name", repository("acme@1/shop@2"), []finding{{"repository", "holds ids", "owner_id"}}},
		{"github every repository", repository("acme/*"), []finding{{"repository", "wildcard", "one identity per repository"}}},
		{"github prefix", repository("acme/shop?"), []finding{{"repository", "wildcard", ""}}},
		{"github half the ids", github(func(g *GitHub) { g.RepositoryID = "1" }), []finding{{"owner_id", "is missing", "gh api"}}},
		{"github other half", github(func(g *GitHub) { g.OwnerID = "1" }), []finding{{"repository_id", "is missing", "gh api"}}},
		{"github node id", github(func(g *GitHub) { g.RepositoryID, g.OwnerID = "R_kgDO", "0" }), []finding{{"repository_id", "not a decimal id", ""}, {"owner_id", "not a decimal id", ""}}},
		{"github nothing chosen", GitHub{Repository: "acme/shop"}, []finding{{"", "nothing of the repository is chosen", "environment"}}},
		{"github two chosen", github(func(g *GitHub) { g.PullRequest = true }), []finding{{"pull_request", "branch and pull_request exclude each other", "one identity for each"}}},
		{"github environment and branch", github(func(g *GitHub) { g.Environment = "prod" }), nil},
		{"github environment and branch of a server", github(func(g *GitHub) { g.Environment, g.Host = "prod", "github.example.com" }), []finding{{"branch", "no condition key of ref for github.example.com", "protection rules"}}},
		{"github ids of a server", github(func(g *GitHub) { g.RepositoryID, g.OwnerID, g.Host = "1", "2", "github.example.com" }), []finding{{"repository_id", "no condition key", "remove repository_id"}}},
		{"github ids with data residency", github(func(g *GitHub) { g.RepositoryID, g.OwnerID, g.Host = "1", "2", "acme.ghe.com" }), nil},
		{"github host with scheme", github(func(g *GitHub) { g.Host = "https://github.example.com" }), []finding{{"host", "not the name of a host", "without https://"}}},
		{"github default host", github(func(g *GitHub) { g.Host = "github.com" }), []finding{{"host", "the default", "remove host"}}},
		{"github enterprise", github(func(g *GitHub) { g.Enterprise = "acme-inc" }), nil},
		{"github enterprise with a host", github(func(g *GitHub) { g.Enterprise, g.Host = "acme", "acme.ghe.com" }), []finding{{"enterprise", "on github.com alone", "remove"}}},
		{"github enterprise path", github(func(g *GitHub) { g.Enterprise = "acme/x" }), []finding{{"enterprise", "not the slug", ""}}},
		{"github workflow", github(func(g *GitHub) { g.JobWorkflowRef = "acme/shared/.github/workflows/deploy.yml@refs/heads/main" }), nil},
		{"github workflow at a commit", github(func(g *GitHub) {
			g.JobWorkflowRef = "acme/shared/.github/workflows/deploy.yaml@" + strings.Repeat("0a", 20)
		}), nil},
		{"github workflow at any ref", github(func(g *GitHub) { g.JobWorkflowRef = "acme/shared/.github/workflows/deploy.yml@*" }), []finding{{"job_workflow_ref", "wildcard", "@refs/heads/BRANCH"}}},
		{"github workflow without ref", github(func(g *GitHub) { g.JobWorkflowRef = "acme/shared/.github/workflows/deploy.yml" }), []finding{{"job_workflow_ref", "not a workflow at a ref", "@refs/heads/BRANCH"}}},
		{"github workflow of a server", github(func(g *GitHub) {
			g.JobWorkflowRef, g.Host = "acme/shared/.github/workflows/deploy.yml@refs/heads/main", "github.example.com"
		}), []finding{{"job_workflow_ref", "no condition key", "environment"}}},
		{"github all chosen", GitHub{Repository: "acme/shop", Branch: "a", Tag: "b", Environment: "c", PullRequest: true}, []finding{{"tag", "branch and tag and environment and pull_request exclude", ""}}},
		{"github any branch", branch("*"), []finding{{"branch", `"*" begins with a wildcard`, "each branch"}}},
		{"github branches", branch("release/*"), nil},
		{"github branches of a version", branch("a/b/v1.*-rc*"), nil},
		{"github branches that end alike", branch("*-release"), []finding{{"branch", "begins with a wildcard", "release/*"}}},
		{"github branches with anything before", branch("*/release"), []finding{{"branch", "begins with a wildcard", "release/*"}}},
		{"github folders", branch("a/*/b"), []finding{{"branch", "wildcard before its last part", "release/*"}}},
		{"github folders that begin alike", branch("team-*/x*"), []finding{{"branch", "wildcard before its last part", "release/*"}}},
		{"github one character", branch("release/v?"), []finding{{"branch", "has the wildcard ?", ""}}},
		{"github lock with wildcard", branch("a*.lock"), []finding{{"branch", `"a*.lock" is not a name that git allows`, ""}}},
		{"github escaped wildcard", branch("${*}"), []finding{{"branch", "policy variable", ""}}},
		{"github tags", GitHub{Repository: "acme/shop", Tag: "v*"}, nil},
		{"github full ref", branch("refs/heads/main"), []finding{{"branch", "full ref", "without refs/heads/"}}},
		{"github variable", branch("${aws:username}"), []finding{{"branch", "policy variable", ""}}},
		{"github space", branch("a b"), []finding{{"branch", "git allows", ""}}},
		{"github dots", branch("a..b"), []finding{{"branch", "git allows", ""}}},
		{"github lock", branch("a.lock/b"), []finding{{"branch", "git allows", ""}}},
		{"github hidden", branch("a/.b"), []finding{{"branch", "git allows", ""}}},
		{"github beyond Latin-1", branch("主"), []finding{{"branch", "U+4E3B", ""}}},
		{"github control", branch("a\tb"), []finding{{"branch", "U+0009", ""}}},
		{"github not UTF-8", branch("a\xff"), []finding{{"branch", "UTF-8", ""}}},
		{"github any tag", GitHub{Repository: "acme/shop", Tag: "**"}, []finding{{"tag", "wildcard", "each tag"}}},
		{"github any environment", environment("prod*"), []finding{{"environment", "wildcard", "each environment"}}},
		{"github padded environment", environment(" prod"), []finding{{"environment", "space", ""}}},
		{"github long environment", environment(strings.Repeat("e", 256)), []finding{{"environment", "255", ""}}},

		{"role", AWSRole{ARN: "arn:aws:iam::333333333333:role/jenkins"}, nil},
		{"role with path", AWSRole{ARN: "arn:aws-us-gov:iam::333333333333:role/a/b/jenkins@x", ExternalID: "a:b/c"}, nil},
		{"role missing", AWSRole{}, []finding{{"arn", "is missing", ":role/NAME"}}},
		{"role name", AWSRole{ARN: "jenkins"}, []finding{{"arn", "not the ARN of a role", ":role/NAME"}}},
		{"role of unknown partition", AWSRole{ARN: "arn:aws-x:iam::333333333333:role/a"}, []finding{{"arn", "not the ARN of a role", ""}}},
		{"role without account", AWSRole{ARN: "arn:aws:iam:::role/a"}, []finding{{"arn", "not the ARN of a role", ""}}},
		{"role with long name", AWSRole{ARN: "arn:aws:iam::333333333333:role/" + strings.Repeat("a", 65)}, []finding{{"arn", "not the ARN of a role", ""}}},
		{"role variable", AWSRole{ARN: "arn:aws:iam::333333333333:role/${x}/a"}, []finding{{"arn", "not the ARN of a role", ""}}},
		{"role wildcard", AWSRole{ARN: "arn:aws:iam::333333333333:role/*"}, []finding{{"arn", "wildcard", "each role"}}},
		{"role session", AWSRole{ARN: "arn:aws:sts::333333333333:assumed-role/jenkins/build-1"}, []finding{{"arn", "one session", "arn:aws:iam::333333333333:role/jenkins"}}},
		{"role is a user", AWSRole{ARN: "arn:aws:iam::333333333333:user/jenkins"}, []finding{{"arn", "long-lived key", "access_key"}}},
		{"role is root", AWSRole{ARN: "arn:aws:iam::333333333333:root"}, []finding{{"arn", "whole account", "aws_account"}}},
		{"role is an account", AWSRole{ARN: "333333333333"}, []finding{{"arn", "whole account", "aws_account"}}},
		{"role is an id", AWSRole{ARN: "AROADBQP57FF2AEXAMPLE"}, []finding{{"arn", "deleted principal", ""}}},
		{"role is a group", AWSRole{ARN: "arn:aws:iam::333333333333:group/x"}, []finding{{"arn", "not the ARN of a role", ""}}},
		{"role external id", AWSRole{ARN: "arn:aws:iam::333333333333:role/a", ExternalID: "*"}, []finding{{"external_id", "cannot be", "2 to 1224"}}},

		{"role long external id", AWSRole{ARN: "arn:aws:iam::333333333333:role/a", ExternalID: strings.Repeat("x", 1225)}, []finding{{"external_id", "cannot be", ""}}},

		{"user", AWSUser{ARN: "arn:aws-cn:iam::333333333333:user/postern/shop/travis"}, nil},
		{"user is a role", AWSUser{ARN: "arn:aws:iam::333333333333:role/x"}, []finding{{"arn", "is a role", ":user/NAME"}}},

		{"account in organisation", AWSAccount{ID: "444444444444", OrgID: "o-abcdefghij"}, nil},
		{"account with external id", AWSAccount{ID: "444444444444", ExternalID: "ab"}, nil},
		{"account that a role may narrow", AWSAccount{ID: "444444444444"}, nil},
		{"account id", AWSAccount{ID: "44", ExternalID: "ab"}, []finding{{"id", "12 digits", "quotes"}}},
		{"account organisation id", AWSAccount{ID: "444444444444", OrgID: "r-abcd"}, []finding{{"org_id", "not an organisation id", "o-"}}},
		{"account external id", AWSAccount{ID: "444444444444", ExternalID: "a"}, []finding{{"external_id", "cannot be", ""}}},

		{"service", Service{Name: "EC2.amazonaws.com"}, nil},
		{"service China", Service{Name: "ec2.amazonaws.com.cn"}, nil},
		{"service sub-name", Service{Name: "monitoring.rds", SourceARN: "arn:aws:rds:eu-west-1:222222222222:db:x"}, nil},
		{"service any region", Service{Name: "ssm", SourceARN: "arn:aws:ssm:*:222222222222:*", SourceAccount: "222222222222"}, nil},
		{"service missing", Service{}, []finding{{"name", "is missing", "ec2"}}},
		{"service typing error", Service{Name: "lamda.amazonaws.com"}, []finding{{"name", `"lamda.amazonaws.com"`, "did you mean lambda?"}}},
		{"service unlike any", Service{Name: "frobnicator"}, []finding{{"name", `"frobnicator"`, ""}}},
		{"service by another name", Service{Name: "fargate"}, []finding{{"name", "not the name", "ecs-tasks"}}},
		{"service regional", Service{Name: "states.eu-west-1.amazonaws.com"}, []finding{{"name", "one region", "write states"}}},
		{"service silent", Service{Name: "ec2", SourceARN: "arn:aws:ec2:eu-west-1:222222222222:instance/i-1"}, []finding{{"source_arn", "would never hold", "leave source_arn out"}}},
		{"service silent account", Service{Name: "lambda", SourceAccount: "222222222222"}, []finding{{"source_account", "would never hold", "leave source_account out"}}},
		{"service account only", Service{Name: "config", SourceARN: "arn:aws:config:eu-west-1:222222222222:x"}, []finding{{"source_arn", "would never hold", ""}}},
		{"service foreign ARN", Service{Name: "vpc-flow-logs", SourceARN: "arn:aws:logs:eu-west-1:222222222222:x"}, []finding{{"source_arn", "no resource of vpc-flow-logs", "arn:aws:ec2:"}}},
		{"service any account", Service{Name: "ssm", SourceARN: "arn:aws:ssm:eu-west-1:*:*"}, []finding{{"source_arn", "one account", "REGION"}}},
		{"service variable", Service{Name: "ssm", SourceARN: "arn:aws:ssm:eu-west-1:222222222222:${x}"}, []finding{{"source_arn", "policy variable", ""}}},
		{"service two accounts", Service{Name: "ssm", SourceARN: "arn:aws:ssm:eu-west-1:222222222222:x", SourceAccount: "333333333333"}, []finding{{"source_account", "222222222222", ""}}},
		{"service short account", Service{Name: "ssm", SourceAccount: "3"}, []finding{{"source_account", "12 digits", ""}}},
	} {
		t.Run(test.name, func(t *testing.T) { checkFindings(t, test.id.Check(), test.want...) })
	}
}

func TestServicesAreSortedAndSound(t *testing.T) {
	names := Services()
	if !slices.IsSorted(names) {
		t.Error("services are not sorted")
	}
	if diff := cmp.Diff(slices.Compact(slices.Clone(names)), names); diff != "" {
		t.Errorf("services are named twice:\n%s", diff)
	}
	scope := Scope{Partition: "aws", Account: "222222222222"}
	for _, name := range names {
		if _, err := Policy(scope, []Entry{{Name: name, Identity: Service{Name: name}}}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for word := range standIns {
		if _, ok := named(word); ok {
			t.Errorf("%s is a service and stands in for one", word)
		}
	}
}

func TestServicePrincipal(t *testing.T) {
	for _, test := range []struct {
		name, partition, want string
		ec2                   bool
	}{
		{"ec2", "aws", "ec2.amazonaws.com", true},
		{"EC2.amazonaws.com", "aws-us-gov", "ec2.amazonaws.com", true},
		{"ec2.amazonaws.com", "aws-cn", "ec2.amazonaws.com.cn", true},
		{"lambda.amazonaws.com.cn", "aws-cn", "lambda.amazonaws.com", false},
		{"frobnicator", "aws", "frobnicator", false},
	} {
		service := Service{Name: test.name}
		if got := service.Principal(Scope{Partition: test.partition}); got != test.want {
			t.Errorf("%s in %s = %q, want %q", test.name, test.partition, got, test.want)
		}
		if got := service.IsEC2(); got != test.ec2 {
			t.Errorf("%s: IsEC2() = %v", test.name, got)
		}
	}
}
