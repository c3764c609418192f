package cli

import (
	"context"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	policy "github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/catalog"
	"github.com/postern-dev/postern/internal/sandbox"
)

// TestAuditReadsTheAccount plans and proves with audit-read, which changes
// nothing.
func TestAuditReadsTheAccount(t *testing.T) {
	for _, level := range []string{"account", "organization"} {
		server, _ := confinedSandbox(t, grantPolicy(t, "audit-read", level, nil))
		spec := writeSpec(t, strings.Replace(permissionsSpec, "REPOSITORIES", "shop", 1))
		run(t, server, 2, "plan", "--detailed-exitcode", spec)
		run(t, server, 4, "apply", "--yes", spec)
	}
}

// TestKeysRotate rotates a machine user's key with rotate-access-keys, and
// nobody else's.
func TestKeysRotate(t *testing.T) {
	server, owner := confinedSandbox(t, grantPolicy(t, "rotate-access-keys", "user", catalog.Args{"stack": {"shop"}, "users": {"shop-travis"}}))
	ctx := t.Context()
	for name, path := range map[string]string{"shop-travis": "/postern/shop/", "shop-nagios": "/postern/shop/", "ada": "/"} {
		must(t, only(owner.CreateUser(ctx, &iam.CreateUserInput{UserName: &name, Path: &path})))
	}
	old, err := owner.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: sdk.String("shop-travis")})
	must(t, err)
	theirs, err := owner.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: sdk.String("ada")})
	must(t, err)
	holder, travis := clientAs(ctx, t, server, "postern-admin"), sdk.String("shop-travis")
	for _, err := range []error{
		only(holder.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: travis})),
		only(holder.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: travis})),
		only(holder.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: old.AccessKey.AccessKeyId})),
		only(holder.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: travis, AccessKeyId: old.AccessKey.AccessKeyId, Status: "Inactive"})),
		only(holder.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: travis, AccessKeyId: old.AccessKey.AccessKeyId})),
	} {
		must(t, err)
	}
	for name, err := range map[string]error{
		"another user of the stack": only(holder.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: sdk.String("shop-nagios")})),
		"somebody's key":            only(holder.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: sdk.String("ada")})),
		"when somebody's was used":  only(holder.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: theirs.AccessKey.AccessKeyId})),
		"permissions":               only(holder.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: travis, PolicyName: sdk.String("x"), PolicyDocument: sdk.String(`{"Version":"2012-10-17","Statement":[]}`)})),
		"a user":                    only(holder.CreateUser(ctx, &iam.CreateUserInput{UserName: sdk.String("x"), Path: sdk.String("/postern/shop/")})),
	} {
		if err == nil || !strings.Contains(err.Error(), "AccessDenied") {
			t.Errorf("%s: %v, want AccessDenied", name, err)
		}
	}
}

// posternGrant is the policy of postern-apply at a level, for permissionsSpec.
func posternGrant(t *testing.T, level string) *policy.Document {
	t.Helper()
	return grantPolicy(t, "postern-apply", level, catalog.Args{
		"stack": {"shop"}, "boundary": {"edge"}, "issuers": {"token.actions.githubusercontent.com"},
		"instance_profiles": {"shop-deploy"}, "accepts": {"unbounded-groups"},
	})
}

// grantPolicy is the policy of a grant, with those of the arguments that the
// level takes.
func grantPolicy(t *testing.T, name, level string, args catalog.Args) *policy.Document {
	t.Helper()
	g, ok := catalog.Lookup(name)
	if !ok {
		t.Fatalf("no grant %s", name)
	}
	doc, err := g.Policy(catalog.CaseScope(), level, g.At(level, args))
	must(t, err)
	return doc
}

// confinedSandbox is a sandbox whose account 222222222222 is managed by a role
// that has one policy and nothing else, and an all-powerful client of it.
func confinedSandbox(t *testing.T, doc *policy.Document) (*sandbox.Server, *iam.Client) {
	t.Helper()
	server, err := sandbox.New(sandbox.Options{Accounts: []sandbox.AccountConfig{
		{ID: "111111111111"}, {ID: "222222222222", AdminRole: "owner"},
	}})
	must(t, err)
	must(t, server.Listen("127.0.0.1:0"))
	t.Cleanup(func() { _ = server.Close(context.Background()) })
	owner := clientAs(t.Context(), t, server, "owner")
	must(t, server.EnsureAccount(sandbox.AccountConfig{ID: "222222222222", AdminRole: "postern-admin"}))
	text, err := json.Marshal(doc)
	must(t, err)
	confineAdmin(t.Context(), t, owner, string(text))
	return server, owner
}

