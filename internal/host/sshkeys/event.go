package sshkeys

import (
	"cmp"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// EventKind says what an audit event reports.
type EventKind string

// The kinds of audit events.
const (
	UserAdded      EventKind = "user-added"
	UserRenamed    EventKind = "user-renamed"
	UserRemoved    EventKind = "user-removed"
	UserRestored   EventKind = "user-restored"
	SudoGranted    EventKind = "sudo-granted"
	SudoWithdrawn  EventKind = "sudo-withdrawn"
	KeyAdded       EventKind = "key-added"
	KeyWithdrawn   EventKind = "key-withdrawn"
	HeldBack       EventKind = "held-back"    // what the answer would have taken, but for the Brake
	KeyAnswered    EventKind = "key-answered" // sshd asked for an account with this key, and it is the account's
	AccountChanged EventKind = "account-changed"
)

// Event is one line of the audit trail: from the key that sshd saw to the IAM
// user, and from there to the account.
type Event struct {
	At          time.Time
	Kind        EventKind
	IAMUser     string
	UserID      string
	Account     string
	UID         uint32
	Fingerprint string // of a key's events
	Detail      string // the step of AccountChanged, the name before UserRenamed, the source of KeyAdded, what is HeldBack
}

// EventOf is an event about a user.
func EventOf(kind EventKind, u User, at time.Time) Event {
	return Event{At: at, Kind: kind, IAMUser: u.IAMUser, UserID: u.UserID, Account: u.Name, UID: u.UID}
}

// Attrs are the fields of the event's line; what is empty is left out.
func (e Event) Attrs() []slog.Attr {
	attrs := []slog.Attr{slog.Time("at", e.At.UTC())}
	for _, f := range []struct{ name, value string }{
		{"iam_user", e.IAMUser},
		{"user_id", e.UserID},
		{"account", e.Account},
		{"fingerprint", e.Fingerprint},
		{"detail", e.Detail},
	} {
		if f.value != "" {
			attrs = append(attrs, slog.String(f.name, f.value))
		}
	}
	if e.UID != 0 {
		attrs = append(attrs, slog.Uint64("uid", uint64(e.UID)))
	}
	return attrs
}

// changes are the events that lead from one snapshot to the next, by account.
func changes(from, to *Snapshot, at time.Time) []Event {
	old := map[string]User{}
	if from != nil {
		for _, u := range from.Users {
			old[u.UserID] = u
		}
	}
	var events []Event
	for _, u := range to.Users {
		was, known := old[u.UserID]
		events = append(events, changesOf(was, u, known, at)...)
	}
	return events
}

func changesOf(was, is User, known bool, at time.Time) []Event {
	var events []Event
	add := func(when bool, kind EventKind, detail string) {
		if when {
			e := EventOf(kind, is, at)
			e.Detail = detail
			events = append(events, e)
		}
	}
	add(!known && !is.Removed, UserAdded, "")
	add(known && was.Name != is.Name, UserRenamed, was.Name)
	add(known && was.Removed && !is.Removed, UserRestored, "")
	add(!was.Removed && is.Removed, UserRemoved, "")
	add(!was.Sudo && is.Sudo, SudoGranted, "")
	add(was.Sudo && !is.Sudo, SudoWithdrawn, "")
	add(len(is.Held) > 0 && !slices.Equal(was.Held, is.Held), HeldBack, words(is.Held))
	events = append(events, keyChanges(KeyWithdrawn, is, was.Keys, is.Keys, at)...)
	return append(events, keyChanges(KeyAdded, is, is.Keys, was.Keys, at)...)
}

func words(losses []Loss) string {
	var all []string
	for _, l := range losses {
		all = append(all, string(l))
	}
	return strings.Join(all, ",")
}

// keyChanges reports the keys that one list has and the other has not.
func keyChanges(kind EventKind, u User, one, other []Key, at time.Time) []Event {
	var events []Event
	for _, k := range one {
		if !slices.Contains(other, k) {
			e := EventOf(kind, u, at)
			e.Fingerprint, e.Detail = k.Fingerprint, strings.Join([]string{string(k.Source), k.ID}, " ")
			events = append(events, e)
		}
	}
	slices.SortFunc(events, func(a, b Event) int { return cmp.Compare(a.Fingerprint, b.Fingerprint) })
	return events
}
