package stack

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/plan"
)

func TestUntil(t *testing.T) {
	b := backOff{first: time.Second, most: 4 * time.Second, total: 20 * time.Second}
	lag := errors.New("half of it shows")
	tests := []struct {
		name          string
		try           func(n int) (bool, error)
		ok            bool
		err           error
		least, longer time.Duration
	}{
		{name: "at once", try: func(int) (bool, error) { return true, nil }, ok: true},
		{
			name: "at the third try, after an error", ok: true, least: time.Second + time.Second/2, longer: 3 * time.Second,
			try: func(n int) (bool, error) {
				if n == 1 {
					return true, lag
				}
				return n == 3, nil
			},
		},
		{name: "never", try: func(int) (bool, error) { return false, nil }, least: 20 * time.Second, longer: 20 * time.Second},
		{name: "never but errors", try: func(int) (bool, error) { return false, lag }, err: lag, least: 20 * time.Second, longer: 20 * time.Second},
		{
			name: "shut out", try: func(int) (bool, error) { return false, &fault.Error{Code: fault.Auth, What: "expired"} },
			err: &fault.Error{Code: fault.Auth, What: "expired"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, n := time.Now(), 0
				ok, err := b.until(t.Context(), func(context.Context) (bool, error) {
					n++
					return tt.try(n)
				})
				if ok != tt.ok || (err == nil) != (tt.err == nil) || err != nil && err.Error() != tt.err.Error() {
					t.Errorf("%v, %v", ok, err)
				}
				if took := time.Since(began); took < tt.least || took > tt.longer {
					t.Errorf("took %s, want %s to %s", took, tt.least, tt.longer)
				}
			})
		})
	}
}

func TestUntilInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		began := time.Now()
		_, err := showing.until(ctx, func(context.Context) (bool, error) { return false, nil })
		if took := time.Since(began); !errors.Is(err, context.Canceled) || took != 3*time.Second {
			t.Errorf("%v after %s", err, took)
		}
	})
}

func TestNotShown(t *testing.T) {
	var changes []plan.Change
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		changes = append(changes, plan.Change{
			Entity: "arn:aws:iam::222222222222:role/postern/shop/shop-" + name, Verb: plan.PutRolePolicy, Input: plan.Input{PolicyName: "p"},
		})
	}
	want := `all changes were made, but 30s later AWS does not show them all, so nothing is proved yet:
PutRolePolicy role shop-a p
PutRolePolicy role shop-b p
PutRolePolicy role shop-c p
PutRolePolicy role shop-d p
PutRolePolicy role shop-e p
and 2 more`
	if diff := cmp.Diff(want, notShown(changes).Error()); diff != "" {
		t.Error(diff)
	}
}
