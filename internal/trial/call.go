package trial

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/action"
	"github.com/postern-dev/postern/internal/spec"
	"github.com/postern-dev/postern/internal/wire"
)

// buildable finds a call that the statement allows and that a request can be
// written for.
func buildable(s iam.Statement, region string) (wire.Call, bool) {
	if s.Effect != iam.Allow || slices.ContainsFunc(s.Conditions, hard) {
		return wire.Call{}, false
	}
	context := map[string][]string{}
	for _, c := range s.Conditions {
		if strings.HasPrefix(c.Operator, "String") || strings.HasPrefix(c.Operator, "Arn") {
			context[c.Key] = []string{concrete(c.Values[0])}
		}
	}
	for _, name := range s.Actions {
		if !alone(name) {
			continue
		}
		for _, resource := range s.Resources {
			c := wire.Call{Action: name, Resource: resource, Context: context}
			if resource != "*" {
				c.Resource = concrete(resource)
			}
			if _, ok := wire.BuildCall(c, region); ok {
				return c, true
			}
		}
	}
	return wire.Call{}, false
}

// alone reports whether AWS judges the action by one resource, and one that need
// not be there. Users, groups and roles beside the stack's own are not.
func alone(name string) bool {
	known, ok := action.Lookup(name)
	if !ok || known.Service == "iam" || known.Service == "sts" {
		return false
	}
	required := 0
	for _, r := range known.Resources {
		if r.Required {
			required++
		}
	}
	return required <= 1
}

// hard reports whether a request that is written for the call may not meet the
// condition: one about several values, or about what must be there.
func hard(c iam.Condition) bool {
	return strings.HasPrefix(c.Operator, "For") || c.Operator == "Null" && slices.Contains(c.Values, "false")
}

// concrete is one of the strings that a pattern stands for.
func concrete(pattern string) string {
	return strings.NewReplacer("*", "example", "?", "x").Replace(pattern)
}

// deniedCall is a call that the role must not be able to make: the first of
// the spec's guard rails that can be written as a request, else making a user.
func (t *roleTrial) deniedCall() wire.Call {
	for _, n := range t.spec.Never {
		if !t.bound(n) {
			continue
		}
		for _, action := range n.Actions {
			c := wire.Call{Action: action, Resource: t.resourceFor(action)}
			if _, ok := wire.BuildCall(c, t.spec.Region); ok && len(n.On) == 0 {
				return c
			}
		}
	}
	return wire.Call{Action: "iam:CreateUser", Resource: t.resourceFor("iam:CreateUser")}
}

// bound reports whether the guard rail is about an identity of this role.
func (t *roleTrial) bound(n spec.Never) bool {
	for _, pattern := range n.Roles {
		if iam.Match(pattern, t.role.Name) {
			return true
		}
	}
	for _, pattern := range n.Identities {
		for _, entry := range t.role.Trust {
			if pattern == "*" || iam.Match(pattern, entry.Identity) {
				return true
			}
		}
	}
	return false
}

// resourceFor is a resource that nobody has granted, of the kind that the
// action works on.
func (t *roleTrial) resourceFor(action string) string {
	s := t.scope()
	arn := iam.ARN{Partition: s.Partition, Region: s.Region, Account: s.Account}
	arn.Service, _, _ = strings.Cut(action, ":")
	switch arn.Service {
	case "iam":
		arn.Region, arn.Resource = "", "user/postern-trial"
	case "s3":
		arn.Region, arn.Account, arn.Resource = "", "", "postern-trial/object"
	case "secretsmanager":
		arn.Resource = "secret:postern-trial-AbCdEf"
	case "dynamodb":
		arn.Resource = "table/postern-trial"
	case "ecr":
		arn.Resource = "repository/postern-trial"
	default:
		return "*"
	}
	return arn.String()
}
