[[- /*
https://docs.spacelift.io/integrations/cloud-providers/oidc/aws-oidc
https://registry.terraform.io/providers/hashicorp/aws/latest/docs#assuming-an-iam-role-using-a-web-identity
*/ -]]
# [[.File]]
# [[.Header]]
[[- if eq .ID.Scope "write"]]
# A tracked run plans with scope read: give that an identity and a role of its own.
[[- end]]
provider "aws" {
  region              = [[hcl .Region]]
  allowed_account_ids = [[printf "[%s]" (hcl .Account)]]

  assume_role_with_web_identity {
    role_arn                = [[hcl .RoleARN]]
    session_name            = [[hcl .Session]]
    web_identity_token_file = "/mnt/workspace/spacelift.oidc"
[[- if .Seconds]]
    duration                = [[hcl .Duration]]
[[- end]]
  }
}
