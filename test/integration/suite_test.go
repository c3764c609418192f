package integration

import (
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/sandbox"
)

// scenarios are the suite. Each says the same of every peer.
var scenarios = []struct {
	name string
	run  func(*world)
}{
	{"everything stands as declared", everything},
	{"drift shows and heals", drift},
	{"edits of the spec give and take what they say", specEdits},
	{"a plan file is exact or refused", planFile},
	{"destroy leaves what is not ours", destroyOnlyOurs},
	{"taken names are refused", takenNames},
	{"what does not fit inline spills", spill},
	{"who decides who logs in is told alike of an account and of a snapshot", logins},
}

func TestPeers(t *testing.T) {
	for _, open := range []struct {
		name string
		peer func(testing.TB) *peer
	}{
		{"sandbox", func(t testing.TB) *peer { return sandboxPeer(t, sandbox.Options{}) }},
		{"moto", motoPeer},
	} {
		t.Run(open.name, func(t *testing.T) {
			t.Parallel()
			p := open.peer(t)
			for _, s := range scenarios {
				t.Run(s.name, func(t *testing.T) {
					t.Parallel()
					s.run(newWorld(t, p))
				})
			}
		})
	}
}

const anyBoundary = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecr:*","sns:*"],"Resource":"*"}]}`

// singly asks for single things, which the CLI's other commands answer from
// other calls than the one that reads a whole account.
var singly = []struct{ account, ask, want string }{
	{
		work, "iam get-role --role-name all-deploy --query Role.[Arn,MaxSessionDuration,PermissionsBoundary.PermissionsBoundaryArn,Description]",
		`["arn:aws:iam::222222222222:role/postern/all/all-deploy",7200,"arn:aws:iam::222222222222:policy/boundary","Releases the shop"]`,
	},
	{
		work, "iam list-role-tags --role-name all-deploy --query sort_by(Tags,&Key)[].[Key,Value]",
		`[["cost-centre","0042"],["postern:stack","all"],["team","shop"]]`,
	},
	{
		work, "iam get-role-policy --role-name all-deploy --policy-name custom --query PolicyDocument.Statement[0].[Effect,Action,Resource]",
		`["Allow","sns:Publish","arn:aws:sns:eu-west-1:222222222222:releases"]`,
	},
	{
		work, "iam get-instance-profile --instance-profile-name all-host --query InstanceProfile.[Path,Roles[].RoleName]",
		`["/postern/all/",["all-host"]]`,
	},
	{
		hub, "iam get-group --group-name all-robot --query [Group.Path,Users[].UserName]",
		`["/postern/all/",["all-robot"]]`,
	},
}

// everything brings up a stack that has all that a spec can say, reads all of
// it back in both accounts, and takes it down again.
func everything(w *world) {
	w.aws(work, "iam", "create-policy", "--policy-name", "boundary", "--policy-document", anyBoundary)
	w.writeFile("everything.yaml")
	w.apply()
	w.stands(hub, testdata(w, "everything-hub.json"))
	w.stands(work, testdata(w, "everything-work.json"))
	for _, one := range singly {
		if got := w.aws(one.account, strings.Fields(one.ask)...); compact(w, decoded(w, got)) != one.want {
			w.Errorf("aws %s: %s, want %s", one.ask, got, one.want)
		}
	}
	w.run(0, "prove", w.spec)

	w.run(0, "destroy", "--yes", w.spec)
	w.stands(hub, `{}`)
	w.stands(work, `{"policies": {"boundary": {"path": "/", "document": `+anyBoundary+`}}}`)
}
