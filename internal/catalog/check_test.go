package catalog_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/catalog"
	"github.com/postern-dev/postern/internal/fault"
)

func TestCheck(t *testing.T) {
	many := make([]string, 101)
	for i := range many {
		many[i] = "shop" + strings.Repeat("x", i)
	}
	const writeRepositories = "write repositories: [team/web]"
	const elsewhere = "; what another account has is reached through a role there: see assume-roles"
	const widerRepositories = "for all below a name use level prefix, for the whole registry level registry"
	tests := []struct {
		name  string
		grant string
		level string
		args  catalog.Args
		want  []*catalog.ArgError
	}{
		{name: "right", grant: "ecr-docker-push", args: catalog.Args{"repositories": {"shop", "team/web"}, "pull": {"true"}}},
		{name: "right at a wider level", grant: "ecr-docker-push", level: "registry"},
		{name: "key by ARN", grant: "terragrunt", level: "bucket", args: catalog.Args{
			"bucket": {"acme-state"}, "kms_key": {"arn:aws:kms:eu-west-1:333333333333:key/1234abcd-12ab-34cd-56ef-1234567890ab"},
		}},
		{
			name: "missing at the default level", grant: "ecr-docker-push",
			want: []*catalog.ArgError{{Param: "repositories", Msg: `is required at level "repository"`, Hint: writeRepositories}},
		},
		{
			name: "missing at every level", grant: "terragrunt", level: "bucket",
			want: []*catalog.ArgError{{Param: "bucket", Msg: "is required", Hint: "write bucket: acme-state"}},
		},
		{
			name: "level misspelt", grant: "ecr-docker-push", level: "registy",
			want: []*catalog.ArgError{{Param: "level", Msg: `ecr-docker-push has no level "registy"`, Hint: `did you mean "registry"?`}},
		},
		{
			name: "level unknown", grant: "ecr-docker-push", level: "admin",
			want: []*catalog.ArgError{{Param: "level", Msg: `ecr-docker-push has no level "admin"`, Hint: "levels, narrowest first: repository, prefix, registry"}},
		},
		{
			name: "parameter misspelt", grant: "ecr-docker-push", args: catalog.Args{"repository": {"shop"}},
			want: []*catalog.ArgError{
				{Param: "repository", Msg: "unknown parameter of ecr-docker-push", Hint: `did you mean "repositories"?`},
			},
		},
		{
			name: "parameter unknown", grant: "ecr-docker-push", level: "registry", args: catalog.Args{"effect": {"Deny"}},
			want: []*catalog.ArgError{{Param: "effect", Msg: "unknown parameter of ecr-docker-push", Hint: "parameters: repositories, prefixes, pull, list, scan"}},
		},
		{
			name: "no effect at the level", grant: "ecr-docker-push", level: "registry", args: catalog.Args{"repositories": {"shop"}},
			want: []*catalog.ArgError{{Param: "repositories", Msg: `has no effect at level "registry"`, Hint: "remove it, or use level repository"}},
		},
		{
			name: "empty list", grant: "ecr-docker-push", args: catalog.Args{"repositories": {}},
			want: []*catalog.ArgError{{Param: "repositories", Msg: "is an empty list", Hint: "name at least one: repositories: [team/web]; " + widerRepositories}},
		},
		{
			name: "too many values", grant: "ecr-docker-push", args: catalog.Args{"repositories": many},
			want: []*catalog.ArgError{{Param: "repositories", Msg: "has 101 values; at most 100 are allowed", Hint: "split the grant in two; " + widerRepositories}},
		},
		{
			name: "everything wrong with values at once", grant: "ecr-docker-push",
			args: catalog.Args{"repositories": {"shop", "*", "team/*", "${aws:username}", "arn:aws:ecr:eu-west-1:222222222222:repository/shop", "a/../b", "team/", "Shop", "team/a:b", ""}},
			want: []*catalog.ArgError{
				{Param: "repositories", Msg: `"*" is a wildcard and would widen the grant`, Hint: widerRepositories + "; name each one: repositories: [team/web]"},
				{Param: "repositories", Msg: `"team/*" is a wildcard and would widen the grant`, Hint: widerRepositories + "; name each one: repositories: [team/web]"},
				{Param: "repositories", Msg: `"${aws:username}" is a policy variable: what it grants cannot be proven`, Hint: writeRepositories},
				{Param: "repositories", Msg: `"arn:aws:ecr:eu-west-1:222222222222:repository/shop" is an ARN; a name is wanted`, Hint: writeRepositories + elsewhere},
				{Param: "repositories", Msg: `"a/../b" contains ".."`, Hint: `write "b"; ` + widerRepositories},
				{Param: "repositories", Msg: `"team/" has a slash too many`, Hint: `write "team"; ` + widerRepositories},
				{Param: "repositories", Msg: `"Shop" does not have the form of this parameter: up to 100 repository names of the account's registry, without registry host or tag`, Hint: writeRepositories},
				{Param: "repositories", Msg: `"team/a:b" has a part or a slash too many, or a character that is not allowed`, Hint: writeRepositories},
				{Param: "repositories", Msg: "is empty", Hint: writeRepositories + "; " + widerRepositories},
			},
		},
		{
			name: "no boolean", grant: "ecr-docker-push", level: "registry", args: catalog.Args{"pull": {"yes"}},
			want: []*catalog.ArgError{{Param: "pull", Msg: `"yes" is neither true nor false`, Hint: "write pull: true"}},
		},
		{
			name: "list for a string", grant: "terragrunt", level: "bucket", args: catalog.Args{"bucket": {"acme-state", "acme-other"}},
			want: []*catalog.ArgError{{Param: "bucket", Msg: "wants one string, not 2", Hint: "write bucket: acme-state"}},
		},
		{
			name: "nothing for a string", grant: "terragrunt", level: "bucket", args: catalog.Args{"bucket": nil},
			want: []*catalog.ArgError{{Param: "bucket", Msg: "wants one string, not 0", Hint: "write bucket: acme-state"}},
		},
		{
			name: "string too long", grant: "terragrunt", args: catalog.Args{"bucket": {"acme-state"}, "prefix": {strings.Repeat("p", 513)}},
			want: []*catalog.ArgError{{Param: "prefix", Msg: "has 513 characters; at most 512 are allowed"}},
		},
		{
			name: "any role", grant: "ecs-service-deployment", args: catalog.Args{"services": {"prod/shop"}, "pass_roles": {"*"}},
			want: []*catalog.ArgError{{
				Param: "pass_roles", Msg: `"*" is a wildcard and would widen the grant`,
				Hint: "no level passes roles that are not named: passing any role is holding every role's permissions; name each one: pass_roles: [shop-task]",
			}},
		},
		{
			name: "role by ARN and with a path", grant: "ecs-service-deployment",
			args: catalog.Args{"services": {"prod/shop"}, "pass_roles": {"arn:aws:iam::222222222222:role/shop-task", "/team/shop-task"}},
			want: []*catalog.ArgError{
				{Param: "pass_roles", Msg: `"arn:aws:iam::222222222222:role/shop-task" is an ARN; a name is wanted`, Hint: "write pass_roles: [shop-task]" + elsewhere},
				{Param: "pass_roles", Msg: `"/team/shop-task" has a slash too many`, Hint: `write "team/shop-task"`},
			},
		},
		{
			name: "service without and with too much of a cluster", grant: "ecs-service-deployment", args: catalog.Args{"services": {"shop", "eu/prod/shop"}},
			want: []*catalog.ArgError{
				{Param: "services", Msg: `"shop" does not have the form of this parameter: up to 50 services as cluster/service`, Hint: "write services: [prod/shop]"},
				{Param: "services", Msg: `"eu/prod/shop" has a part or a slash too many, or a character that is not allowed`, Hint: "write services: [prod/shop]"},
			},
		},
		{
			name: "locking at level read", grant: "terraform-remote-state-s3", args: catalog.Args{"bucket": {"acme-state"}, "key": {"a.tfstate"}, "lockfile": {"true"}},
			want: []*catalog.ArgError{{Param: "lockfile", Msg: `has no effect at level "read"`, Hint: "remove it, or use level key or prefix or bucket"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g, ok := catalog.Lookup(tt.grant)
			if !ok {
				t.Fatalf("no grant %q", tt.grant)
			}
			got := g.Check(tt.level, tt.args)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Check (-want +got):\n%s", diff)
			}
			statements, err := g.Statements(catalog.CaseScope(), tt.level, tt.args)
			if (err != nil) != (len(tt.want) > 0) || err != nil && statements != nil {
				t.Errorf("Statements = %v, %v", statements, err)
			}
		})
	}
}

