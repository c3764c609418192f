package action_test

import (
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam/action"
)

func TestResourceTypesFor(t *testing.T) {
	for _, tt := range []struct {
		arn  string
		want []string
	}{
		{"arn:aws:s3:::shop", []string{"s3:bucket", "ssm:bucket"}},
		{"arn:aws:s3:::shop/a/b", []string{"s3:object"}},
		{"arn:aws-cn:iam::111111111111:role/a/b", []string{"ec2:role", "iam:role", "ssm:iam-role", "sts:role"}},
		{"arn:aws:kms:eu-west-1:111111111111:alias/x", []string{"events:alias", "kms:alias"}},
		{"arn:aws:sqs:eu-west-1:111111111111:q", []string{"sqs:queue"}},
		{"arn:aws:logs:eu-west-1:111111111111:log-group:a:log-stream:b", []string{"backup:recoveryPoint", "logs:log-stream"}},
		{"arn:aws:ecr:eu-west-1:111111111111:repository/a/b", []string{"ecr:repository"}},
		{"arn:aws:acm:eu-west-1:111111111111:acme-endpoint/a/acme-domain-validation/b", []string{"acm:acme-domain-validation"}},
		{"arn:aws:identitystore:::user/u", []string{"identitystore:AllUsers", "identitystore:User"}},
		{"arn:aws:sns:eu-west-1:111111111111:", nil},
		{"arn:aws:s3", nil},
		{"arn:aws:nope:::x", nil},
		{"s3:bucket", nil},
		{"", nil},
	} {
		var got []string
		for _, r := range action.ResourceTypesFor(tt.arn) {
			got = append(got, r.Service+":"+r.Name)
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s: %s", tt.arn, d)
		}
	}
}

// TestEachTypeFitsItsARNs fills every template and wants its type back.
func TestEachTypeFitsItsARNs(t *testing.T) {
	variable := regexp.MustCompile(`\$\{[^}]*\}`)
	for _, s := range all(t) {
		for i := range s.ResourceTypes {
			r := &s.ResourceTypes[i]
			for _, template := range r.ARNs {
				arn := variable.ReplaceAllString(template, "x")
				if !slices.Contains(action.ResourceTypesFor(arn), r) {
					t.Errorf("%s is not of type %s:%s", arn, s.Prefix, r.Name)
				}
			}
		}
	}
}

func TestOverlaps(t *testing.T) {
	for _, tt := range []struct {
		service, typ, resource string
		want                   bool
	}{
		{"s3", "bucket", "arn:aws:s3:::shop", true},
		{"s3", "bucket", "arn:aws:s3:::*", true},
		{"s3", "bucket", "*", true},
		{"s3", "bucket", "arn:aws:s3:::shop/*", false},
		{"s3", "object", "arn:aws:s3:::shop/*", true},
		{"s3", "object", "arn:aws:s3:::shop", false},
		{"s3", "object", "arn:aws:s3:::shop*", true},
		{"iam", "role", "arn:aws:iam::111111111111:user/x", false},
		{"iam", "role", "arn:aws:iam::111111111111:*/x", true},
		{"dms", "Certificate", "arn:aws:dms:eu-west-1:111111111111:cert:x", true},           // a template with a star
		{"apigateway", "Stage", "arn:aws:apigateway:eu-west-1::/restapis/a/stages/b", true}, // the second of two
		{"apigateway", "Stage", "arn:aws:apigateway:eu-west-1::/restapis/a/models/b", false},
	} {
		s, _ := action.ServiceByPrefix(tt.service)
		r, ok := s.ResourceType(tt.typ)
		if !ok {
			t.Fatalf("no %s:%s", tt.service, tt.typ)
		}
		if got := r.Overlaps(tt.resource); got != tt.want {
			t.Errorf("%s:%s and %s: %v", tt.service, tt.typ, tt.resource, got)
		}
	}
}

func FuzzResourceTypesFor(f *testing.F) {
	f.Add("arn:aws:s3:::a/b")
	f.Add("arn:aws:backup:eu-west-1:1:recovery-point:x")
	f.Add("arn:::::")
	f.Fuzz(func(t *testing.T, arn string) {
		for _, r := range action.ResourceTypesFor(arn) {
			if !r.Overlaps(arn) {
				t.Errorf("%s is of %s:%s, which it does not match", arn, r.Service, r.Name)
			}
		}
	})
}