func writeSpec(t *testing.T, text string) string {
	t.Helper()
	spec := filepath.Join(t.TempDir(), "postern.yaml")
	must(t, os.WriteFile(spec, []byte(text), 0o600))
	return spec
}

// TestGrantBringsAStackUp makes, heals, changes and destroys a stack of
// everything that a stack can hold, with the grant for it and nothing else.
func TestGrantBringsAStackUp(t *testing.T) {
	full := strings.Replace(permissionsSpec, "REPOSITORIES", strings.Join(longNames(), ", "), 1)
	withoutUser := regexp.MustCompile(`(?m)^  travis:.*\n`).ReplaceAllString(strings.Replace(full, "travis, ", "", 1), "")
	for _, tt := range []struct {
		level, spec string
		drift       func(context.Context, *testing.T, *iam.Client)
	}{
		{level: "apply", spec: withoutUser},
		{level: "machine-users", spec: full, drift: drift},
	} {
		t.Run(tt.level, func(t *testing.T) {
			server, owner := confinedSandbox(t, posternGrant(t, tt.level))
			spec := writeSpec(t, tt.spec)
			run(t, server, 0, "up", "--yes", spec)
			if tt.drift != nil {
				tt.drift(t.Context(), t, owner)
				run(t, server, 2, "plan", "--detailed-exitcode", spec)
				run(t, server, 0, "apply", "--yes", spec)
			}
			run(t, server, 0, "plan", "--detailed-exitcode", spec)
			changed := writeSpec(t, strings.Replace(tt.spec, "    boundary:", "    session: 2h\n    tags: { team: web }\n    boundary:", 1))
			run(t, server, 0, "apply", "--yes", changed)
			run(t, server, 0, "destroy", "--yes", changed)
			run(t, server, 0, "plan", "--destroy", "--detailed-exitcode", spec)
		})
	}
}

// toldOnly are the actions of the grant without which a stack lives all the same.
var toldOnly = map[string]string{
	"iam:GetAccountSummary":              "Postern then goes by AWS's default quotas",
	"iam:GetLoginProfile":                "says what keeps a user from being deleted",
	"iam:GetPolicy":                      "tells whose a policy is that stands where one is to be made",
	"iam:GetPolicyVersion":               "as iam:GetPolicy",
	"iam:ListEntitiesForPolicy":          "says what keeps a policy from being deleted",
	"iam:ListMFADevices":                 "as iam:GetLoginProfile",
	"iam:ListSSHPublicKeys":              "as iam:GetLoginProfile",
	"iam:ListServiceSpecificCredentials": "as iam:GetLoginProfile",
	"iam:ListSigningCertificates":        "as iam:GetLoginProfile",
}

// TestGrantHasNothingToSpare takes each action of the grant away: a stack then
// cannot be made, healed, changed or destroyed, and the error names it.
func TestGrantHasNothingToSpare(t *testing.T) {
	grant := posternGrant(t, "machine-users")
	for i, s := range grant.Statements {
		for _, action := range s.Actions {
			t.Run(s.SID+" "+action, func(t *testing.T) {
				less := *grant
				less.Statements = slices.Clone(grant.Statements)
				less.Statements[i].Actions = slices.DeleteFunc(slices.Clone(s.Actions), func(a string) bool { return a == action })
				if len(less.Statements[i].Actions) == 0 {
					less.Statements = slices.Delete(less.Statements, i, i+1)
				}
				said := life(t, &less)
				if _, told := toldOnly[action]; told != (said == "") || !told && !strings.Contains(said, action) {
					t.Errorf("got %q", said)
				}
			})
		}
	}
}

