package trust

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/fault"
)

var update = flag.Bool("update", false, "write the golden policies")

// everyKind is one entry for each way to trust.
func everyKind(partition string) []Entry {
	arn := func(service, region, resource string) string {
		return iam.ARN{Partition: partition, Service: service, Region: region, Account: "333333333333", Resource: resource}.String()
	}
	until := time.Date(2027, 6, 30, 1, 0, 0, 0, time.FixedZone("CEST", 2*60*60))
	return []Entry{
		{Name: "release", Identity: GitHub{Repository: "acme/shop", Environment: "production"}},
		{Name: "twin", Identity: GitHub{Repository: "acme/shop", Environment: "prod:eu"}},
		{Name: "main-branch", Identity: GitHub{Repository: "acme/shop", RepositoryID: "456789", OwnerID: "123456", Branch: "main"}},
		{Name: "tag", Identity: GitHub{Repository: "acme/shop", Tag: "v1"}, ExternalID: "not-for-oidc"},
		{Name: "checks", Identity: GitHub{Repository: "acme/shop", PullRequest: true}, Until: until},
		{Name: "site", Identity: GitHub{Repository: "acme/site", Branch: "main"}},
		{Name: "site-main", Identity: GitHub{Repository: "acme/site", RepositoryID: "7", OwnerID: "123456", Branch: "main"}},
		{Name: "tags", Identity: GitHub{Repository: "acme/shop", Tag: "v*"}},
		{Name: "branches", Identity: GitHub{Repository: "acme/shop", Branch: "release/*"}},
		{Name: "jenkins", Identity: AWSRole{ARN: arn("iam", "", "role/ci/jenkins")}},
		{Name: "jenkins", Identity: AWSRole{ARN: arn("iam", "", "role/ci/jenkins")}, ExternalID: "from-the-role"},
		{Name: "vendor", Identity: AWSRole{ARN: arn("iam", "", "role/vendor"), ExternalID: "its-own"}, ExternalID: "from-the-role", Until: until},
		{Name: "home", Identity: AWSRole{ARN: "arn:" + partition + ":iam::222222222222:role/home"}, ExternalID: "not-for-our-own"},
		{Name: "org", Identity: AWSAccount{ID: "444444444444", OrgID: "o-abcdefghij"}},
		{Name: "partner", Identity: AWSAccount{ID: "444444444444", ExternalID: "ticket/42"}},
		{Name: "travis", Identity: AWSUser{ARN: arn("iam", "", "user/postern/shop/travis")}, ExternalID: "not-for-users"},
		{Name: "hosts", Identity: Service{Name: "ec2"}},
		{Name: "tasks", Identity: Service{Name: "ecs-tasks.amazonaws.com"}},
		{Name: "build", Identity: Service{Name: "codebuild", SourceARN: arn("codebuild", "eu-west-1", "project/shop")}},
		{Name: "flow", Identity: Service{Name: "vpc-flow-logs", SourceARN: arn("ec2", "*", "vpc-flow-log/*"), SourceAccount: "333333333333"}},
		{Name: "cluster", Identity: Service{Name: "eks"}},
		{Name: "emr", Identity: Service{Name: "elasticmapreduce.amazonaws.com.cn", SourceAccount: "555555555555"}},
	}
}

