package trust

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/postern-dev/postern/iam"
)

var assumeRole = []string{"sts:AssumeRole"}

// Kind is "aws_role".
func (AWSRole) Kind() string { return "aws_role" }

// Describe names the role and its account.
func (r AWSRole) Describe() string {
	return fmt.Sprintf("AWS role %s of account %s", nameOf(r.ARN, "role"), accountOf(r.ARN))
}

// Check refuses anything but the ARN of one role.
func (r AWSRole) Check() []Problem {
	return append(checkPrincipal("role", r.ARN), checkExternalID(r.ExternalID)...)
}

func (r AWSRole) checkIn(s Scope) []Problem { return checkPartition(s, "arn", r.ARN) }

func (r AWSRole) statement(Scope) iam.Statement {
	st := iam.Statement{Effect: iam.Allow, Principal: &iam.Principal{AWS: []string{r.ARN}}, Actions: assumeRole}
	if r.ExternalID != "" {
		st.Conditions = []iam.Condition{equals("sts:ExternalId", r.ExternalID)}
	}
	return st
}

// Kind is "aws_user".
func (AWSUser) Kind() string { return "aws_user" }

// Describe names the user and its account.
func (u AWSUser) Describe() string {
	return fmt.Sprintf("AWS user %s of account %s", nameOf(u.ARN, "user"), accountOf(u.ARN))
}

// Check refuses anything but the ARN of one user.
func (u AWSUser) Check() []Problem { return checkPrincipal("user", u.ARN) }

func (u AWSUser) checkIn(s Scope) []Problem { return checkPartition(s, "arn", u.ARN) }

func (u AWSUser) statement(Scope) iam.Statement {
	return iam.Statement{Effect: iam.Allow, Principal: &iam.Principal{AWS: []string{u.ARN}}, Actions: assumeRole}
}

// Kind is "aws_account".
func (AWSAccount) Kind() string { return "aws_account" }

// Describe names the account and what narrows it.
func (a AWSAccount) Describe() string {
	var by []string
	if a.OrgID != "" {
		by = append(by, "of organisation "+a.OrgID)
	}
	if a.ExternalID != "" {
		by = append(by, "with the external id")
	}
	return fmt.Sprintf("AWS account %s, any principal %s", a.ID, strings.Join(by, " "))
}

