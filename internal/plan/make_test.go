package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/estate"
	"github.com/postern-dev/postern/internal/fault"
)

func emptyAccount() estate.Account {
	return estate.Account{ID: testAccount, Partition: "aws", Quotas: estate.DefaultQuotas()}
}

func ec2Trust() *iam.Document {
	return &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{trustStatement("ec2", nil)}}
}

func gitHubTrust(sub string) *iam.Document {
	a := emptyAccount()
	return &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{trustStatement(sub, &a)}}
}

func oneRole(edit func(*estate.Role)) estate.Account {
	a := emptyAccount()
	r := estate.Role{
		Name: "shop-a", Path: testPath, MaxSession: time.Hour, Trust: ec2Trust(),
		Inline: []estate.InlinePolicy{{Name: "g", Document: allow("s3:GetObject")}},
	}
	if edit != nil {
		edit(&r)
	}
	a.Roles = []estate.Role{r}
	return a
}

func jenkinsTrust() *iam.Document {
	return &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{trustStatement("jenkins", nil)}}
}

func withProfile(a estate.Account, role string) estate.Account {
	a.InstanceProfiles = []estate.InstanceProfile{{Name: "shop-a", Path: testPath, Role: role}}
	return a
}

// withEdge has the policy that these tests use as a boundary.
func withEdge(a estate.Account) estate.Account {
	a.Policies = append(a.Policies, estate.ManagedPolicy{Name: "edge", Path: "/", Document: allow("s3:*")})
	return a
}

// verbs are the changes as "stage verb object".
func verbs(p *Plan) []string {
	var out []string
	for _, c := range p.Changes {
		s := fmt.Sprintf("%d %s %s", c.Stage, c.Verb, c.Input.RoleName+c.Input.UserName+c.Input.GroupName)
		out = append(out, strings.TrimRight(s+" "+c.Input.PolicyName+c.Input.PolicyARN, " "))
	}
	return out
}

