package audit

import (
	"fmt"
	"slices"
	"unicode"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/iam/reach"
)

// decides makes a rule of the deeds by which somebody decides about an account's
// logins.
func decides(deeds func(*view, *doors) []deed) func(*view) []Finding {
	return perAccount(func(v *view, in *doors) []Finding {
		var out []Finding
		for _, d := range deeds(v, in) {
			out = append(out, v.findings(in.account.ID, d)...)
		}
		return out
	})
}

func perAccount(find func(*view, *doors) []Finding) func(*view) []Finding {
	return func(v *view) []Finding {
		var out []Finding
		for i := range v.in.Estate.Accounts {
			in := v.in.SSH.of(&v.in.Estate.Accounts[i])
			out = append(out, find(v, &in)...)
		}
		return out
	}
}

func sshMembers(_ *view, in *doors) []deed {
	return []deed{in.group("add users to %s", "iam:AddUserToGroup")}
}

// sshGroupNames are about who can rename a group that lets people in, and one
// that lets in fewer, or none: it may be there or be made.
func sshGroupNames(v *view, in *doors) []deed {
	d := in.group("put another group in the place of %s", "iam:UpdateGroup")
	every := []target{{arn: in.account.GroupARN("/", "*")}}
	renames := v.able(in.account.ID, deed{action: d.action, targets: slices.Concat(in.groups, in.others)})
	names := v.able(in.account.ID, deed{action: d.action, targets: every})
	makes := v.able(in.account.ID, deed{action: "iam:CreateGroup", targets: every})
	d.leaves = func(who string, t target) bool {
		lesser := func(other target) bool { return other.severity < t.severity }
		return !slices.ContainsFunc(renames[who].targets, lesser) && (makes[who] == nil || !in.namesOthers(names[who]))
	}
	d.doubt = true // the names that the groups come to have must be theirs to give, too
	return []deed{d}
}

// namesOthers reports whether somebody can do something to other groups than
// those that let people in, whether there are any or not.
func (in *doors) namesOthers(who *doers) bool {
	return slices.ContainsFunc(who.evidence, func(f reach.Finding) bool {
		return f.Unknown || slices.ContainsFunc(f.Resources, func(pattern string) bool {
			name := short(pattern)
			return iam.HasWildcard(name) || !slices.ContainsFunc(in.groups, func(t target) bool { return short(t.arn) == name })
		})
	})
}

func sshKeys(_ *view, in *doors) []deed {
	return []deed{in.user("upload SSH keys for %s", upload, status, remove)}
}

// The calls that change a user's keys.
const (
	upload = "iam:UploadSSHPublicKey"
	status = "iam:UpdateSSHPublicKey"
	remove = "iam:DeleteSSHPublicKey"
)

func sshWithdrawnKeys(v *view, in *doors) []deed {
	d := in.user("make withdrawn SSH keys active again of %s", status, upload, remove)
	uploaders := v.able(in.account.ID, deed{action: upload, targets: in.users})
	d.leaves = func(who string, t target) bool { return uploaders[who].does(t) }
	return []deed{d}
}

// sshKeyTags leaves it to users to tag themselves: they upload their own keys,
// too.
func sshKeyTags(v *view, in *doors) []deed {
	key := v.in.SSH.TagKey
	if key == "" {
		return nil
	}
	writes := func(what, spelling string) deed {
		d := in.user("write SSH keys into the tag "+what+" of %s", "iam:TagUser").tagged(spelling, key)
		d.facts.Like = map[string]reach.Pattern{"aws:RequestTag/" + key: {Text: "*ssh-ed25519*"}} // sync takes no other type from a tag
		return d
	}
	as, otherwise := writes(key, key), writes(key+", spelt in other letters,", otherCase(key))
	able := v.able(in.account.ID, as)
	otherwise.leaves = func(who string, t target) bool { return able[who].does(t) }
	otherwise.doubt = true // see tagged
	return []deed{as, otherwise}
}

// otherCase spells a key as nobody does who lists its spellings.
func otherCase(key string) string {
	swap := func(r rune) rune {
		if up := unicode.ToUpper(r); up != r {
			return up
		}
		return unicode.ToLower(r)
	}
	letters := []rune(key)
	for i := range letters[:len(letters)-1] {
		letters[i] = swap(letters[i])
	}
	return string(letters)
}

// sshInstanceTags tells who can write the tag that gives sudo, and of the others
// who can write the tag that does not.
func sshInstanceTags(v *view, in *doors) []deed {
	out := v.in.SSH.instances(in, "set the tag %s of %%s", "ec2:CreateTags")
	for i := range out {
		// Tags that are set while an instance is made are judged with this key. Whoever
		// makes it decides about it anyway.
		const key = "ec2:CreateAction"
		out[i].facts.Keys = map[string][]string{key: nil}
		out[i].alsoIf(iam.Condition{Operator: "Null", Key: key, Values: []string{"true"}})
	}
	if len(out) == 2 {
		sudo := v.able(in.account.ID, out[0])
		out[1].leaves = func(who string, _ target) bool { return sudo[who] != nil }
	}
	return out
}

