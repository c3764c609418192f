package stack

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/sandbox"
)

func TestSandboxSaysOnceHowToHaveOtherAccounts(t *testing.T) {
	operator := "arn:aws:iam::111111111111:user/postern-operator"
	events := []sandbox.Event{
		{Action: "sts:AssumeRole", Principal: operator},
		{Action: "iam:CreateUser", Principal: operator, Code: "AccessDenied"},
		{Action: "sts:AssumeRole", Principal: operator, Code: "AccessDenied"},
		{Action: "sts:AssumeRole", Principal: operator, Code: "AccessDenied"},
	}
	hint := "! AssumeRole denied: that account has no such role; start with --for SPEC, or --account ID=ROLE\n"
	tests := []struct {
		name string
		log  bool
		want string
	}{
		{"quiet", false, hint},
		{"with --log", true, "✓ sts:AssumeRole " + operator + "\n✗ iam:CreateUser AccessDenied " + operator + "\n" +
			"✗ sts:AssumeRole AccessDenied " + operator + "\n" + hint + "✗ sts:AssumeRole AccessDenied " + operator + "\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			streams, _, talk := ui.Test("")
			hook := (&sandboxOptions{log: tt.log}).watch(streams.Talk())
			for _, e := range events {
				hook(e)
			}
			if diff := cmp.Diff(tt.want, talk.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestExportLines(t *testing.T) {
	got := exportLines([]string{"A=http://127.0.0.1:1/x", "B=", "C=it's $HOME", "D=a=b\n`c`"})
	want := "export A=http://127.0.0.1:1/x\nexport B=\nexport C='it'\\''s $HOME'\nexport D='a=b\n`c`'\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
