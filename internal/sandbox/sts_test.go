package sandbox_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/sandbox"
)

func TestAssumeRole(t *testing.T) {
	ctx := context.Background()
	target := "arn:aws:iam::222222222222:role/target"
	byAlice := map[string]any{"AWS": alice}
	for _, test := range []struct {
		name     string
		identity []map[string]any
		trust    map[string]any
		in       sts.AssumeRoleInput
		want     refusal
	}{
		{name: "both sides allow", identity: []map[string]any{allow("sts:AssumeRole", target)}, trust: trust(byAlice, "sts:AssumeRole", nil)},
		{
			name: "across accounts the trust is not enough", trust: trust(byAlice, "sts:AssumeRole", nil),
			want: refusal{403, "AccessDenied", notTo + "sts:AssumeRole on resource: " + target + " because no identity-based policy allows the sts:AssumeRole action"},
		},
		{
			name: "the identity policy is not enough", identity: []map[string]any{allow("sts:AssumeRole", "*")}, trust: trust(map[string]any{"AWS": prod}, "sts:AssumeRole", nil),
			want: refusal{403, "AccessDenied", notTo + "sts:AssumeRole on resource: " + target + " because no role trust policy allows the sts:AssumeRole action"},
		},
		{
			name: "trust denies", identity: []map[string]any{allow("sts:AssumeRole", "*")},
			trust: map[string]any{"Effect": "Deny", "Principal": byAlice, "Action": "sts:AssumeRole"},
			want:  refusal{403, "AccessDenied", notTo + "sts:AssumeRole on resource: " + target + " with an explicit deny in the role trust policy"},
		},
		{
			name: "external id", identity: []map[string]any{allow("sts:AssumeRole", "*")}, in: sts.AssumeRoleInput{ExternalId: aws.String("x-1")},
			trust: trust(byAlice, "sts:AssumeRole", map[string]any{"StringEquals": map[string]any{"sts:ExternalId": "x-1"}}),
		},
		{
			name: "no external id", identity: []map[string]any{allow("sts:AssumeRole", "*")},
			trust: trust(byAlice, "sts:AssumeRole", map[string]any{"StringEquals": map[string]any{"sts:ExternalId": "x-1"}}),
			want:  refusal{403, "AccessDenied", notTo + "sts:AssumeRole on resource: " + target + " because no role trust policy allows the sts:AssumeRole action"},
		},
		{
			name: "tags need a permission", identity: []map[string]any{allow("sts:*", "*")}, trust: trust(byAlice, "sts:AssumeRole", nil),
			in:   sts.AssumeRoleInput{Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("red")}}},
			want: refusal{403, "AccessDenied", notTo + "sts:TagSession on resource: " + target + " because no role trust policy allows the sts:TagSession action"},
		},
		{
			name: "a source identity needs a permission", identity: []map[string]any{allow("sts:*", "*")}, trust: trust(byAlice, "sts:AssumeRole", nil),
			in:   sts.AssumeRoleInput{SourceIdentity: aws.String("alice")},
			want: refusal{403, "AccessDenied", notTo + "sts:SetSourceIdentity on resource: " + target + " because no role trust policy allows the sts:SetSourceIdentity action"},
		},
		{
			name: "longer than the role allows", identity: []map[string]any{allow("sts:AssumeRole", "*")}, trust: trust(byAlice, "sts:AssumeRole", nil),
			in:   sts.AssumeRoleInput{DurationSeconds: aws.Int32(7200)},
			want: refusal{400, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."},
		},
		{
			name: "a role that does not exist is like one that does not trust", identity: []map[string]any{allow("sts:AssumeRole", "*")}, trust: trust(byAlice, "sts:AssumeRole", nil),
			in:   sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::222222222222:role/other")},
			want: refusal{403, "AccessDenied", notTo + "sts:AssumeRole on resource: arn:aws:iam::222222222222:role/other"},
		},
		{
			name: "the path belongs to the name", identity: []map[string]any{allow("sts:AssumeRole", "*")}, trust: trust(byAlice, "sts:AssumeRole", nil),
			in:   sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::222222222222:role/path/target")},
			want: refusal{403, "AccessDenied", notTo + "sts:AssumeRole on resource: arn:aws:iam::222222222222:role/path/target"},
		},
		{
			name: "bad session name", identity: []map[string]any{allow("sts:AssumeRole", "*")}, trust: trust(byAlice, "sts:AssumeRole", nil),
			in:   sts.AssumeRoleInput{RoleSessionName: aws.String("a b")},
			want: refusal{400, "ValidationError", `1 validation error detected: Value 'a b' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]*`},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := start(t, twoAccounts())
			k := newUser(t, s, "alice", test.identity...)
			newRole(t, iamOf(s, admin(t, s)), "target", policy(t, test.trust))
			in := test.in
			if in.RoleArn == nil {
				in.RoleArn = &target
			}
			if in.RoleSessionName == nil {
				in.RoleSessionName = aws.String("test")
			}
			_, err := stsOf(s, k).AssumeRole(ctx, &in)
			if diff := cmp.Diff(test.want, refusalOf(t, err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestSameAccountTrust: within an account a trust policy that names the user
// suffices, and one that names the account leaves it to the user's policies.
func TestSameAccountTrust(t *testing.T) {
	s := start(t, twoAccounts())
	k, op := newUser(t, s, "alice"), iamOf(s, operator(s))
	named := newRole(t, op, "named", policy(t, trust(map[string]any{"AWS": alice}, "sts:AssumeRole", nil)))
	account := newRole(t, op, "account", policy(t, trust(map[string]any{"AWS": home}, "sts:AssumeRole", nil)))
	assume(t, s, k, named)
	_, err := stsOf(s, k).AssumeRole(context.Background(), &sts.AssumeRoleInput{RoleArn: &account, RoleSessionName: aws.String("test")})
	wantCode(t, err, "AccessDenied")
}

func TestChain(t *testing.T) {
	s, ctx := start(t, twoAccounts()), context.Background()
	k, op := newUser(t, s, "alice"), iamOf(s, operator(s))
	first := newRole(t, op, "first", policy(t, trust(map[string]any{"AWS": alice}, "sts:AssumeRole", nil)))
	second := must[*iam.CreateRoleOutput](t)(op.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: aws.String("second"), MaxSessionDuration: aws.Int32(43200),
		AssumeRolePolicyDocument: policy(t, trust(map[string]any{"AWS": first}, "sts:AssumeRole", nil)),
	}))
	session := assume(t, s, k, first)
	in := &sts.AssumeRoleInput{RoleArn: second.Role.Arn, RoleSessionName: aws.String("test"), DurationSeconds: aws.Int32(3601)}
	_, err := stsOf(s, session).AssumeRole(ctx, in)
	wantRefusal(t, err, 400, "ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	in.DurationSeconds = aws.Int32(3600)
	if _, err := stsOf(s, session).AssumeRole(ctx, in); err != nil {
		t.Error(err)
	}
	if _, err := stsOf(s, k).AssumeRole(ctx, in); err == nil {
		t.Error("a link of the chain can be left out")
	}
}

func TestSessionPolicyNarrows(t *testing.T) {
	s, ctx := start(t, twoAccounts()), context.Background()
	k, op := newUser(t, s, "alice"), iamOf(s, operator(s))
	arn := newRole(t, op, "wide", policy(t, trust(map[string]any{"AWS": alice}, "sts:AssumeRole", nil)), allow("iam:*", "*"))
	out := must[*sts.AssumeRoleOutput](t)(stsOf(s, k).AssumeRole(ctx, &sts.AssumeRoleInput{
		RoleArn: &arn, RoleSessionName: aws.String("test"), Policy: policy(t, allow("iam:ListUsers", "*")),
	}))
	session := iamOf(s, keys{*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken})
	if _, err := session.ListUsers(ctx, nil); err != nil {
		t.Error(err)
	}
	_, err := session.ListRoles(ctx, nil)
	wantRefusal(t, err, 403, "AccessDenied", "User: arn:aws:sts::111111111111:assumed-role/wide/test is not authorized to perform: iam:ListRoles on resource: "+
		"arn:aws:iam::111111111111:role/ because no session policy allows the iam:ListRoles action")
}

func TestSessionTagsAndSourceIdentity(t *testing.T) {
	s, ctx := start(t, twoAccounts()), context.Background()
	k, op := newUser(t, s, "alice"), iamOf(s, operator(s))
	arn := newRole(t, op, "tagged", policy(t, trust(map[string]any{"AWS": alice}, "sts:*", nil)),
		conditional(allow("iam:ListUsers", "*"), "StringEquals", "aws:PrincipalTag/team", "red"),
		conditional(allow("iam:ListRoles", "*"), "StringEquals", "aws:SourceIdentity", "alice"),
		conditional(allow("iam:ListGroups", "*"), "StringEquals", "aws:PrincipalTag/team", "blue"))
	out := must[*sts.AssumeRoleOutput](t)(stsOf(s, k).AssumeRole(ctx, &sts.AssumeRoleInput{
		RoleArn: &arn, RoleSessionName: aws.String("test"), SourceIdentity: aws.String("alice"),
		Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("red")}},
	}))
	session := iamOf(s, keys{*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken})
	if _, err := session.ListUsers(ctx, nil); err != nil {
		t.Error(err)
	}
	if _, err := session.ListRoles(ctx, nil); err != nil {
		t.Error(err)
	}
	_, err := session.ListGroups(ctx, nil)
	wantCode(t, err, "AccessDenied")
}

func TestGetSessionToken(t *testing.T) {
	s, ctx := start(t, twoAccounts()), context.Background()
	k := newUser(t, s, "alice", allow("*", "*"))
	out := must[*sts.GetSessionTokenOutput](t)(stsOf(s, k).GetSessionToken(ctx, nil))
	temporary := keys{*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken}
	who := must[*sts.GetCallerIdentityOutput](t)(stsOf(s, temporary).GetCallerIdentity(ctx, nil))
	if *who.Arn != alice {
		t.Errorf("caller is %s", *who.Arn)
	}
	_, err := iamOf(s, temporary).ListUsers(ctx, nil)
	wantCode(t, err, "InvalidClientTokenId") // as AWS without MFA
	_, err = stsOf(s, temporary).GetSessionToken(ctx, nil)
	wantCode(t, err, "InvalidClientTokenId")
}

func TestGetAccessKeyInfo(t *testing.T) {
	s, ctx := start(t, twoAccounts()), context.Background()
	k := operator(s)
	out := must[*sts.GetAccessKeyInfoOutput](t)(stsOf(s, k).GetAccessKeyInfo(ctx, &sts.GetAccessKeyInfoInput{AccessKeyId: &k.id}))
	if *out.Account != home {
		t.Errorf("account %s", *out.Account)
	}
	_, err := stsOf(s, k).GetAccessKeyInfo(ctx, &sts.GetAccessKeyInfoInput{AccessKeyId: aws.String("AKIA0000000000000000")})
	wantCode(t, err, "ValidationError")
}

// TestRecreatedPrincipal: whoever takes a deleted user's name does not inherit
// the trust in it.
func TestRecreatedPrincipal(t *testing.T) {
	s, ctx := start(t, twoAccounts()), context.Background()
	k, op := newUser(t, s, "alice"), iamOf(s, operator(s))
	first := must[*iam.GetUserOutput](t)(op.GetUser(ctx, &iam.GetUserInput{UserName: aws.String("alice")}))
	arn := newRole(t, op, "named", policy(t, trust(map[string]any{"AWS": alice}, "sts:AssumeRole", nil)))
	must[*iam.DeleteAccessKeyOutput](t)(op.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: aws.String("alice"), AccessKeyId: &k.id}))
	must[*iam.DeleteUserOutput](t)(op.DeleteUser(ctx, &iam.DeleteUserInput{UserName: aws.String("alice")}))
	k = newUser(t, s, "alice")
	_, err := stsOf(s, k).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: aws.String("test")})
	wantCode(t, err, "AccessDenied")
	shown := unescape(t, *must[*iam.GetRoleOutput](t)(op.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("named")})).Role.AssumeRolePolicyDocument)
	if want := *policy(t, trust(map[string]any{"AWS": *first.User.UserId}, "sts:AssumeRole", nil)); shown != want {
		t.Errorf("trust policy is %s, want %s", shown, want)
	}
}

