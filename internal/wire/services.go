package wire

// services is the table. Operations are those that the catalogue's roles make
// and those that their tests must see refused. Where AWS asks for more than one
// permission, needs says for which.
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
func services() []service {
	return []service{
		ecr(), ecs(), eks(), lambda(),
		ec2(), autoScaling(), loadBalancing(),
		s3(), dynamodb(), secretsManager(), ssm(), kms(),
		cloudFront(), route53(),
		cloudFormation(), codeDeploy(), logs(), events(),
		iamService(), stsService(),
	}
}

const json11 = "application/x-amz-json-1.1"
