package sshkeys

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A snapshot file is lines of text. The first one is about the file:
//
//	postern-ssh-snapshot 1 CRC {"fetched_at":…,"max_stale":86400,"users":2,"bytes":812,…}
//
// and each further one is a user, sorted by name:
//
//	alice CRC {"iam_user":"Alice","user_id":"AIDA…","uid":1922337,…}
//
// The order makes a look-up a binary search of the file: of a snapshot of
// 5,000 users, sshd's question reads a few blocks. CRC is CRC-32, in eight
// hexadecimal digits, over the line without it. It finds torn and rotten
// blocks, not forgers: the folder is root's.

// magic begins a snapshot file.
const magic = "postern-ssh-snapshot"

// maxHead bounds the first line of a file in bytes.
const maxHead = 64 << 10

// Errors of snapshot files.
var (
	ErrCorrupt = errors.New("the snapshot is corrupt")
	ErrNewer   = errors.New("the snapshot is of a newer version of postern")
)

// head is the first line of a file.
type head struct {
	FetchedAt  time.Time `json:"fetched_at"`
	CompleteAt time.Time `json:"complete_at,omitzero"`
	MaxStale   int64     `json:"max_stale"` // seconds
	Users      int       `json:"users"`
	Bytes      int64     `json:"bytes"` // of all lines after the first
	Allow      []string  `json:"allow,omitempty"`
	From       []string  `json:"from,omitempty"`
}

// record is a user in a file; the name stands before it.
type record struct {
	IAMUser     string      `json:"iam_user"`
	UserID      string      `json:"user_id"`
	UID         uint32      `json:"uid"`
	Sudo        bool        `json:"sudo,omitempty"`
	Groups      []string    `json:"groups,omitempty"`
	LocalGroups []string    `json:"local_groups,omitempty"`
	Keys        []keyRecord `json:"keys,omitempty"`
	CheckedAt   time.Time   `json:"checked_at,omitzero"`
	AddedAt     time.Time   `json:"added_at,omitzero"`
	LostAt      time.Time   `json:"lost_at,omitzero"`
	Held        []Loss      `json:"held,omitempty"`
	Missing     int         `json:"missing,omitempty"`
	Removed     bool        `json:"removed,omitempty"`
}

type keyRecord struct {
	ID          string `json:"id"`
	Fingerprint string `json:"fingerprint"`
	Line        string `json:"line"`
	Source      Source `json:"source"`
}

// encode gives the content of a file.
func encode(s *Snapshot) ([]byte, error) {
	users := slices.SortedFunc(slices.Values(s.Users), func(a, b User) int { return strings.Compare(a.Name, b.Name) })
	var body bytes.Buffer
	for i, u := range users {
		if i > 0 && users[i-1].Name == u.Name || wrongName(u.Name) != "" {
			return nil, fmt.Errorf("encode snapshot: account %q is there twice or has an impossible name", u.Name)
		}
		line, err := seal(u.Name, recordOf(u))
		if err != nil {
			return nil, err
		}
		body.Write(line)
	}
	first, err := seal(magic+" "+strconv.Itoa(Version), head{
		FetchedAt: s.FetchedAt.UTC(), CompleteAt: s.CompleteAt.UTC(), MaxStale: int64(s.MaxStale / time.Second),
		Users: len(users), Bytes: int64(body.Len()), Allow: s.Login.Allow, From: s.Login.From,
	})
	if err != nil {
		return nil, err
	}
	if len(first) > maxHead {
		return nil, fmt.Errorf("encode snapshot: the list of addresses is longer than %d bytes", maxHead)
	}
	return append(first, body.Bytes()...), nil
}

