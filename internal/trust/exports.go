package trust

import (
	"time"

	"github.com/postern-dev/postern/iam"
)

// EndsAt is the condition under which access ends by itself at an instant.
func EndsAt(until time.Time) iam.Condition {
	return iam.Condition{
		Operator: "DateLessThan", Key: "aws:CurrentTime", Values: []string{until.UTC().Format(time.RFC3339)},
	}
}

// IsEC2 reports whether the service is EC2, which takes a role through an
// instance profile.
func (v Service) IsEC2() bool { return v.short() == "ec2" }

// Principal is the service's principal in the scope's partition, such as
// "ec2.amazonaws.com".
func (v Service) Principal(s Scope) string {
	p, ok := named(v.short())
	if !ok {
		return v.Name
	}
	return p.in(s.Partition)
}
