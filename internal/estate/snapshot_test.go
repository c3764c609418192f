package estate_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/estate"
)

const all = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

func TestReadSnapshot(t *testing.T) {
	doc := func() *iam.Document {
		d, err := iam.Parse([]byte(all))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	// Two accounts, as two runs of the AWS CLI would write them.
	src := `{
  "UserDetailList": [
    {"Path": "/", "UserName": "bob", "UserId": "AIDA2", "Arn": "arn:aws:iam::111111111111:user/bob", "CreateDate": "2026-01-01T00:00:00+00:00"},
    {"Path": "/dev/", "UserName": "alice", "Arn": "arn:aws:iam::111111111111:user/dev/alice", "GroupList": ["b", "a"],
     "UserPolicyList": [{"PolicyName": "own", "PolicyDocument": ` + all + `}, {"PolicyName": "broken", "PolicyDocument": {"Statement": 1}}],
     "AttachedManagedPolicies": [{"PolicyName": "x", "PolicyArn": "arn:aws:iam::aws:policy/x"}],
     "PermissionsBoundary": {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": "arn:aws:iam::111111111111:policy/limit"},
     "Tags": [{"Key": "team", "Value": "a"}]}
  ],
  "GroupDetailList": [{"Path": "/", "GroupName": "a", "Arn": "arn:aws:iam::111111111111:group/a", "GroupPolicyList": [], "AttachedManagedPolicies": []}],
  "RoleDetailList": [],
  "Policies": [
    {"PolicyName": "x", "Arn": "arn:aws:iam::aws:policy/x", "Path": "/", "DefaultVersionId": "v2", "PolicyVersionList": [{"VersionId": "v1", "Document": {}}, {"VersionId": "v2", "Document": ` + all + `}]},
    {"PolicyName": "limit", "Arn": "arn:aws:iam::111111111111:policy/limit", "Path": "/", "DefaultVersionId": "v1", "PolicyVersionList": [{"VersionId": "v2", "Document": {}}, {"VersionId": "v1", "Document": ` + all + `}]}
  ]
}
{"UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList": [
  {"Path": "/", "RoleName": "ci", "Arn": "arn:aws-cn:iam::222222222222:role/ci",
   "AssumeRolePolicyDocument": "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22%2A%22%2C%22Resource%22%3A%22%2A%22%7D%5D%7D",
   "InstanceProfileList": [{"Path": "/", "InstanceProfileName": "ci", "Arn": "arn:aws-cn:iam::222222222222:instance-profile/ci", "Roles": []}],
   "RolePolicyList": [], "AttachedManagedPolicies": [], "Tags": []},
  {"Path": "/", "RoleName": "fn", "Arn": "arn:aws-cn:iam::222222222222:role/fn", "AssumeRolePolicyDocument": ` + all + `, "InstanceProfileList": []}]}`
	got, err := estate.ReadSnapshot([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	shared := estate.ManagedPolicy{Name: "x", Path: "/", AWSManaged: true, Document: doc()}
	want := &estate.Estate{Accounts: []estate.Account{
		{
			ID: "111111111111", Partition: "aws", Quotas: estate.DefaultQuotas(),
			Users: []estate.User{
				{
					Name: "alice", Path: "/dev/", Groups: []string{"a", "b"}, Attached: []string{"arn:aws:iam::aws:policy/x"},
					Inline:   []estate.InlinePolicy{{Name: "broken"}, {Name: "own", Document: doc()}},
					Boundary: "arn:aws:iam::111111111111:policy/limit", Tags: map[string]string{"team": "a"},
				},
				{Name: "bob", Path: "/"},
			},
			Groups:   []estate.Group{{Name: "a", Path: "/"}},
			Policies: []estate.ManagedPolicy{{Name: "limit", Path: "/", Document: doc(), Versions: []string{"v2"}}, shared},
		},
		{
			ID: "222222222222", Partition: "aws-cn", Quotas: estate.DefaultQuotas(), Policies: []estate.ManagedPolicy{shared},
			Roles:            []estate.Role{{Name: "ci", Path: "/", Trust: doc()}, {Name: "fn", Path: "/", Trust: doc(), Unprofiled: true}},
			InstanceProfiles: []estate.InstanceProfile{{Name: "ci", Path: "/", Role: "ci"}},
		},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ReadSnapshot (-want +got):\n%s", diff)
	}
}

func TestReadSnapshotRefuses(t *testing.T) {
	for src, want := range map[string]string{
		"":                                      "read snapshot: it is empty",
		"{":                                     "read snapshot: it is cut off",
		"[]":                                    "read snapshot: it is of the wrong type: array",
		all:                                     "read snapshot: not the output of aws iam get-account-authorization-details",
		`{"UserDetailList":[{}]}`:               `read snapshot: parse ARN "": want`,
		`{"RoleDetailList":[],"NextToken":"x"}`: "read snapshot: it is only a part",
		`{"RoleDetailList":[]}{"RoleDetailList":[],"IsTruncated":true}`: "read snapshot: it is only a part",
		`{"RoleDetailList":[]}x`:                           "read snapshot: invalid character 'x'",
		`{"Policies":[{"Arn":"arn:aws:iam::x:policy/y"}]}`: `names no account`,
		`{"UserDetailList":[{"Arn":"arn:aws:iam::111111111111:user/a"},{"Arn":"arn:aws:iam::111111111111:user/p/A"}]}`:                     `user A of account 111111111111 is there twice`,
		`{"Policies":[{"Arn":"arn:aws:iam::111111111111:policy/a"},{"Arn":"arn:aws:iam::111111111111:policy/a"}]}`:                         `policy a of account 111111111111 is there twice`,
		`{"RoleDetailList":[{"Arn":"arn:aws:iam::111111111111:role/a","RoleName":"b"}]}`:                                                   `arn:aws:iam::111111111111:role/a is not the ARN of role "b" on path "/"`,
		`{"RoleDetailList":[{"Arn":"arn:aws:iam::111111111111:user/a"}]}`:                                                                  `arn:aws:iam::111111111111:user/a is not the ARN of role "a"`,
		`{"RoleDetailList":[{"Arn":"arn:aws:iam::111111111111:role/"}]}`:                                                                   `is not the ARN of role ""`,
		`{"RoleDetailList":[{"Arn":"arn:aws:iam::111111111111:role/a"}],"UserDetailList":[{"Arn":"arn:aws-cn:iam::111111111111:user/a"}]}`: `in partition aws-cn and, by arn:aws:iam::111111111111:role/a, in another`,
	} {
		if e, err := estate.ReadSnapshot([]byte(src)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ReadSnapshot(%q) = %v, %v, want %s", src, e, err, want)
		}
	}
}
