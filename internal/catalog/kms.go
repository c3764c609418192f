package catalog

import (
	"strings"

	"github.com/postern-dev/postern/iam"
)

// kmsKeyParam names a KMS key. The account's own keys are named by id, as a
// role mostly lives where they do.
func kmsKeyParam(name, does, without string) Param {
	return Param{
		Name: name, Type: String, Max: 200, Example: "1234abcd-12ab-34cd-56ef-1234567890ab",
		Pattern: `^(arn:aws(-[a-z]+)*:kms:[a-z0-9-]+:[0-9]{12}:key/)?([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})$`,
		Summary: "id of the KMS key " + does + ", or its ARN if it is of another account; " + without,
		Wider:   "no level reaches keys that are not named",
	}
}

// regionParam moves the grant's resources out of the role's own region.
func regionParam(of string) Param {
	return Param{
		Name: "region", Type: String, Max: 30, Regions: true, Pattern: regionForm().String(), Example: "eu-west-1",
		Summary: "region of " + of + "; without it the role's own",
	}
}

// in is the scope in another region, or itself.
func (s Scope) in(region string) Scope {
	if region != "" {
		s.Region = region
	}
	return s
}

// kmsKey is the ARN of a key, given as an id or an ARN, and its region.
func (s Scope) kmsKey(key string) (arn, region string) {
	if strings.HasPrefix(key, "arn:") {
		return key, strings.Split(key, ":")[3]
	}
	return s.arn("kms", "key/"+key), s.Region
}

// through allows a KMS key to be used through one service only: not to decrypt
// a copy of what the service keeps.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
func (s Scope) through(service, key, sid string, actions []string, conditions ...iam.Condition) iam.Statement {
	arn, region := s.kmsKey(key)
	via := when("StringEquals", "kms:ViaService", s.principals(service+"."+region)...)
	return allow(sid, actions, []string{arn}, append(conditions, via)...)
}
