package denial_test

import (
	"testing"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/internal/denial"
)

func TestMessage(t *testing.T) {
	const start = "User: arn:aws:iam::222222222222:user/alice is not authorized to perform: s3:PutObject on resource: arn:aws:s3:::shop/a "
	deny := func(kind eval.Kind) eval.Explanation {
		return eval.Explanation{Decision: eval.ExplicitDeny, Reasons: []eval.Reason{{Kind: kind, Effect: iam.Deny}}}
	}
	for _, test := range []struct {
		name string
		in   eval.Explanation
		want string
	}{
		{"nothing allows", eval.Explanation{}, "because no identity-based policy allows the s3:PutObject action"},
		{"the boundary is missing too", eval.Explanation{BlockedBy: []eval.Kind{eval.SCP, eval.Boundary}}, "because no permissions boundary allows the s3:PutObject action"},
		{"identity policy", deny(eval.Identity), "with an explicit deny in an identity-based policy"},
		{"service control policy", deny(eval.SCP), "with an explicit deny in a service control policy"},
		{"trust policy", deny(eval.Trust), "with an explicit deny in the role trust policy"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := denial.Message("arn:aws:iam::222222222222:user/alice", "s3:PutObject", "arn:aws:s3:::shop/a", test.in)
			if got != start+test.want {
				t.Errorf("got %s", got)
			}
		})
	}
}
