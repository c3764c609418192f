package catalog_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/action"
	"github.com/postern-dev/postern/internal/catalog"
)

// revealing are calls whose answers may hold secrets: environment variables, user
// data, code, passwords in headers. They are listed here by hand, so that a
// mistake in the grant's own table shows.
var revealing = []string{
	"autoscaling:DescribeLaunchConfigurations",
	"cloudfront:GetDistribution", "cloudfront:GetFunction",
	"ec2:DescribeInstanceAttribute", "ec2:DescribeLaunchTemplateVersions",
	"ecs:DescribeTaskDefinition",
	"elasticloadbalancing:DescribeRules",
	"events:ListTargetsByRule",
	"lambda:GetFunction", "lambda:GetFunctionConfiguration", "lambda:ListFunctions", "lambda:ListVersionsByFunction",
	"sns:GetSubscriptionAttributes", "sns:ListSubscriptions", "sns:ListSubscriptionsByTopic",
}

// forbidden are calls that no level of terraform-plan may have.
var forbidden = regexp.MustCompile(`^(kms:Decrypt|s3:Get(Object|ObjectVersion)|secretsmanager:(Batch)?GetSecretValue|ssm:.*|sts:.*|` +
	`dynamodb:(GetItem|BatchGetItem|Query|Scan|PartiQL.*)|sqs:ReceiveMessage|logs:(Get|Filter|Start|Tail|Test).*|ec2:Get(Password|Console|LaunchTemplate).*|` +
	`ec2:DescribeVpnConnections|ecr:(BatchGetImage|GetDownloadUrlForLayer|GetAuthorizationToken)|lambda:GetLayerVersion|rds:Download.*|iam:(PassRole|Generate.*|Get.*Credential.*))$`)

func TestPlanShowsNoSecrets(t *testing.T) {
	g, _ := catalog.Lookup("terraform-plan")
	services := regexp.MustCompile(`[a-z0-9]+`).FindAllString(g.Params[0].Pattern, -1)
	if len(services) < 20 {
		t.Fatalf("only %v were found in %s", services, g.Params[0].Pattern)
	}
	for _, level := range []string{"read", "lock", "configuration"} {
		doc, err := g.Policy(catalog.CaseScope(), level, catalog.Args{"services": services, "bucket": {"acme-state"}, "key": {"shop.tfstate"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range doc.Statements {
			if strings.HasPrefix(s.SID, "TerraformPlanState") {
				continue // which the cases bound
			}
			checkPlanned(t, level, s)
		}
	}
}

func checkPlanned(t *testing.T, level string, s iam.Statement) {
	t.Helper()
	for _, name := range s.Actions {
		known, _ := action.Lookup(name)
		if known.Level != action.Read && known.Level != action.List {
			t.Errorf("level %s: %s: AWS calls it %s", level, name, known.Level)
		}
		if forbidden.MatchString(name) || level != "configuration" && slices.Contains(revealing, name) {
			t.Errorf("level %s: %s may show a secret", level, name)
		}
	}
}
