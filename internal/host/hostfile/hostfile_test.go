package hostfile

import (
	"strings"
	"testing"

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
			text: "# who\nlockdown:\n  allow: [root, 4711]\n  allow_groups:\n    - ops\n  endpoints: [imds, ecs]\n  forward_from: [172.17.0.0/16, \"fd00::/8\"]\n  log_group: 5\n  allow_missing: true\n  allow_nobody: false\n",
			want: &File{Lockdown{
				Allow: []string{"root", "4711"}, AllowGroups: []string{"ops"}, Endpoints: []string{"imds", "ecs"},
				ForwardFrom: []string{"172.17.0.0/16", "fd00::/8"}, LogGroup: &five, AllowMissing: true,
			}},
		},
		{name: "nothing", text: "", err: "host.yaml:1:1: says nothing"},
		{name: "comment", text: "# later\n", err: "host.yaml:1:1: says nothing"},
		{name: "a word", text: "lockdown", err: "host.yaml:1:1: this should be a map"},
		{
			name: "every mistake at once",
			text: "lockdown:\n  alow: [root]\n  allow: root\n  log_group: 70000\n  allow_missing: yes\n  endpoints: [imds, [ecs], ~]\n  log_group: 1\nssh: {}\n",
			err: "host.yaml:2:3: unknown key \"alow\"\nhost.yaml:3:10: this should be a list\nhost.yaml:4:14: this should be a number from 0 to 65535\n" +
				"host.yaml:5:18: this should be true or false\nhost.yaml:6:21: this should be a name\nhost.yaml:6:28: this should be a name\n" +
				"host.yaml:7:3: key \"log_group\" stands twice\nhost.yaml:8:1: unknown key \"ssh\"",
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
	f.Fuzz(func(t *testing.T, text string) {
		file, err := Parse("host.yaml", []byte(text))
		if (file == nil) != (err != nil) {
			t.Errorf("%v, %v", file, err)
		}
	})
}
