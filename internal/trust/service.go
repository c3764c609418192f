package trust

import (
	"fmt"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/suggest"
)

// Kind is "service".
func (Service) Kind() string { return "service" }

// Describe names the service and the resource it acts for.
func (v Service) Describe() string {
	line := "AWS service " + v.short() + ".amazonaws.com"
	if v.SourceARN != "" {
		line += " for " + v.SourceARN
	}
	return line
}

// short is the service's name without the DNS suffix of any partition.
func (v Service) short() string {
	name := strings.ToLower(strings.TrimSpace(v.Name))
	name = strings.TrimSuffix(name, ".cn")
	return strings.TrimSuffix(name, ".amazonaws.com")
}

// IsEC2 reports whether the service is EC2, which takes a role through an
// instance profile.
func (v Service) IsEC2() bool { return v.short() == "ec2" }

// Principal is the service's principal in the scope's partition, such as
// "ec2.amazonaws.com"; an unknown service, which Check refuses, keeps its name.
func (v Service) Principal(s Scope) string {
	p, ok := named(v.short())
	if !ok {
		return v.Name
	}
	return p.in(s.Partition)
}

// Check refuses services that assume no roles, and conditions on keys that the
// service does not send, which would shut it out.
func (v Service) Check() []Problem {
	p, ok := named(v.short())
	if !ok {
		return v.unknown()
	}
	return append(v.checkSourceARN(p), v.checkSourceAccount(p)...)
}

// regional is a service principal of one region, such as
// states.eu-west-1; the plain name stands for the role's own region.
var regional = lazily(`^(.+)\.[a-z]{2}(?:-[a-z]+)+-[0-9]$`)

func (v Service) unknown() []Problem {
	p := Problem{Field: "name"}
	name := v.short()
	m := regional().FindStringSubmatch(name)
	near := suggest.Nearest(name, Services())
	switch {
	case name == "":
		p.Msg, p.Hint = "is missing", "write the service's name, such as ec2"
	case m != nil:
		p.Msg, p.Hint = fmt.Sprintf("%q names one region", v.Name), "write "+m[1]
	case withKinds[name] != "":
		p.Msg, p.Hint = fmt.Sprintf("%q alone would trust everyone for whom the service acts", v.Name), "declare "+withKinds[name]
	case standIns[name] != "":
		p.Msg, p.Hint = fmt.Sprintf("%q is not the name of a service principal", v.Name), "write "+standIns[name]
	case near != "":
		p.Msg, p.Hint = fmt.Sprintf("%q is not a service that assumes roles", v.Name), fmt.Sprintf("did you mean %s?", near)
	default:
		p.Msg = fmt.Sprintf("%q is not a service that assumes roles", v.Name)
	}
	return []Problem{p}
}

// sourceForm has wildcards in region and resource only.
var sourceForm = lazily(`^arn:(aws|aws-us-gov|aws-cn):([a-z0-9-]+):([a-z0-9*-]*):([0-9]{12}):[^\s]+$`)

func (v Service) checkSourceARN(p principal) []Problem {
	refuse := func(msg, hint string) []Problem {
		return []Problem{{Field: "source_arn", Msg: msg, Hint: hint}}
	}
	if v.SourceARN == "" {
		return nil
	}
	if p.arn == "" {
		return refuse(p.name+" sends no aws:SourceArn when it assumes a role: the condition would never hold", "leave source_arn out")
	}
	m := sourceForm().FindStringSubmatch(v.SourceARN)
	switch {
	case m == nil:
		return refuse(fmt.Sprintf("%q is not the ARN of a resource in one account", v.SourceARN), fmt.Sprintf("write arn:aws:%s:REGION:ACCOUNT:…; only REGION and the resource may hold *", p.arn))
	case m[2] != p.arn:
		return refuse(fmt.Sprintf("%q is no resource of %s: the condition would never hold", v.SourceARN, p.name), fmt.Sprintf("write arn:aws:%s:REGION:ACCOUNT:…", p.arn))
	case strings.Contains(v.SourceARN, "${"):
		return refuse(fmt.Sprintf("%q holds a policy variable", v.SourceARN), "write the ARN out")
	}
	return nil
}

func (v Service) checkSourceAccount(p principal) []Problem {
	refuse := func(msg, hint string) []Problem {
		return []Problem{{Field: "source_account", Msg: msg, Hint: hint}}
	}
	arn := accountOf(v.SourceARN)
	switch {
	case v.SourceAccount == "":
		return nil
	case !p.account && p.arn == "":
		return refuse(p.name+" sends neither aws:SourceAccount nor aws:SourceArn when it assumes a role: the condition would never hold", "leave source_account out")
	case !iam.IsAccountID(v.SourceAccount):
		return refuse(fmt.Sprintf("%q is not 12 digits", v.SourceAccount), `write the account id in quotes: "123456789012"`)
	case arn != "" && arn != v.SourceAccount:
		return refuse(fmt.Sprintf("%s is not the account of source_arn, %s: both must hold at once", v.SourceAccount, arn), "leave source_account out")
	}
	return nil
}

func (v Service) checkIn(s Scope) []Problem {
	return checkPartition(s, "source_arn", v.SourceARN)
}

func (v Service) statement(s Scope) iam.Statement {
	p, _ := named(v.short())
	st := iam.Statement{
		Effect:    iam.Allow,
		Principal: &iam.Principal{Service: []string{v.Principal(s)}},
		Actions:   assumeRole,
	}
	if p.account {
		st.Conditions = append(st.Conditions, equals("aws:SourceAccount", v.sourceAccount(s)))
	}
	if arn := v.sourceARN(s, p); arn != "" {
		st.Conditions = append(st.Conditions, iam.Condition{Operator: arnOperator(arn), Key: "aws:SourceArn", Values: []string{arn}})
	}
	return st
}

// sourceARN is the resource the service must act for. Where the service sends
// the ARN alone, any of the account's stands for the account.
func (v Service) sourceARN(s Scope, p principal) string {
	if v.SourceARN != "" || p.arn == "" || p.account {
		return v.SourceARN
	}
	return iam.ARN{Partition: s.Partition, Service: p.arn, Region: "*", Account: v.sourceAccount(s), Resource: "*"}.String()
}

func (v Service) sourceAccount(s Scope) string {
	if v.SourceAccount != "" {
		return v.SourceAccount
	}
	if account := accountOf(v.SourceARN); account != "" {
		return account
	}
	return s.Account
}

// arnOperator says by its name what is meant; IAM treats both alike.
func arnOperator(arn string) string {
	if strings.ContainsAny(arn, wildcards) {
		return "ArnLike"
	}
	return "ArnEquals"
}

func (v Service) open() []string {
	p, _ := named(v.short())
	return facts(fact{!p.account && p.arn == "", "whoever may have " + p.name + " use the role: the service does not say on whose behalf it acts"})
}