func sshLockout(v *view, in *doors) []deed {
	out := []deed{
		in.group("take users out of %s", "iam:RemoveUserFromGroup"),
		in.user("delete SSH keys of %s", remove, upload, status),
	}
	if key := v.in.SSH.TagKey; key != "" {
		out = append(out, in.user("remove the tag "+key+" of %s", "iam:UntagUser").tagged(key))
	}
	out = append(out, v.in.SSH.instances(in, "remove the tag %s of %%s", "ec2:DeleteTags")...)
	for i := range out {
		for j := range out[i].targets {
			out[i].targets[j].severity = Low
		}
	}
	return out
}

// group is a deed that is done to the groups which let people in.
func (in *doors) group(does, action string) deed {
	return deed{action: action, targets: in.groups, does: does, fix: func(eval.PrincipalKind) Fix {
		s := iam.Statement{Actions: []string{action}}
		for _, t := range in.groups {
			s.Resources = append(s.Resources, t.arn)
		}
		return denial("take "+action+" on these groups away", s)
	}}
}

// user is a deed that is done to users who may log in, by others than
// themselves. What is said to go with it is denied with it.
func (in *doors) user(does, action string, with ...string) deed {
	return deed{action: action, targets: in.users, does: does, fix: func(kind eval.PrincipalKind) Fix {
		s := iam.Statement{Actions: append([]string{action}, with...)}
		if kind == eval.User {
			s.NotResources = in.named("${aws:username}")
			return denial("allow "+action+" on "+s.NotResources[0]+" alone", s)
		}
		s.Resources = []string{in.account.UserARN("/", "*")}
		return denial("take "+action+" on users away", s)
	}}
}

// instances are deeds that are done to each of the tags of instances.
func (s *SSH) instances(in *doors, does, action string) []deed {
	tags := s.instanceTags()
	var names []string
	for _, tag := range tags {
		names = append(names, tag.name)
	}
	arn := in.instances()
	var out []deed
	for _, tag := range tags {
		d := deed{
			action: action, does: fmt.Sprintf(does, tag.name),
			targets: []target{{arn: arn, wild: "abcdefghijklmnopqrstuvwxyz0123456789-", name: "instances", severity: tag.severity}},
			fix: func(eval.PrincipalKind) Fix {
				return denial("take "+action+" away for this tag", iam.Statement{Actions: []string{action}, Resources: []string{arn}})
			},
		}
		out = append(out, d.tagged(tag.name, names...))
	}
	return out
}

// tagged is the deed for one tag, perhaps among others; the others are denied
// with it.
func (d deed) tagged(key string, with ...string) deed {
	d.facts.Among = map[string]string{"aws:TagKeys": key}
	if len(with) == 0 {
		with = []string{key}
	}
	// In any case of letters: of users and roles IAM does not tell such keys apart. Which
	// spelling stays when a tag is written in another, it does not say.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#case-sensitivity
	d.alsoIf(iam.Condition{Operator: "ForAnyValue:StringEqualsIgnoreCase", Key: "aws:TagKeys", Values: with})
	return d
}

// alsoIf narrows what the fix denies.
func (d *deed) alsoIf(c iam.Condition) {
	wide := d.fix
	d.fix = func(kind eval.PrincipalKind) Fix {
		f := wide(kind)
		s := &f.Deny.Statements[0]
		s.Conditions = append(s.Conditions, c)
		return f
	}
}

func denial(what string, s iam.Statement) Fix {
	s.Effect = iam.Deny
	return Fix{What: what, Deny: &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{s}}}
}

// sshNames tells whom hosts give no account.
func sshNames(v *view, in *doors) []Finding {
	if v.in.SSH.AccountName == nil {
		return nil
	}
	var out []Finding
	first := map[string]Login{} // by account
	for _, l := range in.logins {
		name, err := v.in.SSH.AccountName(baseName(l.User))
		what := ""
		switch other, taken := first[name]; {
		case err != nil:
			what = short(l.User) + " gets " + err.Error()
		case taken:
			what = fmt.Sprintf("%s and %s come to one account, %s: hosts that know neither refuse both", short(other.User), short(l.User), name)
		default:
			first[name] = l
			continue
		}
		out = append(out, Finding{Severity: Low, Account: in.account.ID, What: what, Fix: Fix{What: "rename the user: aws iam update-user --user-name " + baseName(l.User) + " --new-user-name NAME"}})
	}
	return out
}

// sshEmptyGroups tells of groups that let nobody in.
func sshEmptyGroups(_ *view, in *doors) []Finding {
	var out []Finding
	for _, g := range in.groups {
		name := baseName(g.arn)
		if slices.ContainsFunc(in.logins, func(l Login) bool { return slices.Contains(l.Groups, name) }) {
			continue
		}
		out = append(out, Finding{
			Severity: Low, Account: in.account.ID, What: g.name + " has no members",
			Fix: Fix{What: "aws iam add-user-to-group --group-name " + name + " --user-name NAME"},
		})
	}
	return out
}
