package simulate

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// class is a sort of row on which Postern and the witness may differ, told by
// what stands in the row, never by the verdicts. docs/conformance.md has each
// with its source.
type class struct {
	name  string
	holds func(r *row, dropped []string) bool
}

var classes = []class{
	{"dropped-keys", func(_ *row, dropped []string) bool { return len(dropped) > 0 }},
	{"oidc-claims", func(r *row, _ []string) bool { return r.usesKey(sub) }},
	{"aws-owned", func(r *row, _ []string) bool {
		return strings.HasPrefix(r.Request.Action, "iam:") && (strings.Contains(r.Request.Resource, ":aws:policy/") ||
			strings.Contains(r.Request.Resource, "/aws-reserved/") || strings.Contains(r.Request.Resource, "/aws-service-role/"))
	}},
	{"missing-trust-policy", func(r *row, _ []string) bool {
		return strings.HasPrefix(r.Request.Action, "sts:Assume") && r.Resource == nil
	}},
	{"root", func(r *row, _ []string) bool { return r.Request.Principal == root }},
	{"caller-of-assume-role", func(r *row, _ []string) bool {
		_, name := r.Request.Principal.(string)
		return r.Request.Action == "sts:AssumeRole" && (!name || r.Request.Principal == github || r.Request.Principal == fed)
	}},
	{"direct-grant-and-session-policy", func(r *row, _ []string) bool {
		return len(r.Session) > 0 && r.Request.Owner == home && r.grants("*", session, fed)
	}},
	{"federated-without-session-policy", func(r *row, _ []string) bool { return r.Request.Principal == fed && len(r.Session) == 0 }},
	{"service-linked", func(r *row, _ []string) bool { return r.Request.Principal == linked && len(r.SCP)+len(r.RCP) > 0 }},
	{"service-and-scp", func(r *row, _ []string) bool {
		return (r.Request.Principal == service || r.Request.Principal == github) && len(r.SCP) > 0
	}},
	{"variables-by-version", func(r *row, _ []string) bool {
		return r.hasText(func(doc *iam.Document, _ *iam.Statement, text string) bool {
			return doc.Version != iam.Version2012 && strings.Contains(text, "${")
		})
	}},
	{"unset-variable-kept-out", func(r *row, _ []string) bool { return r.hasUnsetVariable() }},
	{"not-principal", func(r *row, _ []string) bool {
		return r.has(func(_ place, _ *iam.Document, s *iam.Statement) bool { return s.NotPrincipal != nil })
	}},
	{"star-of-aws", func(r *row, _ []string) bool {
		return r.Request.Principal == github && r.has(func(_ place, _ *iam.Document, s *iam.Statement) bool {
			return s.Principal != nil && slices.Contains(s.Principal.AWS, "*")
		})
	}},
	{"rcp-services", func(r *row, _ []string) bool {
		return len(r.RCP) > 0 && (strings.HasPrefix(r.Request.Action, "iam:") || strings.HasPrefix(r.Request.Action, "ec2:") || strings.HasPrefix(r.Request.Action, "lambda:"))
	}},
	{"any-value-if-exists", func(r *row, _ []string) bool {
		return r.hasCondition(func(_ *iam.Document, _ *iam.Statement, c iam.Condition) bool {
			return strings.HasPrefix(c.Operator, "ForAnyValue:") && strings.HasSuffix(c.Operator, "IfExists") && r.value(c.Key) == nil
		})
	}},
	{"whole-address-space", func(r *row, _ []string) bool {
		return r.hasCondition(func(_ *iam.Document, _ *iam.Statement, c iam.Condition) bool {
			return slices.Contains(c.Values, "0.0.0.0/0")
		})
	}},
	{"not-address-of-the-other-family", func(r *row, _ []string) bool {
		asked, _ := r.value("aws:SourceIp").(string)
		return r.hasCondition(func(_ *iam.Document, _ *iam.Statement, c iam.Condition) bool {
			return strings.HasPrefix(c.Operator, "NotIpAddress") && slices.ContainsFunc(c.Values, func(v string) bool {
				return !strings.Contains(v, "/") && strings.Contains(v, ":") != strings.Contains(asked, ":")
			})
		})
	}},
	{"account-of-a-web-identity", func(r *row, _ []string) bool {
		return r.Request.Principal == github && r.has(func(_ place, _ *iam.Document, s *iam.Statement) bool {
			return s.Principal != nil && (slices.Contains(s.Principal.AWS, home) || slices.Contains(s.Principal.AWS, root))
		})
	}},
	{"epoch-seconds", func(r *row, _ []string) bool {
		return r.hasCondition(func(_ *iam.Document, _ *iam.Statement, c iam.Condition) bool {
			return slices.Contains(c.Values, "1767225600")
		})
	}},
	{"many-values-without-set-operator", func(r *row, _ []string) bool {
		return r.hasCondition(func(_ *iam.Document, _ *iam.Statement, c iam.Condition) bool {
			_, list := r.value(c.Key).([]string)
			return list && !strings.HasPrefix(c.Operator, "For") && c.Operator != "Null"
		})
	}},
}
