package sandbox

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/internal/plan"
)

// TestOperationTable: each operation once, each judged.
func TestOperationTable(t *testing.T) {
	seen := map[string]bool{}
	for _, op := range slices.Concat(iamOperations(), stsOperations()) {
		if op.name == "" || op.allow == nil || op.run == nil {
			t.Errorf("%q is not whole", op.name)
		}
		if seen[op.name] {
			t.Errorf("%s stands in the table twice", op.name)
		}
		seen[op.name] = true
		reading := strings.HasPrefix(op.name, "Get") || strings.HasPrefix(op.name, "List")
		if op.name != "GetSessionToken" && op.reads != reading {
			t.Errorf("%s: reads is %t", op.name, op.reads)
		}
	}
}

// TestNothingRunsUnjudged calls every operation as a user without policies.
func TestNothingRunsUnjudged(t *testing.T) {
	s, err := New(Options{Accounts: []AccountConfig{{ID: "111111111111"}}})
	if err != nil {
		t.Fatal(err)
	}
	a := s.state.Accounts["111111111111"]
	u := &user{Name: "nobody", Path: "/", ID: newID(userPrefix, idLength)}
	a.Users.put(u.Name, u, dues{})
	a.arrive(time.Now())
	open := []string{"GetCallerIdentity", "GetSessionToken"} // AWS allows them to everybody
	for _, op := range slices.Concat(iamOperations(), stsOperations()) {
		c := &call{s: s, who: userCaller(a, u, ""), account: a, service: "iam", now: time.Now(), params: params{"RoleArn": "arn:aws:iam::111111111111:role/x"}}
		if err := op.allow(c); (err == nil) != slices.Contains(open, op.name) {
			t.Errorf("%s as a user without policies: %v", op.name, err)
		}
	}
}

// TestEveryPlannedCallExists: whatever a plan calls, the sandbox serves.
func TestEveryPlannedCallExists(t *testing.T) {
	served := byName(iamOperations())
	for _, verb := range []plan.Verb{
		plan.CreateOpenIDConnectProvider, plan.AddClientIDToOpenIDConnectProvider, plan.DeleteOpenIDConnectProvider,
		plan.CreatePolicy, plan.CreatePolicyVersion, plan.DeletePolicyVersion, plan.DeletePolicy,
		plan.CreateUser, plan.DeleteUser, plan.TagUser, plan.UntagUser, plan.DeleteUserPolicy, plan.DetachUserPolicy,
		plan.DeleteUserPermissionsBoundary, plan.DeleteAccessKey, plan.AddUserToGroup, plan.RemoveUserFromGroup,
		plan.CreateGroup, plan.DeleteGroup, plan.PutGroupPolicy, plan.DeleteGroupPolicy, plan.DetachGroupPolicy,
		plan.CreateRole, plan.DeleteRole, plan.UpdateRole, plan.UpdateAssumeRolePolicy, plan.PutRolePermissionsBoundary,
		plan.DeleteRolePermissionsBoundary, plan.TagRole, plan.UntagRole, plan.PutRolePolicy, plan.DeleteRolePolicy,
		plan.AttachRolePolicy, plan.DetachRolePolicy, plan.CreateInstanceProfile, plan.DeleteInstanceProfile,
		plan.AddRoleToInstanceProfile, plan.RemoveRoleFromInstanceProfile,
	} {
		if _, ok := served[string(verb)]; !ok {
			t.Errorf("%s is not served", verb)
		}
	}
}

func TestAWSManagedPoliciesCompile(t *testing.T) {
	for name, text := range awsManagedTexts {
		if err := checkIdentityPolicy("policyDocument", text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if p := awsManagedPolicy(name, text); !uniqueID().MatchString(p.ID) {
			t.Errorf("%s has the ID %s", name, p.ID)
		}
	}
	if _, err := compilePolicy(eval.Identity, "deny all", denyAll); err != nil {
		t.Error(err)
	}
}
