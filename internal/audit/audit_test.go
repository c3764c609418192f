package audit

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam/reach"
	"github.com/postern-dev/postern/internal/estate"
)

// TestRules: what a reader needs of a rule is there, and each has fixtures that
// it fires on, and some that it does not.
func TestRules(t *testing.T) {
	fires, silent := map[string]bool{}, map[string]bool{}
	for _, test := range calls {
		fires[test.rule] = fires[test.rule] || test.want != nil
		silent[test.rule] = silent[test.rule] || test.want == nil
	}
	for _, id := range []string{"SSH-008", "SSH-009"} { // TestNamesAndEmptyGroups
		fires[id], silent[id] = true, true
	}
	var ids []string
	for _, r := range Rules() {
		if !fires[r.ID] || !silent[r.ID] {
			t.Errorf("%s has no fixtures", r.ID)
		}
		if r.Title == "" || !strings.HasSuffix(r.Why, ".") || strings.HasSuffix(r.Title, ".") {
			t.Errorf("%s: title %q, why %q", r.ID, r.Title, r.Why)
		}
		for _, url := range r.Sources {
			if !strings.HasPrefix(url, "https://docs.aws.amazon.com/") {
				t.Errorf("%s: source %s", r.ID, url)
			}
		}
		ids = append(ids, r.ID)
	}
	if !slices.IsSorted(ids) || len(slices.Compact(slices.Clone(ids))) != len(ids) {
		t.Errorf("rules %v are not in order, each once", ids)
	}
}