// decode reads a whole file and holds it to all that encode promises.
func decode(data []byte) (*Snapshot, error) {
	first, body, _ := bytes.Cut(data, []byte("\n"))
	s, h, err := decodeHead(first)
	if err != nil {
		return nil, err
	}
	if h.Bytes != int64(len(body)) {
		return nil, corrupt("%d bytes of users, not %d", len(body), h.Bytes)
	}
	for line := range bytes.Lines(body) {
		u, err := decodeUser(bytes.TrimSuffix(line, []byte("\n")))
		if err != nil {
			return nil, err
		}
		if n := len(s.Users); n > 0 && s.Users[n-1].Name >= u.Name {
			return nil, corrupt("account %s is out of order", u.Name)
		}
		s.Users = append(s.Users, u)
	}
	if len(s.Users) != h.Users {
		return nil, corrupt("%d users, not %d", len(s.Users), h.Users)
	}
	return s, nil
}

func decodeHead(line []byte) (*Snapshot, head, error) {
	var h head
	version, ok := strings.CutPrefix(firstWords(line, 2), magic+" ")
	if !ok {
		return nil, h, corrupt("it does not begin with %s", magic)
	}
	if n, err := strconv.Atoi(version); err == nil && n > Version {
		return nil, h, fmt.Errorf("%w: %d, this one reads up to %d", ErrNewer, n, Version)
	}
	if err := unseal(magic+" "+strconv.Itoa(Version), line, &h); err != nil {
		return nil, h, err
	}
	return &Snapshot{
		Version: Version, FetchedAt: h.FetchedAt, CompleteAt: h.CompleteAt, MaxStale: time.Duration(h.MaxStale) * time.Second,
		Login: LoginOptions{Allow: h.Allow, From: h.From},
	}, h, nil
}

func decodeUser(line []byte) (User, error) {
	var r record
	name := firstWords(line, 1)
	if err := unseal(name, line, &r); err != nil {
		return User{}, err
	}
	return r.user(name), nil
}

// firstWords returns the first n words of a line, or all of it.
func firstWords(line []byte, n int) string {
	end := 0
	for ; n > 0 && end < len(line); n-- {
		next := bytes.IndexByte(line[end+1:], ' ')
		if next < 0 {
			return string(line)
		}
		end += 1 + next
	}
	return string(line[:end])
}

func sum(key string, content []byte) string {
	return fmt.Sprintf("%08x", crc32.Update(crc32.ChecksumIEEE([]byte(key)), crc32.IEEETable, content))
}

// seal writes a line: key, sum, content.
func seal(key string, content any) ([]byte, error) {
	data, err := json.Marshal(content)
	if err != nil {
		return nil, fmt.Errorf("encode snapshot: %w", err)
	}
	return []byte(key + " " + sum(key, data) + " " + string(data) + "\n"), nil
}

// unseal checks a line and reads its content.
func unseal(key string, line []byte, content any) error {
	rest, ok := bytes.CutPrefix(line, []byte(key+" "))
	if !ok || len(rest) < 9 || string(rest[:9]) != sum(key, rest[9:])+" " {
		return corrupt("the line of %.40q is damaged", key)
	}
	if err := json.Unmarshal(rest[9:], content); err != nil {
		return corrupt("the line of %.40q: %v", key, err)
	}
	return nil
}

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
}

func recordOf(u User) record {
	r := record{
		IAMUser: u.IAMUser, UserID: u.UserID, UID: u.UID, Sudo: u.Sudo, Groups: u.Groups, LocalGroups: u.LocalGroups,
		CheckedAt: u.CheckedAt.UTC(), AddedAt: u.AddedAt.UTC(), LostAt: u.LostAt.UTC(), Held: u.Held, Missing: u.Missing, Removed: u.Removed,
	}
	for _, k := range u.Keys {
		r.Keys = append(r.Keys, keyRecord(k))
	}
	return r
}

func (r record) user(name string) User {
	u := User{
		IAMUser: r.IAMUser, UserID: r.UserID, Name: name, UID: r.UID, Sudo: r.Sudo, Groups: r.Groups, LocalGroups: r.LocalGroups,
		CheckedAt: r.CheckedAt, AddedAt: r.AddedAt, LostAt: r.LostAt, Held: r.Held, Missing: r.Missing, Removed: r.Removed,
	}
	for _, k := range r.Keys {
		u.Keys = append(u.Keys, Key(k))
	}
	return u
}
