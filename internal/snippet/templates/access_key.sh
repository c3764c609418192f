[[- /*
https://docs.aws.amazon.com/cli/latest/reference/sts/assume-role.html
*/ -]]
# [[.Header]]
# RED FLAG: a long-lived key, because: [[line .Key.Because]]
# The job has it as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, from secret
# settings, never from a file. The key can do nothing but become the role.
session="$(aws sts assume-role --region [[.Region]] \
  --role-arn [[sh .RoleARN]] --role-session-name [[.Session]] \
[[- if .Seconds]]
  --duration-seconds [[.Seconds]] \
[[- end]]
  --query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]' --output text)" || exit
read -r AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN <<EOT
$session
EOT
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_REGION=[[.Region]] AWS_DEFAULT_REGION=[[.Region]]
aws sts get-caller-identity # your work
