package trust

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// JenkinsOIDC is a job of Jenkins, proven by an id token of its plugin
// oidc-provider. AWS fetches the issuer's keys from the internet: a Jenkins that
// cannot be reached needs a public host for them as issuer.
//
// The subject is the job's URL unless a claim template of the plugin says
// otherwise. Whoever may configure the plugin, or a folder with an id token
// credential of its own, makes tokens of any subject.
//
// https://plugins.jenkins.io/oidc-provider
type JenkinsOIDC struct {
	Issuer   string // URL: "https://jenkins.example.com/oidc"
	JobURL   string // with "/" at its end
	Audience string // as the credential has it; empty: STS
}

// Kind is "jenkins_oidc".
func (JenkinsOIDC) Kind() string { return "jenkins_oidc" }

// Describe names the job.
func (j JenkinsOIDC) Describe() string { return "Jenkins job " + j.JobURL }

func (j JenkinsOIDC) statement(s Scope) iam.Statement { return j.Tokens(s).statement(s) }

// Caller is the job with its token.
func (j JenkinsOIDC) Caller(s Scope) Caller { return j.Tokens(s).Sample.caller(s) }

// Tokens asks for the whole URL.
func (j JenkinsOIDC) Tokens(s Scope) Tokens { return j.plain().tokens(s) }

func (j JenkinsOIDC) plain() plainToken {
	return plainToken{issuer: withoutScheme(j.Issuer), audience: j.Audience, subject: j.JobURL}
}

// Attackers are other jobs, and the jobs of other servers.
func (j JenkinsOIDC) Attackers(s Scope) []Attack {
	folder := j.JobURL[:max(0, strings.LastIndex(strings.TrimSuffix(j.JobURL, "/"), "/")+1)]
	subject := func(url string) func(*plainToken) { return func(p *plainToken) { p.subject = url } }
	return j.Tokens(s).attacks(s, "https://vault.example.com", forge(j.plain().in(s),
		change[plainToken]{"another Jenkins", "anyone can run one and name a job alike; its issuer is another, and nobody should add that as provider", func(p *plainToken) {
			p.issuer = another(p.issuer, "jenkins.example.net/oidc", "jenkins.example.org/oidc")
		}},
		change[plainToken]{"another job", "whoever may make one; a trust in aud alone lets it in, as guides show it", subject(folder + other("playground", strings.TrimSuffix(j.JobURL[len(folder):], "/")) + "/")},
		change[plainToken]{"a job whose name begins alike", whyAlike, subject(evil(strings.TrimSuffix(j.JobURL, "/")) + "/")},
		change[plainToken]{"a pull request's job below it", "whoever may propose a change to a multibranch project; a * at the end lets it in", subject(j.JobURL + "job/PR-1/")},
		change[plainToken]{"the whole server's subject", "a template may set it for jobs that no folder's credential serves; a trust in the issuer lets it in", subject("jenkins")},
	))
}

var jobURL = lazily(`^https?://[^\s/?#]+(?:/[^\s/?#]+)*/job/[^\s/?#]+/$`)

// Check refuses an issuer that AWS cannot take and anything but one job's URL.
func (j JenkinsOIDC) Check() []Problem {
	problems := append(checkIssuer(j.Issuer, "https://jenkins.example.com/oidc"), checkAudience(j.Audience)...)
	const form = "write the address of the job, such as https://jenkins.example.com/job/shop/"
	switch {
	case j.JobURL == "":
		problems = append(problems, Problem{Field: "job_url", Msg: "is missing: every job of the server would be trusted", Hint: form})
	case strings.ContainsAny(j.JobURL, wildcards):
		problems = append(problems, Problem{Field: "job_url", Msg: fmt.Sprintf("%q has a wildcard", j.JobURL), Hint: "declare one identity for each job"})
	case !jobURL().MatchString(j.JobURL):
		problems = append(problems, Problem{Field: "job_url", Msg: fmt.Sprintf("%q is not the address of a job with / at its end", j.JobURL), Hint: form + "; folders stand as job/FOLDER/, and / in a branch's name as %252F"})
	default:
		problems = append(problems, checkText("job_url", j.JobURL)...)
	}
	return problems
}

// plainToken is a token of which issuer, audience and subject are all that
// matters.
type plainToken struct {
	issuer, audience, subject string
	more                      Claims
}

// in fills in the audience.
func (p plainToken) in(s Scope) plainToken {
	p.audience = cmp.Or(p.audience, Audience(s.Partition))
	return p
}

func (p plainToken) claims() Claims {
	c := Claims{"iss": "https://" + p.issuer, "aud": p.audience, "sub": p.subject}
	for claim, value := range p.more {
		c[claim] = value
	}
	return c
}

func (p plainToken) tokens(s Scope, pins ...Claim) Tokens {
	p = p.in(s)
	t := Tokens{Issuer: p.issuer, Audiences: []string{p.audience}, Subjects: []string{p.subject}, Pins: pins, Sample: p.claims()}
	t.Known = t.asked()
	return t
}

// withoutScheme is an issuer as IAM spells it.
func withoutScheme(url string) string { return strings.TrimPrefix(url, "https://") }

func (j JenkinsOIDC) open() []string {
	return []string{"whoever may change the job, or the claim templates of the plugin"}
}
