package gateway

import (
	"net/http"
	"os"
	"strings"

	"github.com/postern-dev/postern/internal/catalog"
	"github.com/postern-dev/postern/internal/wire"
)

const (
	lambdaARN    = "arn:aws:lambda:" + region + ":" + account + ":"
	distribution = "E2EXAMPLE1ABCD"
	siteARN      = "arn:aws:s3:::acme-www"
	groupARN     = "arn:aws:autoscaling:" + region + ":" + account + ":autoScalingGroup:0a1b:autoScalingGroupName/"
)

func deployScenarios() []scenario {
	return []scenario{
		{
			name: "AWS CLI deploys a Lambda function", grant: "lambda-deploy", level: "configuration",
			args: catalog.Args{
				"functions": {"shop-api"}, "packages": {"acme-code/lambda"}, "get_function": {"true"}, "pass_roles": {"shop-api"},
			},
			tool: needAWS, prepare: prepareLambda, run: deployLambda, breaks: "s3:PutObject",
			unreached: map[string]string{"LambdaPackages s3:AbortMultipartUpload": "the package is small and goes up in one part"},
			denied: []wire.Call{
				{Action: "lambda:UpdateFunctionCode", Resource: lambdaARN + "function:web"},
				{Action: "lambda:UpdateFunctionCode", Resource: lambdaARN + "function:shop-api2"},
				{Action: "lambda:DeleteFunction", Resource: lambdaARN + "function:shop-api"},
				{Action: "lambda:InvokeFunction", Resource: lambdaARN + "function:shop-api"},
				{Action: "lambda:AddPermission", Resource: lambdaARN + "function:shop-api"},
				{Action: "lambda:CreateFunction", Resource: lambdaARN + "function:shop-api"},
				{Action: "s3:PutObject", Resource: "arn:aws:s3:::acme-code/web/api.zip"},
				{Action: "s3:DeleteObject", Resource: "arn:aws:s3:::acme-code/lambda/api.zip"},
			},
		},
		{
			name: "AWS CLI publishes a site", grant: "s3-static-site", level: "prefix",
			args: catalog.Args{"bucket": {"acme-www"}, "prefix": {"shop"}, "delete": {"true"}, "distributions": {distribution}},
			tool: needAWS, prepare: prepareSite, run: publishSite, breaks: "s3:ListBucket",
			// moto's distributions have ids that AWS's cannot have.
			answers: []string{"cloudfront:CreateInvalidation", "cloudfront:GetInvalidation"},
			denied: []wire.Call{
				{Action: "s3:PutObject", Resource: siteARN + "/index.html"},
				{Action: "s3:PutObject", Resource: siteARN + "2/shop/index.html"},
				{Action: "s3:GetObject", Resource: siteARN + "/shop/index.html"},
				{Action: "s3:PutObjectAcl", Resource: siteARN + "/shop/index.html"},
				{Action: "s3:ListBucket", Resource: siteARN},
				{Action: "s3:PutBucketPolicy", Resource: siteARN},
				{Action: "cloudfront:CreateInvalidation", Resource: "arn:aws:cloudfront::" + account + ":distribution/E2OTHERONE"},
				{Action: "cloudfront:UpdateDistribution", Resource: "arn:aws:cloudfront::" + account + ":distribution/E2OTHERONE"},
			},
		},
		{
			name: "AWS CLI refreshes an Auto Scaling group", grant: "auto-deploy-ec2", level: "refresh",
			args: catalog.Args{"service": {"shop"}, "groups": {"shop"}},
			tool: needAWS, breaks: "autoscaling:StartInstanceRefresh",
			// moto knows no instance refreshes.
			answers: []string{
				"autoscaling:StartInstanceRefresh", "autoscaling:DescribeInstanceRefreshes",
				"autoscaling:CancelInstanceRefresh", "autoscaling:RollbackInstanceRefresh",
			},
			run: func(s *stage) error {
				return s.aws(
					"autoscaling describe-auto-scaling-groups",
					"ec2 describe-launch-templates",
					"ec2 describe-launch-template-versions --versions $Latest",
					"autoscaling start-instance-refresh --auto-scaling-group-name shop",
					"autoscaling describe-instance-refreshes --auto-scaling-group-name shop",
					"autoscaling describe-scaling-activities --auto-scaling-group-name shop",
					"ec2 describe-instances",
					"ec2 describe-instance-status",
					"autoscaling cancel-instance-refresh --auto-scaling-group-name shop",
					"autoscaling rollback-instance-refresh --auto-scaling-group-name shop",
				)
			},
			denied: []wire.Call{
				{Action: "autoscaling:StartInstanceRefresh", Resource: groupARN + "web"},
				{Action: "autoscaling:UpdateAutoScalingGroup", Resource: groupARN + "shop"},
				{Action: "autoscaling:DeleteAutoScalingGroup", Resource: groupARN + "shop"},
				{Action: "ec2:TerminateInstances", Resource: "arn:aws:ec2:" + region + ":" + account + ":instance/i-0abc"},
				{Action: "ec2:CreateLaunchTemplateVersion", Resource: "arn:aws:ec2:" + region + ":" + account + ":launch-template/lt-0abc"},
				{Action: "ec2:DescribeVolumes", Resource: "*"},
			},
		},
	}
}

