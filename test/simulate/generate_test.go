package simulate

import (
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// The world of the generated rows.
const (
	home    = "111111111111"
	other   = "222222222222"
	alice   = "arn:aws:iam::111111111111:user/alice"
	role    = "arn:aws:iam::111111111111:role/team/ci"
	session = "arn:aws:sts::111111111111:assumed-role/ci/run-1"
	fed     = "arn:aws:sts::111111111111:federated-user/alice"
	root    = "arn:aws:iam::111111111111:root"
	linked  = "arn:aws:iam::111111111111:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
	service = "ec2.amazonaws.com"
	github  = "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"
	sub     = "token.actions.githubusercontent.com:sub"
)

// anonymous is how a row names nobody.
var anonymous = map[string]string{"type": "anonymous"}

// generator makes random rows in which most elements have a chance to match.
// The witness takes only actions, resources and keys that AWS lists.
type generator struct {
	*rand.Rand
	who string // the principal of the row being made
}

func (g generator) pick(from ...string) string { return from[g.IntN(len(from))] }
func (g generator) oneIn(n int) bool           { return g.IntN(n) == 0 }

func (g generator) some(from ...string) []string {
	out := []string{g.pick(from...)}
	for g.oneIn(3) {
		out = append(out, g.pick(from...))
	}
	return out
}

// call is an action with resources that it is made on; OWNER stands for the
// account.
type call struct {
	action    string
	resources []string
}

func (g generator) call(owner string) call {
	calls := []call{
		{"s3:GetObject", []string{"arn:aws:s3:::bucket/a/x", "arn:aws:s3:::bucket/bob/x"}},
		{"s3:GetObject", []string{"arn:aws:s3:::bucket/a*/x", "arn:aws:s3:::bucket/a/x"}[1:]},
		{"s3:PutObject", []string{"arn:aws:s3:::bucket/a/x", "arn:aws:s3:::other/a/x"}},
		{"s3:ListBucket", []string{"arn:aws:s3:::bucket"}},
		{"s3:ListAllMyBuckets", []string{"*"}},
		{"ec2:DescribeInstances", []string{"*"}},
		{"ec2:TerminateInstances", []string{"arn:aws:ec2:eu-west-1:" + owner + ":instance/i-1"}},
		{"sqs:SendMessage", []string{"arn:aws:sqs:eu-west-1:" + owner + ":queue"}},
		{"dynamodb:GetItem", []string{"arn:aws:dynamodb:eu-west-1:" + owner + ":table/a"}},
		{"lambda:InvokeFunction", []string{"arn:aws:lambda:eu-west-1:" + owner + ":function:a"}},
		{"kms:Decrypt", []string{"arn:aws:kms:eu-west-1:" + owner + ":key/1234"}},
		{"sts:AssumeRole", []string{"arn:aws:iam::" + owner + ":role/a"}},
		{"sts:GetCallerIdentity", []string{"*"}},
		{"iam:CreatePolicyVersion", []string{"arn:aws:iam::aws:policy/a", "arn:aws:iam::" + owner + ":policy/a"}},
		{"iam:PutRolePolicy", []string{"arn:aws:iam::" + owner + ":role/aws-reserved/sso.amazonaws.com/a", "arn:aws:iam::" + owner + ":role/a", "arn:aws:iam::" + owner + ":role/aws-service-role/a.amazonaws.com/a"}},
	}
	return calls[g.IntN(len(calls))]
}

func (g generator) row(id int) *row {
	r := &row{ID: id}
	r.Request.Owner = g.pick(home, home, home, other)
	c := g.call(r.Request.Owner)
	r.Request.Action, r.Request.Resource = c.action, g.pick(c.resources...)
	who := g.pick(alice, alice, alice, alice, alice, role, role, session, session, session, session, session, fed, root, service, linked, github, "")
	g.who = who
	r.Request.Principal = who
	if who == "" {
		r.Request.Principal = anonymous
	}
	if who == github {
		r.Request.Action, r.Request.Resource = "sts:AssumeRoleWithWebIdentity", "arn:aws:iam::"+home+":role/a"
		r.Request.Owner = home // a role trusts providers of its own account
	}
	r.Request.Context = g.context(who, r.Request.Action)
	g.policies(r, who)
	return r
}

// policies gives each principal the layers that the witness takes with it.
func (g generator) policies(r *row, who string) {
	r.Identity = []*iam.Document{}
	if who != "" && who != service && who != github {
		r.Identity = g.documents(inIdentity, 1+g.IntN(2))
		if g.oneIn(4) {
			r.Boundary = g.documents(inBoundary, 1)
		}
	}
	if who != "" && g.oneIn(4) {
		r.SCP = g.levels(inSCP)
	}
	if (who == role || who == session || who == fed || who == linked) && g.oneIn(3) {
		r.Session = g.documents(inSession, 1)
	}
	if g.oneIn(2) || who == "" || who == service || who == github || r.Request.Owner == other {
		r.Resource = g.document(inResource)
	}
	if g.oneIn(5) {
		r.RCP = g.levels(inRCP)
	}
	if r.Resource != nil && strings.HasPrefix(r.Request.Action, "sts:Assume") { // a trust policy
		for i := range r.Resource.Statements {
			r.Resource.Statements[i].Resources, r.Resource.Statements[i].NotResources = nil, nil
		}
	}
	if g.oneIn(8) {
		r.Endpoint = g.documents(inEndpoint, 1)
	}
}

func (g generator) documents(at place, n int) []*iam.Document {
	var out []*iam.Document
	for range n {
		out = append(out, g.document(at))
	}
	return out
}

func (g generator) document(at place) *iam.Document {
	doc := &iam.Document{Version: iam.Version2012}
	if at != inRCP && g.oneIn(12) {
		doc.Version = g.pick(iam.Version2008, "")
	}
	for range 1 + g.IntN(3) {
		doc.Statements = append(doc.Statements, g.statement(at))
	}
	return doc
}

// levels of an organisation mostly allow all.
func (g generator) levels(at place) [][]*iam.Document {
	var out [][]*iam.Document
	for range 1 + g.IntN(3) {
		var level []*iam.Document
		if at == inSCP && !g.oneIn(10) {
			level = append(level, &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{{
				Effect: iam.Allow, Actions: []string{"*"}, Resources: []string{"*"},
			}}})
		}
		if len(level) == 0 || g.oneIn(3) {
			level = append(level, g.document(at))
		}
		out = append(out, level)
	}
	return out
}

