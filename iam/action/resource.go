package action

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// Overlaps reports whether a policy's Resource, which may hold wildcards, can
// stand for a resource of the type. Policy variables are to be replaced by "*"
// before.
func (t *ResourceType) Overlaps(resource string) bool {
	return slices.ContainsFunc(t.ARNs, func(template string) bool {
		if bucket(template) && strings.Contains(resource, "/") {
			return false
		}
		return iam.Overlaps(iam.ReplaceVariables(template, "*"), resource)
	})
}

// bucket says whether a template ends in a bucket's name, which holds no
// slash: the one template whose variable would swallow those of other types.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
func bucket(template string) bool { return strings.HasSuffix(template, ":::${BucketName}") }

// fit is how much of arn the best of the type's templates spells out, in
// bytes; -1 if none matches. A star is as good as a variable: types that stand
// for all of a kind are no better than the kind.
func (t *ResourceType) fit(arn string) int {
	best := -1
	for _, template := range t.ARNs {
		literal := len(strings.ReplaceAll(iam.ReplaceVariables(template, ""), "*", ""))
		if literal > best && matchTemplate(template, arn) {
			best = literal
		}
	}
	return best
}

// matchTemplate compares the five segments before the resource one by one, so
// that no variable crosses a colon there, and then the resource.
func matchTemplate(template, arn string) bool {
	if bucket(template) && strings.Contains(arn, "/") {
		return false
	}
	for range 5 {
		want, restOfTemplate, ok := strings.Cut(template, ":")
		got, rest, found := strings.Cut(arn, ":")
		if !ok || !found || !iam.Match(iam.ReplaceVariables(want, "*"), got) {
			return false
		}
		template, arn = restOfTemplate, rest
	}
	return iam.Match(iam.ReplaceVariables(template, "?*"), arn)
}

// ResourceTypesFor lists the types that an ARN can be of: of each service the
// one or those whose template says most about it, sorted by service and name.
// Several services may document a type for the same ARNs. In a template each
// variable stands for some text of one segment of the ARN, the last one also for
// slashes and colons.
func ResourceTypesFor(arn string) []*ResourceType {
	parts := strings.SplitN(arn, ":", 4)
	if len(parts) < 4 || parts[0] != "arn" {
		return nil
	}
	var found []*ResourceType
	a := reference()
	for i := range a.services {
		if e := &a.services[i]; e.documents(parts[2]) {
			found = append(found, e.load().bestTypes(arn)...)
		}
	}
	return found
}

// documents reports whether the service has resource types whose ARNs name the
// service arnService.
func (e *entry) documents(arnService string) bool {
	if e.arnServices == "" {
		return e.prefix == arnService
	}
	for s := range strings.SplitSeq(e.arnServices, " ") {
		if s == arnService || s == "*" {
			return true
		}
	}
	return false
}

// bestTypes lists the service's types that an ARN can be of: those whose
// template says most about it.
func (s *Service) bestTypes(arn string) []*ResourceType {
	var found []*ResourceType
	best := 0
	for i := range s.ResourceTypes {
		t := &s.ResourceTypes[i]
		switch fit := t.fit(arn); {
		case fit < 0 || fit < best:
		case fit > best:
			best, found = fit, []*ResourceType{t}
		default:
			found = append(found, t)
		}
	}
	return found
}
