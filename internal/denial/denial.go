// Package denial says in AWS's words why a call was denied. It decides nothing.
package denial

import (
	"slices"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

// Message is what AWS answers to a call that the explanation denies. The
// principal is an ARN, the resource an ARN or "*".
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func Message(principal, action, resource string, ex eval.Explanation) string {
	return "User: " + principal + " is not authorized to perform: " + action + " on resource: " + resource + " " + blame(action, ex)
}

var policyWords = map[eval.Kind]string{
	eval.Identity: "identity-based policy", eval.Boundary: "permissions boundary", eval.Session: "session policy",
	eval.Resource: "resource-based policy", eval.Trust: "role trust policy", eval.Endpoint: "VPC endpoint policy",
	eval.SCP: "service control policy", eval.RCP: "resource control policy",
}

func blame(action string, ex eval.Explanation) string {
	if ex.Decision == eval.ExplicitDeny {
		for _, r := range ex.Reasons {
			switch {
			case r.Effect == iam.Deny && r.Kind == eval.Trust:
				return "with an explicit deny in the role trust policy"
			case r.Effect == iam.Deny && r.Kind == eval.Identity:
				return "with an explicit deny in an identity-based policy"
			case r.Effect == iam.Deny:
				return "with an explicit deny in a " + policyWords[r.Kind]
			}
		}
	}
	kind := eval.Identity
	if len(ex.BlockedBy) > 0 {
		kind = slices.Min(ex.BlockedBy)
	}
	return "because no " + policyWords[kind] + " allows the " + action + " action"
}
