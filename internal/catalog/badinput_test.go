package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/catalog"
)

// TestEveryParameterRefusesToWiden gives each parameter of each grant what
// would widen by accident, and demands a hint of what to write instead.
func TestEveryParameterRefusesToWiden(t *testing.T) {
	for _, g := range catalog.All() {
		for _, p := range g.Params {
			if p.Type == catalog.Bool {
				continue
			}
			level := g.DefaultLevel()
			if p.Levels != nil {
				level = p.Levels[0]
			}
			tries := map[string][]string{
				"nothing": {""}, "star": {"*"}, "ending in a star": {p.Example + "*"}, "question mark": {p.Example + "?"},
				"policy variable": {"${aws:username}"}, "way up": {"a/../b"}, "slash too many": {"/" + p.Example}, "everything by ARN": {"arn:aws:s3:::*"},
				"another account's": {"arn:aws:lambda:eu-west-1:333333333333:function:x"}, "space": {p.Example + " x*"},
			}
			if p.Type == catalog.List {
				tries["empty list"] = nil
			}
			for name, values := range tries {
				args := g.Example(level)
				args[p.Name] = values
				errs := g.Check(level, args)
				if !slices.ContainsFunc(errs, func(e *catalog.ArgError) bool { return e.Param == p.Name && e.Msg != "" && e.Hint != "" }) {
					t.Errorf("%s: %s takes %s (%q): %v", g.Name, p.Name, name, values, errs)
				}
				if strings.ContainsAny(strings.Join(values, ""), "*?") && !strings.Contains(errs[0].Msg, "wildcard") {
					t.Errorf("%s: %s: a wildcard is refused as something else: %v", g.Name, p.Name, errs[0])
				}
			}
		}
	}
}

