// Package sshkeys lets the members of IAM groups log in with the SSH keys of
// their IAM users. It decides who has which account, name, uid and key, and in
// which order accounts change; it keeps that in a snapshot, which alone answers
// sshd. It reaches IAM and the host only through the small interfaces that it
// declares. It never deletes an account, never gives one another uid, and
// touches none that it cannot prove to be its own.
package sshkeys

import (
	"slices"
	"time"
)

// Version of the snapshot's format. One of a newer version is refused.
const Version = 1

// Snapshot is what a host knows of the IAM users who may log in.
type Snapshot struct {
	Version    int
	FetchedAt  time.Time     // when IAM last answered
	CompleteAt time.Time     // when it last did so without a gap; zero: never
	MaxStale   time.Duration // how long keys are good for without IAM
	Login      LoginOptions  // what a session may do
	Users      []User        // sorted by Name
}

// User is an IAM user and the account that belongs to it on every host.
type User struct {
	IAMUser     string // changes when the user is renamed
	UserID      string // AIDA…, never changes and is never used again
	Name        string // of the OS account
	UID         uint32 // UID(UserID)
	Sudo        bool
	Groups      []string  // IAM groups that let it in, sorted
	LocalGroups []string  // OS groups that it was put into, sorted; others are the administrator's
	Keys        []Key     // sorted by ID
	CheckedAt   time.Time // when IAM last confirmed membership and keys; zero: FetchedAt
	AddedAt     time.Time // zero: it was in the first answer of all
	LostAt      time.Time // when it last lost something that counts for the Brake; zero: never
	Held        []Loss    // what the last answer would have taken, but for the Brake
	Missing     int       // complete answers in a row that it was not in
	Removed     bool      // locked; name, uid and home stay its own
}

// Source says where a key comes from.
type Source string

// The sources of keys.
const (
	FromIAM Source = "iam" // uploaded with UploadSSHPublicKey
	FromTag Source = "tag" // a tag of the IAM user
)

// Key is a public key without its comment and options.
type Key struct {
	ID          string // APKA…, or the tag's name
	Fingerprint string // "SHA256:…", as ssh-keygen -l and sshd's log show it
	Line        string // "ssh-rsa AAAA…"
	Source      Source
}

// Find returns the user with the name of an OS account.
func (s *Snapshot) Find(name string) (User, bool) {
	i := slices.IndexFunc(s.Users, func(u User) bool { return u.Name == name })
	if i < 0 {
		return User{}, false
	}
	return s.Users[i], true
}

// Count tells how many users may log in, and how many do no more.
func (s *Snapshot) Count() (users, removed int) {
	for _, u := range s.Users {
		if u.Removed {
			removed++
		}
	}
	return len(s.Users) - removed, removed
}

// KeyOf returns the user's key with a fingerprint.
func (u User) KeyOf(fingerprint string) (Key, bool) {
	i := slices.IndexFunc(u.Keys, func(k Key) bool { return k.Fingerprint == fingerprint })
	if i < 0 {
		return Key{}, false
	}
	return u.Keys[i], true
}

// checked is the time from which the user's keys grow stale: never later than
// the snapshot's.
func (s *Snapshot) checked(u User) time.Time {
	if u.CheckedAt.IsZero() || u.CheckedAt.After(s.FetchedAt) {
		return s.FetchedAt
	}
	return u.CheckedAt
}
