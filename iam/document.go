// Package iam holds the AWS policy language as plain values: documents,
// statements, ARNs and wildcard patterns. It parses with positions, prints
// canonically, normalises and measures. It refuses to judge: evaluation is in
// iam/eval, advice in iam/lint. It imports the standard library only.
package iam

import "fmt"

// Versions of the policy language. Variables such as ${aws:username} work in
// Version2012 only; a document without a version is read as Version2008.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
const (
	Version2012 = "2012-10-17"
	Version2008 = "2008-10-17"
)

// Effect is what a statement does to the requests that it matches.
type Effect string

// The two effects. AWS takes exactly these spellings.
const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

// Document is one policy: identity policy, trust policy, boundary, and so on.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
type Document struct {
	Version    string // Version2012, Version2008 or empty
	ID         string // the Id element; rarely used
	Statements []Statement
}

// Statement is one rule of a document. Of each pair (Actions, NotActions) and
// so on at most one is set; nil means that the element is absent.
type Statement struct {
	SID          string
	Effect       Effect
	Principal    *Principal // nil in identity policies
	NotPrincipal *Principal
	Actions      []string // patterns such as "s3:Get*"; case-insensitive
	NotActions   []string
	Resources    []string // ARN patterns; nil in trust policies
	NotResources []string
	Conditions   []Condition // all must hold
	Pos          Pos         // where it was read; zero if it was built in code
}

// Condition is one operator applied to one key: any of Values satisfies it
// (none of them may match for the negated operators).
type Condition struct {
	Operator string // such as "StringEquals" or "ForAnyValue:StringLike"
	Key      string // such as "aws:SourceArn"; case-insensitive
	Values   []string
}

// Principal is the Principal or NotPrincipal element.
type Principal struct {
	Everyone      bool     // the bare "*"
	AWS           []string // ARNs, account ids or "*"
	Service       []string // such as "ec2.amazonaws.com"
	Federated     []string // OIDC or SAML provider ARNs, or well-known names
	CanonicalUser []string
}

// Pos is a place in a source text. The zero value means "not known".
type Pos struct {
	Line   int // from 1
	Column int // from 1, in bytes
}

// String is "line:column", or "-" where the place is not known.
func (p Pos) String() string {
	if p.Line == 0 {
		return "-"
	}
	return fmt.Sprintf("%d:%d", p.Line, p.Column)
}
