package trust

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam"
)

// admits judges a caller as STS would.
func admits(doc *iam.Document, s Scope, c Caller) bool {
	return Admits(doc, "arn:"+s.Partition+":iam::"+s.Account+":role/postern/shop/shop-deploy", c)
}

var attackScopes = []Scope{
	{Partition: "aws", Region: "eu-west-1", Account: "222222222222"},
	{Partition: "aws-cn", Region: "cn-north-1", Account: "222222222222"},
}

// variants are the ways to trust a repository, with and without ids.
func variants() []GitHub {
	var all []GitHub
	for _, g := range []GitHub{
		{Branch: "main"},
		{Tag: "v1"},
		{Environment: "production"},
		{Environment: "prod:eu"},
		{Environment: "prod%3Aeu"},
		{PullRequest: true},
		{Branch: "release/*"},
		{Branch: "f*"},
		{Tag: "v*"},
		{Tag: "o*-*"},
	} {
		g.Repository = "acme/shop"
		all = append(all, g)
		g.RepositoryID, g.OwnerID = "456789", "123456"
		all = append(all, g)
	}
	return all
}

func TestPolicyAdmitsTheTokenAndNoAttacker(t *testing.T) {
	for _, s := range attackScopes {
		for _, g := range variants() {
			checkAdmission(t, s, g)
		}
	}
}

func checkAdmission(t *testing.T, s Scope, g GitHub) {
	t.Helper()
	doc, err := Policy(s, []Entry{{Name: "release", Identity: g}})
	if err != nil {
		t.Fatalf("%s: %v", g.Describe(), err)
	}
	if !admits(doc, s, g.Caller(s)) {
		t.Errorf("%s is refused in %s: %v\n%s", g.Describe(), s.Partition, g.Caller(s).Claims, doc.Indented())
	}
	for _, attack := range g.Attackers(s) {
		if admits(doc, s, attack.Caller) {
			t.Errorf("%s admits %s: %v\n%s", g.Describe(), attack.Name, attack.Claims, doc.Indented())
		}
	}
}

