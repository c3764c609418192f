package estate_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/iam/reach"
	"github.com/postern-dev/postern/internal/estate"
)

func TestMembers(t *testing.T) {
	doc, err := iam.Parse([]byte(all))
	if err != nil {
		t.Fatal(err)
	}
	const limit, shared = "arn:aws:iam::111111111111:policy/limit", "arn:aws:iam::aws:policy/shared"
	e := &estate.Estate{Accounts: []estate.Account{{
		ID: "111111111111", Partition: "aws",
		Users: []estate.User{{
			Name: "alice", Path: "/dev/", Groups: []string{"gone", "team"}, Boundary: limit,
			Inline: []estate.InlinePolicy{{Name: "own", Document: doc}},
		}},
		Groups:   []estate.Group{{Name: "team", Path: "/", Attached: []string{shared}, Inline: []estate.InlinePolicy{{Name: "work", Document: doc}}}},
		Roles:    []estate.Role{{Name: "ci", Path: "/", Trust: doc, Attached: []string{limit, "arn:aws:iam::aws:policy/unread"}}},
		Policies: []estate.ManagedPolicy{{Name: "limit", Path: "/", Document: doc}, {Name: "shared", Path: "/", AWSManaged: true, Document: doc}},
	}}}
	want := []reach.Member{
		{
			Who: eval.Principal{Kind: eval.User, ARN: "arn:aws:iam::111111111111:user/dev/alice", Account: "111111111111"},
			Permissions: reach.Principal{
				Identity: []reach.Policy{
					{Name: "inline policy own", Document: doc},
					{Name: "group gone"},
					{Name: "inline policy work of group team", Document: doc},
					{Name: shared, Document: doc},
				},
				Boundary: &reach.Policy{Name: limit, Document: doc},
			},
		},
		{
			Who:         eval.Principal{Kind: eval.Role, ARN: "arn:aws:iam::111111111111:role/ci", Account: "111111111111"},
			Permissions: reach.Principal{Identity: []reach.Policy{{Name: limit, Document: doc}, {Name: "arn:aws:iam::aws:policy/unread"}}},
			Trust:       doc,
		},
	}
	if diff := cmp.Diff(want, e.Members()); diff != "" {
		t.Errorf("Members (-want +got):\n%s", diff)
	}
	groups := []reach.Group{{
		ARN: "arn:aws:iam::111111111111:group/team", Members: []string{"arn:aws:iam::111111111111:user/dev/alice"},
		Policies: []reach.Policy{{Name: "inline policy work of group team", Document: doc}, {Name: shared, Document: doc}},
	}}
	if diff := cmp.Diff(groups, e.Groups()); diff != "" {
		t.Errorf("Groups (-want +got):\n%s", diff)
	}
}
