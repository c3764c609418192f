package aws

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	sdkiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/postern-dev/postern/internal/apply"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/plan"
)

const (
	roleARN  = "arn:aws:iam::222222222222:role/postern/shop/shop-deploy"
	otherARN = "arn:aws:iam::222222222222:role/legacy/shop-deploy"
)

// verbs reads the constants of type Verb out of the plan package, so that a
// new one cannot be forgotten here.
func verbs(t *testing.T) []plan.Verb {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../plan/change.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []plan.Verb
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); !ok || typ.Name != "Verb" {
			return true
		}
		for _, v := range spec.Values {
			text, err := strconv.Unquote(v.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, plan.Verb(text))
		}
		return true
	})
	return out
}

// sample is a change of the verb that has every input.
func sample(t *testing.T, v plan.Verb) plan.Change {
	doc := parse(t, otherText)
	ch := plan.Change{Account: prod, Verb: v, Input: plan.Input{
		RoleName: "shop-x", UserName: "shop-x", GroupName: "shop-x", InstanceProfileName: "shop-x", PolicyName: "shop-x", Path: path, VersionID: "v1",
		Description: "d", Document: doc, MaxSession: time.Hour, Tags: map[string]string{"k": "v"}, TagKeys: []string{"k"}, AccessKeyID: "AKIAXXXXXXXXXXXXXXXX",
	}}
	arn := "arn:aws:iam::" + prod + ":"
	kind := "policy"
	for _, k := range []struct{ in, kind string }{{"InstanceProfile", "instance-profile"}, {"OpenID", "oidc-provider"}, {"Role", "role"}, {"User", "user"}, {"AccessKey", "user"}, {"Group", "group"}} {
		if strings.Contains(string(v), k.in) {
			kind = k.kind
			break
		}
	}
	ch.Entity = arn + kind + path + "shop-x"
	ch.Input.PolicyARN = arn + "policy" + path + "shop-x"
	if kind == "oidc-provider" {
		ch.Entity = arn + kind + "/" + issuer
		ch.Input.ProviderARN, ch.Input.URL, ch.Input.ClientIDs = ch.Entity, "https://"+issuer, []string{"sts.amazonaws.com"}
	}
	return ch
}

// ours answers a Get with the entity of the plan, so that deletions go on.
func ours(action, element, kind string) answer {
	return says(action, "<"+element+"><Arn>arn:aws:iam::"+prod+":"+kind+path+"shop-x</Arn></"+element+">")
}

func TestEveryVerbIsSent(t *testing.T) {
	list := verbs(t)
	if len(list) < 38 {
		t.Fatalf("only %d verbs found in the plan package", len(list))
	}
	for _, v := range list {
		t.Run(string(v), func(t *testing.T) {
			s := startStub(t, map[string]answer{
				"GetRole": ours("GetRole", "Role", "role"), "GetUser": ours("GetUser", "User", "user"), "GetGroup": ours("GetGroup", "Group", "group"),
				"GetInstanceProfile": ours("GetInstanceProfile", "InstanceProfile", "instance-profile"),
			})
			if err := s.connect(t).Change(t.Context(), sample(t, v)); err != nil {
				t.Fatal(err)
			}
			equal(t, len(s.named(string(v))), 1)
		})
	}
}

func TestChangeRefusesUnknownVerbs(t *testing.T) {
	for _, v := range []plan.Verb{"", "CreateAccessKey", "PutUserPolicy", "RoleOut", "GroupHug", "InstanceProfileMess", "OpenIDConnectProviderX"} {
		s := startStub(t, nil)
		ch := sample(t, v)
		err := s.connect(t).Change(t.Context(), ch)
		if err == nil || !strings.Contains(err.Error(), "no such operation") {
			t.Errorf("%s: %v", v, err)
		}
		equal(t, len(s.calls), 1) // GetCallerIdentity
	}
}

