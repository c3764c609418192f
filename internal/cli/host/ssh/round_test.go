package ssh

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/host/sshkeys"
)

// aRound has something of everything.
func aRound() *sshkeys.Report {
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	event := func(kind sshkeys.EventKind, name string, uid uint32) sshkeys.Event {
		return sshkeys.Event{At: at, Kind: kind, IAMUser: strings.ToUpper(name), UserID: "AIDA" + name, Account: name, UID: uid}
	}
	return &sshkeys.Report{
		At: at, Complete: true, Calls: 7,
		Changes: []sshkeys.Event{
			event(sshkeys.UserAdded, "ann", 1), event(sshkeys.UserRemoved, "bob", 2), event(sshkeys.UserRestored, "cleo", 3),
			event(sshkeys.HeldBack, "dan", 4), event(sshkeys.KeyAdded, "ann", 1),
		},
		Done: []sshkeys.Step{{Kind: sshkeys.AddUser, Name: "ann", UID: 1}, {Kind: sshkeys.Sudoers, Members: []string{"ann"}}},
		Snapshot: &sshkeys.Snapshot{FetchedAt: at.Add(-time.Minute), MaxStale: time.Hour, Users: []sshkeys.User{
			{Name: "bob", Removed: true},
			{Name: "dan", IAMUser: "DAN", UserID: "AIDAdan", UID: 4, Keys: make([]sshkeys.Key, 2), Held: []sshkeys.Loss{sshkeys.LosesAccount, sshkeys.LosesKeys}},
		}},
		Problems: fault.List{
			&sshkeys.Refusal{IAMUser: "12345", UserID: "AIDAeve", Why: &fault.Error{Where: `IAM user "12345"`, What: "no account", Hint: "rename it"}},
			&sshkeys.Braked{Due: 1, Earlier: 2, Users: 4, Brake: sshkeys.DefaultBrake()},
			&fault.Error{Where: "account fay", What: "lock", Cause: errors.New("cannot")},
			errors.New("a plain one"),
		},
	}
}

const roundJSON = `{
  "schema_version": 1,
  "at": "2026-11-22T12:00:00Z",
  "complete": true,
  "calls": 7,
  "added": [{"iam_user": "ANN", "user_id": "AIDAann", "account": "ann", "uid": 1}],
  "restored": [{"iam_user": "CLEO", "user_id": "AIDAcleo", "account": "cleo", "uid": 3}],
  "removed": [{"iam_user": "BOB", "user_id": "AIDAbob", "account": "bob", "uid": 2}],
  "held_back": [{"iam_user": "DAN", "user_id": "AIDAdan", "account": "dan", "uid": 4, "loses": ["account", "keys"]}],
  "refused": [{"iam_user": "12345", "user_id": "AIDAeve", "where": "IAM user \"12345\"", "what": "no account", "hint": "rename it"}],
  "steps": [{"step": "add-user", "account": "ann"}, {"step": "sudoers"}],
  "problems": [
    {
      "what": "1 of 4 users would lose their account, sudo or last key, and 2 others did in the last 24 hours: more than 2 and more than 30 %, so all of that is held back",
      "hint": "if it is meant: sudo postern host ssh sync --once --group=engineers '--ed25519-tag=SSH key' --force 1"
    },
    {"where": "account fay", "what": "lock: cannot"},
    {"what": "a plain one"}
  ],
  "error": "IAM is away",
  "snapshot": {"fetched_at": "2026-11-22T11:59:00Z", "expires_at": "2026-11-22T12:59:00Z", "age": 60, "users": 1, "removed": 1, "keys": 2}
}`

const roundText = `✓ add-user ann
✓ sudoers
! held back: dan would lose the account and the last key
1 user may log in, 1 user removed; 7 calls, IAM answered completely
`

// TestRound shows one value in both forms.
func TestRound(t *testing.T) {
	result := resultOf(aRound(), errors.New("IAM is away"), []string{"--group=engineers", "--ed25519-tag=SSH key"})
	got, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(values(t, roundJSON), values(t, string(got))); d != "" {
		t.Errorf("JSON: -want +got:\n%s", d)
	}
	streams, out, talk := ui.Test("")
	result.text(&command.App{Streams: streams})
	if d := cmp.Diff(roundText, out.String()); d != "" {
		t.Errorf("text: -want +got:\n%s", d)
	}
	for _, p := range []string{`IAM user "12345": no account`, "rename it", "1 of 4 users", "if it is meant: sudo postern", "account fay: lock: cannot", "a plain one"} {
		if !strings.Contains(talk.String(), p) {
			t.Errorf("%q is not told:\n%s", p, talk)
		}
	}
}

// TestRoundWithoutAnything has empty lists, not null.
func TestRoundWithoutAnything(t *testing.T) {
	got, err := json.Marshal(resultOf(&sshkeys.Report{}, nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(got), "null") {
		t.Errorf("got %s", got)
	}
}

func values(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}