// TestHintsNameTheLevel compares what users read who ask for more than a level
// gives.
func TestHintsNameTheLevel(t *testing.T) {
	id := []string{"Z0123456789ABCDEFGHIJ"}
	for _, tt := range []struct {
		grant, level string
		args         catalog.Args
		want         catalog.ArgError
	}{
		{
			"secrets-read", "",
			catalog.Args{"names": {"shop/*"}},
			catalog.ArgError{Param: "names", Msg: `"shop/*" is a wildcard and would widen the grant`, Hint: "for all whose names begin with a path use level prefix; name each one: names: [shop/db]"},
		},
		{
			"secrets-read", "prefix",
			catalog.Args{"prefixes": {"*"}},
			catalog.ArgError{Param: "prefixes", Msg: `"*" is a wildcard and would widen the grant`, Hint: "no level reads every secret of the account; name each one: prefixes: [shop]"},
		},
		{
			"secrets-read", "",
			catalog.Args{"names": {"arn:aws:secretsmanager:eu-west-1:333333333333:secret:shop/db-Ab12Cd"}},
			catalog.ArgError{Param: "names", Msg: `"arn:aws:secretsmanager:eu-west-1:333333333333:secret:shop/db-Ab12Cd" is an ARN; a name is wanted`, Hint: "write names: [shop/db]; what another account has is reached through a role there: see assume-roles"},
		},
		{
			"ssm-parameters-read", "",
			catalog.Args{"names": {"/shop/db-password"}},
			catalog.ArgError{Param: "names", Msg: `"/shop/db-password" has a slash too many`, Hint: `write "shop/db-password"`},
		},
		{
			"ecr-docker-push", "",
			catalog.Args{"repositories": {"333333333333.dkr.ecr.eu-west-1.amazonaws.com/shop"}},
			catalog.ArgError{Param: "repositories", Msg: `"333333333333.dkr.ecr.eu-west-1.amazonaws.com/shop" begins with the address of a registry; the repository's name alone is wanted`, Hint: "write repositories: [team/web]"},
		},
		{
			"ecr-docker-push", "",
			catalog.Args{"repositories": {"team/"}},
			catalog.ArgError{Param: "repositories", Msg: `"team/" has a slash too many`, Hint: `write "team"; for all below a name use level prefix, for the whole registry level registry`},
		},
		{
			"ecr-docker-push", "",
			catalog.Args{"repositories": {""}},
			catalog.ArgError{Param: "repositories", Msg: "is empty", Hint: "write repositories: [team/web]; for all below a name use level prefix, for the whole registry level registry"},
		},
		{
			"terraform-remote-state-s3", "",
			catalog.Args{"bucket": {"acme-state"}, "key": {"shop/../web/terraform.tfstate"}},
			catalog.ArgError{Param: "key", Msg: `"shop/../web/terraform.tfstate" contains ".."`, Hint: `write "web/terraform.tfstate"; for every state of a folder use level prefix, for all of the bucket level bucket`},
		},
		{
			"terraform-remote-state-s3", "",
			catalog.Args{"bucket": {"acme-state"}, "key": {"a..b"}},
			catalog.ArgError{Param: "key", Msg: `"a..b" contains ".."`, Hint: `write key: shop/terraform.tfstate; for every state of a folder use level prefix, for all of the bucket level bucket`},
		},
		{
			"ssm-parameters-read", "",
			catalog.Args{"paths": {"shop"}, "names": {"shop/x"}},
			catalog.ArgError{Param: "paths", Msg: `has no effect at level "parameter"`, Hint: "remove it, or use level path"},
		},
		{
			"route53-acme", "",
			catalog.Args{"zones": id, "names": {"*.example.org"}},
			catalog.ArgError{Param: "names", Msg: `"*.example.org" is a wildcard and would widen the grant`, Hint: "for a certificate of *.example.org write example.org; for every name of a zone use level zone; name each one: names: [www.example.org]"},
		},
		{
			"ssm-run-command", "",
			catalog.Args{"documents": {"AWS-RunShellScript"}, "instances": {"i-0123456789abcdef0"}},
			catalog.ArgError{
				Param: "documents", Msg: `"AWS-RunShellScript" does not have the form of this parameter: up to 20 names of command documents that the account owns; those of AWS (AWS-…) run any command line and need level shell`,
				Hint: "write documents: [deploy-shop]",
			},
		},
		{
			"ssm-run-command", "",
			catalog.Args{"documents": {"deploy-shop"}, "instances": {"*"}},
			catalog.ArgError{Param: "instances", Msg: `"*" is a wildcard and would widen the grant`, Hint: "for every instance with a tag use level tag; name each one: instances: [i-0123456789abcdef0]"},
		},
		{
			"assume-roles", "",
			catalog.Args{"roles": {"arn:aws:iam::333333333333:role/*"}},
			catalog.ArgError{
				Param: "roles", Msg: `"arn:aws:iam::333333333333:role/*" is a wildcard and would widen the grant`,
				Hint: "no level reaches roles that are not named: every role that trusts this one's account would be open; name each one: roles: [arn:aws:iam::333333333333:role/allow-auto-deploy]",
			},
		},
		{
			"assume-roles", "",
			catalog.Args{"roles": {"arn:aws:iam::333333333333:root"}},
			catalog.ArgError{Param: "roles", Msg: `"arn:aws:iam::333333333333:root" does not have the form of this parameter: up to 30 ARNs of roles, with their paths if they have one`, Hint: "write roles: [arn:aws:iam::333333333333:role/allow-auto-deploy]"},
		},
		{
			"pulumi-state-s3", "",
			catalog.Args{"bucket": {"acme-state"}, "project": {"shop"}, "stacks": {"shop/production"}},
			catalog.ArgError{Param: "stacks", Msg: `"shop/production" has a part or a slash too many, or a character that is not allowed`, Hint: "write stacks: [production]"},
		},
		{
			"pulumi-state-s3", "",
			catalog.Args{"bucket": {"acme-state"}, "project": {"shop"}, "stacks": {}},
			catalog.ArgError{Param: "stacks", Msg: "is an empty list", Hint: "name at least one: stacks: [production]; for every stack of the project use level project"},
		},
		{
			"rotate-access-keys", "",
			catalog.Args{"stack": {"shop"}, "users": {"postern/shop/shop-travis"}},
			catalog.ArgError{Param: "users", Msg: `"postern/shop/shop-travis" has a part or a slash too many, or a character that is not allowed`, Hint: "write users: [shop-travis]"},
		},
		{
			"postern-apply", "apply",
			catalog.Args{"stack": {"shop"}},
			catalog.ArgError{Param: "boundary", Msg: `is required at level "apply"`, Hint: "write boundary: stack-boundary; without a boundary whoever holds this could make a role with any permission and become it"},
		},
		{
			"postern-apply", "apply",
			catalog.Args{"stack": {"shop"}, "boundary": {"postern/shop/edge"}},
			catalog.ArgError{
				Param: "boundary", Msg: `"postern/shop/edge" has a part or a slash too many, or a character that is not allowed`,
				Hint: "write boundary: stack-boundary",
			},
		},
		{
			"packer-ami", "",
			catalog.Args{"build": {"b"}, "subnets": {"subnet-0123456789abcdef0"}, "instance_types": {"t3.*"}, "security_groups": {"sg-0123456789abcdef0"}},
			catalog.ArgError{Param: "instance_types", Msg: `"t3.*" is a wildcard and would widen the grant`, Hint: "no level launches types that are not named; name each one: instance_types: [t3.small]"},
		},
	} {
		g, ok := catalog.Lookup(tt.grant)
		if !ok {
			t.Fatalf("no grant %s", tt.grant)
		}
		if diff := cmp.Diff([]*catalog.ArgError{&tt.want}, g.Check(tt.level, tt.args)); diff != "" {
			t.Errorf("%s, level %q, %v (-want +got):\n%s", tt.grant, tt.level, tt.args, diff)
		}
	}
}

// TestBoundaryLiesOutsideOfTheStack: a boundary that the grant may rewrite would
// bound nothing.
func TestBoundaryLiesOutsideOfTheStack(t *testing.T) {
	g, _ := catalog.Lookup("postern-apply")
	for _, boundary := range []string{"postern/shop/edge", "/postern/shop/edge", "arn:aws:iam::222222222222:policy/postern/shop/edge", "arn:aws:iam::333333333333:policy/edge"} {
		errs := g.Check("apply", catalog.Args{"stack": {"shop"}, "boundary": {boundary}})
		if len(errs) != 1 || errs[0].Param != "boundary" {
			t.Errorf("boundary %s: %v", boundary, errs)
		}
	}
	doc, err := g.Policy(catalog.CaseScope(), "apply", catalog.Args{"stack": {"shop"}, "boundary": {"arn:aws:iam::aws:policy/PowerUserAccess"}})
	if err != nil || !strings.Contains(string(doc.Indented()), `"iam:PermissionsBoundary": "arn:aws:iam::aws:policy/PowerUserAccess"`) {
		t.Errorf("a boundary of AWS's: %v\n%s", err, doc.Indented())
	}
}
