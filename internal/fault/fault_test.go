package fault

import (
	"errors"
	"fmt"
	"testing"
)

func TestExitCode(t *testing.T) {
	auth := &Error{Code: Auth, What: "denied"}
	tests := []struct {
		name string
		err  error
		want int
	}{
		{"none", nil, OK},
		{"foreign", errors.New("x"), General},
		{"own", auth, Auth},
		{"wrapped", fmt.Errorf("plan: %w", auth), Auth},
		{"below one without a code", &Error{What: "observe", Cause: auth}, Auth},
		{"without a code", &Error{What: "x"}, General},
		{"the first of a list", List{errors.New("x"), &Error{What: "y"}, auth, &Error{Code: Interrupted}}, Auth},
		{"joined", errors.Join(errors.New("x"), auth), Auth},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := ExitCode(tt.err); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestError(t *testing.T) {
	cause := errors.New("no such file")
	tests := []struct {
		err  error
		want string
	}{
		{&Error{Where: "a.yaml:1:2", What: "unknown key", Cause: cause}, "a.yaml:1:2: unknown key: no such file"},
		{&Error{Cause: cause}, "no such file"},
		{List{&Error{What: "x"}, cause}, "x\nno such file"},
	}
	for _, tt := range tests {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
	if !errors.Is(&Error{What: "x", Cause: cause}, cause) {
		t.Error("the cause is lost")
	}
	if List(nil).Err() != nil {
		t.Error("an empty list is an error")
	}
}
