package trust

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

// Caller is the service as it acts for a resource that the identity admits.
func (v Service) Caller(s Scope) Caller {
	p, _ := named(v.short())
	c := serving(v.Principal(s))
	if p.account {
		c = c.withKey("aws:SourceAccount", v.sourceAccount(s))
	}
	if p.arn != "" {
		arn := v.sourceARN(s, p)
		if arn == "" {
			arn = iam.ARN{Partition: s.Partition, Service: p.arn, Region: s.Region, Account: v.sourceAccount(s), Resource: "*"}.String()
		}
		c = c.withKey("aws:SourceArn", concrete(arn))
	}
	return c
}

// Attackers are other services, and the service on behalf of others. Where it
// sends no key that tells for whom it acts, that cannot be told apart.
func (v Service) Attackers(s Scope) []Attack {
	right := v.Caller(s)
	another := right
	another.Principal.ARN = "ec2." + suffix("aws")
	if v.IsEC2() {
		another.Principal.ARN = "lambda." + suffix("aws")
	}
	attacks := []Attack{
		{"another AWS service", "whoever may configure it; a trust in several services lets it in", another},
		{"a role of another account", "anyone can open an account; a wildcard principal lets it in", assuming(eval.Role, iam.ARN{Partition: s.Partition, Service: "iam", Account: otherAccount(s.Account), Resource: "role/mallory"}.String(), nil)},
	}
	return append(attacks, v.deputies(right)...)
}

func (v Service) deputies(right Caller) []Attack {
	var attacks []Attack
	elsewhere, unsaid, told := right, right, false
	for _, key := range []string{"aws:SourceAccount", "aws:SourceArn"} {
		for _, value := range right.Keys[key] {
			account := value
			if strings.HasPrefix(value, "arn:") {
				account = accountOf(value)
			}
			elsewhere = elsewhere.withKey(key, strings.Replace(value, account, otherAccount(account), 1))
			unsaid, told = unsaid.withKey(key, ""), true
		}
	}
	if told {
		attacks = append(attacks,
			Attack{"the service for another account", "anyone who names this role in the service in an account of their own: the confused deputy", elsewhere},
			Attack{"the service without saying for whom", "ForAllValues and IfExists hold when the key is missing", unsaid},
		)
	}
	if v.SourceARN != "" && !strings.HasSuffix(v.SourceARN, "*") {
		attacks = append(attacks, Attack{"the service for another resource", "whoever may make one in the account; a trust in the account alone lets it in", right.withKey("aws:SourceArn", concrete(v.SourceARN)+"-evil")})
	}
	return attacks
}

// serving is an AWS service that asks for a role.
func serving(principal string) Caller {
	return Caller{Principal: eval.Principal{Kind: eval.Service, ARN: principal}, Actions: slices.Clone(assumeRole)}
}

// concrete is one of the texts that a pattern stands for.
func concrete(pattern string) string {
	return strings.NewReplacer("*", "example", "?", "x").Replace(pattern)
}
