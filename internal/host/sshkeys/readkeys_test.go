package sshkeys_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern-dev/postern/internal/host/sshkeys/sshkeystest"
)

func crowd(n int) []*sshkeystest.User {
	var users []*sshkeystest.User
	for i := range n {
		users = append(users, anIAMUser(i, fmt.Sprintf("user%02d", i), "engineers"))
	}
	return users
}

func (w *world) withKeys(n int) (with int) {
	w.Helper()
	for i := range n {
		with += len(w.keys(fmt.Sprintf("user%02d", i)))
	}
	return with
}

// More users than a round has time for: what was read counts, and the next
// rounds read the rest.
func TestKeysThatTakeLong(t *testing.T) {
	w := newWorld(t, crowd(10)...)
	w.iam.Fail = func(op, _ string) error {
		if op != "GetGroup" {
			w.now = w.now.Add(time.Minute)
		}
		return nil
	}
	for round, want := range []int{3, 4, 7} { // five minutes each, two calls for each new user
		r, err := w.round()
		if err == nil || !strings.Contains(err.Error(), "reading keys has taken 5m0s; gave up with ") {
			t.Errorf("round %d: got error %v", round, err)
		}
		if got := w.withKeys(10); got != want || !r.Complete {
			t.Errorf("round %d: %d users have keys, want %d", round, got, want)
		}
	}
	w.iam.Fail = nil
	w.clean()
	if got := w.withKeys(10); got != 10 {
		t.Errorf("%d users have keys", got)
	}
}

// Several readers share the queue, and the patience.
func TestReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, crowd(40)...)
		w.sync.Readers = 4
		begin := time.Now()
		w.iam.Fail = func(op, _ string) error {
			if op != "GetGroup" {
				time.Sleep(time.Second)
			}
			return nil
		}
		r := w.clean()
		if took := time.Since(begin); took != 20*time.Second || r.Calls != 2+2*40 || w.withKeys(40) != 40 {
			t.Errorf("%v for %d calls, %d users have keys", took, r.Calls, w.withKeys(40))
		}
		var asked sync.Map
		w.iam.Fail = func(op, user string) error {
			if op == "GetGroup" {
				return nil
			}
			asked.Store(user, true)
			time.Sleep(time.Second)
			return errors.New("throttled")
		}
		_, err := w.round()
		n := 0
		asked.Range(func(any, any) bool { n++; return true })
		if err == nil || !strings.Contains(err.Error(), "throttled; gave up with") || n > 7 {
			t.Errorf("asked for %d users, got error %v", n, err)
		}
	})
}
