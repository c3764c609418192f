package trust

import (
	"strings"

	"github.com/postern-dev/postern/iam"
)

// azureAudience is the one audience of Azure DevOps's tokens. Whoever receives
// one could present it to AWS: the subject is what tells.
const azureAudience = "api://AzureADTokenExchange"

// AzureDevOps is a pipeline that may use a service connection, proven by the
// connection's OIDC token. Which pipelines may is for the connection's own
// permissions and checks. The names are those of the subject; a renamed
// organisation, project or connection changes it. Connections for which Microsoft
// Entra issues the tokens are not covered, and how spaces in names stand in the
// subject is not verified.
//
// https://learn.microsoft.com/azure/devops/pipelines/library/connect-to-azure
// https://github.com/aws/aws-toolkit-azure-devops
type AzureDevOps struct {
	Organization      string // name
	OrganizationID    string // UUID: the issuer's path
	Project           string // name
	ServiceConnection string // name
}

// Kind is "azure_devops".
func (AzureDevOps) Kind() string { return "azure_devops" }

// Describe names the service connection.
func (a AzureDevOps) Describe() string {
	return "Azure DevOps " + a.Organization + "/" + a.Project + ", service connection " + a.ServiceConnection
}

func (a AzureDevOps) statement(s Scope) iam.Statement { return a.Tokens(s).statement(s) }

// Caller is the pipeline with the connection's token.
func (a AzureDevOps) Caller(s Scope) Caller { return a.Tokens(s).Sample.caller(s) }

// Tokens asks for the whole subject.
func (a AzureDevOps) Tokens(Scope) Tokens {
	job := azureJob{AzureDevOps: a, scheme: "sc"}
	t := Tokens{
		Issuer: job.issuer(), Audiences: []string{azureAudience}, Subjects: []string{job.subject()}, Sample: job.claims(),
	}
	t.Known = t.asked()
	return t
}

// azureJob is one use of a connection, or of a pipeline's own token.
type azureJob struct {
	AzureDevOps
	scheme string // "sc": service connection; "p": pipeline
}

func (j azureJob) issuer() string { return "vstoken.dev.azure.com/" + j.OrganizationID }

func (j azureJob) subject() string {
	return j.scheme + "://" + j.Organization + "/" + j.Project + "/" + j.ServiceConnection
}

func (j azureJob) claims() Claims {
	return Claims{"iss": "https://" + j.issuer(), "aud": azureAudience, "sub": j.subject(), "org_id": j.OrganizationID}
}

// Attackers are pipelines with other connections of the organisation, and
// pipelines of other organisations.
func (a AzureDevOps) Attackers(s Scope) []Attack {
	return a.Tokens(s).attacks(s, "", forge(azureJob{AzureDevOps: a, scheme: "sc"},
		change[azureJob]{"another organisation's connection", "anyone can have one; its issuer is another, and nobody should add that as provider", func(j *azureJob) {
			j.Organization, j.OrganizationID = other("mallory", a.Organization), otherUUID(a.OrganizationID)
		}},
		change[azureJob]{"another service connection of the project", "whoever may make one; a trust in aud alone lets it in, as guides show it", func(j *azureJob) {
			j.ServiceConnection = other("playground", a.ServiceConnection)
		}},
		change[azureJob]{"a connection of the same name in another project", "whoever runs a project of the organisation; a * for the project lets it in", func(j *azureJob) {
			j.Project = other("playground", a.Project)
		}},
		change[azureJob]{"a connection whose name begins alike", whyAlike, func(j *azureJob) { j.ServiceConnection = evil(a.ServiceConnection) }},
		change[azureJob]{"a pipeline named like the connection", "whoever may make a pipeline: its own token has the subject p://ORGANIZATION/PROJECT/PIPELINE; *://... lets it in", func(j *azureJob) {
			j.scheme = "p"
		}},
	))
}

// Check refuses names that could pose as several parts of the subject.
func (a AzureDevOps) Check() []Problem {
	problems := checkUUID("organization_id", strings.ToLower(a.OrganizationID), "https://dev.azure.com/ORGANIZATION/_apis/connectionData shows it as instanceId")
	if strings.ToLower(a.OrganizationID) != a.OrganizationID {
		problems = append(problems, Problem{Field: "organization_id", Msg: "has upper-case letters, which the issuer does not", Hint: "write " + strings.ToLower(a.OrganizationID)})
	}
	return append(problems, checkParts(
		subjectPart{"organization", a.Organization, "/", "write the name: what follows dev.azure.com/ in its address"},
		subjectPart{"project", a.Project, "/", "write the project's name as it is shown"},
		subjectPart{"service_connection", a.ServiceConnection, "/", "write the connection's name as it is shown"},
	)...)
}

func (a AzureDevOps) open() []string {
	return []string{"every pipeline that may use the connection: give it to single pipelines, with a check for the branch"}
}
