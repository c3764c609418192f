package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/catalog"
)

// FuzzStatements holds that whatever the arguments, a grant is refused or
// renders a policy in which every wildcard stands where the level promises
// one (shapes), "*" alone only under actions that admit to it, and every ARN
// lies in the role's partition and, where ARNs have one, its account.
func FuzzStatements(f *testing.F) {
	for i, g := range catalog.All() {
		for j := range g.Levels {
			var example []string
			for _, p := range g.Params {
				if p.Type != catalog.Bool {
					example = append(example, p.Example)
				}
			}
			example = append(example, "*", "team/*", "arn:aws:iam::222222222222:role/x")
			f.Add(uint8(i), uint8(j), uint8(0b10101010), example[0], example[1], example[2])
			f.Add(uint8(i), uint8(j), uint8(0), example[0], example[0]+"\n"+example[1], "a..b\n${aws:username}")
		}
	}
	f.Fuzz(func(t *testing.T, grant, level, switches uint8, a, b, c string) {
		g := catalog.All()[int(grant)%len(catalog.All())]
		r := rendering{grant: g, level: g.Levels[int(level)%len(g.Levels)].Name, args: catalog.Args{}}
		values := []string{a, b, c}
		for i, p := range g.Params {
			switch v := values[i%len(values)]; {
			case p.Levels != nil && !slices.Contains(p.Levels, r.level):
			case p.Type == catalog.Bool:
				r.args[p.Name] = []string{[]string{"false", "true"}[switches>>(i%8)&1]}
			case p.Type == catalog.String:
				r.args[p.Name] = []string{v}
			default:
				r.args[p.Name] = strings.Split(v, "\n")
			}
			if p.Name == "kms_key" && switches&1 == 0 || p.Name == "region" {
				delete(r.args, p.Name) // else few inputs would pass
			}
		}
		doc, err := g.Policy(catalog.CaseScope(), r.level, r.args)
		if (err == nil) != (len(g.CheckIn(catalog.CaseScope(), r.level, r.args)) == 0) {
			t.Fatalf("Check and Policy disagree: %v", err)
		}
		if err != nil {
			return
		}
		for _, s := range doc.Statements {
			lintStatement(t, r, s)
			for _, res := range s.Resources {
				if res == "*" {
					lintUnscopable(t, r, s.Actions)
				} else if parts := strings.SplitN(res, ":", 6); len(parts) != 6 || parts[1] != "aws" || parts[4] != "222222222222" && parts[4] != "" && !abroad(r, parts) {
					t.Errorf("%s: %s: %q lies elsewhere", r, s.SID, res)
				}
			}
		}
	})
}

// abroad tells whether a grant may name resources of other accounts: keys,
// which may be shared; an organization, which its management account owns; roles
// to become; AWS's own transforms.
func abroad(r rendering, resource []string) bool {
	service, account := resource[2], resource[4]
	return service == "kms" || service == "organizations" || service == "cloudformation" && account == "aws" ||
		slices.Contains([]string{"assume-roles", "cdk-deploy"}, r.grant.Name)
}

func lintUnscopable(t *testing.T, r rendering, actions []string) {
	t.Helper()
	for _, a := range actions {
		if !slices.ContainsFunc(r.grant.Unscopable, func(u catalog.Unscopable) bool { return slices.Contains(u.Actions, a) }) {
			t.Errorf("%s: %s stands on \"*\" without a reason", r, a)
		}
	}
}
