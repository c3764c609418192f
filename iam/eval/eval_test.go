package eval_test

import (
	"testing"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

// The accounts of the tests, and who lives there.
const (
	home  = "111111111111"
	other = "222222222222"

	bucket  = "arn:aws:s3:::bucket/key"
	roleARN = "arn:aws:iam::111111111111:role/team/ci"
)

var (
	alice   = eval.Principal{Kind: eval.User, ARN: "arn:aws:iam::111111111111:user/alice", Account: home}
	role    = eval.Principal{Kind: eval.Role, ARN: roleARN, Account: home}
	session = eval.Principal{Kind: eval.RoleSession, ARN: "arn:aws:sts::111111111111:assumed-role/ci/run-1", RoleARN: roleARN, Account: home}
	fed     = eval.Principal{Kind: eval.FederatedUser, ARN: "arn:aws:sts::111111111111:federated-user/bob", UserARN: alice.ARN, Account: home}
	root    = eval.Principal{Kind: eval.Root, ARN: "arn:aws:iam::111111111111:root", Account: home}
	ec2     = eval.Principal{Kind: eval.Service, ARN: "ec2.amazonaws.com"}
	github  = eval.Principal{Kind: eval.WebIdentity, ARN: "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com", Account: home}
	saml    = eval.Principal{Kind: eval.SAML, ARN: "arn:aws:iam::111111111111:saml-provider/corp", Account: home}
	nobody  = eval.Principal{Kind: eval.Anonymous}
)

// compile compiles a policy that must be free of doubt.
func compile(t testing.TB, name string, kind eval.Kind, src string) *eval.Policy {
	t.Helper()
	p, err := eval.Compile(name, kind, document(t, src))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func document(t testing.TB, src string) *iam.Document {
	t.Helper()
	doc, err := iam.Parse([]byte(src))
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	return doc
}

// v12 is a policy of one statement, given by its members, in Version 2012-10-17.
func v12(members string) string {
	return `{"Version":"2012-10-17","Statement":[{` + members + `}]}`
}

// decide judges and holds Explain to the same decision, and MightAllow to one
// no stricter.
func decide(t testing.TB, l *eval.Layers, r *eval.Request) eval.Decision {
	t.Helper()
	got := l.Decide(r)
	if explained := l.Explain(r).Decision; explained != got {
		t.Errorf("Decide = %v, but Explain says %v", got, explained)
	}
	if got == eval.Allowed && !l.MightAllow(r) {
		t.Error("Decide allows what MightAllow thinks impossible")
	}
	return got
}
