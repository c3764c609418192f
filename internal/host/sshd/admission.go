package sshd

import (
	"fmt"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
)

// admission are the keywords by which sshd turns people away whatever their
// keys, in the order in which it asks them. Hardened images bring one of them.
//
// https://man.openbsd.org/sshd_config#AllowGroups
var admission = []struct {
	keyword, name string
	allow, groups bool // otherwise deny, users
	hint          string
}{
	{"denyusers", "DenyUsers", false, false, "remove the line, or the names from it"},
	{"allowusers", "AllowUsers", true, false, "write AllowGroups NAME in its place, and run install with --local-group NAME: users of IAM come and go"},
	{"denygroups", "DenyGroups", false, true, "remove the line, or take the accounts out of the groups"},
	{"allowgroups", "AllowGroups", true, true, "put IAM's users into one of its groups: run install with --local-group NAME"},
}

// checkAdmission finds accounts that sshd turns away at the door. What Match
// blocks and hosts behind an @ say is left out.
func checkAdmission(m *machine, accounts []string) []Finding {
	away := map[string][]string{} // accounts by keyword
	for _, name := range accounts {
		if keyword := turnedAway(m.lines, name, groupsOf(name)); keyword != "" {
			away[keyword] = append(away[keyword], name)
		}
	}
	var out []Finding
	for _, by := range admission {
		who := away[by.keyword]
		if len(who) == 0 {
			continue
		}
		const most = 5
		text := strings.Join(who[:min(most, len(who))], ", ")
		if more := len(who) - most; more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		l, _ := first(m.lines, by.keyword)
		out = append(out, Finding{Severity: Fail, Where: l.At(), What: by.name + " turns away " + text + ", whatever the keys", Hint: by.hint})
	}
	return out
}

// turnedAway is the keyword that keeps an account out; empty if none does.
func turnedAway(lines []Line, account string, groups []string) string {
	for _, by := range admission {
		var patterns []string // of all lines: sshd adds them up
		for _, l := range lines {
			if l.Keyword == by.keyword && l.Match == "" {
				patterns = append(patterns, l.Args...)
			}
		}
		names := []string{account}
		if by.groups {
			names = groups
		}
		if len(patterns) > 0 && anyMatches(patterns, names) != by.allow {
			return by.keyword
		}
	}
	return ""
}

// anyMatches says whether a pattern matches one of the names, and none that
// begins with ! does.
func anyMatches(patterns, names []string) bool {
	found := false
	for _, p := range patterns {
		p, not := strings.CutPrefix(p, "!")
		p, _, _ = strings.Cut(p, "@")
		if slices.ContainsFunc(names, func(n string) bool { ok, err := filepath.Match(p, n); return ok && err == nil }) {
			if not {
				return false
			}
			found = true
		}
	}
	return found
}

// groupsOf are the names of an account's groups.
func groupsOf(account string) []string {
	u, err := user.Lookup(account)
	if err != nil {
		return nil
	}
	ids, _ := u.GroupIds() // some are better than none
	var names []string
	for _, id := range ids {
		if g, err := user.LookupGroupId(id); err == nil {
			names = append(names, g.Name)
		}
	}
	return names
}