func prepareLambda(s *stage) {
	s.bucket("acme-code")
	form := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	s.at("iam", http.MethodPost, "/", form, "Action=CreateRole&Version=2010-05-08&RoleName=shop-api&AssumeRolePolicyDocument=%7B%7D")
	body := func(v any) string { return s.encode(v) }
	code := map[string]any{"ZipFile": []byte(zipped)}
	s.at("lambda", http.MethodPost, "/2018-10-31/layers/libs/versions", nil, body(map[string]any{"Content": code}))
	s.at("lambda", http.MethodPost, "/2015-03-31/functions", nil, body(map[string]any{
		"FunctionName": "shop-api", "Runtime": "python3.12", "Handler": "api.run", "Role": "arn:aws:iam::" + account + ":role/shop-api", "Code": code,
	}))
	s.at("lambda", http.MethodPost, "/2015-03-31/functions/shop-api/versions", nil, "{}")
	s.at("lambda", http.MethodPost, "/2015-03-31/functions/shop-api/aliases", nil, `{"Name":"live","FunctionVersion":"1"}`)
	s.file("api.zip", zipped)
}

// zipped is an empty archive.
var zipped = "PK\x05\x06" + strings.Repeat("\x00", 18)

func deployLambda(s *stage) error {
	return s.aws(
		"s3 cp "+s.dir+"/api.zip s3://acme-code/lambda/api.zip",
		"lambda update-function-code --function-name shop-api --s3-bucket acme-code --s3-key lambda/api.zip",
		"lambda wait function-updated --function-name shop-api",
		"lambda wait function-updated-v2 --function-name shop-api",
		"lambda update-function-configuration --function-name shop-api --memory-size 256"+
			" --role arn:aws:iam::"+account+":role/shop-api --layers "+lambdaARN+"layer:libs:1",
		"lambda publish-version --function-name shop-api",
		"lambda list-versions-by-function --function-name shop-api",
		"lambda get-alias --function-name shop-api --name live",
		"lambda update-alias --function-name shop-api --name live --function-version 1",
	)
}

func prepareSite(s *stage) {
	s.bucket("acme-www")
	s.at("s3", http.MethodPut, "/acme-www/shop/old.html", nil, "old")
	s.file("site/index.html", "<h1>new</h1>")
	s.file("site/a b/ü+1.html", "odd")
}

func publishSite(s *stage) error {
	const id = distribution
	err := s.aws(
		"s3 sync --delete "+s.dir+"/site s3://acme-www/shop/",
		"cloudfront create-invalidation --distribution-id "+id+" --paths /shop/*",
		"cloudfront wait invalidation-completed --distribution-id "+id+" --id I0",
	)
	if err != nil {
		return err
	}
	return s.giveUpUpload()
}

// giveUpUpload lets a large upload fail on its way, whose parts the CLI then
// takes back.
func (s *stage) giveUpUpload() error {
	path := s.file("site/large.bin", "")
	if err := os.Truncate(path, 9<<20); err != nil { // parts begin at 8 MiB
		return err
	}
	s.fails = func(r *http.Request) bool { return r.URL.Query().Get("partNumber") == "2" }
	err := s.aws("s3 sync --no-progress " + s.dir + "/site s3://acme-www/shop/")
	s.fails = nil
	if err == nil {
		return os.ErrInvalid
	}
	return os.Remove(path)
}