// life brings a stack up, heals it, changes and destroys it, and gives what the
// first command says that fails; empty if none does.
func life(t *testing.T, doc *policy.Document) string {
	t.Helper()
	server, owner := confinedSandbox(t, doc)
	full := strings.Replace(permissionsSpec, "REPOSITORIES", strings.Join(longNames(), ", "), 1)
	changed := strings.Replace(permissionsSpec, "REPOSITORIES", "shop", 1) // whose policy is inline
	changed = strings.Replace(changed, "    boundary:", "    session: 2h\n    tags: { team: web }\n    boundary:", 1)
	for _, step := range []struct {
		command, spec string
		before        func(context.Context, *testing.T, *iam.Client)
	}{
		{command: "apply", spec: full},
		{command: "apply", spec: full, before: drift},
		{command: "apply", spec: changed},
		{command: "destroy", spec: changed},
	} {
		if step.before != nil {
			step.before(t.Context(), t, owner)
		}
		if code, said := attempt(t, server, step.command, "--yes", writeSpec(t, step.spec)); code != 0 {
			return said
		}
	}
	return ""
}

// TestPlanLevelOnlyReads plans with the narrowest level, and cannot apply.
func TestPlanLevelOnlyReads(t *testing.T) {
	server, owner := confinedSandbox(t, posternGrant(t, "plan"))
	spec := writeSpec(t, strings.Replace(permissionsSpec, "REPOSITORIES", "shop", 1))
	run(t, server, 2, "plan", "--detailed-exitcode", spec)
	run(t, server, 4, "apply", "--yes", spec)
	roles, err := owner.ListRoles(t.Context(), &iam.ListRolesInput{PathPrefix: sdk.String("/postern/shop/")})
	must(t, err)
	if len(roles.Roles) > 0 {
		t.Errorf("level plan made roles: %+v", roles.Roles)
	}
}

// TestBoundaryIsDemanded: a spec without the boundary cannot be applied.
func TestBoundaryIsDemanded(t *testing.T) {
	server, _ := confinedSandbox(t, posternGrant(t, "machine-users"))
	spec := strings.Replace(permissionsSpec, "REPOSITORIES", "shop", 1)
	run(t, server, 4, "apply", "--yes", writeSpec(t, strings.Replace(spec, "    boundary: arn:aws:iam::222222222222:policy/edge\n", "", 1)))
	run(t, server, 4, "apply", "--yes", writeSpec(t, strings.Replace(spec, "arn:aws:iam::222222222222:policy/edge", "arn:aws:iam::aws:policy/AdministratorAccess", 1)))
	run(t, server, 0, "apply", "--yes", writeSpec(t, spec))
}

// TestEscalationIsRefused tries, as the holder of the grant, the ways out of
// the stack's path and of the boundary.
func TestEscalationIsRefused(t *testing.T) {
	server, owner := confinedSandbox(t, posternGrant(t, "apply"))
	spec := regexp.MustCompile(`(?m)^  travis:.*\n`).ReplaceAllString(strings.Replace(permissionsSpec, "travis, ", "", 1), "")
	run(t, server, 0, "apply", "--yes", writeSpec(t, strings.Replace(spec, "REPOSITORIES", "shop", 1)))
	ctx := t.Context()
	_, err := owner.CreateUser(ctx, &iam.CreateUserInput{UserName: sdk.String("mallory")})
	must(t, err)
	holder := clientAs(ctx, t, server, "postern-admin")

	const edge, admin = "arn:aws:iam::222222222222:policy/edge", "arn:aws:iam::aws:policy/AdministratorAccess"
	const all = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	const trust = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:role/postern-admin"},"Action":"sts:AssumeRole"}}`
	role := func(name, path, boundary string) *iam.CreateRoleInput {
		in := &iam.CreateRoleInput{RoleName: &name, Path: &path, AssumeRolePolicyDocument: sdk.String(trust)}
		if boundary != "" {
			in.PermissionsBoundary = &boundary
		}
		return in
	}
	own, self := sdk.String("shop-deploy"), sdk.String("postern-admin")
	for name, err := range map[string]error{
		"role without the boundary":     only(holder.CreateRole(ctx, role("x", "/postern/shop/", ""))),
		"role under another boundary":   only(holder.CreateRole(ctx, role("x", "/postern/shop/", admin))),
		"role of another stack":         only(holder.CreateRole(ctx, role("x", "/postern/web/", edge))),
		"role outside of the path":      only(holder.CreateRole(ctx, role("x", "/", edge))),
		"take the boundary away":        only(holder.DeleteRolePermissionsBoundary(ctx, &iam.DeleteRolePermissionsBoundaryInput{RoleName: own})),
		"change the boundary of a role": only(holder.PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{RoleName: own, PermissionsBoundary: sdk.String(admin)})),
		"rewrite the boundary":          only(holder.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: sdk.String(edge), PolicyDocument: sdk.String(all), SetAsDefault: true})),
		"attach a policy of AWS":        only(holder.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: own, PolicyArn: sdk.String(admin)})),
		"own permissions":               only(holder.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: self, PolicyName: sdk.String("x"), PolicyDocument: sdk.String(all)})),
		"own trust":                     only(holder.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: self, PolicyDocument: sdk.String(trust)})),
		"a key for a user":              only(holder.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: sdk.String("mallory")})),
		"a user":                        only(holder.CreateUser(ctx, &iam.CreateUserInput{UserName: sdk.String("x"), Path: sdk.String("/postern/shop/")})),
		"a group":                       only(holder.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: sdk.String("x"), Path: sdk.String("/postern/shop/")})),
		"a provider for another issuer": only(holder.CreateOpenIDConnectProvider(ctx, &iam.CreateOpenIDConnectProviderInput{Url: sdk.String("https://evil.example.org"), ClientIDList: []string{"x"}})),
		"another role as an instance's": only(holder.AddRoleToInstanceProfile(ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: own, RoleName: self})),
		"an instance profile not named": only(holder.CreateInstanceProfile(ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: sdk.String("x"), Path: sdk.String("/postern/shop/")})),
	} {
		if err == nil || !strings.Contains(err.Error(), "AccessDenied") {
			t.Errorf("%s: %v, want AccessDenied", name, err)
		}
	}
	_, err = holder.CreateRole(ctx, role("x", "/postern/shop/", edge))
	must(t, err) // what is refused above is not refused for another reason
}