func TestChangeSendsItsInput(t *testing.T) {
	s := startStub(t, nil)
	c := s.connect(t)
	doc := parse(t, ec2Trust)
	for _, ch := range []plan.Change{
		{Verb: plan.CreateRole, Input: plan.Input{
			RoleName: "shop-deploy", Path: path, Document: doc, Description: "Deploys.", MaxSession: 2 * time.Hour, PolicyARN: "arn:aws:iam::aws:policy/X",
			Tags: map[string]string{"b": "2", "a": "1"},
		}},
		{Verb: plan.UpdateRole, Input: plan.Input{RoleName: "shop-deploy", MaxSession: time.Hour}},
	} {
		ch.Account, ch.Entity = prod, roleARN
		if err := c.Change(t.Context(), ch); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, s.named("CreateRole"), []url.Values{{
		"Action": {"CreateRole"}, "Version": {"2010-05-08"}, "RoleName": {"shop-deploy"}, "Path": {path}, "Description": {"Deploys."},
		"MaxSessionDuration": {"7200"}, "PermissionsBoundary": {"arn:aws:iam::aws:policy/X"}, "AssumeRolePolicyDocument": {*text(doc)},
		"Tags.member.1.Key": {"a"}, "Tags.member.1.Value": {"1"}, "Tags.member.2.Key": {"b"}, "Tags.member.2.Value": {"2"},
	}})
	// An empty description must be sent, or the old one stays.
	equal(t, s.named("UpdateRole"), []url.Values{{
		"Action": {"UpdateRole"}, "Version": {"2010-05-08"}, "RoleName": {"shop-deploy"}, "Description": {""}, "MaxSessionDuration": {"3600"},
	}})
}

func TestChangeGuards(t *testing.T) {
	put := func(entity, name string) plan.Change {
		return plan.Change{Account: prod, Entity: entity, Verb: plan.PutRolePolicy, Input: plan.Input{RoleName: name, PolicyName: "p"}}
	}
	tests := []struct {
		name   string
		change plan.Change
		want   string
	}{
		{"outside the path", put(otherARN, "shop-deploy"), otherARN + ": refusing PutRolePolicy: lies outside /postern/"},
		{"another name", put(roleARN, "admin"), roleARN + ": refusing PutRolePolicy: the call would change another entity"},
		{
			"another account", put("arn:aws:iam::333333333333:role/postern/shop/x", "x"),
			"arn:aws:iam::333333333333:role/postern/shop/x: refusing PutRolePolicy: not an IAM entity of account 222222222222",
		},
		{"no ARN", put("shop-deploy", "shop-deploy"), "shop-deploy: refusing PutRolePolicy: not an IAM entity of account 222222222222"},
		{
			"another provider",
			plan.Change{
				Account: prod, Entity: "arn:aws:iam::222222222222:oidc-provider/a", Verb: plan.DeleteOpenIDConnectProvider,
				Input: plan.Input{ProviderARN: "arn:aws:iam::222222222222:oidc-provider/b"},
			},
			"arn:aws:iam::222222222222:oidc-provider/a: refusing DeleteOpenIDConnectProvider: the call would change another entity",
		},
		{"an account that is not connected", plan.Change{Account: "333333333333"}, "account 333333333333 is not connected"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := startStub(t, nil)
			err := s.connect(t).Change(t.Context(), tt.change)
			if err == nil {
				t.Fatal("made")
			}
			equal(t, err.Error(), tt.want)
			equal(t, len(s.calls), 1) // GetCallerIdentity
		})
	}
}

var exists = fails(http.StatusConflict, "EntityAlreadyExists", "Role with name shop-deploy already exists.")

func roleXML(arn, trust, description, tags string) string {
	return "<Role><Arn>" + arn + "</Arn><RoleName>shop-deploy</RoleName><Path>/x/</Path><AssumeRolePolicyDocument>" + url.PathEscape(trust) +
		"</AssumeRolePolicyDocument><Description>" + description + "</Description><MaxSessionDuration>3600</MaxSessionDuration><Tags>" + tags + "</Tags></Role>"
}

const stackTag = "<member><Key>postern:stack</Key><Value>shop</Value></member>"

