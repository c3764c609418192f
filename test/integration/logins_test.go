package integration

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/test/witness"
)

// teams are made with the AWS CLI: alice may log in, the help desk and a job could
// let others in, and everybody changes their own keys.
var teams = []string{
	"create-group --group-name engineers",
	"create-group --group-name desk --path /team/",
	"create-user --user-name alice",
	"create-user --user-name dave --path /team/",
	"add-user-to-group --group-name engineers --user-name alice",
	"add-user-to-group --group-name desk --user-name dave",
	`create-policy --policy-name own --policy-document {"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:*SSHPublicKey*","Resource":"arn:aws:iam::*:user/${aws:username}"}}`,
	"attach-group-policy --group-name engineers --policy-arn arn:aws:iam::222222222222:policy/own",
	`put-group-policy --group-name desk --policy-name join --policy-document {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*ToGroup","Resource":"*"}]}`,
	`create-role --role-name job --assume-role-policy-document {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`,
	`put-role-policy --role-name job --policy-name tag --policy-document {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:TagUser","Resource":"*","Condition":{"ForAnyValue:StringEquals":{"aws:TagKeys":"team"}}}]}`,
}

// logins audits who decides who logs in: the same of the account itself and of
// what the AWS CLI saves of it.
func logins(w *world) {
	var commands [][]string
	for _, line := range teams {
		commands = append(commands, w.each(append([]string{"iam"}, strings.Fields(line)...)))
	}
	saved, err := witness.AWSEach(w, w.in(work), append(commands, []string{"iam", "get-account-authorization-details"})...)
	if err != nil {
		w.Fatal(err)
	}
	file := filepath.Join(w.dir, "account.json")
	if err := os.WriteFile(file, []byte(saved[len(saved)-1]), 0o600); err != nil {
		w.Fatal(err)
	}
	audit := []string{"host", "ssh", "audit", "--group", "engineers", "--ed25519-tag", "ssh-key", "--json"}
	live := run(w, w.dir, alone(w.dir, w.in(work)), audit...)
	offline := run(w, w.dir, alone(w.dir, nil), append(audit, "--estate", file)...)
	for _, r := range []result{live, offline} {
		if r.code != 3 {
			w.Fatalf("exit code %d, want 3\n%s%s", r.code, r.out, r.err)
		}
	}
	if diff := cmp.Diff(withoutLines(live.out), withoutLines(offline.out)); diff != "" {
		w.Errorf("live and from a snapshot (-live +snapshot):\n%s", diff)
	}
	var got struct{ Findings []struct{ What string } }
	if err := json.Unmarshal([]byte(live.out), &got); err != nil {
		w.Fatal(err)
	}
	want := []struct{ What string }{
		{"user/team/dave can add users to group engineers"}, {"role/job could write SSH keys into the tag ssh-key of alice"},
	}
	if diff := cmp.Diff(want, got.Findings); diff != "" {
		w.Errorf("findings (-want +got):\n%s", diff)
	}
}

// withoutLines leaves out where in its text a statement stands: the CLI prints
// policies anew.
func withoutLines(text string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return strings.Contains(line, `"line": `) }), "\n")
}
