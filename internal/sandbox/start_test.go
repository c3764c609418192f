package sandbox_test

import (
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/sandbox"
)

func TestAssumeAsUser(t *testing.T) {
	s := start(t, twoAccounts())
	for _, test := range []struct{ name, arn, want string }{
		{"another path", "arn:aws:iam::111111111111:user/elsewhere/postern-operator", "no user"},
		{"another account", "arn:aws:iam::999999999999:user/postern-operator", "no account"},
		{"no ARN", "postern-operator", "session of user"},
	} {
		if _, err := s.AssumeAsUser(test.arn); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got error %v, want one with %q", test.name, err, test.want)
		}
	}
	got, err := s.AssumeAsUser("arn:aws:iam::111111111111:user/postern-operator")
	if err != nil {
		t.Fatal(err)
	}
	if got.AccessKeyID == "" || got.SecretAccessKey == "" || got.SessionToken == "" || got.Expires.IsZero() {
		t.Errorf("incomplete credentials: %v", got.AccessKeyID)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, test := range []struct {
		name string
		edit func(*sandbox.Options)
		want string
	}{
		{"a data file that cannot be written", func(o *sandbox.Options) { o.DataFile = t.TempDir() + "/missing/state.json" }, "save state"},
		{"a rate below zero", func(o *sandbox.Options) { o.Throttle = -1 }, "below zero"},
		{"a delay below zero", func(o *sandbox.Options) { o.PropagationDelay = -1 }, "below zero"},
	} {
		opt := twoAccounts()
		test.edit(&opt)
		if _, err := sandbox.New(opt); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got error %v, want one with %q", test.name, err, test.want)
		}
	}
}
