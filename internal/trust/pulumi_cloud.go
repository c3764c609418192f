package trust

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// PulumiIssuer is the one issuer of all Pulumi Cloud's customers.
const PulumiIssuer = "api.pulumi.com/oidc"

// PulumiCloud is either an environment of Pulumi ESC, whoever opens it, or the
// operations of Pulumi Deployments on a stack, proven by Pulumi Cloud's OIDC
// token. The two have audiences of their own. An ESC environment that others
// import presents the subject of the one that was opened, and subjectAttributes
// change it: both make this identity not match, never match more. What the
// subjects of the project default are, and those of environments that pulumi up
// opens for a stack, is not verified.
//
// https://www.pulumi.com/docs/esc/guides/configuring-oidc/aws/
// https://www.pulumi.com/docs/deployments/guides/oidc/aws/
type PulumiCloud struct {
	Organization string
	Environment  string   // ESC: "PROJECT/ENVIRONMENT"
	Project      string   // Deployments
	Stack        string   // Deployments
	Operations   []string // Deployments: some of preview, update, refresh, destroy
}

// Kind is "pulumi_cloud".
func (PulumiCloud) Kind() string { return "pulumi_cloud" }

// Describe names the environment, or the stack and the operations.
func (p PulumiCloud) Describe() string {
	if p.Environment != "" {
		return "Pulumi ESC " + p.Organization + ", environment " + p.Environment
	}
	return "Pulumi Deployments " + p.Organization + "/" + p.Project + "/" + p.Stack + ", " + strings.Join(p.Operations, " and ")
}

func (p PulumiCloud) statement(s Scope) iam.Statement { return p.Tokens(s).statement(s) }

// Caller is Pulumi Cloud with a token for the environment or the first operation.
func (p PulumiCloud) Caller(s Scope) Caller { return p.Tokens(s).Sample.caller(s) }

// Tokens asks for the whole subject: one, or one for each operation.
func (p PulumiCloud) Tokens(Scope) Tokens {
	t := Tokens{Issuer: PulumiIssuer, Audiences: []string{p.token().audience()}, Sample: p.token().claims()}
	if p.Environment != "" {
		t.Subjects = []string{p.token().subject()}
	}
	for _, operation := range p.Operations {
		one := p.token()
		one.operation = operation
		t.Subjects = append(t.Subjects, one.subject())
	}
	t.Known = t.asked()
	return t
}

// pulumiToken is one token of Pulumi Cloud.
type pulumiToken struct {
	PulumiCloud
	operation string
}

func (p PulumiCloud) token() pulumiToken {
	t := pulumiToken{PulumiCloud: p}
	if len(p.Operations) > 0 {
		t.operation = p.Operations[0]
	}
	return t
}

func (t pulumiToken) audience() string {
	if t.Environment != "" {
		return "aws:" + t.Organization
	}
	return t.Organization
}

func (t pulumiToken) subject() string {
	if t.Environment != "" {
		return "pulumi:environments:org:" + t.Organization + ":env:" + t.Environment
	}
	return "pulumi:deploy:org:" + t.Organization + ":project:" + t.Project + ":stack:" + t.Stack + ":operation:" + t.operation + ":scope:write"
}

func (t pulumiToken) claims() Claims {
	return Claims{"iss": "https://" + PulumiIssuer, "aud": t.audience(), "sub": t.subject(), "org": t.Organization}
}