func (g generator) statement(at place) iam.Statement {
	s := iam.Statement{Effect: iam.Allow}
	if g.oneIn(6) || at == inRCP {
		s.Effect = iam.Deny
	}
	actions := g.some("s3:*", "s3:Get*", "S3:getobject", "s3:*Object", "ec2:*", "ec2:Describe*", "sqs:*", "dynamodb:Get?tem", "lambda:*",
		"kms:*", "sts:Assume*", "iam:*", "iam:Put*", "s3:List*", "sts:*")
	if at != inRCP && g.oneIn(2) {
		actions = []string{"*"}
	}
	if g.oneIn(8) && at != inRCP {
		s.NotActions = g.some("s3:Put*", "iam:*", "kms:*", "ec2:D*")
	} else {
		s.Actions = actions
	}
	if resources := g.resources(); g.oneIn(8) {
		s.NotResources = resources
	} else {
		s.Resources = resources
	}
	g.principal(at, &s)
	for g.oneIn(3) {
		c := g.condition()
		if !slices.ContainsFunc(s.Conditions, func(have iam.Condition) bool { // JSON holds one of a kind
			return have.Operator == c.Operator && strings.EqualFold(have.Key, c.Key)
		}) {
			s.Conditions = append(s.Conditions, c)
		}
	}
	return s
}

func (g generator) resources() []string {
	if g.oneIn(2) {
		return []string{"*"}
	}
	return g.some("arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket", "arn:aws:s3:::bucket/${aws:username}/*", "arn:aws:s3:::bucket/${aws:PrincipalTag/team, 'a'}/x",
		"arn:aws:s3:::b*/?/x", "arn:aws:s3:::bucket/a${*}/x", "arn:aws:sqs:*:*:queue", "arn:aws:*:*:*:*", "arn:aws:dynamodb:eu-west-1:*:table/${aws:username}",
		"arn:aws:lambda:*:111111111111:function:*", "arn:aws:kms:*:*:key/*", "arn:aws:iam::*:role/*", "arn:aws:iam::*:policy/*", "arn:aws:ec2:*:*:instance/*")
}

func (g generator) principal(at place, s *iam.Statement) {
	switch at {
	case inRCP, inEndpoint:
		s.Principal = &iam.Principal{Everyone: true}
		return
	case inResource:
	default:
		return
	}
	element := &iam.Principal{}
	switch g.IntN(8) {
	case 0:
		element.Everyone = true
	case 1:
		element.Service = g.some(service, "ecs.amazonaws.com")
	case 2:
		element.Federated = []string{github}
	case 3:
		element.AWS, element.Service = g.some(alice, home, session), []string{service}
	default:
		element.AWS = g.some(home, home, other, root, alice, alice, role, session, fed, linked, "*")
	}
	if s.Effect == iam.Deny && g.oneIn(8) {
		s.NotPrincipal = element
	} else {
		s.Principal = element
	}
}

// affix adds set operators and IfExists.
func (g generator) affix(set bool, operator string) string {
	if set {
		operator = g.pick("ForAllValues:", "ForAnyValue:") + operator
	}
	if g.oneIn(4) {
		operator += "IfExists"
	}
	return operator
}