// TestRecreatedRole: the sessions of a deleted role do not become those of the
// next one of its name.
func TestRecreatedRole(t *testing.T) {
	s, ctx := start(t, twoAccounts()), context.Background()
	k, op := newUser(t, s, "alice"), iamOf(s, operator(s))
	trusting := policy(t, trust(map[string]any{"AWS": alice}, "sts:AssumeRole", nil))
	session := assume(t, s, k, newRole(t, op, "again", trusting))
	must[*iam.DeleteRoleOutput](t)(op.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: aws.String("again")}))
	newRole(t, op, "again", trusting)
	_, err := stsOf(s, session).GetCallerIdentity(ctx, nil)
	wantRefusal(t, err, 403, "InvalidClientTokenId", "The security token included in the request is invalid.")
}

func TestAssumeAsService(t *testing.T) {
	s, ctx := start(t, twoAccounts()), context.Background()
	arn := newRole(t, iamOf(s, operator(s)), "instance", policy(t,
		trust(map[string]any{"Service": "ec2.amazonaws.com"}, "sts:AssumeRole", nil),
		trust(map[string]any{"Service": "scheduler.amazonaws.com"}, "sts:AssumeRole", map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": home}}),
	), allow("iam:ListUsers", "*"))
	for _, test := range []struct {
		name string
		in   sandbox.ServiceRequest
		want bool
	}{
		{"trusted", sandbox.ServiceRequest{Service: "ec2.amazonaws.com", RoleARN: arn, SessionName: "i-0123"}, true},
		{"another service", sandbox.ServiceRequest{Service: "lambda.amazonaws.com", RoleARN: arn, SessionName: "fn"}, false},
		{"source account", sandbox.ServiceRequest{Service: "scheduler.amazonaws.com", RoleARN: arn, SessionName: "fn", Keys: map[string][]string{"aws:SourceAccount": {home}}}, true},
		{"confused deputy", sandbox.ServiceRequest{Service: "scheduler.amazonaws.com", RoleARN: arn, SessionName: "fn", Keys: map[string][]string{"aws:SourceAccount": {prod}}}, false},
		{"no such role", sandbox.ServiceRequest{Service: "ec2.amazonaws.com", RoleARN: arn + "x", SessionName: "fn"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := s.AssumeAsService(test.in)
			if !test.want {
				if !errors.Is(err, sandbox.ErrRefused) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.Expires.Before(time.Now()) {
				t.Errorf("expires %s", got.Expires)
			}
			if _, err := iamOf(s, keys{got.AccessKeyID, got.SecretAccessKey, got.SessionToken}).ListUsers(ctx, nil); err != nil {
				t.Error(err)
			}
		})
	}
}
