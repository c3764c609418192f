[[- /*
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/attach-iam-role.html
https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
https://docs.aws.amazon.com/scheduler/latest/UserGuide/setting-up.html
*/ -]]
# [[.Header]]
# Whoever gives a role to a service needs iam:PassRole on it: grant that on this
# ARN alone, with iam:PassedToService.
[[if and (eq .Service "ec2") .Machine -]]
# Fill in INSTANCE_ID; a launch template takes the same name.
aws ec2 associate-iam-instance-profile --region [[.Region]] --instance-id INSTANCE_ID --iam-instance-profile Name=[[.RoleName]]
[[else if eq .Service "ec2" -]]
# EC2 takes a role through an instance profile: add instance_profile: true to the
# role, and its name is [[.RoleName]].
[[else if eq .Service "lambda" -]]
# Fill in FUNCTION.
aws lambda update-function-configuration --region [[.Region]] --function-name FUNCTION --role [[sh .RoleARN]]
[[else if eq .Service "ecs-tasks" -]]
# In the task definition: taskRoleArn for what the containers do,
# executionRoleArn for pulling images and reading secrets.
# "taskRoleArn": "[[.RoleARN]]"
[[else if eq .Service "codebuild" -]]
# Fill in PROJECT.
aws codebuild update-project --region [[.Region]] --name PROJECT --service-role [[sh .RoleARN]]
[[else if eq .Service "scheduler" -]]
# In the target of the schedule:
# "RoleArn": "[[.RoleARN]]"
[[else -]]
# Where [[.Service]] asks for a role:
# [[.RoleARN]]
[[end -]]
