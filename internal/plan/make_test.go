package plan

import (
	"fmt"
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
			have:  oneRole(nil),
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
				a := oneRole(nil)
				a.Policies = []estate.ManagedPolicy{managed("arn:aws:iam::222222222222:policy/postern/shop/shop-m1")}
				return a
			}(),
			verbs: []string{
				"0 AttachRolePolicy shop-a arn:aws:iam::222222222222:policy/postern/shop/shop-m1", "0 DeleteRolePolicy shop-a g",
				"1 DeletePolicy  arn:aws:iam::222222222222:policy/postern/shop/shop-m1",
			},
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
		{name: "no room for a role", want: oneRole(nil), have: crowded(), where: []string{"account 222222222222"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Make(Sides{Stack: testStack, Desired: estateOf(tt.want), Observed: estateOf(tt.have)})
			if p != nil {
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
			return a
		}},
		{"wider action", with(allow("s3:Get*")), oneRole(nil), func(a Access) Access {
			a.Gained, a.Widens = []Permission{permission("s3:Get*", "")}, true
			return a
		}},
		{"a condition more", with(conditional), oneRole(nil), func(a Access) Access {
			a.Lost = []Permission{permission("s3:GetObject", "")}
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

	for name, damage := range map[string]func(string) string{
		"cut short":           func(s string) string { return s[:len(s)/2] },
		"another format":      func(s string) string { return strings.Replace(s, FileFormat, "postern-plan/9", 1) },
		"an account it lacks": func(s string) string { return strings.Replace(s, `"id": "222222222222"`, `"id": "999999999999"`, 1) },
		"a field nobody knows": func(s string) string {
			return strings.Replace(s, `"digest"`, `"extra": 1, "digest"`, 1)
		},
	} {
		if _, err := ReadFile("shop.plan", []byte(damage(string(data)))); err == nil {
			t.Errorf("%s: read without an error", name)
		}
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
	for name, a := range map[string]estate.Account{
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
