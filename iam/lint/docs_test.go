package lint_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam/action"
	"github.com/postern-dev/postern/iam/lint"
)

// absent are the codes of Access Analyzer that are no checks of ours, and why.
var absent = []struct{ code, why string }{
	{"SCP_SYNTAX_ERROR_ACTION_WILDCARD", "Obsolete: since September 2025 service control policies take the full policy language, wildcards anywhere in an action too."},
	{"SCP_SYNTAX_ERROR_ALLOW_CONDITION", "Obsolete, as above: an Allow may have a Condition."},
	{"SCP_SYNTAX_ERROR_ALLOW_NOTACTION", "Obsolete, as above: an Allow may have NotAction."},
	{"SCP_SYNTAX_ERROR_ALLOW_RESOURCE", "Obsolete, as above: an Allow may name resources."},
	{"SCP_SYNTAX_ERROR_NOTRESOURCE", "Obsolete, as above: NotResource is taken."},
	{"UNSUPPORTED_GLOBAL_CONDITION_KEY", "AWS documents it for one key, `aws:ARN`, which DEPRECATED_GLOBAL_CONDITION_KEY is about too; it does not say when it reports which. We report the latter."},
}

// narrower are the checks that see less than AWS's, or other things.
var narrower = []struct{ code, how string }{
	{"UNSUPPORTED_ACTION_IN_POLICY", "For trust policies. AWS's looks at resource policies, given the type of the resource; a file does not tell it."},
	{"UNSUPPORTED_RESOURCE_ARN_IN_POLICY", "An ARN of another service than the statement's actions, for want of the type of the resource that the policy is attached to."},
	{"MISSING_RESOURCE", "Not in policies of ECR repositories, which have no Resource."},
	{"INVALID_ARN_REGION", "Whether the region can exist, by the form of its name; not whether the service is there."},
	{"INVALID_REGION", "As INVALID_ARN_REGION: AWS adds regions each year, and a list would raise false alarms."},
	{"INVALID_KMS_KEY_VALUE", "For the one key that we know AWS to compare as a key's ARN, `s3:x-amz-server-side-encryption-aws-kms-key-id`."},
	{"FORALLVALUES_WITH_SINGLE_VALUED_KEY", "In an Allow without a `Null` beside it. A Deny is only stricter for it."},
	{"PASS_ROLE_WITH_…, CREATE_SLR_WITH_…", "In identity policies. Boundaries and service control policies grant nothing, and begin by allowing all."},
	{"USE_CONDITION_KEY_ONLY_WITH_SUPPORTED_SERVICES", "Where a statement is about all services. AWS's list of those that know the keys is in no data that we have."},
	{"VARIABLE_USAGE_TOO_PERMISSIVE, WILDCARD_USAGE_TOO_PERMISSIVE", "For the ten keys that AWS calls sensitive, where more matches let in more. Its rule of six characters before a wildcard, for other keys, is not documented well enough."},
	{"UNSUPPORTED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL", "For keys about an IAM principal, which no service is; AWS's list by service is not public."},
	{"STRING_LIKE_OPERATOR_WITH_ARN_CONDITION_KEYS", "Only for values with a wildcard: without one the operators do the same."},
}

// Whatever is in AWS's list is a check, or says why it is none.
func TestAccessAnalyzerIsTheFloor(t *testing.T) {
	src, err := os.ReadFile("testdata/access-analyzer.txt")
	if err != nil {
		t.Fatal(err)
	}
	codes := strings.Fields(string(src))
	for _, c := range lint.Checks() {
		if listed := slices.Contains(codes, c.Code); listed == c.Own {
			t.Errorf("%s: in AWS's list %t, our own %t", c.Code, listed, c.Own)
		}
		codes = slices.DeleteFunc(codes, func(code string) bool { return code == c.Code })
	}
	for _, a := range absent {
		if !slices.Contains(codes, a.code) {
			t.Errorf("%s is there, or not in AWS's list", a.code)
		}
		codes = slices.DeleteFunc(codes, func(code string) bool { return code == a.code })
	}
	for _, code := range codes {
		t.Errorf("%s is neither a check nor said to be absent", code)
	}
}

const page = "../../docs/lint.md"