func (g generator) condition() iam.Condition {
	kinds := 8
	if g.who == github {
		kinds = 10
	}
	switch g.IntN(kinds) {
	case 0:
		return iam.Condition{Operator: "Null", Key: g.pick("aws:username", "aws:SourceVpc", "aws:TagKeys"), Values: []string{g.pick("true", "false")}}
	case 1:
		return iam.Condition{Operator: g.affix(false, "Bool"), Key: g.pick("aws:SecureTransport", "aws:MultiFactorAuthPresent"), Values: []string{g.pick("true", "false")}}
	case 2:
		operator := g.pick("NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals")
		return iam.Condition{Operator: g.affix(false, operator), Key: "aws:MultiFactorAuthAge", Values: g.some("10", "3600", "-1", "99.5")}
	case 3:
		operator := g.pick("DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals")
		return iam.Condition{Operator: g.affix(false, operator), Key: g.pick("aws:CurrentTime", "aws:TokenIssueTime"), Values: g.some("2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "2030-01-01", "2026-06-01T12:00:00.5Z", g.pick("2026-01-01", "2026-01-01", "1767225600"))}
	case 4:
		return iam.Condition{Operator: g.affix(false, g.pick("IpAddress", "NotIpAddress")), Key: "aws:SourceIp", Values: g.some("10.0.0.0/8", "10.1.2.3", "2001:db8::/32", "10.0.0.0/15", "192.0.2.0/31", "2001:db8::1", g.pick("10.0.0.0/8", "10.0.0.0/8", "0.0.0.0/0"))}
	case 5:
		operator := g.pick("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike")
		return iam.Condition{Operator: g.affix(false, operator), Key: g.pick("aws:SourceArn", "aws:PrincipalArn"), Values: g.some("arn:aws:iam::111111111111:*", "arn:aws:iam::*:role/team/*", "arn:aws:sns:*:111111111111:t*", "arn:aws:sns:eu-west-1:111111111111:topic:sub")}
	case 6:
		key := g.pick("aws:TagKeys", "aws:PrincipalOrgPaths")
		operator := g.pick("StringEquals", "StringNotEquals", "StringLike", "StringNotLike")
		return iam.Condition{Operator: g.affix(!g.oneIn(8), operator), Key: key, Values: g.some("team", "Team", "env", "t*", "o-1/r-1/*", "o-1/r-1/ou-1/")}
	case 8, 9:
		return iam.Condition{Operator: g.affix(false, g.pick("StringEquals", "StringLike")), Key: sub, Values: g.some("repo:acme/shop:*", "repo:acme/shop:ref:refs/heads/main")}
	}
	operator := g.pick("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase")
	key := g.pick("aws:username", "aws:UserName", "aws:PrincipalTag/team", "aws:SourceVpc", "aws:RequestedRegion")
	return iam.Condition{Operator: g.affix(g.oneIn(8), operator), Key: key, Values: g.some("a", "alice", "ALICE", "al*", "vpc-?", "eu-west-1", "eu-*", "${aws:PrincipalTag/team}", "${aws:username, 'alice'}", "*", "a?ice")}
}

func (g generator) context(who, action string) map[string]any {
	out := map[string]any{}
	one := func(key string, values ...string) {
		if !g.oneIn(3) {
			out[key] = g.pick(values...)
		}
	}
	if who != "" && who != service {
		one("aws:username", "alice", "bob", "a", "Alice", "a*")
		one("aws:PrincipalTag/team", "a", "alice", "b")
		one("aws:MultiFactorAuthPresent", "true", "false")
		one("aws:MultiFactorAuthAge", "10", "99.50", "7200")
		one("aws:TokenIssueTime", "2026-01-01T00:00:00Z", "2025-06-01T00:00:00Z")
		one("aws:PrincipalArn", alice, role)
	}
	one("aws:SourceVpc", "vpc-1", "vpc-22")
	one("aws:RequestedRegion", "eu-west-1", "us-east-1")
	one("aws:SecureTransport", "true", "false")
	one("aws:CurrentTime", "2026-01-01T00:00:00Z", "2026-06-01T12:00:00Z")
	one("aws:SourceIp", "10.1.2.3", "192.0.2.1", "2001:db8::1")
	one("aws:SourceArn", "arn:aws:sns:eu-west-1:111111111111:topic", "arn:aws:sns:eu-west-1:111111111111:topic:sub")
	if g.oneIn(2) {
		out["aws:TagKeys"] = g.some("team", "env", "TEAM")
	}
	if g.oneIn(2) {
		out["aws:PrincipalOrgPaths"] = g.some("o-1/r-1/ou-1/", "o-2/r-2/")
	}
	if who == github {
		one(sub, "repo:acme/shop:ref:refs/heads/main", "repo:acme/web:pull_request")
	}
	return out
}
