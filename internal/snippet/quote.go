package snippet

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"text/template"
	"unicode"
)

// quoting writes text from the spec into the languages of the templates. Names
// of branches, environments and workspaces may hold almost anything.
var quoting = template.FuncMap{
	"yaml":   yamlScalar,
	"sh":     shellWord,
	"hcl":    hclString,
	"groovy": groovyString,
	"line":   oneLine,
	"glob":   githubPattern,
	"quoted": quoted,
	"json":   jsonString,
	"dns":    dnsName,
}

// dnsName is a name of the spec as Kubernetes takes it.
//
// https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names
func dnsName(name string) string { return strings.ReplaceAll(name, "_", "-") }

// plain is what no language here reads as anything but text. A word of letters
// may still be one of YAML's, see yamlScalar.
var plain = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^\.?[A-Za-z_][A-Za-z0-9_./@-]*$|^arn:[A-Za-z0-9_./:-]*[A-Za-z0-9_./-]$`)
})

// yamlWords are taken for other than text by YAML 1.1, which some systems read.
var yamlWords = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)^(?:y|n|yes|no|on|off|true|false|null|\.inf|\.nan|\.+)$`)
})

// yamlScalar quotes where it has to.
func yamlScalar(v string) string {
	if plain().MatchString(v) && !yamlWords().MatchString(v) {
		return v
	}
	return quoted(v)
}

// quoted is a string of YAML: in single quotes if others would need escapes. Go
// escapes what does not print, and all of its escapes are YAML's too.
func quoted(v string) string {
	prints := func(r rune) bool { return unicode.IsPrint(r) && r != '\'' }
	if strings.ContainsAny(v, `"\`) && strings.IndexFunc(v, func(r rune) bool { return !prints(r) }) < 0 {
		return "'" + v + "'"
	}
	return strconv.Quote(v)
}

func jsonString(v string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // a string, into memory
	return strings.TrimSuffix(b.String(), "\n")
}

func shellWord(v string) string {
	if plain().MatchString(v) {
		return v
	}
	return "'" + strings.ReplaceAll(v, "'", `'\''`) + "'"
}

// hclString quotes for Terraform, where ${ and %{ begin templates.
//
// https://developer.hashicorp.com/terraform/language/expressions/strings#escape-sequences-1
func hclString(v string) string {
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(jsonString(v))
}

func groovyString(v string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(oneLine(v)) + "'"
}

// githubPattern is a filter of GitHub for a ref of the spec, whose "*" stands
// for text with "/" too.
//
// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet
func githubPattern(ref string) string {
	var b strings.Builder
	for _, r := range ref {
		switch {
		case r == '*':
			b.WriteString("**")
			continue
		case strings.ContainsRune(`?+[]!\`, r):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// slashedPattern is a regular expression between slashes for a ref of the spec.
func slashedPattern(ref string) string {
	expr := strings.ReplaceAll(regexp.QuoteMeta(ref), `\*`, ".*")
	return "/^" + strings.ReplaceAll(expr, "/", `\/`) + "$/"
}

// oneLine keeps a comment from ending early.
func oneLine(text string) string {
	printable := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
	return strings.Join(strings.Fields(printable), " ")
}