// only is the error of a call, whatever it returns beside it.
func only[T any](_ T, err error) error { return err }

// TestGrantKnowsEveryCall compares the grant with the IAM calls in the source
// of internal/aws, both ways, and with docs/permissions.md.
func TestGrantKnowsEveryCall(t *testing.T) {
	granted := map[string]bool{}
	for _, s := range posternGrant(t, "machine-users").Statements {
		for _, a := range s.Actions {
			granted[a] = true
		}
	}
	needed := iamCalls(t)
	for _, implied := range []string{ // judged with the calls that hand on a role or tag what they make
		"iam:PassRole", "iam:TagInstanceProfile", "iam:TagOpenIDConnectProvider", "iam:TagPolicy",
	} {
		needed[implied] = true
	}
	boundary := "iam:DeleteRolePermissionsBoundary" // the one change that the grant refuses on purpose
	if !needed[boundary] {
		t.Errorf("nothing calls %s any more", boundary)
	}
	delete(needed, boundary)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(needed)), slices.Sorted(maps.Keys(granted))); diff != "" {
		t.Errorf("actions (-called +granted):\n%s", diff)
	}
	documented, err := policy.Parse([]byte(documentedPolicy(t)))
	must(t, err)
	written := map[string]bool{}
	for _, s := range documented.Statements {
		for _, a := range s.Actions {
			written[a] = true
		}
	}
	delete(written, boundary)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(written)), slices.Sorted(maps.Keys(granted))); diff != "" {
		t.Errorf("actions (-docs/permissions.md +granted):\n%s", diff)
	}
}

// iamCalls are the actions of the methods that internal/aws calls on an IAM
// client, and of the paginators that it makes.
func iamCalls(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("../aws/*.go")
	must(t, err)
	calls := map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || filepath.Base(name) == "sshkeys.go" { // asked by hosts, under another grant
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		must(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if f, ok := call.Fun.(*ast.SelectorExpr); ok {
				if action := iamAction(f); action != "" {
					calls[action] = true
				}
			}
			return true
		})
	}
	return calls
}

// iamAction is the action of x.iam.Method or iam.NewMethodPaginator, or "".
func iamAction(f *ast.SelectorExpr) string {
	if client, ok := f.X.(*ast.SelectorExpr); ok && client.Sel.Name == "iam" {
		return "iam:" + f.Sel.Name
	}
	if pkg, ok := f.X.(*ast.Ident); ok && pkg.Name == "iam" {
		name, isNew := strings.CutPrefix(f.Sel.Name, "New")
		if method, ok := strings.CutSuffix(name, "Paginator"); ok && isNew {
			return "iam:" + method
		}
	}
	return ""
}
