package sshkeys

import (
	"slices"
	"strings"
	"time"
)

// Answer is what IAM said in one round.
type Answer struct {
	At time.Time
	// Complete says that every page of every group was read. What is missing
	// from any other answer says nothing.
	Complete bool
	Members  []Member
}

// Member is a user of at least one of the groups.
type Member struct {
	IAMUser, UserID string
	Groups          []string
	Sudo            bool
	Keys            []Key // active ones
	KeysRead        bool  // false: IAM did not answer for them, those of before count
}

// State is the part of a host that matters here.
type State struct {
	Accounts []Account
	Groups   map[string]uint32 // name to gid
	Sudoers  []string          // accounts in Postern's own file of sudoers, sorted
}

// Account is an OS account of anybody.
type Account struct {
	Name      string
	UID, GID  uint32
	Comment   string   // the GECOS field
	Groups    []string // supplementary, sorted
	Access    Access
	Processes bool // whether any run as it
	Homeless  bool // its home is not there; said of Postern's alone
}

// Access is whether an account lets anybody in.
type Access string

// The states of an account.
const (
	Open   Access = "open"
	Barred Access = "barred" // locked, expired or without a shell, not all of them
	Locked Access = "locked" // as a Lock step leaves it
)

// commentPrefix is followed by the UserID in the comment of an account.
const commentPrefix = "IAM user "

// Comment marks an account as that of an IAM user.
func Comment(userID string) string { return commentPrefix + userID }

// owner returns the UserID of an account that is provably Postern's: its uid
// is that of the IAM user in its comment. What follows a comma there, rooms and
// telephones, users may change with chfn.
func (a Account) owner() (string, bool) {
	name, _, _ := strings.Cut(a.Comment, ",")
	id, ok := strings.CutPrefix(name, commentPrefix)
	return id, ok && a.UID == UID(id)
}

func (s State) byName(name string) (Account, bool) {
	return s.account(func(a Account) bool { return a.Name == name })
}

func (s State) byUID(uid uint32) (Account, bool) {
	return s.account(func(a Account) bool { return a.UID == uid })
}

func (s State) account(is func(Account) bool) (Account, bool) {
	if i := slices.IndexFunc(s.Accounts, is); i >= 0 {
		return s.Accounts[i], true
	}
	return Account{}, false
}

// groupOf returns the name of the group with a gid.
func (s State) groupOf(gid uint32) (string, bool) {
	for name, id := range s.Groups {
		if id == gid {
			return name, true
		}
	}
	return "", false
}

// Kind is what a step does.
type Kind string

// The kinds of steps, in the order in which they are taken. Each one may be
// taken again.
const (
	Sudoers     Kind = "sudoers"      // replace Postern's file of sudoers: Members have sudo
	AddGroup    Kind = "add-group"    // make the group Name with gid UID
	AddUser     Kind = "add-user"     // make the account Name, open, with a home and no password
	RenameUser  Kind = "rename-user"  // to To
	RenameGroup Kind = "rename-group" // to To
	Restore     Kind = "restore"      // undo a Lock
	MakeHome    Kind = "make-home"    // that AddUser was killed before
	SetGroups   Kind = "set-groups"   // make Members the supplementary groups
	Lock        Kind = "lock"         // lock the password, expire the account, take its shell
	EndSessions Kind = "end-sessions" // ask logind to
	Terminate   Kind = "terminate"    // SIGTERM to all processes of UID
	Kill        Kind = "kill"         // SIGKILL to those that are left soon after
)

// Step is one change to a host.
type Step struct {
	Kind    Kind
	Name    string // of the account or group
	UID     uint32 // of the account; its group has the same number
	To      string
	Comment string
	Members []string // sorted
}

// text says what the step does, without whom to.
func (s Step) text() string {
	return strings.Join(slices.DeleteFunc([]string{string(s.Kind), s.To, strings.Join(s.Members, ",")}, func(part string) bool { return part == "" }), " ")
}
