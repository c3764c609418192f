package trust

import (
	"fmt"
	"slices"
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
		return refuse("has a wildcard: it is compared exactly, so it would match nothing", "declare one identity for each "+field)
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

// checkHost wants a host; an example says which.
func checkHost(field, host, example string) []Problem {
	switch {
	case host == "":
		return []Problem{{Field: field, Msg: "is missing", Hint: "write it, such as " + example}}
	case hostName().MatchString(host):
		return nil
	}
	return []Problem{{Field: field, Msg: fmt.Sprintf("%q is not the name of a host", host), Hint: "write it in lower case, without https:// and path: " + example}}
}

// checkChoice refuses all but a few words.
func checkChoice(field, value string, words ...string) []Problem {
	if slices.Contains(words, value) {
		return nil
	}
	if value == "" {
		return []Problem{{Field: field, Msg: "is missing", Hint: "write one of " + strings.Join(words, ", ")}}
	}
	return []Problem{{Field: field, Msg: fmt.Sprintf("%q is not known", value), Hint: "write one of " + strings.Join(words, ", ")}}
}

// checkDecimal refuses what is no number that a service gives out; empty is none.
func checkDecimal(field, id, where string) []Problem {
	if id == "" || len(id) <= maxGitHubID && githubID().MatchString(id) {
		return nil
	}
	return []Problem{{Field: field, Msg: fmt.Sprintf("%q is not a decimal id", id), Hint: where}}
}

var uuidForm = lazily(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// checkUUID wants a UUID as the issuer writes it: in lower case.
func checkUUID(field, id, where string) []Problem {
	switch {
	case id == "":
		return []Problem{{Field: field, Msg: "is missing", Hint: where}}
	case !uuidForm().MatchString(id):
		return []Problem{{Field: field, Msg: fmt.Sprintf("%q is not a UUID in lower case", id), Hint: where}}
	}
	return nil
}

// subjectPart is one part of a subject between separators.
type subjectPart struct {
	field, value string
	separator    string // characters that would end the part
	where        string // hint for a missing one
}

// checkParts refuses parts that are missing, are many things or could pose as
// several parts.
func checkParts(parts ...subjectPart) []Problem {
	var problems []Problem
	for _, p := range parts {
		switch {
		case p.value == "":
			problems = append(problems, Problem{Field: p.field, Msg: "is missing", Hint: p.where})
		case strings.ContainsAny(p.value, p.separator):
			problems = append(problems, Problem{Field: p.field, Msg: fmt.Sprintf("%q holds one of %q, which separate the parts of the subject", p.value, p.separator), Hint: p.where})
		case strings.TrimSpace(p.value) != p.value:
			problems = append(problems, Problem{Field: p.field, Msg: fmt.Sprintf("%q begins or ends with a space", p.value), Hint: p.where})
		default:
			problems = append(problems, checkText(p.field, p.value)...)
		}
	}
	return problems
}

// checkAudience refuses an audience that a condition cannot compare; empty is the
// default.
func checkAudience(audience string) []Problem { return checkText("audience", audience) }

// issuerForm is an https URL without port, query and fragment.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
var issuerForm = lazily(`^https://[a-z0-9.-]+\.[a-z0-9-]+(?:/[A-Za-z0-9._~%-]+)*/?$`)

func checkIssuer(url, example string) []Problem {
	switch {
	case url == "":
		return []Problem{{Field: "issuer", Msg: "is missing", Hint: "write " + example}}
	case !issuerForm().MatchString(url):
		return []Problem{{Field: "issuer", Msg: fmt.Sprintf("%q is not an issuer that AWS takes: an https address without port and query", url), Hint: "write " + example}}
	}
	return nil
}