// TestRetriedCreation is about a creation whose first answer was lost: the
// second is told that the name is taken.
func TestRetriedCreation(t *testing.T) {
	tests := []struct {
		name string
		role string // what stands under the name
		want string // the error; empty: success
	}{
		{name: "ours, as wanted", role: roleXML(roleARN, ec2Trust, "Deploys.", stackTag)},
		{
			name: "ours, other trust", role: roleXML(roleARN, trustText, "Deploys.", stackTag),
			want: roleARN + ": was made by somebody else since the plan, and differs from it",
		},
		{
			name: "ours, other tags", role: roleXML(roleARN, ec2Trust, "Deploys.", ""),
			want: roleARN + ": was made by somebody else since the plan, and differs from it",
		},
		{
			name: "ours, other description", role: roleXML(roleARN, ec2Trust, "Does more.", stackTag),
			want: roleARN + ": was made by somebody else since the plan, and differs from it",
		},
		{
			name: "ours, other session", role: strings.Replace(roleXML(roleARN, ec2Trust, "Deploys.", stackTag), "3600", "43200", 1),
			want: roleARN + ": was made by somebody else since the plan, and differs from it",
		},
		{
			name: "ours, with a boundary",
			role: strings.Replace(roleXML(roleARN, ec2Trust, "Deploys.", stackTag), "<Tags>",
				"<PermissionsBoundary><PermissionsBoundaryArn>arn:aws:iam::aws:policy/X</PermissionsBoundaryArn></PermissionsBoundary><Tags>", 1),
			want: roleARN + ": was made by somebody else since the plan, and differs from it",
		},
		{
			name: "somebody else's", role: roleXML(otherARN, ec2Trust, "Deploys.", stackTag),
			want: roleARN + ": its name belongs to " + otherARN + ", which is not of this stack",
		},
		{
			name: "an answer without a role",
			want: roleARN + ": its name belongs to , which is not of this stack",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := startStub(t, map[string]answer{"CreateRole": exists, "GetRole": says("GetRole", tt.role)})
			err := s.connect(t).Change(t.Context(), plan.Change{Account: prod, Entity: roleARN, Verb: plan.CreateRole, Input: plan.Input{
				RoleName: "shop-deploy", Path: path, Document: parse(t, ec2Trust), Description: "Deploys.", MaxSession: time.Hour,
				Tags: map[string]string{"postern:stack": "shop"},
			}})
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Fatalf("got  %v\nwant %s", err, tt.want)
			}
			if _, again := errors.AsType[*apply.Retryable](err); again {
				t.Error("repeating it cannot help")
			}
		})
	}
}

// TestLostAnswer cuts the connection after the server has done the work.
func TestLostAnswer(t *testing.T) {
	s := startStub(t, nil)
	s.answers = map[string]answer{
		"CreateRole": func(n int, _ url.Values) (int, string) {
			if n == 1 {
				panic(http.ErrAbortHandler)
			}
			return fail(http.StatusConflict, "EntityAlreadyExists", "exists")
		},
		"GetRole": says("GetRole", roleXML(roleARN, ec2Trust, "", "")),
	}
	err := s.connect(t).Change(t.Context(), plan.Change{
		Account: prod, Entity: roleARN, Verb: plan.CreateRole, Input: plan.Input{RoleName: "shop-deploy", Path: path, Document: parse(t, ec2Trust)},
	})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, len(s.named("CreateRole")), 2)
}

func TestPolicyVersionIsNotMadeTwice(t *testing.T) {
	arn := "arn:aws:iam::222222222222:policy/postern/shop/more"
	ch := plan.Change{Account: prod, Entity: arn, Verb: plan.CreatePolicyVersion, Input: plan.Input{PolicyARN: arn, Document: parse(t, otherText)}}
	for _, tt := range []struct {
		name, stands string
		retryable    bool
	}{
		{"the lost call did it", otherText, false},
		{"the lost call did not", grantText, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := startStub(t, map[string]answer{
				"CreatePolicyVersion": func(int, url.Values) (int, string) { panic(http.ErrAbortHandler) },
				"GetPolicy":           says("GetPolicy", "<Policy><Arn>"+arn+"</Arn><DefaultVersionId>v2</DefaultVersionId></Policy>"),
				"GetPolicyVersion":    says("GetPolicyVersion", "<PolicyVersion><Document>"+url.PathEscape(tt.stands)+"</Document></PolicyVersion>"),
			})
			err := s.connect(t).Change(t.Context(), ch)
			_, again := errors.AsType[*apply.Retryable](err)
			if again != tt.retryable || (err == nil) == tt.retryable {
				t.Errorf("retryable %v, error %v", again, err)
			}
			equal(t, len(s.named("CreatePolicyVersion")), 1)
		})
	}
}