// lazily compiles a regular expression when it is first used: most commands
// need none of them, and every start would pay for all.
func lazily(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

var orgID = lazily(`^o-[a-z0-9]{10,32}$`)

// Check refuses what is no account, organisation or external id.
func (a AWSAccount) Check() []Problem {
	var problems []Problem
	if !iam.IsAccountID(a.ID) {
		problems = append(problems, Problem{Field: "id", Msg: fmt.Sprintf("%q is not 12 digits", a.ID), Hint: `write the account id in quotes: "123456789012"`})
	}
	if a.OrgID != "" && !orgID().MatchString(a.OrgID) {
		problems = append(problems, Problem{Field: "org_id", Msg: fmt.Sprintf("%q is not an organisation id", a.OrgID), Hint: "aws organizations describe-organization prints it: o- and 10 to 32 letters or digits"})
	}
	return append(problems, checkExternalID(a.ExternalID)...)
}

// CheckNarrowed refuses an account that nothing narrows: neither the identity
// itself nor the external id of the role that trusts it. That of the role counts
// for other accounts only; own is the role's.
func (a AWSAccount) CheckNarrowed(own, externalID string) []Problem {
	p := Problem{
		Field: "external_id",
		Msg:   "is missing: every principal that the account lets assume roles would be trusted, also on behalf of its other customers",
		Hint:  "add external_id or org_id, or name one role with aws_role",
	}
	switch {
	case a.ExternalID != "" || a.OrgID != "" || externalID != "" && a.ID != own:
		return nil
	case a.ID == own:
		p.Msg = "is missing: every principal of the role's own account that may assume roles would be trusted"
		if externalID != "" {
			p.Msg += "; the external_id of the role is asked of other accounts only"
		}
	}
	return []Problem{p}
}

func (a AWSAccount) statement(s Scope) iam.Statement {
	st := iam.Statement{
		Effect:    iam.Allow,
		Principal: &iam.Principal{AWS: []string{fmt.Sprintf("arn:%s:iam::%s:root", s.Partition, a.ID)}},
		Actions:   assumeRole,
	}
	if a.OrgID != "" {
		st.Conditions = append(st.Conditions, equals("aws:PrincipalOrgID", a.OrgID))
	}
	if a.ExternalID != "" {
		st.Conditions = append(st.Conditions, equals("sts:ExternalId", a.ExternalID))
	}
	return st
}

// externalIDForm is STS's rule for external ids.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
var externalIDForm = lazily(`^[A-Za-z0-9_+=,.@:/-]{2,}$`)

const maxExternalID = 1224

func checkExternalID(id string) []Problem {
	if id == "" || len(id) <= maxExternalID && externalIDForm().MatchString(id) {
		return nil
	}
	return []Problem{{Field: "external_id", Msg: fmt.Sprintf("%q cannot be an external id", id), Hint: "use 2 to 1224 letters, digits and _+=,.@:/-"}}
}

var (
	principalARN = lazily(`^arn:(?:aws|aws-us-gov|aws-cn):iam::[0-9]{12}:(role|user)/(?:[!-)+-.0->@-~]+/)*([A-Za-z0-9_+=,.@-]+)$`)
	sessionARN   = lazily(`^arn:([a-z-]+):sts::([0-9]{12}):assumed-role/([^/]+)/`)
	accountARN   = lazily(`^(?:arn:[a-z-]+:iam::([0-9]{12}):root|([0-9]{12}))$`)
	uniqueID     = lazily(`^A(?:ROA|IDA)[A-Z0-9]{12,}$`)
)

const maxPrincipalName = 64

// checkPrincipal wants the ARN of one principal of the kind, "role" or "user",
// and says for the usual mistakes what to write instead.
func checkPrincipal(kind, arn string) []Problem {
	refuse := func(msg, hint string) []Problem {
		return []Problem{{Field: "arn", Msg: msg, Hint: hint}}
	}
	form := fmt.Sprintf("write arn:aws:iam::123456789012:%s/NAME", kind)
	if arn == "" {
		return refuse("is missing", form)
	}
	if strings.ContainsAny(arn, wildcards) {
		return refuse(fmt.Sprintf("%q has a wildcard: a trust policy names principals whole", arn), "declare one identity for each "+kind)
	}
	if m := sessionARN().FindStringSubmatch(arn); m != nil {
		return refuse(fmt.Sprintf("%q is one session of a role, gone when it ends", arn),
			fmt.Sprintf("write the role, with its path if it has one: arn:%s:iam::%s:role/%s", m[1], m[2], m[3]))
	}
	if accountARN().MatchString(arn) {
		return refuse(fmt.Sprintf("%q is a whole account", arn), "declare aws_account with external_id or org_id, or write the ARN of one "+kind)
	}
	if uniqueID().MatchString(arn) {
		return refuse(fmt.Sprintf("%q is the id that a deleted principal leaves behind", arn), form)
	}
	m := principalARN().FindStringSubmatch(arn)
	switch {
	case m == nil || len(m[2]) > maxPrincipalName || strings.Contains(arn, "${"):
		return refuse(fmt.Sprintf("%q is not the ARN of a %s", arn, kind), form)
	case m[1] == "user" && kind == "role":
		return refuse(fmt.Sprintf("%q is a user, known by a long-lived key", arn), "write the ARN of a role, or declare the machine user with access_key")
	case m[1] != kind:
		return refuse(fmt.Sprintf("%q is a %s", arn, m[1]), form)
	}
	return nil
}

// checkPartition refuses what STS does: credentials of one partition are
// unknown in the others.
func checkPartition(s Scope, field, arn string) []Problem {
	a, err := iam.ParseARN(arn)
	if err != nil || a.Partition == s.Partition {
		return nil
	}
	return []Problem{{
		Field: field,
		Msg:   fmt.Sprintf("%q is in partition %s, but the role is in %s: nothing can act across partitions", arn, a.Partition, s.Partition),
	}}
}

// accountOf returns the account of an ARN, or "".
func accountOf(arn string) string {
	a, err := iam.ParseARN(arn)
	if err != nil {
		return ""
	}
	return a.Account
}

// nameOf returns a principal's path and name, or the ARN if it is none.
func nameOf(arn, kind string) string {
	if _, name, ok := strings.Cut(arn, ":"+kind+"/"); ok {
		return name
	}
	return arn
}

func (a AWSAccount) open() []string {
	return []string{"every principal of the account that its own policies let assume the role"}
}