func TestStatementsErrorsJoinAll(t *testing.T) {
	g, _ := catalog.Lookup("terragrunt")
	_, err := g.Policy(catalog.CaseScope(), "bucket", catalog.Args{"lock_tabel": {"locks"}})
	var list fault.List
	if !errors.As(err, &list) || len(list) != 2 {
		t.Fatalf("error is %v, want a list of two", err)
	}
	want := "bucket: is required\nlock_tabel: unknown parameter of terragrunt"
	if err.Error() != want {
		t.Errorf("error is %q, want %q", err, want)
	}
}

func TestScopeThatWouldWiden(t *testing.T) {
	g, _ := catalog.Lookup("ecr-docker-push")
	tests := []struct {
		name  string
		scope catalog.Scope
		want  string
	}{
		{"any account", catalog.Scope{Partition: "aws", Region: "eu-west-1", Account: "*"}, `"*" is no AWS account`},
		{"any region", catalog.Scope{Partition: "aws", Region: "*", Account: "222222222222"}, `"*" is no AWS region`},
		{"region that cannot be", catalog.Scope{Partition: "aws", Region: "us-east-99", Account: "222222222222"}, `"us-east-99" is no AWS region`},
		{"region of another partition", catalog.Scope{Partition: "aws-cn", Region: "eu-west-1", Account: "222222222222"}, "region eu-west-1 is in partition aws, not in aws-cn"},
		{"short account", catalog.Scope{Partition: "aws", Region: "eu-west-1", Account: "22222222222"}, `"22222222222" is no AWS account`},
		{"nothing", catalog.Scope{}, "\"\" is no AWS partition\n\"\" is no AWS region\n\"\" is no AWS account"},
		{"two lines", catalog.Scope{Partition: "aws\n", Region: "eu-west-1", Account: "222222222222"}, `"aws\n" is no AWS partition`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := g.Statements(tt.scope, "registry", nil)
			if err == nil || err.Error() != tt.want {
				t.Errorf("error is %v, want %s", err, tt.want)
			}
		})
	}
}

