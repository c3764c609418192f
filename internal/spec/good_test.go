package spec_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/catalog"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/spec"
	"github.com/postern-dev/postern/internal/trust"
)

const (
	day  = 24 * time.Hour
	shop = "../../examples/shop/postern.yaml"
)

// at is a place in the shop's spec.
func at(line, column int) spec.Pos { return spec.Pos{File: shop, Line: line, Column: column} }

func TestShop(t *testing.T) {
	got, err := spec.Load(shop)
	if err != nil {
		t.Fatal(err)
	}
	want := &spec.Spec{
		Stack: "shop", Region: "eu-west-1", Partition: "aws", Files: []string{shop},
		Accounts: []spec.Account{
			{Name: "prod", ID: "222222222222", AdminRole: "postern-admin", Pos: at(12, 3)},
			{Name: "security", ID: "111111111111", Pos: at(11, 3)},
		},
		Identities: []spec.Identity{
			{Name: "checks", Proof: trust.GitHub{Repository: "acme/shop", PullRequest: true}, Pos: at(17, 3)},
			{Name: "jenkins", Proof: trust.AWSRole{ARN: "arn:aws:iam::333333333333:role/jenkins"}, Pos: at(19, 3)},
			{Name: "release", Proof: trust.GitHub{Repository: "acme/shop", Environment: "production"}, Pos: at(15, 3)},
			{Name: "travis", Pos: at(21, 3), AccessKey: &spec.AccessKey{
				Account: "security", Because: "Travis CI issues no OIDC tokens", RotateEvery: 30 * day, RotateGrace: 2 * time.Hour,
				Deliver: []spec.Sink{{Kind: "travis", Settings: map[string]string{"repository": "acme/shop"}, Pos: at(26, 20)}},
			}},
		},
		Roles: []spec.Role{
			{
				Name: "consul", Account: "prod", Session: time.Hour, InstanceProfile: true, Pos: at(42, 3),
				Trust:  []spec.Trust{{Proof: trust.Service{Name: "ec2"}, Pos: at(44, 16)}},
				Grants: []spec.Grant{{Name: "consul-auto-discovery", Pos: at(46, 15)}},
			},
			{
				Name: "deploy", Account: "prod", Session: time.Hour, Pos: at(29, 3),
				Trust: []spec.Trust{{Identity: "release", Pos: at(31, 13)}, {Identity: "jenkins", Pos: at(31, 22)}, {Identity: "travis", Pos: at(31, 31)}},
				Grants: []spec.Grant{
					{Name: "ecr-docker-push", Args: catalog.Args{"repositories": {"shop"}}, Pos: at(34, 9)},
					{Name: "ecs-service-deployment", Args: catalog.Args{"services": {"prod/shop"}, "pass_roles": {"shop-task", "shop-execution"}}, Pos: at(35, 9)},
				},
			},
			{
				Name: "preview", Account: "prod", Session: time.Hour, Pos: at(36, 3),
				Trust: []spec.Trust{{Identity: "checks", Pos: at(38, 13)}},
				Grants: []spec.Grant{{
					Name: "terraform-remote-state-s3", Level: "read", Pos: at(40, 9),
					Args:  catalog.Args{"bucket": {"acme-state"}, "key": {"shop/terraform.tfstate"}},
					Until: time.Date(2027, 6, 30, 0, 0, 0, 0, time.UTC),
				}},
			},
		},
		Never: []spec.Never{
			{Identities: []string{"*"}, Actions: []string{"iam:CreateUser", "iam:CreateAccessKey", "organizations:*"}, Pos: at(49, 5)},
			{Identities: []string{"checks"}, Actions: []string{"s3:Put*", "secretsmanager:GetSecretValue", "iam:PassRole"}, Pos: at(50, 5)},
		},
		Expect: []spec.Expect{{Role: "deploy", Allow: []string{"ecr:PutImage"}, On: []string{"repository/shop"}, Pos: at(52, 5)}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestFolder reads a folder of three files and compares what the shop does not
// show.
func TestFolder(t *testing.T) {
	dir := "../../examples/multi"
	got, err := spec.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{dir + "/accounts.yaml", dir + "/delivery.yaml", dir + "/people.yaml"}, got.Files); diff != "" {
		t.Error(diff)
	}
	role := func(name string) spec.Role {
		for _, r := range got.Roles {
			if r.Name == name {
				return r
			}
		}
		t.Fatalf("no role %s", name)
		return spec.Role{}
	}
	pos := func(file string, line, column int) spec.Pos {
		return spec.Pos{File: dir + "/" + file, Line: line, Column: column}
	}
	audit := spec.Role{
		Name: "audit", Account: "workload", Session: time.Hour, Pos: pos("delivery.yaml", 23, 3),
		Trust:    []spec.Trust{{Identity: "auditor", Until: time.Date(2027, 3, 31, 18, 0, 0, 0, time.UTC), Pos: pos("delivery.yaml", 26, 11)}},
		Boundary: "arn:aws-us-gov:iam::aws:policy/PowerUserAccess",
		Custom: []spec.Custom{
			{
				Because: "the auditor samples the access log, which no grant of the catalogue covers",
				Statement: iam.Statement{
					Effect: iam.Allow, Actions: []string{"s3:GetObject"}, Resources: []string{"arn:aws-us-gov:s3:::fleet-access-log/*"},
					Conditions: []iam.Condition{
						{Operator: "Bool", Key: "aws:SecureTransport", Values: []string{"true"}},
						{Operator: "IpAddress", Key: "aws:SourceIp", Values: []string{"198.51.100.0/24", "203.0.113.7"}},
					},
					Pos: iam.Pos{Line: 29, Column: 9},
				},
				Until: time.Date(2027, 4, 1, 0, 0, 0, 0, time.UTC), Pos: pos("delivery.yaml", 29, 9),
			},
			{
				Because: "what the fleet keeps of people is none of the audit's business",
				Statement: iam.Statement{
					Effect: iam.Deny, Actions: []string{"s3:*"},
					Resources: []string{"arn:aws-us-gov:s3:::fleet-people", "arn:aws-us-gov:s3:::fleet-people/*"},
					Pos:       iam.Pos{Line: 36, Column: 9},
				},
				Pos: pos("delivery.yaml", 36, 9),
			},
		},
	}
	deploy := spec.Role{
		Name: "deploy", Account: "workload", Description: "Rolls the fleet", Session: 2 * time.Hour, Pos: pos("delivery.yaml", 14, 3),
		Trust:    []spec.Trust{{Identity: "release", Pos: pos("delivery.yaml", 17, 13)}},
		Grants:   []spec.Grant{{Name: "auto-deploy-ec2", Args: catalog.Args{"service": {"fleet"}, "groups": {"fleet"}}, Pos: pos("delivery.yaml", 22, 9)}},
		Boundary: "arn:aws-us-gov:iam::555555555555:policy/fleet-boundary",
		Tags:     map[string]string{"team": "fleet", "cost-centre": "0042"},
	}
	for _, want := range []spec.Role{audit, deploy} {
		if diff := cmp.Diff(want, role(want.Name)); diff != "" {
			t.Error(diff)
		}
	}
	identities := []spec.Identity{
		{Name: "auditor", Proof: trust.AWSAccount{ID: "666666666666", ExternalID: "audit-2027"}, Pos: pos("delivery.yaml", 10, 3)},
		{Name: "hosts", Proof: trust.AWSRole{ARN: "arn:aws-us-gov:iam::555555555555:role/postern/fleet/fleet-host"}, Pos: pos("people.yaml", 4, 3)},
		{Name: "release", Proof: trust.GitHub{Repository: "acme/fleet", RepositoryID: "123456789", OwnerID: "987654", Tag: "v1"}, Pos: pos("delivery.yaml", 4, 3)},
	}
	if diff := cmp.Diff(identities, got.Identities); diff != "" {
		t.Error(diff)
	}
	expect := []spec.Expect{
		{
			Role: "audit", Allow: []string{"s3:GetObject"}, On: []string{"arn:aws-us-gov:s3:::fleet-access-log/2027/03/01.log"},
			Context: map[string][]string{"aws:SecureTransport": {"true"}, "aws:SourceIp": {"203.0.113.7"}}, Pos: pos("delivery.yaml", 42, 5),
		},
		{Role: "audit", Deny: []string{"s3:GetObject"}, On: []string{"arn:aws-us-gov:s3:::fleet-people/list"}, Pos: pos("delivery.yaml", 46, 5)},
	}
	if diff := cmp.Diff(expect, got.Expect); diff != "" {
		t.Error(diff)
	}
}

// TestForms reads what may be written in several ways and compares one value of
// each.
func TestForms(t *testing.T) {
	const head = "stack: shop\nregion: eu-west-1\naccounts: { prod: { id: 111111111111 } }\n"
	for _, c := range []struct {
		name, body string
		get        func(*spec.Spec) any
		want       any
	}{
		{
			name: "the only account is the default of roles and keys",
			body: "identities: { k: { access_key: { because: no OIDC } } }\nroles: { r: { trust: [k] } }",
			get:  func(s *spec.Spec) any { return []string{s.Roles[0].Account, s.Identities[0].AccessKey.Account} },
			want: []string{"prod", "prod"},
		},
		{
			name: "rotation has defaults",
			body: "identities: { k: { access_key: { because: no OIDC } } }",
			get: func(s *spec.Spec) any {
				return []time.Duration{s.Identities[0].AccessKey.RotateEvery, s.Identities[0].AccessKey.RotateGrace}
			},
			want: []time.Duration{30 * day, day},
		},
		{
			name: "durations add up",
			body: "identities: { k: { access_key: { because: no OIDC, rotate: { every: 1d2h3m4s, grace: 0s } } } }",
			get: func(s *spec.Spec) any {
				return []time.Duration{s.Identities[0].AccessKey.RotateEvery, s.Identities[0].AccessKey.RotateGrace}
			},
			want: []time.Duration{26*time.Hour + 3*time.Minute + 4*time.Second, 0},
		},
		{
			name: "a date is the first instant of its day, a time any instant",
			body: "roles: { r: { trust: [ { service: ec2, until: 2027-06-30 }, { service: lambda, until: 2027-06-30T12:00:00+02:00 } ] } }",
			get:  func(s *spec.Spec) any { return []time.Time{s.Roles[0].Trust[0].Until, s.Roles[0].Trust[1].Until} },
			want: []time.Time{time.Date(2027, 6, 30, 0, 0, 0, 0, time.UTC), time.Date(2027, 6, 30, 10, 0, 0, 0, time.UTC)},
		},
		{
			name: "services by name or as a map",
			body: "roles: { r: { trust: [ { service: ec2 }, { service: { name: ecs-tasks, source_account: 111111111111 } } ] } }",
			get:  func(s *spec.Spec) any { return []trust.Identity{s.Roles[0].Trust[0].Proof, s.Roles[0].Trust[1].Proof} },
			want: []trust.Identity{trust.Service{Name: "ec2"}, trust.Service{Name: "ecs-tasks", SourceAccount: "111111111111"}},
		},
		{
			name: "an instance profile for a role that trusts EC2 by a named identity",
			body: "identities: { box: { service: ec2.amazonaws.com } }\nroles: { r: { trust: [box], instance_profile: true } }",
			get:  func(s *spec.Spec) any { return s.Roles[0].InstanceProfile },
			want: true,
		},
		{
			name: "one string stands for a list of one",
			body: "roles: { r: { trust: [ { service: ec2 } ], grants: [ ecr-docker-push: { repositories: shop } ] } }\nnever: [ { roles: r, actions: iam:CreateUser, on: user/x } ]",
			get:  func(s *spec.Spec) any { return []any{s.Roles[0].Grants[0].Args, s.Never[0].Roles, s.Never[0].On} },
			want: []any{catalog.Args{"repositories": {"shop"}}, []string{"r"}, []string{"user/x"}},
		},
		{
			name: "colons in flow lists and maps are text",
			body: "roles: { r: { trust: [ { service: ec2 } ] } }\nnever: [ { roles: [r], actions: [iam:CreateUser, s3:Put*], on: [arn:aws:s3:::b/*] } ]",
			get:  func(s *spec.Spec) any { return append(s.Never[0].Actions, s.Never[0].On...) },
			want: []string{"iam:CreateUser", "s3:Put*", "arn:aws:s3:::b/*"},
		},
		{
			name: "reasons in several lines, effects in any case, tags as they are written",
			body: "roles:\n  r:\n    trust: [ { service: ec2 } ]\n    description: |\n      One\n      two\n    tags: { a: 0042, b: 1.10, c: Yes, d: TRUE, e: 1e3, f: 2027-01-01 }\n    custom:\n      - because: |\n          one\n          two\n        effect: DENY\n        actions: s3:GetObject\n        resources: '*'\n",
			get: func(s *spec.Spec) any {
				r := s.Roles[0]
				return []any{r.Custom[0].Because, r.Custom[0].Statement.Effect, r.Tags, r.Description}
			},
			want: []any{
				"one two", iam.Deny,
				map[string]string{"a": "0042", "b": "1.10", "c": "Yes", "d": "TRUE", "e": "1e3", "f": "2027-01-01"},
				"One\ntwo\n",
			},
		},
		{
			name: "operators in AWS's spelling",
			body: "roles: { r: { trust: [ { service: ec2 } ], custom: [ { because: why, actions: s3:GetObject, resources: '*', conditions: { stringequalsifexists: { aws:userid: 1 } } } ] } }",
			get:  func(s *spec.Spec) any { return s.Roles[0].Custom[0].Statement.Conditions },
			want: []iam.Condition{{Operator: "StringEqualsIfExists", Key: "aws:userid", Values: []string{"1"}}},
		},
		{
			name: "guard rails against actions of any service",
			body: "never: [ { identities: '*', actions: ['*:Put*', '*:*Policy', s3:getobject] } ]",
			get:  func(s *spec.Spec) any { return s.Never[0].Actions },
			want: []string{"*:Put*", "*:*Policy", "s3:getobject"},
		},
		{
			name: "what is newer than AWS's reference, if the statement says so",
			body: "roles: { r: { trust: [ { service: ec2 } ], custom: [ { because: why, unknown: allow, actions: [s3:GetHologram, s3:GetObject], resources: 'arn:aws:s3:::b/*', conditions: { Bool: { aws:Hologram: true } } } ] } }",
			get:  func(s *spec.Spec) any { return s.Roles[0].Custom[0].Unknown },
			want: []string{"s3:GetHologram", "aws:Hologram"},
		},
		{
			name: "a named role to pass and to assume, every action of a service on named resources",
			body: "roles: { r: { trust: [ { service: ec2 } ], custom: [ { because: why, actions: [iam:PassRole, sts:AssumeRole], resources: arn:aws:iam::111111111111:role/x }, { because: why, actions: [s3:*, iam:GetRole], resources: ['arn:aws:s3:::b', 'arn:aws:s3:::b/*'] } ] } }",
			get:  func(s *spec.Spec) any { return [][]string{s.Roles[0].Custom[0].Broad(), s.Roles[0].Custom[1].Broad()} },
			want: [][]string{nil, {"every action of s3"}},
		},
		{
			name: "writing on every resource is broad, reading is not",
			body: "roles: { r: { trust: [ { service: ec2 } ], custom: [ { because: why, actions: [ec2:RunInstances, ec2:Describe*, 's3:Put*', lambda:CreateFunction, lambda:InvokeFunction, sqs:SendMessage], resources: 'arn:aws:*:*:*:*' }, { because: why, effect: Deny, actions: 's3:*', resources: '*' } ] } }",
			get:  func(s *spec.Spec) any { return [][]string{s.Roles[0].Custom[0].Broad(), s.Roles[0].Custom[1].Broad()} },
			want: [][]string{{"ec2:RunInstances, s3:Put*, lambda:CreateFunction, lambda:InvokeFunction, 1 more on every resource"}, nil},
		},
		{
			name: "boundary by name with a path",
			body: "roles: { r: { trust: [ { service: ec2 } ], boundary: ops/limit } }",
			get:  func(s *spec.Spec) any { return s.Roles[0].Boundary },
			want: "arn:aws:iam::111111111111:policy/ops/limit",
		},
		{
			name: "everybody may be guarded before anybody is declared",
			body: "never: [ { identities: '*', actions: '*' } ]",
			get:  func(s *spec.Spec) any { return s.Never[0].Identities },
			want: []string{"*"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := spec.Parse(spec.Source{Name: "postern.yaml", Data: []byte(head + c.body)})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, c.get(s)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPartition(t *testing.T) {
	for region, want := range map[string]string{
		"eu-west-1": "aws", "ap-southeast-5": "aws", "mx-central-1": "aws",
		"cn-northwest-1": "aws-cn", "us-gov-east-1": "aws-us-gov",
	} {
		src := "stack: shop\nregion: " + region + "\naccounts: { prod: { id: \"012345678901\" } }"
		s, err := spec.Parse(spec.Source{Name: "postern.yaml", Data: []byte(src)})
		if err != nil {
			t.Error(err)
		} else if s.Partition != want {
			t.Errorf("%s is in %s, not in %s", region, s.Partition, want)
		}
	}
}

// TestFolderOfDifferentFiles shows which files of a folder are the spec.
func TestFolderOfDifferentFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"b.yml":          "accounts: { prod: { id: \"111111111111\" } }",
		"a.yaml":         "stack: shop\nregion: eu-west-1",
		"c.yaml":         "# nothing",
		"notes.txt":      "not: read",
		".hidden.yaml":   "not: read",
		"sub/other.yaml": "not: read",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s, err := spec.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{filepath.Join(dir, "a.yaml"), filepath.Join(dir, "b.yml"), filepath.Join(dir, "c.yaml")}
	if diff := cmp.Diff(want, s.Files); diff != "" {
		t.Error(diff)
	}
}

func TestLoadNothing(t *testing.T) {
	dir := t.TempDir()
	big := filepath.Join(dir, "big.yaml")
	if err := os.WriteFile(big, []byte(strings.Repeat("# much\n", 1<<18)), 0o644); err != nil {
		t.Fatal(err)
	}
	pipes := filepath.Join(dir, "pipes")
	pipe := filepath.Join(pipes, "postern.yaml")
	if err := errors.Join(os.Mkdir(pipes, 0o755), syscall.Mkfifo(pipe, 0o600)); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(dir, "empty")
	if err := os.Mkdir(empty, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, want string }{
		{filepath.Join(dir, "none.yaml"), dir + "/none.yaml: there is no such file or folder"},
		{empty, empty + ": no *.yaml or *.yml file is in this folder"},
		{os.DevNull, "/dev/null: read spec: it is no regular file"},
		{pipe, pipe + ": read spec: it is no regular file"},
		{pipes, pipe + ": read spec: it is no regular file"},
		{big, big + ":1:1: file is larger than 1 MiB"},
	} {
		s, err := spec.Load(c.path)
		if s != nil || err == nil {
			t.Fatalf("%s: %+v", c.path, s)
		}
		if err.Error() != c.want {
			t.Errorf("got %q, want %q", err, c.want)
		}
		if code := fault.ExitCode(err); code != fault.General {
			t.Errorf("%s: exit code %d", c.path, code)
		}
	}
}
