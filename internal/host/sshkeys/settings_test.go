package sshkeys

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/internal/fault"
)

func TestSettings(t *testing.T) {
	long := strings.Repeat("a", 128)
	for _, test := range []struct {
		name      string
		check     func(string) error
		good, bad []string
	}{
		{
			"group", CheckGroup,
			[]string{"engineers", "Eng+=,.@-_1", long},
			[]string{"", "a b", "a/b", "gruppe-ä", long + "a", "a\n", "arn:aws:iam::111122223333:group/ops", "a:b"},
		},
		{
			"role", CheckRoleARN,
			[]string{
				"arn:aws:iam::111122223333:role/ssh-keys", "arn:aws-cn:iam::111122223333:role/a/b/ssh", "arn:aws-us-gov:iam::111122223333:role/" + long[:64],
			},
			[]string{
				"", "ssh-keys", "arn:aws:iam::111122223333:user/x", "arn:aws:iam::1111:role/x", "arn:aws:iam:eu-west-1:111122223333:role/x",
				"arn:aws:iam::111122223333:role/" + long, "arn:aws:iam::111122223333:role/", "arn:aws:iam::111122223333:role/a b", "arn:aws:s3:::bucket",
				"arn:AWS:iam::111122223333:role/x", "arn:aws:sts::111122223333:assumed-role/x/y", "arn:aws:iam::111122223333:role/x\n",
			},
		},
		{
			"external id", CheckExternalID,
			[]string{"ab", "acme:deploy/1=,.@-+", strings.Repeat("x", 1224)},
			[]string{"", "a", "a b", strings.Repeat("x", 1225), "ä1", "a\n"},
		},
		{
			"tag", CheckTagKey,
			[]string{"ssh-key", "postern:ed25519", "Schlüssel 1", "a/b_.=+@", long},
			[]string{"", "a*", "aws:x", "AWS:x", long + "a", "a\x00", "a;b"},
		},
		{"domain", CheckDomain, []string{"example.com", "Example.COM", "x_y"}, []string{"", "@example.com", "a b", "a@b", "a/b"}},
		{"allow", CheckAllow, []string{"agent-forwarding", "X11-forwarding"}, []string{"", "pty", `agent-forwarding,command="sh"`, "x11"}},
		{
			"from", CheckFrom,
			[]string{"10.0.0.0/8", "192.0.2.7", "2001:db8::/32"},
			// sshd says of the second: "inconsistent mask length"
			[]string{"example.com", "10.1.2.3/8", `10.0.0.1",command="sh`, "fe80::1%eth0", ""},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, v := range test.good {
				if err := test.check(v); err != nil {
					t.Errorf("%q: %v", v, err)
				}
			}
			for _, v := range test.bad {
				if err := test.check(v); fault.ExitCode(err) != fault.Usage {
					t.Errorf("%q: got %v", v, err)
				}
			}
		})
	}
}

func TestSettingsHints(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{CheckGroup("/team/engineers"), `did you mean "engineers"?`},
		{CheckGroup("arn:aws:iam::111122223333:group/team/engineers"), `did you mean "engineers"?`},
		{CheckGroup("a, b"), "name each group by itself"},
		{CheckRoleARN("ssh-keys"), "did you mean arn:aws:iam::ACCOUNT:role/ssh-keys?"},
		{CheckRoleARN("arn:aws:sts::111122223333:assumed-role/ssh-keys/i-1"), "did you mean arn:aws:iam::111122223333:role/ssh-keys?"},
		{CheckDomain("@example.com"), `did you mean "example.com"?`},
		{CheckAllow("agent-forward"), `did you mean "agent-forwarding"?`},
	} {
		e, ok := errors.AsType[*fault.Error](test.err)
		if !ok || !strings.Contains(e.Hint, test.want) {
			t.Errorf("%v: hint %q, want %q", test.err, e.Hint, test.want)
		}
	}
}

func TestCheckTimes(t *testing.T) {
	for _, test := range []struct {
		interval, stale time.Duration
		ok              bool
	}{
		{10 * time.Minute, 24 * time.Hour, true},
		{20 * time.Minute, time.Hour, true},
		{21 * time.Minute, time.Hour, false},
		{24 * time.Hour, time.Hour, false},
		{time.Hour, time.Minute, true},
		{math.MaxInt64, math.MaxInt64, false},
	} {
		if err := CheckTimes(test.interval, test.stale); (err == nil) != test.ok {
			t.Errorf("%v, %v: got %v", test.interval, test.stale, err)
		}
	}
}
