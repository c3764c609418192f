package sshkeys

import (
	"errors"
	"net/netip"
	"strings"
	"time"
)

// LoginOptions restrict what a session can do. Zero is the narrowest: a
// terminal and commands from anywhere.
type LoginOptions struct {
	Allow []string // of AllowNames, beside pty
	From  []string // addresses and CIDR blocks that logins may come from; none: all
}

// AllowNames are what LoginOptions can allow, in the words of authorized_keys.
var AllowNames = []string{"agent-forwarding", "port-forwarding", "user-rc", "X11-forwarding"}

// isAddress takes no zones, and no bits outside of a prefix: sshd refuses the
// whole list for one.
func isAddress(s string) bool {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p == p.Masked()
	}
	a, err := netip.ParseAddr(s)
	return err == nil && a.Zone() == ""
}

// Query is sshd's question: which keys open this account?
type Query struct {
	Name string    // of the OS account, sshd's %u
	UID  uint32    // of the OS account, sshd's %U; 0 if sshd did not say
	Now  time.Time // in the zone of the host, in which sshd reads times
}

// Why a query has no keys.
var (
	ErrUnknown = errors.New("not an account from IAM")
	ErrRemoved = errors.New("the IAM user is not in its groups any more")
	ErrOther   = errors.New("the account on this host has another uid than the IAM user's")
	ErrStale   = errors.New("the snapshot is too old")
	ErrClock   = errors.New("the snapshot is from the future: the clock has gone back")
)

// KeysFor returns lines of authorized_keys, with an expiry-time that is never
// later than the snapshot's age allows. Without keys the error says why, an
// Err of this package.
//
// A clock that has gone back makes the snapshot look younger than it is. Up to
// MaxStale that is let pass, so keys live for less than twice as long; beyond
// it nothing is known of the snapshot's age.
func KeysFor(s *Snapshot, q Query) ([]string, error) {
	u, ok := s.Find(q.Name)
	checked := s.checked(u)
	switch {
	case !ok:
		return nil, ErrUnknown
	case u.Removed:
		return nil, ErrRemoved
	case q.UID != 0 && q.UID != u.UID || u.UID != UID(u.UserID):
		return nil, ErrOther
	case checked.Sub(q.Now) > s.MaxStale:
		return nil, ErrClock
	case !q.Now.Before(checked.Add(s.MaxStale)):
		return nil, ErrStale
	}
	options := s.Login.text(checked.Add(s.MaxStale).In(q.Now.Location()))
	var lines []string
	for _, k := range u.Keys {
		lines = append(lines, options+" "+k.Line+" iam:"+u.IAMUser)
	}
	return lines, nil
}

// text is the options of a line.
//
// https://man.openbsd.org/sshd.8#AUTHORIZED_KEYS_FILE_FORMAT
func (o LoginOptions) text(expires time.Time) string {
	options := append([]string{`expiry-time="` + sshdTime(expires) + `"`, "restrict", "pty"}, o.Allow...)
	if len(o.From) > 0 {
		options = append(options, `from="`+strings.Join(o.From, ",")+`"`)
	}
	return strings.Join(options, ",")
}

// sshdTime writes a time as sshd reads it: in the host's zone, but as if there
// were no summer time, because sshd calls mktime with tm_isdst 0. In summer
// the usual text would mean an hour later. The suffix Z, which would settle it,
// needs OpenSSH 9.1 and makes an older sshd refuse the key.
func sshdTime(t time.Time) string {
	if t.IsDST() {
		_, summer := t.Zone()
		t = t.In(time.FixedZone("", min(summer, standardOffset(t))))
	}
	return t.Format("20060102150405")
}

// standardOffset is the lesser of the offsets of January and July, in seconds
// east of UTC. A zone whose "summer time" goes back, as Dublin's is written,
// is not in summer time when IsDST says so; the lesser offset is the earlier
// expiry in either.
func standardOffset(t time.Time) int {
	_, january := time.Date(t.Year(), 1, 1, 12, 0, 0, 0, t.Location()).Zone()
	_, july := time.Date(t.Year(), 7, 1, 12, 0, 0, 0, t.Location()).Zone()
	return min(january, july)
}