// TestPage holds docs/lint.md against the checks; -update writes it.
func TestPage(t *testing.T) {
	want := render()
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s is not what the checks say (go test ./iam/lint -update writes it) -want +got:\n%s", page, diff)
	}
}

const intro = `# What the linter checks

` + "`postern lint`" + ` looks at one policy at a time: an identity policy, a resource policy, a role's trust policy, a permissions boundary, a service
control policy or a resource control policy. The codes are those of AWS's own validator,
[Access Analyzer](https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html), so that its pages explain them; **own** marks
those that it has not. What exists at AWS is taken from the reference that is part of the program, here of %s. Whatever reads as JSON gets findings with line,
column and path; a **fix** is applied by ` + "`--fix`" + ` where it leaves what the policy allows and denies as it was, or where AWS refuses the policy and there is one way to read it.

Sizes are measured against AWS's default quotas; ` + "`--quota TYPE=CHARACTERS`" + ` says what AWS has raised for you. More than 1 MiB, or objects nested deeper
than ten, are an error and not read. Each check reports at most 100 places of a policy.

**Folders.** All files named ` + "`*.json`" + ` are read, but for those in hidden folders and ` + "`node_modules`" + `. One is taken for a policy if it has a Statement,
misspelt perhaps, or a Version that is a date; if it is broken, if ` + "`\"Statement\"`" + ` stands in it. The others are named, with what they are instead.

**Types.** Without ` + "`--type`" + ` each policy is taken for what its elements tell: no principal, an identity policy; principals and only actions that assume
roles, or no resource, a trust policy; denials to everyone on everything alone, an RCP; else a resource policy. SCPs and boundaries look like identity policies.

**Fixes.** The safe fixes of one run do not overlap: whoever reads ` + "`--json`" + ` or ` + "`--sarif`" + ` can apply all of them. ` + "`--fix`" + ` goes on until none is left, so that a
second run changes nothing. Fixes that are not safe change what the policy means; each is for a person to take.

**SARIF.** Regions count lines and Unicode characters from 1. Errors are of level error, both kinds of warnings warning, suggestions note; security
warnings have the tag ` + "`security`" + ` and a ` + "`security-severity`" + ` of 7.0, by which GitHub ranks them as high.

A test writes this page from the checks (` + "`go test ./iam/lint -update`" + `). For each it has a policy that the check reports and one next to it in which no
check finds anything: ` + "[`iam/lint/testdata`](../iam/lint/testdata)" + `. Another runs all of them over the 1,594 policies that AWS manages:
` + "[`test/lint`](../test/lint)" + ` lists the errors in these, each with its reason.
`

func render() string {
	var b strings.Builder
	fmt.Fprintf(&b, intro, action.Date())
	headings := map[lint.Severity]string{
		lint.Error:           "Errors: AWS refuses it, or it has no effect",
		lint.SecurityWarning: "Security warnings: it lets in more than was meant",
		lint.Warning:         "Warnings: it is probably not what was meant",
		lint.Suggestion:      "Suggestions: access stays the same",
	}
	all := lint.Checks()
	for _, s := range lint.Severities() {
		checks := slices.DeleteFunc(slices.Clone(all), func(c lint.CheckInfo) bool { return c.Severity != s })
		fmt.Fprintf(&b, "\n## %s (%d)\n\n| Code | Policies |\n|---|---|\n", headings[s], len(checks))
		for _, c := range checks {
			own := ""
			if c.Own {
				own = ", **own**"
			}
			fmt.Fprintf(&b, "| [`%s`](%s)%s | %s |\n", c.Code, c.URL, own, types(c.Types))
		}
	}
	b.WriteString("\n## Where we see other things than AWS\n\n| Code | What we look at |\n|---|---|\n")
	for _, n := range narrower {
		fmt.Fprintf(&b, "| %s | %s |\n", n.code, n.how)
	}
	b.WriteString("\n## Codes of AWS that we have not\n\n| Code | Why |\n|---|---|\n")
	for _, a := range absent {
		fmt.Fprintf(&b, "| `%s` | %s |\n", a.code, a.why)
	}
	return b.String()
}

func types(list []lint.Type) string {
	if len(list) == len(lint.Types()) {
		return "all"
	}
	var names []string
	for _, t := range list {
		names = append(names, string(t))
	}
	return strings.Join(names, ", ")
}
