package catalog

import (
	"fmt"
	"regexp"
	"sync"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/fault"
)

// lazily compiles a regular expression when it is first used: most commands
// need none of them, and every start would pay for all.
func lazily(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

var (
	partitionForm = lazily(`^aws(-[a-z]+){0,3}$`)
	regionForm    = lazily(`^[a-z]{2,4}(-[a-z]+){1,3}-[0-9]{1,2}$`)
	accountForm   = lazily(`^[0-9]{12}$`)
)

// check refuses a scope that could not stand in an ARN, or would widen it.
func (s Scope) check() error {
	parts := []struct {
		what, value string
		form        func() *regexp.Regexp
		hint        string
	}{
		{"partition", s.Partition, partitionForm, "aws, aws-us-gov or aws-cn"},
		{"region", s.Region, regionForm, "such as eu-west-1"},
		{"account", s.Account, accountForm, "12 digits, in quotation marks"},
	}
	var errs fault.List
	for _, p := range parts {
		if !p.form().MatchString(p.value) {
			errs = append(errs, &fault.Error{
				Code: fault.Usage,
				What: fmt.Sprintf("%q is no AWS %s", p.value, p.what),
				Hint: p.hint,
			})
		}
	}
	if len(errs) > 0 {
		return errs.Err()
	}
	if msg, hint := CheckRegion(s.Region); msg != "" {
		return &fault.Error{Code: fault.Usage, What: msg, Hint: hint}
	}
	if of := iam.LookupPartition(s.Region); of != s.Partition {
		return &fault.Error{
			Code: fault.Usage,
			What: fmt.Sprintf("region %s is in partition %s, not in %s", s.Region, of, s.Partition),
			Hint: "name a region of " + s.Partition,
		}
	}
	return nil
}

// arn is a resource of the scope's region and account.
func (s Scope) arn(service, resource string) string {
	return s.arnIn(service, s.Region, s.Account, resource)
}

// iam is an IAM resource: IAM has no regions.
func (s Scope) iam(resource string) string { return s.arnIn("iam", "", s.Account, resource) }

// s3 is a bucket or an object: bucket names are unique in the partition, so
// their ARNs have neither region nor account.
func (s Scope) s3(resource string) string { return s.arnIn("s3", "", "", resource) }

func (s Scope) arnIn(service, region, account, resource string) string {
	return "arn:" + s.Partition + ":" + service + ":" + region + ":" + account + ":" + resource
}

// principals are the names under which a service may appear in condition keys
// such as iam:PassedToService. In China services have used both suffixes; as
// both belong to AWS, accepting both grants nothing more.
func (s Scope) principals(service string) []string {
	names := []string{service + ".amazonaws.com"}
	if s.Partition == "aws-cn" {
		names = append(names, service+".amazonaws.com.cn")
	}
	return names
}
