package simulate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/cli"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/test/witness"
)

const (
	account = "111111111111"
	users   = "arn:aws:iam::" + account + ":user/"
)

// deciders are users, each with a policy under which it might decide about the
// logins of others.
var deciders = map[string]string{
	"any-group":         `{"Effect":"Allow","Action":"iam:*Group","Resource":"*"}`,
	"one-group":         `{"Effect":"Allow","Action":"iam:AddUserToGroup","Resource":"arn:aws:iam::*:group/engineers"}`,
	"another-group":     `{"Effect":"Allow","Action":"iam:AddUserToGroup","Resource":"arn:aws:iam::*:group/staff"}`,
	"group-with-mfa":    `{"Effect":"Allow","Action":"iam:AddUserToGroup","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}`,
	"keys":              `{"Effect":"Allow","Action":"iam:UploadSSHPublicKey","Resource":"` + users + `*"}`,
	"own-keys":          `{"Effect":"Allow","Action":"iam:*SSHPublicKey","Resource":"` + users + `${aws:username}"}`,
	"own-by-denial":     `{"Effect":"Allow","Action":"iam:*SSHPublicKey","Resource":"*"},{"Effect":"Deny","Action":"iam:*","NotResource":"` + users + `${aws:username}"}`,
	"named-alike":       `{"Effect":"Allow","Action":"iam:UploadSSHPublicKey","Resource":"` + users + `*${aws:username}"}`,
	"key-status":        `{"Effect":"Allow","Action":"iam:UpdateSSHPublicKey","Resource":"` + users + `a*"}`,
	"tags":              `{"Effect":"Allow","Action":"iam:TagUser","Resource":"*"}`,
	"other-tags":        `{"Effect":"Allow","Action":"iam:TagUser","Resource":"*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["team","cost"]}}}`,
	"tags-with-team":    `{"Effect":"Allow","Action":"iam:TagUser","Resource":"*","Condition":{"ForAnyValue:StringEquals":{"aws:TagKeys":"team"}}}`,
	"tag-denied":        `{"Effect":"Allow","Action":"iam:TagUser","Resource":"*"},{"Effect":"Deny","Action":"iam:TagUser","Resource":"*","Condition":{"ForAnyValue:StringLike":{"aws:TagKeys":"ssh-*"}}}`,
	"tag-denied-anyhow": `{"Effect":"Allow","Action":"iam:TagUser","Resource":"*"},{"Effect":"Deny","Action":"iam:TagUser","Resource":"*","Condition":{"ForAnyValue:StringEqualsIgnoreCase":{"aws:TagKeys":"ssh-key"}}}`,
	"tag-alone-denied":  `{"Effect":"Allow","Action":"iam:TagUser","Resource":"*"},{"Effect":"Deny","Action":"iam:TagUser","Resource":"*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":"ssh-key"}}}`,
	"tag-revoked":       `{"Effect":"Allow","Action":"iam:TagUser","Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/ssh-key":"revoked"}}}`,
	"instances":         `{"Effect":"Allow","Action":"ec2:*","Resource":"*"}`,
	"new-instances":     `{"Effect":"Allow","Action":"ec2:CreateTags","Resource":"*","Condition":{"StringEquals":{"ec2:CreateAction":"RunInstances"}}}`,
	"volumes":           `{"Effect":"Allow","Action":"ec2:CreateTags","Resource":"arn:aws:ec2:*:*:volume/*"}`,
}

