package lint_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/postern-dev/postern/iam/lint"
)

// BenchmarkRun validates policies of usual sizes, all checks on.
func BenchmarkRun(b *testing.B) {
	small := `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"],
		"Resource": ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"], "Condition": {"Bool": {"aws:SecureTransport": "true"}}}]}`
	var statements []string
	for i := range 40 {
		statements = append(statements, fmt.Sprintf(`{"Effect": "Allow", "Action": ["s3:Get*", "sqs:SendMessage"],
			"Resource": ["arn:aws:s3:::bucket-%d/*", "arn:aws:sqs:eu-west-1:111122223333:queue-%d"]}`, i, i))
	}
	large := `{"Version": "2012-10-17", "Statement": [` + strings.Join(statements, ",") + `]}`
	for name, src := range map[string]string{"small": small, "40 statements": large} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			b.ReportAllocs()
			for b.Loop() {
				if f := lint.Run([]byte(src), lint.Options{Type: lint.Identity}); len(f) > 0 {
					b.Fatal(f[0].Message)
				}
			}
		})
	}
}
