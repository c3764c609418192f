package trust

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

const wildcards = "*?"

// checkRef follows git's rules for names under refs/heads and refs/tags.
//
// https://git-scm.com/docs/git-check-ref-format
func checkRef(field, ref string) []Problem {
	if ref == "" {
		return nil
	}
	if p := checkWildcard(field, ref); p != nil {
		return p
	}
	one := strings.ReplaceAll(ref, "*", "x") // of the refs that it stands for
	if p := checkText(field, one); p != nil {
		return p
	}
	ref, written := one, ref
	refuse := func(msg, hint string) []Problem {
		return []Problem{{Field: field, Msg: fmt.Sprintf("%q %s", written, msg), Hint: hint}}
	}
	switch {
	case strings.HasPrefix(ref, "refs/"):
		return refuse("is a full ref", "write the name without refs/heads/ or refs/tags/")
	case strings.ContainsAny(ref, ` ~^:[\`), strings.Contains(ref, ".."), strings.Contains(ref, "@{"), strings.Contains(ref, "//"), ref == "@",
		strings.HasPrefix(ref, "/"), strings.HasPrefix(ref, "-"), strings.HasSuffix(ref, "/"), strings.HasSuffix(ref, "."):
		return refuse("is not a name that git allows", "")
	}
	for part := range strings.SplitSeq(ref, "/") {
		if strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock") {
			return refuse("is not a name that git allows", "")
		}
	}
	return nil
}

// checkWildcard allows "*" in the last part of a ref, behind text that is fixed:
// v*, release/*. Git allows no such character in a ref, so it can mean nothing
// else.
func checkWildcard(field, ref string) []Problem {
	refuse := func(msg string) []Problem {
		return []Problem{{
			Field: field, Msg: fmt.Sprintf("%q %s", ref, msg),
			Hint: fmt.Sprintf("declare one identity for each %s, or write what all begin with and one * at the end: release/*", field),
		}}
	}
	first, last := strings.Index(ref, "*"), strings.LastIndex(ref, "/")
	switch {
	case strings.Contains(ref, "?"):
		return refuse("has the wildcard ?")
	case first < 0:
		return nil
	case first == 0:
		return refuse("begins with a wildcard: anyone who may push anything would be trusted")
	case first < last:
		return refuse("has a wildcard before its last part")
	}
	return nil
}

// checkText refuses what a condition value of a policy cannot hold as itself.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func checkText(field, value string) []Problem {
	refuse := func(msg, hint string) []Problem {
		return []Problem{{Field: field, Msg: fmt.Sprintf("%q %s", value, msg), Hint: hint}}
	}
	switch {
	case strings.ContainsAny(value, wildcards):
		return refuse("has a wildcard: the subject is compared exactly, so it would match nothing", "declare one identity for each "+field)
	case strings.Contains(value, "${"):
		return refuse("holds ${, which IAM would read as a policy variable", "rename the "+field)
	case !utf8.ValidString(value):
		return refuse("is not valid UTF-8", "")
	}
	for _, r := range value {
		if r < ' ' || r == 0x7f || r > 0xff {
			return refuse(fmt.Sprintf("holds the character %U, which a policy cannot", r), "rename the "+field)
		}
	}
	return nil
}

// hostName is a DNS name with at least one dot, without scheme, port and path.
var hostName = lazily(`^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+$`)

func checkHost(field, host, example string) []Problem {
	if hostName().MatchString(host) {
		return nil
	}
	return []Problem{{Field: field, Msg: fmt.Sprintf("%q is not the name of a host", host), Hint: "write it in lower case, without https:// and path: " + example}}
}