// Attackers are other organisations, environments, stacks and operations.
func (p PulumiCloud) Attackers(s Scope) []Attack {
	changes := []change[pulumiToken]{
		{"another organisation", "anyone can have one, with names alike; a trust without aud and sub lets it in", func(t *pulumiToken) { t.Organization = other("mallory", p.Organization) }},
		{"an organisation whose name begins alike", "anyone can register it; org:NAME* lets it in", func(t *pulumiToken) { t.Organization = evil(p.Organization) }},
	}
	if p.Environment != "" {
		project, name, _ := strings.Cut(p.Environment, "/")
		changes = append(changes,
			change[pulumiToken]{"another environment of the project", "whoever may make one; env:PROJECT/* lets it in", func(t *pulumiToken) { t.Environment = project + "/" + other("playground", name) }},
			change[pulumiToken]{"an environment whose name begins alike", whyAlike, func(t *pulumiToken) { t.Environment = evil(p.Environment) }},
			change[pulumiToken]{"the same name in another project", "every team of the organisation; env:*/NAME lets it in", func(t *pulumiToken) { t.Environment = other("playground", project) + "/" + name }},
			change[pulumiToken]{"a deployment of the organisation", "whoever may deploy a stack; a trust in the organisation lets it in", func(t *pulumiToken) {
				t.Environment, t.Project, t.Stack, t.operation = "", project, name, "update"
			}},
		)
		return p.Tokens(s).attacks(s, p.Organization, forge(p.token(), changes...))
	}
	changes = append(changes,
		change[pulumiToken]{"another project", whyElse, func(t *pulumiToken) { t.Project = other("playground", p.Project) }},
		change[pulumiToken]{"another stack", "whoever may make one; stack:* lets it in", func(t *pulumiToken) { t.Stack = other("playground", p.Stack) }},
		change[pulumiToken]{"a stack whose name begins alike", whyAlike, func(t *pulumiToken) { t.Stack = evil(p.Stack) }},
		change[pulumiToken]{"an ESC environment of the organisation", "whoever may make one; a trust in the organisation lets it in", func(t *pulumiToken) { t.Environment = p.Project + "/" + p.Stack }},
	)
	for _, operation := range pulumiOperations {
		if !slices.Contains(p.Operations, operation) {
			changes = append(changes, change[pulumiToken]{"the operation " + operation, "a pull request starts a preview, others who may deploy the rest; operation:* lets all in", func(t *pulumiToken) { t.operation = operation }})
		}
	}
	return p.Tokens(s).attacks(s, "aws:"+p.Organization, forge(p.token(), changes...))
}

var pulumiOperations = []string{"preview", "update", "refresh", "destroy"}

// Check refuses neither and both of environment and stack, and parts of the
// subject that are many things.
func (p PulumiCloud) Check() []Problem {
	problems := checkParts(subjectPart{"organization", p.Organization, ":/", "write its name: what follows app.pulumi.com/ in its address"})
	deployment := p.Project+p.Stack != "" || len(p.Operations) > 0
	switch {
	case p.Environment != "" && deployment:
		return append(problems, Problem{Field: "environment", Msg: "excludes project, stack and operations", Hint: "an ESC environment and a deployment are two identities"})
	case p.Environment != "":
		return append(problems, p.checkEnvironment()...)
	case !deployment:
		return append(problems, Problem{Msg: "nothing of the organisation is chosen: all of it would be trusted", Hint: "add environment: PROJECT/ENVIRONMENT, or project, stack and operations"})
	}
	problems = append(problems, checkParts(subjectPart{"project", p.Project, ":/", "write its name"}, subjectPart{"stack", p.Stack, ":/", "write its name"})...)
	if len(p.Operations) == 0 {
		problems = append(problems, Problem{Field: "operations", Msg: "is missing: a pull request's preview would be trusted like an update", Hint: "write operations: [update, refresh], or what the role is for"})
	}
	for _, operation := range p.Operations {
		problems = append(problems, checkChoice("operations", operation, pulumiOperations...)...)
	}
	return problems
}

// checkEnvironment refuses the project default too, whose environments have the
// audience of Deployments and a subject of an older form.
func (p PulumiCloud) checkEnvironment() []Problem {
	project, name, _ := strings.Cut(p.Environment, "/")
	const form = "write PROJECT/ENVIRONMENT"
	if project == "default" {
		return []Problem{{Field: "environment", Msg: "environments of the project default have another audience and subject", Hint: "make it in a project of its own"}}
	}
	if name == "" {
		return []Problem{{Field: "environment", Msg: fmt.Sprintf("%q names no project", p.Environment), Hint: form}}
	}
	return checkParts(subjectPart{"environment", project, ":", form}, subjectPart{"environment", name, ":/", form})
}

func (p PulumiCloud) open() []string {
	return facts(
		fact{p.Environment != "", "whoever may open " + p.Environment + ", a stack that imports it among them"},
		fact{slices.Contains(p.Operations, "preview"), "whoever may propose a change, if pull requests start previews"},
	)
}
