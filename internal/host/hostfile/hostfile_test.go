package hostfile

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	five := uint16(5)
	tests := []struct {
		name, text string
		want       *File
		err        string
	}{
		{
			name: "all keys",
			text: "# who\nlockdown:\n  allow: [root, 4711]\n  allow_groups:\n    - ops\n  endpoints: [imds, ecs]\n  forward_from: [172.17.0.0/16, \"fd00:17::/48\"]\n  log_group: 5\n  allow_missing: true\n  allow_nobody: false\n",
			want: &File{Lockdown: &Lockdown{
				Allow: []string{"root", "4711"}, AllowGroups: []string{"ops"}, Endpoints: []string{"imds", "ecs"},
				ForwardFrom: []string{"172.17.0.0/16", "fd00:17::/48"}, LogGroup: &five, AllowMissing: true,
			}},
		},
		{
			name: "all keys of ssh",
			text: "ssh:\n  groups: [engineers]\n  sudo_groups: [operators]\n  instance_tags: true\n  role_arn: arn:aws:iam::111122223333:role/ssh-keys\n  external_id: 12345\n" +
				"  domains: [example.com]\n  local_groups: [docker]\n  ed25519_tag: ssh-key\n  allow: [agent-forwarding]\n  from: [10.0.0.0/8]\n  max_stale: 12h\n  interval: 5m\n" +
				"  break_glass: [ec2-user]\n  no_break_glass: false\n  keep_passwords: true\n",
			want: &File{SSH: &SSH{
				Groups: []string{"engineers"}, SudoGroups: []string{"operators"}, InstanceTags: true, RoleARN: "arn:aws:iam::111122223333:role/ssh-keys", ExternalID: "12345",
				Domains: []string{"example.com"}, LocalGroups: []string{"docker"}, TagKey: "ssh-key", Allow: []string{"agent-forwarding"}, From: []string{"10.0.0.0/8"},
				MaxStale: 12 * time.Hour, Interval: 5 * time.Minute, BreakGlass: []string{"ec2-user"}, KeepPasswords: true,
			}},
		},
		{
			name: "both, in JSON", text: `{"lockdown": {"allow": ["root"]}, "ssh": {"groups": ["engineers"], "interval": "10m"}}`,
			want: &File{Lockdown: &Lockdown{Allow: []string{"root"}}, SSH: &SSH{Groups: []string{"engineers"}, Interval: 10 * time.Minute}},
		},
		{
			name: "every mistake of ssh at once",
			text: "ssh:\n  group: [engineers]\n  groups: [engineers, a b]\n  role_arn: ssh-keys\n  external_id: x\n  domains: example.com\n  ed25519_tag: ~\n" +
				"  allow: [everything]\n  from: [10.0.0.1/8]\n  max_stale: 10m\n  interval: 600\n  break_glass: [[x]]\n",
			err: "host.yaml:2:3: unknown key \"group\"\nhost.yaml:3:23: \"a b\" is no name of an IAM group\nhost.yaml:4:13: \"ssh-keys\" is the name of a role, not its ARN\n" +
				"host.yaml:5:16: \"x\" cannot be an external id\nhost.yaml:6:12: this should be a list\nhost.yaml:7:16: this should be a text\n" +
				"host.yaml:8:11: unknown session option \"everything\"\nhost.yaml:9:10: \"10.0.0.1/8\" is neither an address nor a CIDR block\n" +
				"host.yaml:10:14: a max-stale of 10m0s is shorter than 1h0m0s\nhost.yaml:11:13: this should be a time\nhost.yaml:12:17: this should be a name",
		},
		{name: "nothing", text: "", err: "host.yaml:1:1: says nothing"},
		{name: "comment", text: "# later\n", err: "host.yaml:1:1: says nothing"},
		{name: "a word", text: "lockdown", err: "host.yaml:1:1: this should be a map"},
		{
			name: "every mistake at once",
			text: "lockdown:\n  alow: [root]\n  allow: root\n  log_group: 70000\n  allow_missing: yes\n  endpoints: [imds, [ecs], ~, dns]\n  forward_from: [0.0.0.0/1]\n  log_group: 1\nsssh: {}\n",
			err: "host.yaml:2:3: unknown key \"alow\"\nhost.yaml:3:10: this should be a list\nhost.yaml:4:14: this should be a number from 0 to 65535\n" +
				"host.yaml:5:18: this should be true or false\nhost.yaml:6:21: this should be a name\nhost.yaml:6:28: this should be a name\n" +
				"host.yaml:6:31: \"dns\" is no endpoint that gives out credentials\nhost.yaml:7:18: 0.0.0.0/1 is wider than /8: it would let strangers through\n" +
				"host.yaml:8:3: key \"log_group\" stands twice\nhost.yaml:9:1: unknown key \"sssh\"",
		},
		{name: "an alias", text: "lockdown: &a {}\nother: *a\n", err: "host.yaml:2:1: unknown key \"other\""},
		{name: "broken", text: "lockdown: [\n", err: "host.yaml:2:1: YAML syntax: did not find expected node content"},
		{name: "two documents", text: "lockdown: {allow: [root]}\n---\nlockdown: {}\n", err: "host.yaml: YAML syntax: a second YAML document begins behind the first"},
		{name: "too large", text: strings.Repeat("#", MaxBytes+1), err: "host.yaml: is larger than 1 MiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse("host.yaml", []byte(tt.text))
			message := ""
			if err != nil {
				message = err.Error()
			}
			if d := cmp.Diff(tt.err, message); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add("lockdown: {allow: [root], log_group: 5}")
	f.Add("lockdown: &a [*a]")
	f.Add("ssh: {groups: [a], role_arn: arn:aws:iam::111122223333:role/x, interval: 10m, from: [10.0.0.0/8]}")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := Parse("host.yaml", []byte(text))
		if (file == nil) != (err != nil) {
			t.Errorf("%v, %v", file, err)
		}
	})
}
