package audit

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/estate"
)

// SSH is whom hosts let in by IAM: what `postern host ssh sync` is told on them.
// Without any group and tag there is nothing to audit.
type SSH struct {
	Groups, SudoGroups []string // names of IAM groups; members of the latter use sudo
	TagKey             string   // the tag of IAM users that holds an ed25519 key; empty: none does
	// GroupTag and SudoTag are the tags of instances whose values name groups;
	// empty: none do.
	GroupTag, SudoTag string
	// AccountName is the account on hosts of an IAM user, or why there can be
	// none. Nil: that is not looked at.
	AccountName func(iamUser string) (string, error)
}

// Login is an IAM user who may log in.
type Login struct {
	User   string   // ARN
	Groups []string // that let it in, by name
	Sudo   bool
}

// Missing are the groups that no account of the estate has.
func (s *SSH) Missing(e *estate.Estate) []string {
	var out []string
	for _, name := range slices.Concat(s.Groups, s.SudoGroups) {
		if !slices.ContainsFunc(e.Accounts, func(a estate.Account) bool {
			return slices.ContainsFunc(a.Groups, func(g estate.Group) bool { return strings.EqualFold(g.Name, name) })
		}) {
			out = addNew(out, name)
		}
	}
	return out
}

// Logins are the users who may log in, by account and name.
func (s *SSH) Logins(e *estate.Estate) []Login {
	var out []Login
	for i := range e.Accounts {
		out = append(out, s.of(&e.Accounts[i]).logins...)
	}
	return out
}

// lets says whether a group lets its members in, and use sudo. IAM's names are
// the same in any case of letters.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-names
func (s *SSH) lets(group string) (in, sudo bool) {
	is := func(name string) bool { return strings.EqualFold(name, group) }
	sudo = slices.ContainsFunc(s.SudoGroups, is)
	return sudo || slices.ContainsFunc(s.Groups, is), sudo
}

// doors are what in one account lets people in.
type doors struct {
	account *estate.Account
	logins  []Login
	users   []target // of logins
	groups  []target
	others  []target // groups that let nobody in
}

func (s *SSH) of(a *estate.Account) doors {
	d := doors{account: a}
	for _, g := range a.Groups {
		t := target{arn: a.GroupARN(g.Path, g.Name), name: "group " + g.Name, severity: Medium}
		in, sudo := s.lets(g.Name)
		if sudo {
			t = t.sudo()
		}
		if in {
			d.groups = append(d.groups, t)
		} else {
			t.severity = Low
			d.others = append(d.others, t)
		}
	}
	for _, u := range a.Users {
		if l, in := s.login(a, &u); in {
			t := target{arn: l.User, name: u.Name, severity: Medium}
			if l.Sudo {
				t = t.sudo()
			}
			d.logins, d.users = append(d.logins, l), append(d.users, t)
		}
	}
	return d
}

func (s *SSH) login(a *estate.Account, u *estate.User) (l Login, in bool) {
	l.User = a.UserARN(u.Path, u.Name)
	for _, group := range u.Groups {
		if in, sudo := s.lets(group); in {
			l.Groups, l.Sudo = append(l.Groups, group), l.Sudo || sudo
		}
	}
	return l, len(l.Groups) > 0
}

// sudo marks what gives sudo, or has it.
func (t target) sudo() target {
	t.name, t.severity = t.name+" (sudo)", High
	return t
}

// instances are all those of the account.
func (d *doors) instances() string {
	return iam.ARN{Partition: d.account.Partition, Service: "ec2", Region: "*", Account: d.account.ID, Resource: "instance/*"}.String()
}

// named are the ARNs of the account's user with a name, on whatever path.
func (d *doors) named(name string) []string {
	return []string{d.account.UserARN("/", name), d.account.UserARN("/*/", name)}
}

// instanceTag is a tag of instances that names groups.
type instanceTag struct {
	name     string
	severity Severity
}

// instanceTags are those that hosts look at, the one that gives sudo first.
func (s *SSH) instanceTags() []instanceTag {
	return slices.DeleteFunc([]instanceTag{{s.SudoTag, High}, {s.GroupTag, Medium}}, func(t instanceTag) bool { return t.name == "" })
}
