package reach

import (
	"fmt"
	"testing"
)

// crowd is an organisation of n roles in 20 accounts: each has a policy of its
// own and some of 50 that many share, a few are bounded, all are bound by SCPs.
func crowd(n int) []Member {
	var shared []Policy
	for i := range 50 {
		shared = append(shared, one(fmt.Sprint("shared-", i), fmt.Sprintf(
			`{"Effect":"Allow","Action":["s3:Get*","s3:List*","dynamodb:*","logs:PutLogEvents"],"Resource":["arn:aws:s3:::shared-%d/*","arn:aws:dynamodb:*:*:table/t%d","arn:aws:logs:*:*:log-group:/app/%d:*"]},
			{"Effect":"Deny","Action":"s3:Delete*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}}`, i, i, i)))
	}
	admin := one("admin", allowAll)
	edge := one("edge", `{"Effect":"Allow","NotAction":["iam:*","organizations:*"],"Resource":"*"}`)
	scp := [][]Policy{{one("full", allowAll)}, {one("full", allowAll), one("regions", `{"Effect":"Deny","NotAction":["iam:*","sts:*"],"Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":"eu-west-1"}}}`)}}
	members := make([]Member, n)
	for i := range members {
		own := one("own", fmt.Sprintf(
			`{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:ListBucket"],"Resource":["arn:aws:s3:::bucket-%d","arn:aws:s3:::bucket-%d/*"]},
			{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"arn:aws:sqs:eu-west-1:111111111111:queue-%d"},
			{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/app":"app-%d"}}},
			{"Effect":"Allow","Action":["kms:Decrypt","sts:AssumeRole"],"Resource":"arn:aws:iam::*:role/app-%d"}`, i, i, i, i, i))
		p := Principal{Identity: []Policy{own, shared[i%50], shared[(i*7+3)%50]}, SCP: scp}
		if i%100 == 0 {
			p.Identity = append(p.Identity, admin)
		}
		if i%10 == 0 {
			p.Boundary = &edge
		}
		account := fmt.Sprintf("%012d", 111111111111+i%20)
		members[i] = roleOf(account, fmt.Sprint("role-", i), `{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"},
			{"Effect":"Allow","Principal":{"AWS":"`+account+`"},"Action":"sts:AssumeRole"}`, p)
	}
	return members
}

func BenchmarkWhoCan(b *testing.B) {
	w := NewWorld(crowd(10_000), Facts{})
	for _, q := range []struct{ name, action, resource string }{
		{"few", "s3:GetObject", "arn:aws:s3:::bucket-77/key"},
		{"hundreds", "dynamodb:PutItem", "arn:aws:dynamodb:eu-west-1:111111111111:table/t3"},
		{"everyone", "secretsmanager:GetSecretValue", ""},
		{"pattern", "s3:*", "arn:aws:s3:::bucket-77/*"},
		{"everything", "s3:*", "*"},
		{"role", "sts:AssumeRole", "arn:aws:iam::111111111111:role/role-20"},
		{"roles", "sts:AssumeRole", ""},
	} {
		b.Run(q.name, func(b *testing.B) {
			found := 0
			for b.Loop() {
				found = len(w.WhoCan(q.action, q.resource))
			}
			b.ReportMetric(float64(found), "answers")
		})
	}
}

func BenchmarkNewWorld(b *testing.B) {
	members := crowd(10_000)
	for b.Loop() {
		NewWorld(members, Facts{})
	}
}
