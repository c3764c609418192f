package audit

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/lint"
	"github.com/postern-dev/postern/iam/reach"
	"github.com/postern-dev/postern/internal/estate"
)

var now = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

const (
	near = "111111111111"
	far  = "222222222222"
)

func inline(t *testing.T, statements string) []estate.InlinePolicy {
	t.Helper()
	if statements == "" {
		return nil
	}
	d, err := iam.Parse([]byte(`{"Version":"2012-10-17","Statement":[` + statements + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	return []estate.InlinePolicy{{Name: "p", Document: d}}
}

// fleet is an account in which alice may log in, bob with sudo, and mallory and
// the role job have nothing to do with hosts. Each may have policies.
type fleet struct{ alice, mallory, job, staff string }

func (f fleet) estate(t *testing.T) *estate.Estate {
	t.Helper()
	a := estate.Account{
		ID: near, Partition: "aws",
		Groups: []estate.Group{{Name: "engineers", Path: "/"}, {Name: "operators", Path: "/team/"}, {Name: "staff", Path: "/", Inline: inline(t, f.staff)}},
		Users: []estate.User{
			{Name: "alice", Path: "/", Groups: []string{"engineers"}, Inline: inline(t, f.alice)},
			{Name: "bob", Path: "/team/", Groups: []string{"engineers", "operators"}},
			{Name: "mallory", Path: "/", Groups: []string{"staff"}, Inline: inline(t, f.mallory)},
			{Name: "root2", Path: "/", Inline: inline(t, `{"Effect":"Allow","Action":"*","Resource":"*"}`)},
		},
		Roles: []estate.Role{{Name: "job", Path: "/", Inline: inline(t, f.job)}},
	}
	a.Sort()
	return &estate.Estate{Accounts: []estate.Account{a}}
}

// all is every way of letting people in.
func all() SSH {
	return SSH{
		Groups: []string{"Engineers"}, SudoGroups: []string{"operators"}, TagKey: "ssh-key", GroupTag: "ssh-groups", SudoTag: "ssh-sudo",
		AccountName: func(user string) (string, error) {
			if strings.HasPrefix(user, "no") {
				return "", errors.New("no account")
			}
			return strings.ToLower(user), nil
		},
	}
}

func allow(action, resource string, conditions ...string) string {
	return fmt.Sprintf(`{"Effect":"Allow","Action":%q,"Resource":%q,"Condition":{%s}}`, action, resource, strings.Join(conditions, ","))
}

func denies(action, resource string, conditions ...string) string {
	return "," + strings.Replace(allow(action, resource, conditions...), "Allow", "Deny", 1)
}

func lines(r Report) []string {
	var out []string
	for _, f := range r.Findings {
		out = append(out, fmt.Sprintf("%s %v %s", f.Rule.ID, f.Severity, f.What))
	}
	return out
}

const (
	user = "arn:aws:iam::*:user/"
	self = user + "${aws:username}"
)

// calls are fixtures of the rules about calls: what each must find and must not.
var calls = []struct {
	name string
	rule string
	fleet
	want []string // without the rule; nil: nothing
}{
	{rule: "SSH-001", name: "nobody may"},
	{rule: "SSH-001", name: "any group", fleet: fleet{job: allow("iam:AddUserToGroup", "*")}, want: []string{"high role/job can add users to group operators (sudo) and group engineers"}},
	{rule: "SSH-001", name: "a pattern of actions on one group", fleet: fleet{job: allow("iam:Add*", "arn:aws:iam::*:group/engineers")}, want: []string{"medium role/job can add users to group engineers"}},
	{rule: "SSH-001", name: "a group on a path", fleet: fleet{job: allow("iam:AddUserToGroup", "arn:aws:iam::*:group/team/*")}, want: []string{"high role/job can add users to group operators (sudo)"}},
	{rule: "SSH-001", name: "another group", fleet: fleet{job: allow("iam:AddUserToGroup", "arn:aws:iam::*:group/staff")}},
	{rule: "SSH-001", name: "the group's name on another path", fleet: fleet{job: allow("iam:AddUserToGroup", "arn:aws:iam::*:group/operators")}},
	{rule: "SSH-001", name: "another account", fleet: fleet{job: allow("iam:AddUserToGroup", "arn:aws:iam::"+far+":group/*")}},
	{rule: "SSH-001", name: "under a condition", fleet: fleet{job: allow("iam:AddUserToGroup", "*", `"Bool":{"aws:MultiFactorAuthPresent":"true"}`)}, want: []string{"high role/job could add users to group operators (sudo) and group engineers"}},
	{rule: "SSH-001", name: "a condition on what the call never says", fleet: fleet{job: allow("iam:*", "*", `"StringEquals":{"iam:PermissionsBoundary":"arn:aws:iam::111111111111:policy/edge"}`)}},
	{rule: "SSH-001", name: "all but who says what the call never does", fleet: fleet{job: allow("iam:AddUserToGroup", "*") + denies("iam:*", "*", `"StringNotEquals":{"iam:PermissionsBoundary":"arn:aws:iam::111111111111:policy/edge"}`)}},
	{rule: "SSH-001", name: "a condition on the user's tag, which AWS may tell", fleet: fleet{job: allow("iam:*", "*", `"StringEquals":{"iam:ResourceTag/team":"shop"}`)}, want: []string{"high role/job could add users to group operators (sudo) and group engineers"}},
	{rule: "SSH-001", name: "a condition of the past", fleet: fleet{job: allow("iam:AddUserToGroup", "*", `"DateLessThan":{"aws:CurrentTime":"2026-01-01T00:00:00Z"}`)}},
	{rule: "SSH-001", name: "what is denied", fleet: fleet{job: allow("iam:AddUserToGroup", "*") + denies("iam:*", "arn:aws:iam::*:group/team/*")}, want: []string{"medium role/job can add users to group engineers"}},
	{rule: "SSH-001", name: "under a condition on some groups", fleet: fleet{job: allow("iam:AddUserToGroup", "arn:aws:iam::*:group/team/*") + "," + allow("iam:AddUserToGroup", "*", `"Bool":{"aws:MultiFactorAuthPresent":"true"}`)}, want: []string{"high role/job can add users to group operators (sudo) and group engineers"}},
	{rule: "SSH-001", name: "the worst comes first", fleet: fleet{job: allow("iam:AddUserToGroup", "arn:aws:iam::*:group/engineers"), mallory: allow("iam:AddUserToGroup", "*")}, want: []string{
		"high user/mallory can add users to group operators (sudo) and group engineers", "medium role/job can add users to group engineers",
	}},
	{rule: "SSH-001", name: "by a group of its own", fleet: fleet{staff: allow("iam:AddUserToGroup", "*")}, want: []string{"high user/mallory can add users to group operators (sudo) and group engineers"}},
	{rule: "SSH-001", name: "who logs in already", fleet: fleet{alice: allow("iam:AddUserToGroup", "*")}, want: []string{"high user/alice can add users to group operators (sudo) and group engineers"}},

	{rule: "SSH-002", name: "two groups", fleet: fleet{job: allow("iam:UpdateGroup", "*")}, want: []string{"high role/job could put another group in the place of group operators (sudo) and group engineers"}},
	{rule: "SSH-002", name: "two groups by name", fleet: fleet{job: allow("iam:UpdateGroup", "arn:aws:iam::*:group/engineers") + "," + allow("iam:UpdateGroup", "arn:aws:iam::*:group/staff")}, want: []string{"medium role/job could put another group in the place of group engineers"}},
	{rule: "SSH-002", name: "the group alone", fleet: fleet{job: allow("iam:UpdateGroup", "arn:aws:iam::*:group/engineers")}},
	{rule: "SSH-002", name: "a group that lets in and one that gives sudo", fleet: fleet{job: allow("iam:UpdateGroup", "arn:aws:iam::*:group/engineers") + "," + allow("iam:UpdateGroup", "arn:aws:iam::*:group/team/operators")}, want: []string{"high role/job could put another group in the place of group operators (sudo)"}},
	{rule: "SSH-002", name: "the group, and one that is yet to be made", fleet: fleet{job: allow("iam:UpdateGroup", "arn:aws:iam::*:group/engineers") + "," + allow("iam:*Group", "arn:aws:iam::*:group/mine/*")}, want: []string{"medium role/job could put another group in the place of group engineers"}},
	{rule: "SSH-002", name: "the group, and one that nobody makes", fleet: fleet{job: allow("iam:UpdateGroup", "arn:aws:iam::*:group/engineers") + "," + allow("iam:UpdateGroup", "arn:aws:iam::*:group/mine/*")}},
	{rule: "SSH-002", name: "the group, which is made again", fleet: fleet{job: allow("iam:UpdateGroup", "arn:aws:iam::*:group/engineers") + "," + allow("iam:CreateGroup", "*")}},
	{rule: "SSH-002", name: "others alone", fleet: fleet{job: allow("iam:UpdateGroup", "arn:aws:iam::*:group/staff")}},

	{rule: "SSH-003", name: "anybody's", fleet: fleet{job: allow("iam:UploadSSHPublicKey", "*")}, want: []string{"high role/job can upload SSH keys for bob (sudo) and alice"}},
	{rule: "SSH-003", name: "anybody's on a path", fleet: fleet{mallory: allow("iam:*SSHPublicKey", user+"team/*")}, want: []string{"high user/mallory can upload SSH keys for bob (sudo)"}},
	{rule: "SSH-003", name: "one user's", fleet: fleet{mallory: allow("iam:UploadSSHPublicKey", user+"alice")}, want: []string{"medium user/mallory can upload SSH keys for alice"}},
	{rule: "SSH-003", name: "one's own", fleet: fleet{alice: allow("iam:UploadSSHPublicKey", self), mallory: allow("iam:UploadSSHPublicKey", self)}},
	{rule: "SSH-003", name: "one's own, of all but which everything is denied", fleet: fleet{alice: allow("iam:*SSHPublicKey", "*") + `,{"Effect":"Deny","Action":"iam:*","NotResource":"` + self + `"}`}},
	{rule: "SSH-003", name: "one's own, as a role has none", fleet: fleet{job: allow("iam:UploadSSHPublicKey", self)}},
	{rule: "SSH-003", name: "one's own and others'", fleet: fleet{alice: allow("iam:UploadSSHPublicKey", "*")}, want: []string{"high user/alice can upload SSH keys for bob (sudo)"}},
	{rule: "SSH-003", name: "names that begin like one's own", fleet: fleet{mallory: allow("iam:UploadSSHPublicKey", user+"${aws:username}*")}},
	{rule: "SSH-003", name: "who has a variable that nothing is known of", fleet: fleet{mallory: allow("iam:UploadSSHPublicKey", user+"${aws:PrincipalTag/peer}")}, want: []string{"high user/mallory could upload SSH keys for bob (sudo) and alice"}},
	{rule: "SSH-003", name: "of users who do not log in", fleet: fleet{job: allow("iam:UploadSSHPublicKey", user+"mallory")}},

	{rule: "SSH-004", name: "anybody's", fleet: fleet{job: allow("iam:UpdateSSHPublicKey", "*")}, want: []string{"high role/job can make withdrawn SSH keys active again of bob (sudo) and alice"}},
	{rule: "SSH-004", name: "one's own", fleet: fleet{alice: allow("iam:UpdateSSHPublicKey", self)}},
	{rule: "SSH-004", name: "who can upload for some", fleet: fleet{job: allow("iam:UpdateSSHPublicKey", "*") + "," + allow("iam:UploadSSHPublicKey", user+"alice")}, want: []string{"high role/job can make withdrawn SSH keys active again of bob (sudo)"}},
	{rule: "SSH-004", name: "who can upload, too", fleet: fleet{job: allow("iam:*SSHPublicKey", "*")}},

	{rule: "SSH-005", name: "any tag", fleet: fleet{job: allow("iam:TagUser", "*")}, want: []string{"high role/job can write SSH keys into the tag ssh-key of bob (sudo) and alice"}},
	{rule: "SSH-005", name: "oneself", fleet: fleet{alice: allow("iam:TagUser", self)}},
	{rule: "SSH-005", name: "other tags alone", fleet: fleet{job: allow("iam:TagUser", "*", `"ForAllValues:StringEquals":{"aws:TagKeys":["team","cost"]}`)}},
	{rule: "SSH-005", name: "some other tag among them", fleet: fleet{job: allow("iam:TagUser", "*", `"ForAnyValue:StringEquals":{"aws:TagKeys":"team"}`)}, want: []string{"high role/job could write SSH keys into the tag ssh-key of bob (sudo) and alice"}},
	{rule: "SSH-005", name: "the tag alone", fleet: fleet{job: allow("iam:TagUser", "*", `"ForAllValues:StringEquals":{"aws:TagKeys":"ssh-key"}`)}, want: []string{"high role/job could write SSH keys into the tag ssh-key of bob (sudo) and alice"}},
	{rule: "SSH-005", name: "another value", fleet: fleet{job: allow("iam:TagUser", "*", `"StringEquals":{"aws:RequestTag/ssh-key":["none","revoked"]}`)}},
	{rule: "SSH-005", name: "a value that is a key", fleet: fleet{job: allow("iam:TagUser", "*", `"StringLike":{"aws:RequestTag/SSH-key":"ssh-*"}`)}, want: []string{"high role/job could write SSH keys into the tag ssh-key of bob (sudo) and alice"}},
	{rule: "SSH-005", name: "without the tag", fleet: fleet{job: allow("iam:TagUser", "*", `"Null":{"aws:RequestTag/ssh-key":"true"}`)}},
	{rule: "SSH-005", name: "the tag is denied", fleet: fleet{job: allow("iam:TagUser", "*") + denies("iam:TagUser", "*", `"ForAnyValue:StringLike":{"aws:TagKeys":"ssh-*"}`)}, want: []string{"high role/job could write SSH keys into the tag ssh-key, spelt in other letters, of bob (sudo) and alice"}},
	{rule: "SSH-005", name: "the tag is denied in one spelling", fleet: fleet{job: allow("iam:TagUser", "*") + denies("iam:TagUser", "*", `"ForAnyValue:StringEquals":{"aws:TagKeys":["ssh-key","SSH-KEY"]}`)}, want: []string{"high role/job could write SSH keys into the tag ssh-key, spelt in other letters, of bob (sudo) and alice"}},
	{rule: "SSH-005", name: "the tag is denied in any spelling", fleet: fleet{job: allow("iam:TagUser", "*") + denies("iam:TagUser", "*", `"ForAnyValue:StringEqualsIgnoreCase":{"aws:TagKeys":"ssh-key"}`)}},
	{rule: "SSH-005", name: "the tag alone is denied", fleet: fleet{job: allow("iam:TagUser", "*") + denies("iam:TagUser", "*", `"ForAllValues:StringEquals":{"aws:TagKeys":"ssh-key"}`)}, want: []string{"high role/job could write SSH keys into the tag ssh-key of bob (sudo) and alice"}},

	{rule: "SSH-006", name: "any tag", fleet: fleet{job: allow("ec2:*", "*")}, want: []string{"high role/job can set the tag ssh-sudo of instances"}},
	{rule: "SSH-006", name: "some instances", fleet: fleet{job: allow("ec2:CreateTags", "arn:aws:ec2:eu-west-1:*:instance/i-1")}, want: []string{"high role/job could set the tag ssh-sudo of instances"}},
	{rule: "SSH-006", name: "volumes", fleet: fleet{job: allow("ec2:CreateTags", "arn:aws:ec2:*:*:volume/*")}},
	{rule: "SSH-006", name: "all but sudo", fleet: fleet{job: allow("ec2:CreateTags", "*") + denies("ec2:CreateTags", "*", `"ForAnyValue:StringEquals":{"aws:TagKeys":"ssh-sudo"}`)}, want: []string{"medium role/job could set the tag ssh-groups of instances"}},
	{rule: "SSH-006", name: "while they are made", fleet: fleet{job: allow("ec2:CreateTags", "*", `"StringEquals":{"ec2:CreateAction":"RunInstances"}`)}},
	{rule: "SSH-006", name: "other tags alone", fleet: fleet{job: allow("ec2:CreateTags", "*", `"ForAllValues:StringEquals":{"aws:TagKeys":"Name"}`)}},

	{rule: "SSH-007", name: "members", fleet: fleet{job: allow("iam:RemoveUserFromGroup", "*")}, want: []string{"low role/job can take users out of group engineers and group operators (sudo)"}},
	{rule: "SSH-007", name: "keys", fleet: fleet{job: allow("iam:DeleteSSHPublicKey", "*")}, want: []string{"low role/job can delete SSH keys of alice and bob (sudo)"}},
	{rule: "SSH-007", name: "tags of users", fleet: fleet{job: allow("iam:UntagUser", "*")}, want: []string{"low role/job can remove the tag ssh-key of alice and bob (sudo)"}},
	{rule: "SSH-007", name: "tags of instances", fleet: fleet{job: allow("ec2:DeleteTags", "*", `"ForAnyValue:StringEquals":{"aws:TagKeys":"ssh-groups"}`)}, want: []string{
		"low role/job could remove the tag ssh-sudo of instances", "low role/job can remove the tag ssh-groups of instances",
	}},
	{rule: "SSH-007", name: "one's own", fleet: fleet{alice: allow("iam:DeleteSSHPublicKey", self)}},
	{rule: "SSH-007", name: "other groups", fleet: fleet{job: allow("iam:RemoveUserFromGroup", "arn:aws:iam::*:group/staff")}},
}

func TestCalls(t *testing.T) {
	for _, test := range calls {
		t.Run(test.rule+" "+test.name, func(t *testing.T) {
			r := Run(Input{Estate: test.estate(t), Now: now, SSH: all()})
			var want []string
			for _, line := range test.want {
				want = append(want, test.rule+" "+line)
			}
			got := slices.DeleteFunc(lines(r), func(line string) bool { return !strings.HasPrefix(line, test.rule) })
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestFixesEndFindings: the denial of a finding, given to those whom it names,
// leaves nothing of it, is a policy that AWS takes, and takes no call from those
// who change their own keys.
func TestFixesEndFindings(t *testing.T) {
	for _, test := range calls {
		if test.want == nil {
			continue
		}
		t.Run(test.rule+" "+test.name, func(t *testing.T) {
			e := test.estate(t)
			for _, f := range Run(Input{Estate: e, Now: now, SSH: all()}).Findings {
				for _, who := range f.Who {
					give(&e.Accounts[0], who, f.Fix.Deny)
				}
				for _, wrong := range lint.Run(f.Fix.Deny.Indented(), lint.Options{Type: lint.Identity}) {
					t.Errorf("%s: %s: %s", f.Fix.Deny.Indented(), wrong.Code, wrong.Message)
				}
			}
			if got := lines(Run(Input{Estate: e, Now: now, SSH: all()})); got != nil {
				t.Errorf("after the fix: %q", got)
			}
		})
	}
}

func give(a *estate.Account, arn string, d *iam.Document) {
	policy := estate.InlinePolicy{Name: "fix", Document: d}
	for i := range a.Users {
		if u := &a.Users[i]; a.UserARN(u.Path, u.Name) == arn {
			u.Inline = append(u.Inline, policy)
		}
	}
	for i := range a.Roles {
		if r := &a.Roles[i]; a.RoleARN(r.Path, r.Name) == arn {
			r.Inline = append(r.Inline, policy)
		}
	}
}

// TestFixesLeave: who changes its own key, tags with another key or makes an
// instance can go on, and no other spelling of a tag's key gets through.
func TestFixesLeave(t *testing.T) {
	any := allow("iam:*SSHPublicKey", "*") + "," + allow("iam:TagUser", "*") + "," + allow("ec2:CreateTags", "*")
	e := fleet{alice: any, job: any}.estate(t)
	a := &e.Accounts[0]
	a.Users[1].Inline = a.Users[0].Inline // bob, who is on a path
	for _, f := range Run(Input{Estate: e, Now: now, SSH: all()}).Findings {
		for _, who := range f.Who {
			give(a, who, f.Fix.Deny)
		}
	}
	v := newView(Input{Estate: e, Now: now, SSH: all()})
	arn := "arn:aws:iam::" + near + ":user/"
	making := reach.Facts{Keys: map[string][]string{"ec2:CreateAction": {"RunInstances"}}}
	for _, test := range []struct {
		name, who, action, on string
		facts                 reach.Facts
		want                  reach.Extent
	}{
		{name: "its own key", who: "user/alice", action: upload, on: arn + "alice", want: reach.Always},
		{name: "its own key, on a path", who: "user/team/bob", action: upload, on: arn + "team/bob", want: reach.Always},
		{name: "another's key", who: "user/alice", action: upload, on: arn + "team/bob", want: reach.Never},
		{name: "another tag", who: "role/job", action: "iam:TagUser", on: arn + "alice", facts: reach.Facts{Keys: map[string][]string{"aws:TagKeys": {"team"}}}, want: reach.Always},
		{name: "the tag in other letters", who: "role/job", action: "iam:TagUser", on: arn + "alice", facts: reach.Facts{Keys: map[string][]string{"aws:TagKeys": {"SSH-Key"}}}, want: reach.Never},
		{name: "an instance that is made", who: "role/job", action: "ec2:CreateTags", on: "arn:aws:ec2:*:" + near + ":instance/*", facts: making, want: reach.Always},
	} {
		got := reach.Never
		for _, a := range v.world(near, test.facts).WhoCan(test.action, test.on) {
			if short(a.Principal.ARN) == test.who {
				got = a.Extent
			}
		}
		if got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

// TestSettings: a rule about what hosts do not look at finds nothing.
func TestSettings(t *testing.T) {
	f := fleet{job: allow("iam:Tag*", "*") + "," + allow("iam:Untag*", "*") + "," + allow("ec2:*", "*"), mallory: allow("iam:AddUserToGroup", "*")}
	for _, test := range []struct {
		name string
		ssh  SSH
		want []string
	}{
		{name: "nothing"},
		{name: "a group", ssh: SSH{Groups: []string{"engineers"}}, want: []string{"SSH-001 medium user/mallory can add users to group engineers"}},
		{name: "a group twice", ssh: SSH{Groups: []string{"engineers"}, SudoGroups: []string{"engineers"}}, want: []string{"SSH-001 high user/mallory can add users to group engineers (sudo)"}},
		{name: "sudo by another group", ssh: SSH{Groups: []string{"operators"}, SudoGroups: []string{"engineers"}}, want: []string{"SSH-001 high user/mallory can add users to group engineers (sudo) and group operators"}},
		{name: "tags of users", ssh: SSH{Groups: []string{"engineers"}, TagKey: "k"}, want: []string{
			"SSH-001 medium user/mallory can add users to group engineers", "SSH-005 medium role/job can write SSH keys into the tag k of alice and bob",
			"SSH-007 low role/job can remove the tag k of alice and bob",
		}},
		{name: "tags of instances alone", ssh: SSH{GroupTag: "g"}, want: []string{
			"SSH-006 medium role/job can set the tag g of instances", "SSH-007 low role/job can remove the tag g of instances",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, lines(Run(Input{Estate: f.estate(t), Now: now, SSH: test.ssh}))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestNamesAndEmptyGroups(t *testing.T) {
	e := fleet{}.estate(t)
	a := &e.Accounts[0]
	a.Users = append(a.Users,
		estate.User{Name: "Alice", Path: "/x/", Groups: []string{"engineers"}}, estate.User{Name: "nobody", Path: "/", Groups: []string{"engineers"}},
		estate.User{Name: "nothing", Path: "/", Groups: []string{"staff"}})
	for i := range a.Users {
		a.Users[i].Groups = slices.DeleteFunc(a.Users[i].Groups, func(g string) bool { return g == "operators" })
	}
	want := []string{
		"SSH-008 low user/alice and user/x/Alice come to one account, alice: hosts that know neither refuse both",
		"SSH-008 low user/nobody gets no account",
		"SSH-009 low group operators (sudo) has no members",
	}
	if diff := cmp.Diff(want, lines(Run(Input{Estate: e, Now: now, SSH: all()}))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	ssh := all()
	ssh.AccountName = nil
	if diff := cmp.Diff(want[2:], lines(Run(Input{Estate: e, Now: now, SSH: ssh}))); diff != "" {
		t.Errorf("names are not looked at (-want +got):\n%s", diff)
	}
}

func TestLogins(t *testing.T) {
	e := fleet{}.estate(t)
	ssh := all()
	want := []Login{
		{User: "arn:aws:iam::" + near + ":user/alice", Groups: []string{"engineers"}},
		{User: "arn:aws:iam::" + near + ":user/team/bob", Groups: []string{"engineers", "operators"}, Sudo: true},
	}
	if diff := cmp.Diff(want, ssh.Logins(e)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	first := SSH{Groups: []string{"operators"}, SudoGroups: []string{"engineers"}}
	for _, l := range first.Logins(e) {
		if !l.Sudo {
			t.Errorf("%s has no sudo by the first of its groups", l.User)
		}
	}
	ssh.Groups = append(ssh.Groups, "enginers", "enginers")
	if diff := cmp.Diff([]string{"enginers"}, ssh.Missing(e)); diff != "" {
		t.Errorf("missing (-want +got):\n%s", diff)
	}
}