// deeds are the requests by which one decides, a rule each.
var deeds = map[string][]request{
	"SSH-001": {{Action: "iam:AddUserToGroup", Resource: "arn:aws:iam::" + account + ":group/engineers", Context: map[string]any{"aws:MultiFactorAuthPresent": "true"}}},
	"SSH-002": {{Action: "iam:UpdateGroup", Resource: "arn:aws:iam::" + account + ":group/engineers"}}, // who may can also make the other group
	"SSH-003": {{Action: "iam:UploadSSHPublicKey", Resource: users + "alice"}},
	"SSH-004": {{Action: "iam:UpdateSSHPublicKey", Resource: users + "alice"}},
	"SSH-005": {
		{Action: "iam:TagUser", Resource: users + "alice", Context: tags("ssh-key")},
		{Action: "iam:TagUser", Resource: users + "alice", Context: tags("ssh-key", "team")},
		{Action: "iam:TagUser", Resource: users + "alice", Context: tags("SSH-KEy")}, // the same tag, as far as is known
	},
	"SSH-006": {{Action: "ec2:CreateTags", Resource: "arn:aws:ec2:eu-west-1:" + account + ":instance/i-0123456789abcdef0", Context: tags("postern:ssh-sudo-groups")}},
}

func tags(keys ...string) map[string]any {
	out := map[string]any{"aws:TagKeys": keys}
	for _, key := range keys {
		out["aws:RequestTag/"+key] = "ssh-ed25519 AAAA"
	}
	return out
}

// TestLogins: `postern host ssh audit` names those whom the witness lets make
// one of the requests, and nobody else.
func TestLogins(t *testing.T) {
	w := startWitness(t, witness.Need(t, "node"), modulesFolder(t))
	defer w.stop(t)
	var lines bytes.Buffer
	var asked []string // "rule user" of each row
	for _, name := range slices.Sorted(maps.Keys(deciders)) {
		for _, rule := range slices.Sorted(maps.Keys(deeds)) {
			for _, r := range deeds[rule] {
				r.Principal, r.Owner, r.Context = users+name, account, maps.Clone(r.Context)
				if r.Context == nil {
					r.Context = map[string]any{}
				}
				r.Context["aws:username"] = name
				one := row{ID: len(asked), Request: r, Identity: []*iam.Document{policyOf(t, name)}}
				lines.Write(one.line())
				asked = append(asked, rule+" "+name)
			}
		}
	}
	verdicts, err := w.ask(lines.Bytes(), len(asked))
	if err != nil {
		t.Fatal(err)
	}
	var allowed []string
	for i, v := range verdicts {
		if v.Error != "" {
			t.Errorf("%s: %s", asked[i], v.Error)
		}
		if v.Decision == "allowed" {
			allowed = append(allowed, asked[i])
		}
	}
	slices.Sort(allowed)
	if diff := cmp.Diff(slices.Compact(allowed), audited(t)); diff != "" {
		t.Errorf("-witness +audit:\n%s", diff)
	}
}

func policyOf(t *testing.T, name string) *iam.Document {
	d, err := iam.Parse([]byte(`{"Version":"2012-10-17","Statement":[` + deciders[name] + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// audited is what the command finds in a snapshot of all of them: "rule user",
// sorted.
func audited(t *testing.T) []string {
	var list []string
	for name := range deciders {
		list = append(list, fmt.Sprintf(`{"Arn":"%s%s","UserPolicyList":[{"PolicyName":"p","PolicyDocument":{"Version":"2012-10-17","Statement":[%s]}}]}`, users, name, deciders[name]))
	}
	snapshot := fmt.Sprintf(`{"UserDetailList":[{"Arn":"%salice","GroupList":["engineers"]},%s],"GroupDetailList":[{"Arn":"arn:aws:iam::%s:group/engineers"}]}`, users, strings.Join(list, ","), account)
	streams, out, talk := ui.Test(snapshot)
	args := []string{"host", "ssh", "audit", "--group", "engineers", "--ed25519-tag", "ssh-key", "--instance-tags", "--estate", "-", "--json"}
	if code := cli.Main(context.Background(), args, streams, func(string) string { return "" }); code != fault.Findings {
		t.Fatalf("exit code %d: %s", code, talk)
	}
	var report struct {
		Findings []struct {
			Rule string
			Who  []string
		}
	}
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, f := range report.Findings {
		for _, arn := range f.Who {
			found = append(found, f.Rule+" "+filepath.Base(arn))
		}
	}
	slices.Sort(found)
	return found
}
