package trust

import (
	"cmp"

	"github.com/postern-dev/postern/iam"
)

// HCPTerraform is a phase of the runs of a workspace of HCP Terraform, or of
// Terraform Enterprise, proven by its workload identity token. A plan can be
// started by whoever may propose a change: what applies deserves a role of its
// own. Names can be taken again after a rename or a deletion, and no id is in a
// claim that AWS can ask for.
//
// https://developer.hashicorp.com/terraform/cloud-docs/dynamic-provider-credentials/aws-configuration
// https://developer.hashicorp.com/terraform/cloud-docs/dynamic-provider-credentials/workload-identity-tokens
type HCPTerraform struct {
	Organization string
	Project      string
	Workspace    string
	RunPhase     string // "plan" or "apply"
	Host         string // of Terraform Enterprise; empty: HCP Terraform
	Audience     string // TFC_AWS_WORKLOAD_IDENTITY_AUDIENCE; empty: "aws.workload.identity"
}

// Kind is "hcp_terraform".
func (HCPTerraform) Kind() string { return "hcp_terraform" }

// Describe names the workspace and the phase.
func (h HCPTerraform) Describe() string {
	line := "HCP Terraform " + h.Organization + "/" + h.Project + "/" + h.Workspace + ", phase " + h.RunPhase
	if h.Host != "" {
		line += " (" + h.Host + ")"
	}
	return line
}

func (h HCPTerraform) statement(s Scope) iam.Statement { return h.Tokens(s).statement(s) }

// Caller is the run with its token.
func (h HCPTerraform) Caller(s Scope) Caller { return h.Tokens(s).Sample.caller(s) }

// Tokens asks for the whole subject.
func (h HCPTerraform) Tokens(Scope) Tokens {
	run := terraformRun{h}
	t := Tokens{
		Issuer: run.issuer(), Audiences: []string{run.audience()}, Subjects: []string{run.subject()}, Sample: run.claims(),
	}
	t.Known = t.asked()
	return t
}

type terraformRun struct{ HCPTerraform }

func (r terraformRun) issuer() string { return cmp.Or(r.Host, "app.terraform.io") }

func (r terraformRun) audience() string { return cmp.Or(r.Audience, "aws.workload.identity") }

func (r terraformRun) subject() string {
	return "organization:" + r.Organization + ":project:" + r.Project + ":workspace:" + r.Workspace + ":run_phase:" + r.RunPhase
}

func (r terraformRun) claims() Claims {
	return Claims{
		"iss": "https://" + r.issuer(), "aud": r.audience(), "sub": r.subject(),
		"terraform_organization_name": r.Organization, "terraform_project_name": r.Project,
		"terraform_workspace_name": r.Workspace, "terraform_run_phase": r.RunPhase,
	}
}

// Attackers are runs of other organisations, projects, workspaces and phases.
func (h HCPTerraform) Attackers(s Scope) []Attack {
	phase := map[string]string{"plan": "apply", "apply": "plan"}[h.RunPhase]
	return h.Tokens(s).attacks(s, "vault.workload.identity", forge(terraformRun{h},
		change[terraformRun]{"another organisation's workspace", whyAnyone, func(r *terraformRun) { r.Organization = other("mallory", h.Organization) }},
		change[terraformRun]{"an organisation whose name begins alike", "anyone can register it; organization:NAME* lets it in", func(r *terraformRun) { r.Organization = evil(h.Organization) }},
		change[terraformRun]{"another project", "every team of the organisation; project:* lets it in, as guides show it", func(r *terraformRun) { r.Project = other("playground", h.Project) }},
		change[terraformRun]{"another workspace", whyElse, func(r *terraformRun) { r.Workspace = other("playground", h.Workspace) }},
		change[terraformRun]{"a workspace whose name begins alike", whyAlike, func(r *terraformRun) { r.Workspace = evil(h.Workspace) }},
		change[terraformRun]{"the other run phase", "whoever may propose a change starts a plan, before anyone has approved it; run_phase:* lets both in", func(r *terraformRun) { r.RunPhase = phase }},
	))
}

// Check refuses names that could pose as several parts of the subject.
func (h HCPTerraform) Check() []Problem {
	problems := checkParts(
		subjectPart{"organization", h.Organization, ":", "write its name"},
		subjectPart{"project", h.Project, ":", `write its name; a workspace that nobody moved is in "Default Project"`},
		subjectPart{"workspace", h.Workspace, ":", "write its name"},
	)
	if h.RunPhase == "" {
		problems = append(problems, Problem{Field: "run_phase", Msg: "is missing", Hint: "write plan or apply: whoever may propose a change starts a plan, so give each a role of its own (TFC_AWS_PLAN_ROLE_ARN, TFC_AWS_APPLY_ROLE_ARN)"})
	} else {
		problems = append(problems, checkChoice("run_phase", h.RunPhase, "plan", "apply")...)
	}
	if h.Host != "" {
		problems = append(problems, checkHost("host", h.Host, "terraform.example.com")...)
	}
	return append(problems, checkAudience(h.Audience)...)
}

func (h HCPTerraform) open() []string {
	return facts(
		fact{h.RunPhase == "plan", "whoever may propose a change to " + h.Workspace + ", before anyone has approved it"},
		fact{true, "whoever takes the names after they were given up: AWS can ask for no id"},
	)
}
