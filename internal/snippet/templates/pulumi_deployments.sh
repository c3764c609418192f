[[- /*
https://www.pulumi.com/docs/deployments/guides/oidc/aws/
https://www.pulumi.com/docs/iac/cli/commands/pulumi_deployment_settings_edit/
*/ -]]
# [[.Header]]
# Pulumi marks the command as experimental; the stack's page has the same under
# Settings, Deploy, OpenID Connect.
pulumi deployment settings edit \
  --stack [[sh (printf "%s/%s/%s" .ID.Organization .ID.Project .ID.Stack)]] \
  --oidc-aws-role-arn [[sh .RoleARN]] \
  --oidc-aws-session-name [[.Session]] \
  --oidc-aws-duration [[.Duration]]