func TestPolicy(t *testing.T) {
	for _, partition := range partitions {
		t.Run(partition, func(t *testing.T) {
			scope := Scope{Partition: partition, Account: "222222222222"}
			doc, err := Policy(scope, everyKind(partition))
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", partition+".json")
			if *update {
				if err := os.WriteFile(golden, doc.Indented(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(doc.Indented())); diff != "" {
				t.Errorf("policy (-want +got):\n%s", diff)
			}
			if problems := Lint(doc); problems != nil {
				t.Errorf("own policy is refused: %v", problems)
			}
		})
	}
}

func TestPolicyRefuses(t *testing.T) {
	scope := Scope{Partition: "aws", Account: "222222222222"}
	jenkins := Entry{Name: "jenkins", Identity: AWSRole{ARN: "arn:aws:iam::333333333333:role/jenkins"}}
	for _, test := range []struct {
		name    string
		scope   Scope
		entries []Entry
		want    []string
	}{
		{"nobody", scope, nil, []string{"trust is empty: nobody could ever become the role"}},
		{"no identity", scope, []Entry{{Name: "x"}}, []string{"x: no identity is given"}},
		{"unknown partition", Scope{Partition: "aws-iso", Account: "222222222222"}, []Entry{jenkins}, []string{`partition "aws-iso" is unknown`}},
		{"bad account", Scope{Partition: "aws", Account: "22"}, []Entry{jenkins}, []string{`account "22" is not 12 digits`}},
		{"all at once", scope, []Entry{
			{Name: "a", Identity: GitHub{Repository: "acme/shop"}},
			jenkins,
			{Name: "b", Identity: AWSRole{ARN: "arn:aws-cn:iam::333333333333:role/jenkins"}},
			{Name: "c", Identity: AWSUser{ARN: "arn:aws-cn:iam::333333333333:user/jenkins"}},
			{Name: "d", Identity: Service{Name: "codebuild", SourceARN: "arn:aws-cn:codebuild:cn-north-1:333333333333:project/x"}},
			{Name: "e", Identity: jenkins.Identity, ExternalID: "a b"},
			{Name: "f", Identity: AWSAccount{ID: "444444444444"}},
			{Name: "g", Identity: AWSAccount{ID: "222222222222"}, ExternalID: "of-no-use-here"},
			{Name: "h", Identity: AWSAccount{ID: "444444444444"}, ExternalID: "theirs"},
			{Name: "i", Identity: AWSAccount{ID: "222222222222"}},
		}, []string{
			"a: nothing of the repository is chosen: any workflow on any branch would be trusted",
			`b: arn: "arn:aws-cn:iam::333333333333:role/jenkins" is in partition aws-cn, but the role is in aws: nothing can act across partitions`,
			`c: arn: "arn:aws-cn:iam::333333333333:user/jenkins" is in partition aws-cn, but the role is in aws: nothing can act across partitions`,
			`d: source_arn: "arn:aws-cn:codebuild:cn-north-1:333333333333:project/x" is in partition aws-cn, but the role is in aws: nothing can act across partitions`,
			`e: external_id: "a b" cannot be an external id`,
			"f: external_id: is missing: every principal that the account lets assume roles would be trusted, also on behalf of its other customers",
			"g: external_id: is missing: every principal of the role's own account that may assume roles would be trusted; the external_id of the role is asked of other accounts only",
			"i: external_id: is missing: every principal of the role's own account that may assume roles would be trusted",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			doc, err := Policy(test.scope, test.entries)
			if doc != nil {
				t.Errorf("got a policy: %s", doc.Indented())
			}
			if diff := cmp.Diff(test.want, messages(err)); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	}
}

func messages(err error) []string {
	var list fault.List
	if !errors.As(err, &list) && err != nil {
		list = fault.List{err}
	}
	var lines []string
	for _, e := range list {
		lines = append(lines, e.Error())
	}
	return lines
}

func TestSIDs(t *testing.T) {
	used := sids{}
	var got []string
	for _, name := range []string{"release", "release-prod", "Release", "release2", "release", "über_x", "", "-", "release"} {
		got = append(got, used.next(name))
	}
	want := []string{"Release", "ReleaseProd", "Release2", "Release22", "Release3", "BerX", "Trust", "Trust2", "Release4"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sids (-want +got):\n%s", diff)
	}
}

func TestDescribeAndKind(t *testing.T) {
	for _, test := range []struct {
		id         Identity
		kind, line string
	}{
		{GitHub{Repository: "acme/shop", Environment: "production"}, "github", "GitHub acme/shop, environment production"},
		{GitHub{Repository: "acme/shop", Branch: "main"}, "github", "GitHub acme/shop, branch main"},
		{GitHub{Repository: "acme/shop", Tag: "v1"}, "github", "GitHub acme/shop, tag v1"},
		{GitHub{Repository: "acme/shop", Tag: "v*"}, "github", "GitHub acme/shop, tags v*"},
		{GitHub{Repository: "acme/shop", Branch: "release/*"}, "github", "GitHub acme/shop, branches release/*"},
		{GitHub{Repository: "acme/shop", PullRequest: true}, "github", "GitHub acme/shop, pull requests"},
		{AWSRole{ARN: "arn:aws:iam::333333333333:role/ci/jenkins"}, "aws_role", "AWS role ci/jenkins of account 333333333333"},
		{AWSUser{ARN: "arn:aws:iam::333333333333:user/travis"}, "aws_user", "AWS user travis of account 333333333333"},
		{AWSAccount{ID: "444444444444", OrgID: "o-abcdefghij", ExternalID: "x1"}, "aws_account", "AWS account 444444444444, any principal of organisation o-abcdefghij with the external id"},
		{Service{Name: "ec2"}, "service", "AWS service ec2.amazonaws.com"},
		{Service{Name: "states", SourceARN: "arn:aws:states:eu-west-1:222222222222:stateMachine:x"}, "service", "AWS service states.amazonaws.com for arn:aws:states:eu-west-1:222222222222:stateMachine:x"},
	} {
		if got := test.id.Describe(); got != test.line {
			t.Errorf("Describe() = %q, want %q", got, test.line)
		}
		if got := test.id.Kind(); got != test.kind {
			t.Errorf("%s: Kind() = %q, want %q", test.line, got, test.kind)
		}
	}
}

func TestIssuerAndAudiences(t *testing.T) {
	for _, test := range []struct {
		id        Identity
		partition string
		issuer    string
		audiences []string
	}{
		{GitHub{}, "aws", "token.actions.githubusercontent.com", []string{"sts.amazonaws.com"}},
		{GitHub{}, "aws-us-gov", "token.actions.githubusercontent.com", []string{"sts.amazonaws.com"}},
		{GitHub{}, "aws-cn", "token.actions.githubusercontent.com", []string{"sts.amazonaws.com.cn"}},
		{GitHub{Enterprise: "acme"}, "aws", "token.actions.githubusercontent.com/acme", []string{"sts.amazonaws.com"}},
		{GitHub{Host: "acme.ghe.com"}, "aws", "token.actions.acme.ghe.com", []string{"sts.amazonaws.com"}},
		{GitHub{Host: "github.example.com"}, "aws", "github.example.com/_services/token", []string{"sts.amazonaws.com"}},
		{Service{Name: "ec2"}, "aws", "", nil},
		{AWSRole{}, "aws", "", nil},
	} {
		tokens, ok := TokensOf(test.id, Scope{Partition: test.partition})
		if tokens.Issuer != test.issuer || ok != (test.issuer != "") {
			t.Errorf("issuer of %T = %q, %v", test.id, tokens.Issuer, ok)
		}
		if diff := cmp.Diff(test.audiences, tokens.Audiences); diff != "" {
			t.Errorf("audiences of %T in %s (-want +got):\n%s", test.id, test.partition, diff)
		}
	}
}