func TestMembershipMadeTwice(t *testing.T) {
	arn := "arn:aws:iam::222222222222:instance-profile/postern/shop/shop-consul"
	ch := plan.Change{Account: prod, Entity: arn, Verb: plan.AddRoleToInstanceProfile, Input: plan.Input{InstanceProfileName: "shop-consul", RoleName: "shop-consul"}}
	for _, tt := range []struct {
		name, holds string
		ok          bool
	}{{"holds it", "shop-consul", true}, {"holds another", "other", false}} {
		t.Run(tt.name, func(t *testing.T) {
			s := startStub(t, map[string]answer{
				"AddRoleToInstanceProfile": fails(http.StatusConflict, "LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1"),
				"GetInstanceProfile":       says("GetInstanceProfile", "<InstanceProfile><Roles><member><RoleName>"+tt.holds+"</RoleName></member></Roles></InstanceProfile>"),
			})
			err := s.connect(t).Change(t.Context(), ch)
			if (err == nil) != tt.ok {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestProviderOfSomebodyElse(t *testing.T) {
	s := startStub(t, map[string]answer{"CreateOpenIDConnectProvider": fails(http.StatusConflict, "EntityAlreadyExists", "exists")})
	if err := s.connect(t).Change(t.Context(), sample(t, plan.CreateOpenIDConnectProvider)); err != nil {
		t.Fatal(err)
	}
	got := s.named("AddClientIDToOpenIDConnectProvider")
	equal(t, len(got), 1)
	equal(t, got[0].Get("ClientID"), "sts.amazonaws.com")
}

func TestPolicyNameTakenElsewhere(t *testing.T) {
	s := startStub(t, map[string]answer{
		"CreatePolicy": fails(http.StatusConflict, "EntityAlreadyExists", "exists"),
		"GetPolicy":    fails(http.StatusNotFound, "NoSuchEntity", "no such policy"),
	})
	err := s.connect(t).Change(t.Context(), sample(t, plan.CreatePolicy))
	if err == nil || !strings.Contains(err.Error(), "its name belongs to another path") {
		t.Errorf("error %v", err)
	}
}

func TestDeletion(t *testing.T) {
	gone := fails(http.StatusNotFound, "NoSuchEntity", "The role with name shop-deploy cannot be found.")
	ch := plan.Change{Account: prod, Entity: roleARN, Verb: plan.DeleteRole, Input: plan.Input{RoleName: "shop-deploy"}}

	s := startStub(t, map[string]answer{"GetRole": gone})
	if err := s.connect(t).Change(t.Context(), ch); err != nil {
		t.Errorf("what is gone is deleted: %v", err)
	}
	s = startStub(t, map[string]answer{"GetRole": says("GetRole", roleXML(roleARN, ec2Trust, "", "")), "DeleteRole": gone})
	if err := s.connect(t).Change(t.Context(), ch); err != nil {
		t.Errorf("what went in between is deleted: %v", err)
	}
	s = startStub(t, map[string]answer{"GetRole": says("GetRole", roleXML(otherARN, ec2Trust, "", ""))})
	err := s.connect(t).Change(t.Context(), ch)
	if err == nil || !strings.Contains(err.Error(), otherARN) || len(s.named("DeleteRole")) != 0 {
		t.Errorf("a role of somebody else: error %v, %d deletions", err, len(s.named("DeleteRole")))
	}
}

func TestFailures(t *testing.T) {
	ch := plan.Change{Account: prod, Entity: roleARN, Verb: plan.PutRolePolicy, Input: plan.Input{RoleName: "shop-deploy", PolicyName: "p", Document: parse(t, otherText)}}
	tests := []struct {
		name          string
		status        int
		code, message string
		retry         *apply.Retryable // Err is not compared; nil: final
		exit          int
		want          string
		hint          string
	}{
		{
			name: "a principal that IAM does not know yet", status: 400, code: "MalformedPolicyDocument",
			message: `Invalid principal in policy: "AWS":"arn:aws:iam::222222222222:user/postern/shop/ci"`,
			retry:   &apply.Retryable{Within: waitForPrincipal}, exit: fault.General,
			want: roleARN + `: iam:PutRolePolicy: MalformedPolicyDocument: Invalid principal in policy: "AWS":"arn:aws:iam::222222222222:user/postern/shop/ci"`,
			hint: "make sure that the user or role exists: a trust policy names only what stands",
		},
		{
			name: "a document that is wrong for good", status: 400, code: "MalformedPolicyDocument", message: "Syntax errors in policy.",
			exit: fault.General, want: roleARN + ": iam:PutRolePolicy: MalformedPolicyDocument: Syntax errors in policy.",
		},
		{
			name: "a role that is not visible yet", status: 404, code: "NoSuchEntity", message: "The role cannot be found.",
			retry: &apply.Retryable{Within: waitForEntity}, exit: fault.General,
			want: roleARN + ": iam:PutRolePolicy: NoSuchEntity: The role cannot be found.",
		},
		{
			name: "two changes at once", status: 409, code: "ConcurrentModification", message: "Try again.",
			retry: &apply.Retryable{}, exit: fault.General, want: roleARN + ": iam:PutRolePolicy: ConcurrentModification: Try again.",
		},
		{
			name: "a conflict", status: 409, code: "DeleteConflict", message: "Cannot delete entity, must detach all policies first.",
			retry: &apply.Retryable{Within: waitForRelease}, exit: fault.General,
			want: roleARN + ": iam:PutRolePolicy: DeleteConflict: Cannot delete entity, must detach all policies first.",
			hint: "AWS is slow to see what was removed, or somebody added to it since the plan: run postern plan again",
		},
		{
			name: "a quota", status: 409, code: "LimitExceeded", message: "Cannot exceed quota for RolesPerAccount: 1000", exit: fault.General,
			want: roleARN + ": iam:PutRolePolicy: quota reached: Cannot exceed quota for RolesPerAccount: 1000",
			hint: "raise the quota in AWS's Service Quotas (IAM, region us-east-1) or make room, then run postern apply again",
		},
		{
			name: "a denial", status: 403, code: "AccessDenied", exit: fault.Auth,
			message: "User: " + caller + " is not authorized to perform: iam:PutRolePolicy on resource: role shop-deploy because no identity-based policy allows the iam:PutRolePolicy action",
			want:    roleARN + ": access denied: " + caller + " may not iam:PutRolePolicy on " + roleARN + ", because no identity-based policy allows the iam:PutRolePolicy action",
			hint:    `grant it: {"Effect":"Allow","Action":"iam:PutRolePolicy","Resource":"` + roleARN + `"}`,
		},
		{
			name: "an expired session", status: 403, code: "ExpiredToken", message: "expired", exit: fault.Auth,
			want: "AWS does not accept the credentials: ExpiredToken", hint: hintExpired,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := startStub(t, map[string]answer{"PutRolePolicy": fails(tt.status, tt.code, tt.message)})
			err := s.connect(t).Change(t.Context(), ch)
			again, _ := errors.AsType[*apply.Retryable](err)
			if again != nil {
				again = &apply.Retryable{Throttled: again.Throttled, Within: again.Within}
			}
			equal(t, again, tt.retry)
			equal(t, err.Error(), tt.want)
			equal(t, fault.ExitCode(err), tt.exit)
			equal(t, asFault(t, err).Hint, tt.hint)
		})
	}
}

func TestThrottlingReachesTheRunner(t *testing.T) {
	s := startStub(t, map[string]answer{"TagRole": fails(http.StatusBadRequest, "Throttling", "Rate exceeded")})
	c := s.connect(t)
	// The SDK's own patience is not what is tested.
	c.accounts[prod].iam = sdkiam.NewFromConfig(c.cfg, func(o *sdkiam.Options) { o.RetryMaxAttempts = 1 })
	err := c.Change(t.Context(), sample(t, plan.TagRole))
	again, ok := errors.AsType[*apply.Retryable](err)
	if !ok || !again.Throttled {
		t.Errorf("error %#v", err)
	}
}

func TestServerFailureMayPass(t *testing.T) {
	s := startStub(t, map[string]answer{"CreatePolicyVersion": fails(http.StatusServiceUnavailable, "ServiceUnavailable", "Try later")})
	err := s.connect(t).Change(t.Context(), sample(t, plan.CreatePolicyVersion))
	if again, ok := errors.AsType[*apply.Retryable](err); !ok || again.Throttled {
		t.Errorf("error %#v", err)
	}
}
