package gateway

import (
	"github.com/postern-dev/postern/internal/catalog"
	"github.com/postern-dev/postern/internal/wire"
)

const (
	ssmARN    = "arn:aws:ssm:" + region + ":" + account + ":"
	secretARN = "arn:aws:secretsmanager:" + region + ":" + account + ":secret:"
	shellNode = "i-0123456789abcdef0"
)

func readScenarios() []scenario {
	return []scenario{
		{
			name: "AWS CLI reads parameters", grant: "ssm-parameters-read", level: "path", args: catalog.Args{"paths": {"shop"}},
			tool: needAWS, breaks: "ssm:GetParametersByPath",
			prepare: func(s *stage) {
				for _, name := range []string{"/shop/url", "/shop/db/host"} {
					s.json("ssm", "AmazonSSM.PutParameter", `{"Name":"`+name+`","Value":"x","Type":"String","Overwrite":true}`)
				}
			},
			run: func(s *stage) error {
				return s.aws(
					"ssm get-parameters-by-path --path /shop --recursive",
					"ssm get-parameters-by-path --path /shop/db/",
					"ssm get-parameters --names /shop/url /shop/db/host",
					"ssm get-parameter --name /shop/url --with-decryption",
				)
			},
			denied: []wire.Call{
				{Action: "ssm:GetParameter", Resource: ssmARN + "parameter/web/url"},
				{Action: "ssm:GetParameter", Resource: ssmARN + "parameter/shopping/url"},
				{Action: "ssm:GetParametersByPath", Resource: ssmARN + "parameter/web"},
				{Action: "ssm:GetParameterHistory", Resource: ssmARN + "parameter/shop/url"},
				{Action: "ssm:PutParameter", Resource: ssmARN + "parameter/shop/url"},
				{Action: "ssm:DescribeParameters", Resource: "*"},
			},
		},
		{
			name: "AWS CLI reads a secret", grant: "secrets-read", args: catalog.Args{"names": {"shop/db"}},
			tool: needAWS, breaks: "secretsmanager:GetSecretValue",
			prepare: func(s *stage) {
				s.json("secretsmanager", "secretsmanager.CreateSecret", `{"Name":"shop/db","SecretString":"x","ClientRequestToken":"00000000-0000-0000-0000-000000000000"}`)
			},
			run: func(s *stage) error {
				return s.aws("secretsmanager get-secret-value --secret-id shop/db", "secretsmanager describe-secret --secret-id shop/db")
			},
			denied: []wire.Call{
				{Action: "secretsmanager:GetSecretValue", Resource: secretARN + "web/db-AbCdEf"},
				{Action: "secretsmanager:GetSecretValue", Resource: secretARN + "shop/db2-AbCdEf"},
				{Action: "secretsmanager:PutSecretValue", Resource: secretARN + "shop/db-AbCdEf"},
				{Action: "secretsmanager:DeleteSecret", Resource: secretARN + "shop/db-AbCdEf"},
				{Action: "secretsmanager:ListSecrets", Resource: "*"},
			},
		},
		{
			name: "AWS CLI runs a command on an instance", grant: "ssm-run-command",
			args: catalog.Args{"documents": {"deploy-shop"}, "instances": {shellNode}, "output_bucket": {"acme-command-output"}},
			tool: needAWS, breaks: "ssm:SendCommand",
			prepare: func(s *stage) {
				s.bucket("acme-command-output")
				s.at("s3", "PUT", "/acme-command-output/ssm/stdout", nil, "done")
			},
			answers: []string{"ssm:GetCommandInvocation"}, // the command's id is known only after it was sent
			run: func(s *stage) error {
				return s.aws(
					"ssm send-command --document-name deploy-shop --instance-ids "+shellNode+
						" --output-s3-bucket-name acme-command-output --output-s3-key-prefix ssm",
					"ssm get-command-invocation --command-id 00000000-0000-0000-0000-000000000000 --instance-id "+shellNode,
					"s3 cp s3://acme-command-output/ssm/stdout "+s.dir+"/stdout",
				)
			},
			denied: []wire.Call{
				{Action: "ssm:SendCommand", Resource: ssmARN + "document/deploy-web"},
				{Action: "ssm:StartSession", Resource: "arn:aws:ec2:" + region + ":" + account + ":instance/" + shellNode},
				{Action: "ssm:ListCommandInvocations", Resource: "*"},
				{Action: "ssm:CancelCommand", Resource: "*"},
				{Action: "s3:GetObject", Resource: "arn:aws:s3:::acme-command-output/other/stdout"},
			},
			refused: "ssm:SendCommand", refuses: func(s *stage) error {
				return s.aws("ssm send-command --document-name AWS-RunShellScript --instance-ids " + shellNode)
			},
		},
		{
			name: "AWS CLI finds an EKS cluster", grant: "eks-describe", args: catalog.Args{"clusters": {"prod"}},
			tool: needAWS, breaks: "eks:DescribeCluster",
			prepare: func(s *stage) {
				s.at("eks", "POST", "/clusters", nil, `{"name":"prod","roleArn":"arn:aws:iam::`+account+`:role/eks","resourcesVpcConfig":{"subnetIds":["subnet-1"]}}`)
			},
			run: func(s *stage) error {
				return s.aws("eks update-kubeconfig --name prod --kubeconfig " + s.dir + "/config")
			},
			denied: []wire.Call{
				{Action: "eks:DescribeCluster", Resource: "arn:aws:eks:" + region + ":" + account + ":cluster/test"},
				{Action: "eks:ListClusters", Resource: "*"},
				{Action: "eks:ListNodegroups", Resource: "arn:aws:eks:" + region + ":" + account + ":cluster/prod"},
				{Action: "eks:DeleteCluster", Resource: "arn:aws:eks:" + region + ":" + account + ":cluster/prod"},
			},
		},
	}
}
