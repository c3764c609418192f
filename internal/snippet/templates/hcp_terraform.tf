[[- /*
https://developer.hashicorp.com/terraform/cloud-docs/dynamic-provider-credentials/aws-configuration
https://registry.terraform.io/providers/hashicorp/tfe/latest/docs/resources/variable
*/ -]]
# [[.File]]: environment variables of the workspace, which can be typed in as well.
# [[.Header]]
[[- if .ID.Host]]
# The provider tfe has to know your Terraform Enterprise: hostname = [[hcl .ID.Host]].
[[- end]]
# Give the other phase a role of its own: without one it has no credentials.
data "tfe_workspace" [[hcl .Name]] {
  organization = [[hcl .ID.Organization]]
  name         = [[hcl .ID.Workspace]]
}

resource "tfe_variable" [[hcl .Name]] {
  for_each = {
    [[if eq .ID.RunPhase "plan"]]TFC_AWS_PLAN_ROLE_ARN = [[else]]TFC_AWS_APPLY_ROLE_ARN = [[end]][[hcl .RoleARN]]

    # Once for both phases:
    TFC_AWS_PROVIDER_AUTH = "true"
    AWS_REGION            = [[hcl .Region]]
[[- if .ID.Audience]]

    TFC_AWS_WORKLOAD_IDENTITY_AUDIENCE = [[hcl .ID.Audience]]
[[- end]]
  }
  workspace_id = data.tfe_workspace.[[.Name]].id
  category     = "env"
  key          = each.key
  value        = each.value
}
