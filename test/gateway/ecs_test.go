package gateway

import (
	"github.com/postern-dev/postern/internal/catalog"
	"github.com/postern-dev/postern/internal/wire"
)

const ecsARN = "arn:aws:ecs:" + region + ":" + account + ":"

func ecsScenarios() []scenario {
	return []scenario{{
		name: "AWS CLI deploys an ECS service", grant: "ecs-service-deployment",
		args: catalog.Args{"services": {"prod/shop"}, "pass_roles": {"shop-task"}, "tags": {"true"}, "run_task": {"true"}},
		tool: needAWS, prepare: prepareECS, run: deployECS, breaks: "ecs:RegisterTaskDefinition",
		answers: []string{"ecs:ListServiceDeployments", "ecs:DescribeServiceDeployments", "ecs:RunTask"}, // moto runs tasks on instances that register
		denied: []wire.Call{
			{Action: "ecs:UpdateService", Resource: ecsARN + "service/prod/web"},
			{Action: "ecs:UpdateService", Resource: ecsARN + "service/test/shop"},
			{Action: "ecs:UpdateService", Resource: ecsARN + "service/prod/shop", Context: map[string][]string{"ecs:task-definition": {ecsARN + "task-definition/web:3"}}},
			{Action: "ecs:DescribeServices", Resource: ecsARN + "service/prod/web"},
			{Action: "ecs:CreateService", Resource: ecsARN + "service/prod/shop"},
			{Action: "ecs:DeleteService", Resource: ecsARN + "service/prod/shop"},
			{Action: "ecs:StopTask", Resource: ecsARN + "task/prod/0a1b"},
			{Action: "ecs:DeregisterTaskDefinition", Resource: "*"},
			{Action: "ecs:RunTask", Resource: ecsARN + "task-definition/web:3", Context: map[string][]string{"ecs:cluster": {ecsARN + "cluster/prod"}}},
			{Action: "iam:CreateUser", Resource: "arn:aws:iam::" + account + ":user/mallory"},
		},
	}}
}

const taskDefinition = `[{"name":"shop","image":"shop:2","memory":128}]`

func prepareECS(s *stage) {
	const target = "AmazonEC2ContainerServiceV20141113."
	s.json("ecs", target+"CreateCluster", `{"clusterName":"prod"}`)
	s.json("ecs", target+"RegisterTaskDefinition", `{"family":"shop","containerDefinitions":`+taskDefinition+`}`)
	s.json("ecs", target+"CreateService", `{"cluster":"prod","serviceName":"shop","taskDefinition":"shop:1","desiredCount":0}`)
}

func deployECS(s *stage) error {
	return s.aws(
		"ecs describe-services --cluster prod --services shop",
		"ecs describe-task-definition --task-definition shop",
		"ecs register-task-definition --family shop --task-role-arn arn:aws:iam::"+account+":role/shop-task --tags key=commit,value=0a1b"+
			" --container-definitions '"+taskDefinition+"'",
		"ecs update-service --cluster prod --service shop --task-definition shop:2",
		"ecs wait services-stable --cluster prod --services shop",
		"ecs list-service-deployments --cluster prod --service shop",
		"ecs describe-service-deployments --service-deployment-arns "+ecsARN+"service-deployment/prod/shop/0a1b",
		"ecs list-tasks --cluster prod --service-name shop",
		"ecs describe-tasks --cluster prod --tasks 0a1b2c3d",
		"ecs run-task --cluster prod --task-definition shop:2 --tags key=commit,value=0a1b",
	)
}