// TestExpected: administrators, a service's own roles and those whom the user
// names are told apart from findings.
func TestExpected(t *testing.T) {
	some := allow("iam:AddUserToGroup", "arn:aws:iam::*:group/engineers")
	e := fleet{job: some, mallory: some}.estate(t)
	a := &e.Accounts[0]
	a.Roles = append(a.Roles,
		estate.Role{Name: "AWSServiceRoleForX", Path: "/aws-service-role/x.amazonaws.com/", Inline: inline(t, some)},
		estate.Role{Name: "AWSReservedSSO_Desk_1", Path: "/aws-reserved/sso.amazonaws.com/", Inline: inline(t, some)},
		estate.Role{Name: "iam", Path: "/", Inline: inline(t, allow("iam:*", "*", `"Bool":{"aws:MultiFactorAuthPresent":"true"}`))},
		estate.Role{Name: "unread", Path: "/", Inline: []estate.InlinePolicy{{Name: "p"}}},
		estate.Role{Name: "idle", Path: "/"},
	)
	r := Run(Input{Estate: e, Now: now, SSH: SSH{Groups: []string{"engineers"}}, Expect: []string{"arn:aws:iam::*:role/j*", "arn:aws:iam::*:role/gone"}})
	arn := "arn:aws:iam::" + near + ":"
	want := []Expected{
		{Principal: arn + "role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX", Reason: ServiceLinked},
		{Principal: arn + "role/iam", Reason: Administrator},
		{Principal: arn + "role/job", Reason: ByPattern, Pattern: "arn:aws:iam::*:role/j*"},
		{Principal: arn + "user/root2", Reason: Administrator},
	}
	if diff := cmp.Diff(want, r.Expected); diff != "" {
		t.Errorf("expected (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"arn:aws:iam::*:role/gone"}, r.Unused); diff != "" {
		t.Errorf("unused (-want +got):\n%s", diff)
	}
	var got []string
	for _, line := range lines(r) {
		if strings.HasPrefix(line, "SSH-001") {
			got = append(got, line)
		}
	}
	wantLines := []string{
		"SSH-001 medium role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Desk_1 can add users to group engineers",
		"SSH-001 medium role/unread could add users to group engineers",
		"SSH-001 medium user/mallory can add users to group engineers",
	}
	if diff := cmp.Diff(wantLines, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// TestDelegated: who can do all of IAM under a condition that not every call
// can meet is no administrator, and what else it can do is a finding.
func TestDelegated(t *testing.T) {
	join := allow("iam:AddUserToGroup", "*")
	for _, test := range []struct {
		name, condition string
		want            bool // an administrator
	}{
		{name: "without one", want: true},
		{name: "of the session", condition: `"Bool":{"aws:MultiFactorAuthPresent":"true"},"IpAddress":{"aws:SourceIp":"192.0.2.0/24"},"StringEquals":{"aws:PrincipalTag/team":"iam"}`, want: true},
		{name: "of the call", condition: `"StringEquals":{"iam:PermissionsBoundary":"arn:aws:iam::` + near + `:policy/edge"}`},
		{name: "of the resource", condition: `"StringEquals":{"aws:ResourceTag/team":"shop"}`},
		{name: "of both", condition: `"Bool":{"aws:MultiFactorAuthPresent":"true"},"StringEquals":{"aws:RequestTag/team":"shop"}`},
		{name: "of the tags", condition: `"ForAllValues:StringEquals":{"aws:TagKeys":"team"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := fleet{job: allow("iam:*", "*", test.condition) + "," + join}.estate(t)
			r := Run(Input{Estate: e, Now: now, SSH: SSH{Groups: []string{"engineers"}}})
			got := slices.ContainsFunc(r.Expected, func(e Expected) bool { return short(e.Principal) == "role/job" })
			if got != test.want {
				t.Errorf("is an administrator: %v", got)
			}
			const line = "SSH-001 medium role/job can add users to group engineers"
			if got := slices.Contains(lines(r), line); got == test.want {
				t.Errorf("is a finding: %v, of %q", got, lines(r))
			}
		})
	}
}

// TestMany: many targets are asked about as few are.
func TestMany(t *testing.T) {
	self := allow("iam:*SSHPublicKey", self) + "," + allow("iam:*SSHPublicKey", user+"*/${aws:username}")
	a := estate.Account{ID: near, Partition: "aws", Groups: []estate.Group{{Name: "engineers", Path: "/", Inline: inline(t, self)}}}
	for i := range 30 {
		a.Users = append(a.Users, estate.User{Name: fmt.Sprintf("u%02d", i), Path: []string{"/", "/team/"}[i%2], Groups: []string{"engineers"}})
	}
	for name, policy := range map[string]string{
		"all": user + "*", "last": user + "team/u29", "path": user + "team/*", "none": user + "other", "digits": user + "?0?", "account": "arn:aws:iam::" + far + ":user/*",
	} {
		a.Roles = append(a.Roles, estate.Role{Name: name, Path: "/", Inline: inline(t, allow("iam:UploadSSHPublicKey", policy))})
	}
	a.Users[4].Inline = inline(t, allow("iam:UploadSSHPublicKey", user+"u02")+","+allow("iam:UploadSSHPublicKey", user+"u04"))
	a.Users[6].Inline = inline(t, allow("iam:UploadSSHPublicKey", user+"u06"))
	a.Roles = append(a.Roles, estate.Role{Name: "unread", Path: "/", Inline: []estate.InlinePolicy{{Name: "p"}}})
	a.Sort()
	var got []string
	for _, line := range lines(Run(Input{Estate: &estate.Estate{Accounts: []estate.Account{a}}, Now: now, SSH: SSH{Groups: []string{"engineers"}}})) {
		if strings.HasPrefix(line, "SSH-003") {
			got = append(got, line)
		}
	}
	want := []string{
		"SSH-003 medium role/all can upload SSH keys for u00, u01, u02 and 27 more",
		"SSH-003 medium role/digits can upload SSH keys for u00, u02, u04 and 2 more",
		"SSH-003 medium role/last can upload SSH keys for u29",
		"SSH-003 medium role/path can upload SSH keys for u01, u03, u05 and 12 more",
		"SSH-003 medium role/unread could upload SSH keys for u00, u01, u02 and 27 more",
		"SSH-003 medium user/u04 can upload SSH keys for u02",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestEvidence: those who can do the same by the same statement are one finding,
// others are not.
func TestEvidence(t *testing.T) {
	some := allow("iam:AddUserToGroup", "*")
	e := fleet{staff: some, job: some}.estate(t)
	a := &e.Accounts[0]
	edge := inline(t, `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`)[0].Document
	a.Policies = append(a.Policies, estate.ManagedPolicy{Name: "edge", Path: "/", Document: edge})
	a.Users = append(a.Users,
		estate.User{Name: "trent", Path: "/", Groups: []string{"staff"}},
		estate.User{Name: "trudy", Path: "/", Groups: []string{"staff"}, Inline: inline(t, `{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}}`)},
		estate.User{Name: "ted", Path: "/", Groups: []string{"staff"}, Boundary: "arn:aws:iam::" + near + ":policy/edge"},
		estate.User{Name: "own", Path: "/", Inline: inline(t, some)})
	two := `{"Effect":"Allow","Action":"iam:AddUserToGroup","Resource":["arn:aws:iam::*:group/engineers","arn:aws:iam::*:group/team/*"]}`
	a.Policies = append(a.Policies, estate.ManagedPolicy{Name: "two", Path: "/", Document: inline(t, two)[0].Document})
	a.Roles = append(a.Roles, estate.Role{Name: "other", Path: "/", Inline: inline(t, some)}, estate.Role{Name: "two", Path: "/", Attached: []string{"arn:aws:iam::" + near + ":policy/two"}})
	a.Users = append(a.Users, estate.User{Name: "two", Path: "/", Attached: []string{"arn:aws:iam::" + near + ":policy/two"}})
	type evidence struct {
		Who    []string
		Extent reach.Extent
		Policy string
		Line   int
		On     []string
	}
	var got []evidence
	for _, f := range Run(Input{Estate: e, Now: now, SSH: SSH{Groups: []string{"engineers", "operators"}}}).Findings {
		by := f.Evidence[0]
		one := evidence{Extent: f.Extent, Policy: strings.TrimPrefix(by.Policy, "arn:aws:iam::"+near+":"), Line: by.Statement.Pos.Line, On: by.Resources}
		for _, arn := range f.Who {
			one.Who = append(one.Who, short(arn))
		}
		got = append(got, one)
	}
	both := []string{"arn:aws:iam::*:group/engineers", "arn:aws:iam::*:group/team/*"}
	want := []evidence{
		{Who: []string{"role/job"}, Extent: reach.Always, Policy: "inline policy p", Line: 1, On: []string{"*"}},
		{Who: []string{"role/other"}, Extent: reach.Always, Policy: "inline policy p", Line: 1, On: []string{"*"}},
		{Who: []string{"role/two"}, Extent: reach.Always, Policy: "policy/two", Line: 1, On: both},
		{Who: []string{"user/mallory", "user/trent"}, Extent: reach.Always, Policy: "inline policy p of group staff", Line: 1, On: []string{"*"}},
		{Who: []string{"user/own"}, Extent: reach.Always, Policy: "inline policy p", Line: 1, On: []string{"*"}},
		{Who: []string{"user/trudy"}, Extent: reach.Sometimes, Policy: "inline policy p of group staff", Line: 1, On: []string{"*"}},
		{Who: []string{"user/two"}, Extent: reach.Always, Policy: "policy/two", Line: 1, On: both},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestAccounts: what somebody may do in its own account says nothing of another.
func TestAccounts(t *testing.T) {
	e := fleet{}.estate(t)
	e.Accounts = append(e.Accounts, estate.Account{
		ID: far, Partition: "aws", Groups: []estate.Group{{Name: "other", Path: "/"}},
		Roles: []estate.Role{
			{Name: "job", Path: "/", Inline: inline(t, allow("iam:AddUserToGroup", "*")+","+allow("ec2:CreateTags", "*"))},
			{Name: "unread", Path: "/", Inline: []estate.InlinePolicy{{Name: "p"}}},
		},
	})
	ssh := all()
	want := []string{
		"SSH-006 high role/job can set the tag ssh-sudo of instances", "SSH-006 high role/unread could set the tag ssh-sudo of instances",
		"SSH-007 low role/unread could remove the tag ssh-sudo of instances", "SSH-007 low role/unread could remove the tag ssh-groups of instances",
	}
	r := Run(Input{Estate: e, Now: now, SSH: ssh})
	if diff := cmp.Diff(want, lines(r)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := r.Findings[0].Account; got != far {
		t.Errorf("in account %s, want %s", got, far)
	}
}

func TestFew(t *testing.T) {
	for want, list := range map[string][]string{
		"": nil, "a": {"a"}, "a and b": {"a", "b"}, "a, b, c and d": {"a", "b", "c", "d"}, "a, b, c and 2 more": {"a", "b", "c", "d", "e"},
	} {
		if got := few(list); got != want {
			t.Errorf("few(%q) = %q, want %q", list, got, want)
		}
	}
}
