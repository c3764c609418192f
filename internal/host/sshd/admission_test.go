package sshd

import "testing"

func TestTurnedAway(t *testing.T) {
	groups := []string{"alice", "ops"}
	for _, test := range []struct{ config, by string }{
		{"", ""},
		{"AllowGroups sshusers\n", "allowgroups"},
		{"AllowGroups sshusers\nAllowGroups ops\n", ""},
		{"AllowGroups o?s\n", ""},
		{"AllowGroups * !ops\n", "allowgroups"},
		{"AllowUsers admin ec2-user\n", "allowusers"},
		{"AllowUsers admin alice@10.0.0.0/8\n", ""},
		{"AllowUsers al*\nDenyGroups ops\n", "denygroups"},
		{"DenyUsers bob\n", ""},
		{"DenyUsers alice\nAllowUsers bob\n", "denyusers"},
		{"AllowUsers [\n", "allowusers"},
		{"Match Address 10.0.0.1\nAllowUsers bob\n", ""},
	} {
		lines, err := virtual(map[string]string{MainConfig: test.config}).parse(MainConfig)
		if err != nil {
			t.Fatal(err)
		}
		if got := turnedAway(lines, "alice", groups); got != test.by {
			t.Errorf("%q: turned away by %q, want %q", test.config, got, test.by)
		}
	}
}