func TestCheckIn(t *testing.T) {
	china := catalog.Scope{Partition: "aws-cn", Region: "cn-north-1", Account: "222222222222"}
	state := func(region, key string) catalog.Args {
		return catalog.Args{"bucket": {"acme-state"}, "region": {region}, "kms_key": {key}}
	}
	const id = "1234abcd-12ab-34cd-56ef-1234567890ab"
	for _, test := range []struct {
		name         string
		grant, level string
		args         catalog.Args
		want         []*catalog.ArgError
	}{
		{"at home", "terragrunt", "bucket", state("cn-northwest-1", "arn:aws-cn:kms:cn-northwest-1:222222222222:key/"+id), nil},
		{"a region to come", "terragrunt", "bucket", state("cn-south-1", id), nil},
		{
			"elsewhere", "terragrunt", "bucket", state("eu-west-1", "arn:aws:kms:eu-west-1:222222222222:key/"+id),
			[]*catalog.ArgError{
				{Param: "kms_key", Msg: `"arn:aws:kms:eu-west-1:222222222222:key/` + id + `" is in partition aws, but the role is in aws-cn: nothing can act across partitions`},
				{Param: "region", Msg: `"eu-west-1" is in partition aws, but the role is in aws-cn: nothing can act across partitions`},
			},
		},
		{
			"no region", "terragrunt", "bucket", state("cn-nort-1", id),
			[]*catalog.ArgError{{Param: "region", Msg: `"cn-nort-1" is no AWS region`, Hint: `did you mean "cn-north-1"?`}},
		},
		{
			"one of several", "consul-auto-discovery", "",
			catalog.Args{"regions": {"cn-north-1", "us-gov-west-1"}},
			[]*catalog.ArgError{{Param: "regions", Msg: `"us-gov-west-1" is in partition aws-us-gov, but the role is in aws-cn: nothing can act across partitions`}},
		},
	} {
		g, _ := catalog.Lookup(test.grant)
		if diff := cmp.Diff(test.want, g.CheckIn(china, test.level, test.args)); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}