func TestOrder(t *testing.T) {
	const admin = "arn:aws:iam::aws:policy/AdministratorAccess"
	tests := []struct {
		name       string
		want, have estate.Account
		verbs      []string
	}{
		{
			name: "a new role", want: oneRole(nil), have: emptyAccount(),
			verbs: []string{"0 CreateRole shop-a", "0 PutRolePolicy shop-a g"},
		},
		{
			name: "nothing to do", want: oneRole(nil), have: oneRole(nil),
		},
		{
			name: "a policy put over the old one", want: oneRole(nil),
			have:  oneRole(func(r *estate.Role) { r.Inline[0].Document = allow("s3:*") }),
			verbs: []string{"0 PutRolePolicy shop-a g"},
		},
		{
			name: "somebody attached a policy: it goes first", want: oneRole(func(r *estate.Role) { r.Inline[0].Document = allow("s3:PutObject") }),
			have:  oneRole(func(r *estate.Role) { r.Attached = []string{admin} }),
			verbs: []string{"0 DetachRolePolicy shop-a " + admin, "1 PutRolePolicy shop-a g"},
		},
		{
			name: "a boundary comes first", want: oneRole(func(r *estate.Role) {
				r.Boundary = "arn:aws:iam::222222222222:policy/edge"
				r.Inline[0].Document = allow("s3:PutObject")
			}),
			have:  withEdge(oneRole(nil)),
			verbs: []string{"0 PutRolePermissionsBoundary shop-a arn:aws:iam::222222222222:policy/edge", "1 PutRolePolicy shop-a g"},
		},
		{
			name: "a boundary goes last", want: oneRole(func(r *estate.Role) { r.Inline[0].Document = allow("s3:PutObject") }),
			have:  oneRole(func(r *estate.Role) { r.Boundary = "arn:aws:iam::222222222222:policy/edge" }),
			verbs: []string{"0 PutRolePolicy shop-a g", "0 DeleteRolePermissionsBoundary shop-a"},
		},
		{
			name: "trust narrows before permissions widen",
			want: oneRole(func(r *estate.Role) { r.Inline[0].Document = allow("s3:*") }),
			have: oneRole(func(r *estate.Role) {
				r.Trust = &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{trustStatement("ec2", nil), trustStatement("jenkins", nil)}}
			}),
			verbs: []string{"0 UpdateAssumeRolePolicy shop-a", "1 PutRolePolicy shop-a g"},
		},
		{
			name: "trust widens after permissions narrow",
			want: oneRole(func(r *estate.Role) {
				r.Trust = &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{trustStatement("ec2", nil), trustStatement("jenkins", nil)}}
			}),
			have:  oneRole(func(r *estate.Role) { r.Inline[0].Document = allow("s3:*") }),
			verbs: []string{"0 PutRolePolicy shop-a g", "0 UpdateAssumeRolePolicy shop-a"},
		},
		{
			name: "inline to managed without an interruption",
			want: oneRole(func(r *estate.Role) {
				r.Inline, r.Attached = nil, []string{"arn:aws:iam::222222222222:policy/postern/shop/shop-m1"}
			}),
			have: func() estate.Account {
				a := oneRole(func(r *estate.Role) { r.Inline[0].Document = allow("s3:Managedshop-m1") })
				a.Policies = []estate.ManagedPolicy{managed("arn:aws:iam::222222222222:policy/postern/shop/shop-m1")}
				return a
			}(),
			verbs: []string{
				"0 AttachRolePolicy shop-a arn:aws:iam::222222222222:policy/postern/shop/shop-m1", "0 DeleteRolePolicy shop-a g",
				"1 DeletePolicy  arn:aws:iam::222222222222:policy/postern/shop/shop-m1",
			},
		},
		{
			name: "nobody stays and the boundary is another: nothing is left for either to meet",
			want: oneRole(func(r *estate.Role) { r.Trust, r.Boundary = jenkinsTrust(), boundaryOne }),
			have: func() estate.Account {
				a := oneRole(func(r *estate.Role) { r.Boundary = boundaryTwo })
				a.Policies = foreignPolicies()
				return a
			}(),
			verbs: []string{
				"0 DeleteRolePolicy shop-a g", "0 PutRolePermissionsBoundary shop-a " + boundaryOne, "0 UpdateAssumeRolePolicy shop-a",
				"1 PutRolePolicy shop-a g",
			},
		},
		{
			name: "what denies goes last",
			want: oneRole(nil),
			have: func() estate.Account {
				a := oneRole(func(r *estate.Role) {
					deny := allow("s3:*")
					deny.Statements[0].Effect = iam.Deny
					r.Inline = append(r.Inline, estate.InlinePolicy{Name: "a-stop", Document: deny}, estate.InlinePolicy{Name: "b-moved", Document: r.Inline[0].Document})
				})
				return a
			}(),
			verbs: []string{"0 DeleteRolePolicy shop-a b-moved", "0 DeleteRolePolicy shop-a a-stop"},
		},
		{
			name: "a denial makes place when what it holds back is gone",
			want: func() estate.Account {
				a := oneRole(func(r *estate.Role) {
					r.Attached = []string{"arn:aws:iam::222222222222:policy/postern/shop/shop-m1"}
				})
				a.Policies = []estate.ManagedPolicy{managed("arn:aws:iam::222222222222:policy/postern/shop/shop-m1")}
				a.Quotas.AttachedPerRole = 1
				return a
			}(),
			have: func() estate.Account {
				a := oneRole(func(r *estate.Role) {
					r.Inline[0].Document = allow("s3:Do1v1")
					r.Attached = []string{denyPolicy}
				})
				a.Policies = append(foreignPolicies(), managed("arn:aws:iam::222222222222:policy/postern/shop/shop-m1"))
				return a
			}(),
			verbs: []string{
				"0 DeleteRolePolicy shop-a g", "0 DetachRolePolicy shop-a " + denyPolicy,
				"0 AttachRolePolicy shop-a arn:aws:iam::222222222222:policy/postern/shop/shop-m1", "0 PutRolePolicy shop-a g",
			},
		},
		{
			name: "an instance profile that holds another role gives it up first",
			want: withProfile(oneRole(nil), "shop-a"), have: withProfile(oneRole(nil), "theirs"),
			verbs: []string{"0 RemoveRoleFromInstanceProfile theirs", "1 AddRoleToInstanceProfile shop-a"},
		},
		{
			name: "a role goes, policies first", want: emptyAccount(), have: oneRole(nil),
			verbs: []string{"0 DeleteRolePolicy shop-a g", "0 DeleteRole shop-a"},
		},
	}
	tests[8].want.Policies = tests[8].have.Policies // the policy stays; only its use changes
	tests[8].verbs = tests[8].verbs[:2]
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.verbs, verbs(makePlan(t, tt.want, tt.have))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestRolesThatTrustRoles: AWS takes no trust policy that names a role which
// does not stand yet, in this account or another.
func TestRolesThatTrustRoles(t *testing.T) {
	a := oneRole(nil)
	b := estate.Account{ID: "111111111111", Partition: "aws", Quotas: estate.DefaultQuotas()}
	b.Roles = []estate.Role{{Name: "shop-b", Path: testPath, MaxSession: time.Hour, Trust: &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{{
		Effect: iam.Allow, Actions: []string{"sts:AssumeRole"}, Principal: &iam.Principal{AWS: []string{a.RoleARN(testPath, "shop-a")}},
	}}}}}
	p, err := Make(Sides{Stack: testStack, Desired: &estate.Estate{Accounts: []estate.Account{b, a}}, Observed: &estate.Estate{}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"0 CreateRole shop-a", "0 PutRolePolicy shop-a g", "1 CreateRole shop-b"}
	if diff := cmp.Diff(want, verbs(p)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestProviders(t *testing.T) {
	arn := "arn:aws:iam::222222222222:oidc-provider/" + testIssuer
	shared := map[string]string{estate.TagShared: "true"}
	provider := func(tags map[string]string, audiences ...string) []estate.OIDCProvider {
		return []estate.OIDCProvider{{URL: testIssuer, Audiences: audiences, Tags: tags}}
	}
	account := func(providers []estate.OIDCProvider, roles ...estate.Role) estate.Account {
		a := emptyAccount()
		a.Providers, a.Roles = providers, roles
		return a
	}
	other := estate.Role{Name: "theirs", Path: "/", Trust: gitHubTrust("x")}
	unreadable := estate.Role{Name: "theirs", Path: "/"}
	tests := []struct {
		name       string
		want, have estate.Account
		changes    []Change
	}{
		{
			name: "absent", want: account(provider(shared, "sts.amazonaws.com")), have: account(nil),
			changes: []Change{{Verb: CreateOpenIDConnectProvider, Input: Input{URL: "https://" + testIssuer, ClientIDs: []string{"sts.amazonaws.com"}, Tags: shared}}},
		},
		{
			name: "without the audience", want: account(provider(shared, "sts.amazonaws.com")), have: account(provider(nil, "https://github.com/acme")),
			changes: []Change{{Verb: AddClientIDToOpenIDConnectProvider, Input: Input{ProviderARN: arn, ClientIDs: []string{"sts.amazonaws.com"}}}},
		},
		{
			name: "there", want: account(provider(shared, "sts.amazonaws.com")), have: account(provider(nil, "other", "sts.amazonaws.com")),
		},
		{
			name: "ours and free", want: account(nil), have: account(provider(shared, "sts.amazonaws.com")),
			changes: []Change{{Verb: DeleteOpenIDConnectProvider, Input: Input{ProviderARN: arn}}},
		},
		{name: "ours, trusted by a role of others", want: account(nil), have: account(provider(shared), other)},
		{name: "ours, perhaps trusted by a role that cannot be read", want: account(nil), have: account(provider(shared), unreadable)},
		{name: "somebody else's", want: account(nil), have: account(provider(nil))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for i := range tt.changes {
				tt.changes[i].Account, tt.changes[i].Entity = testAccount, arn
			}
			got := makePlan(t, tt.want, tt.have).Changes
			for i := range got {
				got[i].Reason = ""
			}
			if diff := cmp.Diff(tt.changes, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	crowded := func() estate.Account {
		a := emptyAccount()
		for i := range 1000 {
			a.Roles = append(a.Roles, estate.Role{Name: fmt.Sprintf("theirs-%d", i), Path: "/"})
		}
		return a
	}
	everything := func(path string, change func(string) string) estate.Account {
		a := emptyAccount()
		name := change("shop-a")
		a.Roles = []estate.Role{{Name: name, Path: path, Trust: ec2Trust()}}
		a.Users = []estate.User{{Name: name, Path: path}}
		a.Groups = []estate.Group{{Name: name, Path: path}}
		a.Policies = []estate.ManagedPolicy{{Name: name, Path: path, Document: allow("s3:GetObject")}}
		a.InstanceProfiles = []estate.InstanceProfile{{Name: name, Path: path, Role: name}}
		return a
	}
	same := func(s string) string { return s }
	tests := []struct {
		name       string
		want, have estate.Account
		where      []string
	}{
		{
			name: "names that others hold", want: everything(testPath, same), have: everything("/", strings.ToUpper),
			where: []string{
				"arn:aws:iam::222222222222:role/SHOP-A", "arn:aws:iam::222222222222:user/SHOP-A", "arn:aws:iam::222222222222:group/SHOP-A",
				"arn:aws:iam::222222222222:policy/SHOP-A", "arn:aws:iam::222222222222:instance-profile/SHOP-A",
			},
		},
		{
			name: "another stack's name", want: oneRole(nil), have: oneRole(func(r *estate.Role) { r.Path = "/postern/other/" }),
			where: []string{"arn:aws:iam::222222222222:role/postern/other/shop-a"},
		},
		{
			name: "a name that differs in case inside the path", want: oneRole(nil), have: oneRole(func(r *estate.Role) { r.Name = "Shop-A" }),
			where: []string{"arn:aws:iam::222222222222:role/postern/shop/Shop-A"},
		},
		{
			name: "a boundary that does not stand", want: oneRole(func(r *estate.Role) { r.Boundary = boundaryOne }), have: emptyAccount(),
			where: []string{"arn:aws:iam::222222222222:role/postern/shop/shop-a"},
		},
		{
			name: "a role in somebody else's instance profile", want: emptyAccount(), have: func() estate.Account {
				a := oneRole(nil)
				a.InstanceProfiles = []estate.InstanceProfile{{Name: "web", Path: "/", Role: "shop-a"}}
				return a
			}(),
			where: []string{"arn:aws:iam::222222222222:role/postern/shop/shop-a"},
		},
		{
			name: "a policy that somebody else's role holds", want: emptyAccount(), have: func() estate.Account {
				a := emptyAccount()
				a.Policies = []estate.ManagedPolicy{managed("arn:aws:iam::222222222222:policy/postern/shop/shop-m1")}
				a.Roles = []estate.Role{{Name: "theirs", Path: "/", Trust: ec2Trust(), Attached: []string{"arn:aws:iam::222222222222:policy/postern/shop/shop-m1"}}}
				return a
			}(),
			where: []string{"arn:aws:iam::222222222222:policy/postern/shop/shop-m1"},
		},
		{name: "room for exactly one more role", want: oneRole(nil), have: func() estate.Account {
			a := crowded()
			a.Roles = a.Roles[:999]
			return a
		}()},
		{name: "no room for a role", want: oneRole(nil), have: crowded(), where: []string{"account 222222222222"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Make(Sides{Stack: testStack, Desired: estateOf(tt.want), Observed: estateOf(tt.have)})
			if (p != nil) != (tt.where == nil) {
				t.Errorf("a plan was made: %+v", p)
			}
			var where []string
			list, _ := err.(fault.List) //nolint:errorlint // the documented type
			for _, e := range list {
				where = append(where, e.(*fault.Error).Where) //nolint:errorlint // as above
			}
			if diff := cmp.Diff(tt.where, where); diff != "" {
				t.Errorf("(-want +got):\n%s\n%v", diff, err)
			}
		})
	}
}

func conditionalOn(values ...string) *iam.Document {
	d := allow("s3:GetObject")
	d.Statements[0].Conditions = []iam.Condition{{Operator: "StringEquals", Key: "aws:PrincipalTag/x", Values: values}}
	return d
}

// TestUserAccess: what is taken from a machine user is shown, and what AWS did
// to stop a leaked key is left alone.
func TestUserAccess(t *testing.T) {
	user := func(edit func(*estate.User)) estate.Account {
		a := emptyAccount()
		u := estate.User{Name: "shop-u", Path: testPath}
		edit(&u)
		a.Users = []estate.User{u}
		return a
	}
	plain := user(func(*estate.User) {})
	got := makePlan(t, plain, user(func(u *estate.User) {
		u.Inline = []estate.InlinePolicy{{Name: "p", Document: allow("s3:*")}}
		u.Boundary = boundaryOne
	}))
	want := []Access{{
		Account: testAccount, Entity: "arn:aws:iam::222222222222:user/postern/shop/shop-u", Boundary: "removed", Widens: true,
		Lost: []Permission{{Effect: iam.Allow, Action: "s3:*", Resource: "arn:aws:s3:::bucket/*"}},
	}}
	if diff := cmp.Diff(want, got.Access); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	stopped := makePlan(t, plain, user(func(u *estate.User) {
		u.Attached = []string{"arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3"}
	}))
	if !stopped.Empty() || len(stopped.Notes) != 1 || !strings.Contains(stopped.Notes[0], "shop-u") {
		t.Errorf("quarantine: %+v", stopped)
	}
	revoked := makePlan(t, oneRole(nil), oneRole(func(r *estate.Role) {
		r.Inline = append(r.Inline, estate.InlinePolicy{Name: "AWSRevokeOlderSessions", Document: allow("*")})
	}))
	if !revoked.Empty() || len(revoked.Notes) != 1 || !strings.Contains(revoked.Notes[0], "shop-a") {
		t.Errorf("revoked sessions: %+v", revoked)
	}
}

func TestVerbs(t *testing.T) {
	if n := len(slices.Compact(slices.Sorted(slices.Values(Verbs())))); n != len(Verbs()) || n != 38 {
		t.Errorf("%d verbs", n)
	}
}

func TestAccess(t *testing.T) {
	permission := func(action, condition string) Permission {
		return Permission{Effect: iam.Allow, Action: action, Resource: "arn:aws:s3:::bucket/*", Condition: condition}
	}
	conditional := allow("s3:GetObject")
	conditional.Statements[0].Conditions = []iam.Condition{{Operator: "Bool", Key: "aws:SecureTransport", Values: []string{"true"}}}
	deny := allow("s3:DeleteObject")
	deny.Statements[0].Effect = iam.Deny
	with := func(d *iam.Document) estate.Account {
		return oneRole(func(r *estate.Role) { r.Inline[0].Document = d })
	}
	role := Access{Account: testAccount, Entity: "arn:aws:iam::222222222222:role/postern/shop/shop-a"}
	tests := []struct {
		name       string
		want, have estate.Account
		access     func(Access) Access
	}{
		{"narrower action", oneRole(nil), with(allow("s3:Get*")), func(a Access) Access {
			a.Lost = []Permission{permission("s3:Get*", "")}
			a.Remains = []Permission{permission("s3:GetObject", "")}
			return a
		}},
		{"wider action", with(allow("s3:Get*")), oneRole(nil), func(a Access) Access {
			a.Gained, a.Widens = []Permission{permission("s3:Get*", "")}, true
			return a
		}},
		{"a condition more", with(conditional), oneRole(nil), func(a Access) Access {
			a.Lost = []Permission{permission("s3:GetObject", "")}
			a.Remains = []Permission{permission("s3:GetObject", "aws:SecureTransport Bool true")}
			return a
		}},
		{"a condition less", oneRole(nil), with(conditional), func(a Access) Access {
			a.Gained, a.Widens = []Permission{permission("s3:GetObject", "")}, true
			return a
		}},
		{"a denial lost", oneRole(nil), func() estate.Account {
			a := oneRole(nil)
			a.Roles[0].Inline = append(a.Roles[0].Inline, estate.InlinePolicy{Name: "d", Document: deny})
			return a
		}(), func(a Access) Access {
			a.Lost, a.Widens = []Permission{{Effect: iam.Deny, Action: "s3:DeleteObject", Resource: "arn:aws:s3:::bucket/*"}}, true
			return a
		}},
		{"another identity", oneRole(func(r *estate.Role) {
			r.Trust = &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{trustStatement("jenkins", nil)}}
		}), oneRole(nil), func(a Access) Access {
			a.Joins, a.Leaves, a.Widens = []string{"arn:aws:iam::333333333333:role/jenkins"}, []string{"ec2.amazonaws.com"}, true
			return a
		}},
		{"an unknown policy taken away", oneRole(nil), oneRole(func(r *estate.Role) { r.Attached = []string{"arn:aws:iam::aws:policy/X"} }), func(a Access) Access {
			a.Lost = []Permission{{Effect: iam.Allow, Policy: "arn:aws:iam::aws:policy/X"}}
			return a
		}},
		{"a denial in the trust lost", oneRole(nil), oneRole(func(r *estate.Role) {
			d := trustStatement("jenkins", nil)
			d.Effect = iam.Deny
			r.Trust.Statements = append(r.Trust.Statements, d)
		}), func(a Access) Access {
			a.Unbarred, a.Widens = []string{"arn:aws:iam::333333333333:role/jenkins"}, true
			return a
		}},
		{"two values that look like one", with(conditionalOn("a", "b")), with(conditionalOn("a or b")), func(a Access) Access {
			a.Gained = []Permission{permission("s3:GetObject", "aws:PrincipalTag/x StringEquals a or b")}
			a.Lost = []Permission{permission("s3:GetObject", `aws:PrincipalTag/x StringEquals "a or b"`)}
			a.Widens = true
			return a
		}},
		{"a boundary changed", oneRole(func(r *estate.Role) { r.Boundary = boundaryOne }), func() estate.Account {
			a := oneRole(func(r *estate.Role) { r.Boundary = boundaryTwo })
			a.Policies = foreignPolicies()
			return a
		}(), func(a Access) Access {
			a.Boundary, a.Widens = "changed", true
			return a
		}},
		{"a boundary removed", oneRole(nil), oneRole(func(r *estate.Role) { r.Boundary = "arn:aws:iam::222222222222:policy/edge" }), func(a Access) Access {
			a.Boundary, a.Widens = "removed", true
			return a
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff([]Access{tt.access(role)}, makePlan(t, tt.want, tt.have).Access); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestFile(t *testing.T) {
	p := makePlan(t, oneRole(nil), emptyAccount())
	f := &File{
		Stack: testStack, Region: "eu-west-1", Accounts: []FileAccount{{Name: "prod", ID: testAccount, AdminRole: "admin"}},
		Digest: "d", Changes: p.Changes, Access: p.Access,
	}
	data, err := f.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if !IsFile(data) {
		t.Error("an encoded plan is not taken for one")
	}
	if IsFile([]byte("stack: shop\n")) {
		t.Error("a spec is taken for a plan")
	}
	got, err := ReadFile("shop.plan", data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(f, got, cmpopts.IgnoreTypes(iam.Pos{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	edited := func(edit func(*File)) []byte {
		other := *f
		other.Changes = slices.Clone(f.Changes)
		edit(&other)
		data, err := other.Encode() // with a checksum that fits
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	text := string(data)
	for name, damaged := range map[string][]byte{
		"cut short":              data[:len(data)/2],
		"another format":         []byte(strings.Replace(text, FileFormat, "postern-plan/9", 1)),
		"an edited permission":   []byte(strings.Replace(text, "s3:GetObject", "s3:*", 1)),
		"a field nobody knows":   []byte(strings.Replace(text, `"digest"`, `"extra": 1, "digest"`, 1)),
		"an account it lacks":    edited(func(f *File) { f.Accounts = []FileAccount{{Name: "prod", ID: "999999999999"}} }),
		"another stack's entity": edited(func(f *File) { f.Stack = "other" }),
		"no entity":              edited(func(f *File) { f.Changes[0].Entity = "" }),
		"an unknown call":        edited(func(f *File) { f.Changes[0].Verb = "DeleteEverything" }),
		"calls out of order":     edited(func(f *File) { f.Changes[0].Stage = 7 }),
	} {
		if _, err := ReadFile("shop.plan", damaged); err == nil {
			t.Errorf("%s: read without an error", name)
		}
	}
	if _, err := ReadFile("shop.plan", edited(func(*File) {})); err != nil {
		t.Errorf("written anew: %v", err)
	}
}

func TestDigest(t *testing.T) {
	digest := func(a estate.Account) string {
		d, err := Digest(testStack, estateOf(a))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	base := digest(oneRole(nil))
	if base != digest(oneRole(nil)) {
		t.Error("the digest of the same account differs")
	}
	foreign := oneRole(nil)
	foreign.Roles = append(foreign.Roles, estate.Role{Name: "theirs", Path: "/", Trust: ec2Trust()})
	if base != digest(foreign) {
		t.Error("a role that has nothing to do with the stack makes the plan stale")
	}
	for name, change := range map[string]func(*estate.Account){
		"a role that trusts another provider": func(a *estate.Account) {
			a.Roles = append(a.Roles, estate.Role{Name: "eks", Path: "/", Trust: gitHubTrust("x")})
		},
		"a user of others": func(a *estate.Account) { a.Users = []estate.User{{Name: "them", Path: "/"}} },
	} {
		a := oneRole(nil)
		if change(&a); digest(a) != base {
			t.Errorf("%s makes the plan stale", name)
		}
	}
	shared := func(roles ...estate.Role) estate.Account {
		a := oneRole(nil)
		a.Roles = append(a.Roles, roles...)
		a.Providers = []estate.OIDCProvider{{URL: testIssuer, Tags: map[string]string{estate.TagShared: "true"}}}
		return a
	}
	if digest(shared()) == digest(shared(estate.Role{Name: "theirs", Path: "/", Trust: gitHubTrust("x")})) {
		t.Error("somebody begins to trust a provider that would go: the plan is not stale")
	}
	group := func(a estate.Account) estate.Account {
		a.Groups = []estate.Group{{Name: "shop-u", Path: testPath}}
		return a
	}
	joined := group(oneRole(nil))
	joined.Users = []estate.User{{Name: "them", Path: "/", Groups: []string{"shop-u"}}}
	if digest(group(oneRole(nil))) == digest(joined) {
		t.Error("a stranger in the stack's group: the plan is not stale")
	}
	for name, a := range map[string]estate.Account{
		"a profile of others with the role": func() estate.Account {
			a := oneRole(nil)
			a.InstanceProfiles = []estate.InstanceProfile{{Name: "web", Path: "/", Role: "shop-a"}}
			return a
		}(),
		"a name taken elsewhere": func() estate.Account {
			a := oneRole(nil)
			a.Roles = append(a.Roles, estate.Role{Name: "Shop-B", Path: "/"})
			return a
		}(),
		"a policy edited":  oneRole(func(r *estate.Role) { r.Inline[0].Document = allow("s3:*") }),
		"a session longer": oneRole(func(r *estate.Role) { r.MaxSession = 2 * time.Hour }),
		"a name taken":     func() estate.Account { a := oneRole(nil); a.Roles[0].Path = "/"; return a }(),
		"another quota":    func() estate.Account { a := oneRole(nil); a.Quotas.RoleInlineSize = 1; return a }(),
	} {
		if digest(a) == base {
			t.Errorf("%s: the plan is not stale", name)
		}
	}
}

// BenchmarkMakeLargeAccount plans 1,000 roles in an account of 5,000.
func BenchmarkMakeLargeAccount(b *testing.B) {
	want, have := emptyAccount(), emptyAccount()
	want.Quotas.Roles, have.Quotas.Roles = 10000, 10000
	for i := range 5000 {
		r := estate.Role{Name: fmt.Sprintf("shop-%04d", i), Path: testPath, MaxSession: time.Hour, Trust: ec2Trust(), Inline: []estate.InlinePolicy{{Name: "g", Document: allow("s3:GetObject")}}}
		if i >= 1000 {
			r.Path = "/"
		} else {
			want.Roles = append(want.Roles, r)
		}
		have.Roles = append(have.Roles, r)
	}
	for b.Loop() {
		if _, err := Make(Sides{Stack: testStack, Desired: estateOf(want), Observed: estateOf(have)}); err != nil {
			b.Fatal(err)
		}
	}
}