// TestAttackersWouldSucceed shows that each attack opens some trust policy of
// the kind that its Why names, so that refusing it means something.
func TestAttackersWouldSucceed(t *testing.T) {
	s := attackScopes[0]
	const aud = `"StringEquals":{"gh:aud":"sts.amazonaws.com"}`
	like := func(pattern string) string { return aud + `,"StringLike":{"gh:sub":"` + pattern + `"}` }
	careless := map[string]string{
		"another owner's repository":                     aud,
		"another repository of the same owner":           like("repo:acme@*/*"),
		"a fork with the same name":                      like("repo:*/shop@*:environment:production"),
		"a fork's pull request":                          like("repo:*/shop@*:pull_request"),
		"a caller of the repository's reusable workflow": aud + `,"StringLike":{"gh:job_workflow_ref":"acme/shop/.github/workflows/ci.yml@*"}`,
		"a repository whose name begins alike":           like("repo:acme@*/shop*"),
		"an owner whose name begins alike":               like("repo:acme*"),
		"another branch":                                 like("repo:acme@123456/shop@456789:*"),
		"another tag":                                    like("repo:acme@123456/shop@456789:*"),
		"another environment":                            like("repo:acme@123456/shop@456789:environment:*"),
		"a pull request of the same repository":          like("repo:acme@123456/shop@456789:*"),
		"a wrong audience":                               `"StringEquals":{"gh:sub":"repo:acme@123456/shop@456789:environment:production"}`,
		"no subject":                                     aud + `,"StringEqualsIfExists":{"gh:sub":"repo:acme/shop:environment:production"}`,
		"a subject template that drops the repository":   like("*environment:production"),
		"no repository_id":                               aud + `,"StringEqualsIfExists":{"gh:repository_id":"456789"}`,
		"a recycled name":                                aud[:len(aud)-1] + `,"gh:sub":"repo:acme/shop:environment:production"}`,
		"a recycled name with an immutable subject":      like("repo:acme@*/shop@*:environment:production"),
	}
	careless["an environment with the same subject"] = aud[:len(aud)-1] + `,"gh:sub":"repo:acme@123456/shop@456789:environment:prod%3Aeu"}`
	careless["no environment"] = aud + `,"StringEqualsIfExists":{"gh:environment":"prod:eu"}`
	careless["a ref that ends alike"] = like("repo:acme@123456/shop@456789:ref:refs/*/release/*")
	careless["a ref of the other kind with the same name"] = like("repo:acme@123456/shop@456789:ref:refs/*")
	g := GitHub{Repository: "acme/shop", RepositoryID: "456789", OwnerID: "123456", Environment: "production"}
	wide := GitHub{Repository: "acme/shop", RepositoryID: "456789", OwnerID: "123456", Branch: "release/*"}
	attacks := g.Attackers(s)
	colon := GitHub{Repository: "acme/shop", RepositoryID: "456789", OwnerID: "123456", Environment: "prod:eu"}
	for _, attack := range append(wide.Attackers(s), colon.Attackers(s)...) {
		if !slices.ContainsFunc(attacks, func(a Attack) bool { return a.Name == attack.Name }) {
			attacks = append(attacks, attack)
		}
	}
	for _, attack := range attacks {
		conditions, ok := careless[attack.Name]
		if !ok {
			t.Errorf("no careless policy for %s", attack.Name)
			continue
		}
		delete(careless, attack.Name)
		doc, err := iam.Parse([]byte(`{"Version":"2012-10-17","Statement":[` + web(conditions) + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		if !admits(doc, s, attack.Caller) {
			t.Errorf("%s fails even against %s", attack.Name, conditions)
		}
		if attack.Why == "" {
			t.Errorf("%s says no why", attack.Name)
		}
	}
	if diff := cmp.Diff(map[string]string{}, careless); diff != "" {
		t.Errorf("attacks that are not made (-want +got):\n%s", diff)
	}
}

// TestWideTakesInWhatItSays lists refs that a wildcard takes in, and others.
func TestWideTakesInWhatItSays(t *testing.T) {
	s := attackScopes[0]
	for _, test := range []struct {
		trusted, ref string
		want         bool
	}{
		{"release/*", "release/1", true},
		{"release/*", "release/eu/1", true},
		{"release/*", "release", false},
		{"release/*", "releases/1", false},
		{"v*", "v", true},
		{"v*", "v1.2.3", true},
		{"v*", "V1", false},
		{"v*", "dev", false},
	} {
		for _, ids := range []bool{false, true} {
			g, token := GitHub{Repository: "acme/shop", Branch: test.trusted}, GitHub{Repository: "acme/shop", Branch: test.ref}
			if ids {
				g.RepositoryID, g.OwnerID, token.RepositoryID, token.OwnerID = "2", "1", "2", "1"
			}
			doc, err := Policy(s, []Entry{{Name: "x", Identity: g}})
			if err != nil {
				t.Fatal(err)
			}
			if got := admits(doc, s, token.Caller(s)); got != test.want {
				t.Errorf("%s, ids %v: admits %s: %v", test.trusted, ids, test.ref, got)
			}
		}
	}
}

func FuzzGitHub(f *testing.F) {
	f.Add("acme/shop", "", "", "main", "", "", false)
	f.Add("acme/shop", "456789", "123456", "", "v1", "", false)
	f.Add("mallory/app", "1", "1", "", "", "prod:eu", false)
	f.Add("mallory/playground", "", "", "", "", "unprotected", false)
	f.Add("acme/shop", "", "", "", "", "", true)
	f.Add("acme/sh*p", "", "", "feature", "", "", false)
	f.Add("a/b", "", "", "${*}", "", "", false)
	f.Add("acme/shop", "", "", "release/*", "", "", false)
	f.Add("acme/shop", "9", "9", "", "v*", "", false)
	f.Add("a/b", "9", "9", "a%3Ab", "", "\u00ff", false)
	f.Fuzz(func(t *testing.T, repository, repositoryID, ownerID, branch, tag, environment string, pull bool) {
		g := GitHub{Repository: repository, RepositoryID: repositoryID, OwnerID: ownerID, Branch: branch, Tag: tag, Environment: environment, PullRequest: pull}
		s := attackScopes[0]
		doc, err := Policy(s, []Entry{{Name: repository, Identity: g}})
		if (len(g.Check()) == 0) != (err == nil) {
			t.Fatalf("Check says %v, Policy says %v", g.Check(), err)
		}
		if err != nil {
			return
		}
		text := string(doc.Indented())
		if strings.Contains(text, "${") || strings.ContainsAny(text, wildcards) != g.wide() {
			t.Errorf("the policy has a variable or a wildcard:\n%s", text)
		}
		for _, subject := range g.Subjects() {
			if first := strings.IndexAny(subject, wildcards); first >= 0 && !strings.Contains(subject[:first], ":ref:refs/") {
				t.Errorf("%q has a wildcard before the name of the ref", subject)
			}
		}
		if _, err := iam.Parse(doc.Indented()); err != nil {
			t.Errorf("the policy cannot be read back: %v", err)
		}
		checkAdmission(t, s, g)
	})
}
