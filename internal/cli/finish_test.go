package cli

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/fault"
)

func TestFinish(t *testing.T) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	denied := &fault.Error{Code: fault.Auth, What: "credentials have expired"}
	tests := []struct {
		name string
		ctx  context.Context
		err  error
		want int
		said string
	}{
		{"success", t.Context(), nil, fault.OK, ""},
		{"nothing more to say", t.Context(), command.Status(fault.Changes), fault.Changes, ""},
		{"an error with a code", t.Context(), fmt.Errorf("plan: %w", denied), fault.Auth, "error: plan: credentials have expired\n"},
		{"an error without", t.Context(), errors.New("disk full"), fault.General, "error: disk full\n"},
		{"ctrl-C", gone, fmt.Errorf("read account: %w", context.Canceled), fault.Interrupted, "error: interrupted\n"},
		{"ctrl-C with something to report", gone, denied, fault.Interrupted, "error: credentials have expired\n"},
		{"ctrl-C too late", gone, nil, fault.OK, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			streams, out, talk := ui.Test("")
			a := &command.App{Streams: streams}
			if got := finish(tt.ctx, a, tt.err); got != tt.want {
				t.Errorf("exit code %d, want %d", got, tt.want)
			}
			if diff := cmp.Diff(tt.said, talk.String()); diff != "" || out.Len() > 0 {
				t.Errorf("on stdout %q, on stderr %s", out, diff)
			}
		})
	}
}

// full is a disk with no room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestFinishTellsOfLostResults(t *testing.T) {
	for _, err := range []error{nil, command.Status(fault.Findings)} {
		streams, _, talk := ui.Test("")
		streams.Redirect(full{})
		a := &command.App{Streams: streams}
		a.Result().Line(ui.Plain("a finding"))
		if got := finish(t.Context(), a, err); got != fault.General {
			t.Errorf("%v: exit code %d, want %d", err, got, fault.General)
		}
		if diff := cmp.Diff("error: write result: no space left\n", talk.String()); diff != "" {
			t.Errorf("%v: %s", err, diff)
		}
	}
}
