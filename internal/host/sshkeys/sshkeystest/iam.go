package sshkeystest

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/postern-dev/postern/internal/host/sshkeys"
)

// User is an IAM user.
type User struct {
	Name, ID string
	Groups   []string
	Keys     map[string]string // lines by key id
	Tags     map[string]string
}

// IAM is an IAM in memory. Each call is counted and can be made to fail.
type IAM struct {
	Users  []*User
	Groups []string
	Calls  map[string]int                    // by operation
	Fail   func(operation, arg string) error // before a call; nil: nothing fails
	// Answer, if it is set, edits the members of a group on their way out.
	Answer func(group string, members []sshkeys.Member) ([]sshkeys.Member, error)

	counting sync.Mutex
}

func (i *IAM) call(operation, arg string) error {
	i.counting.Lock()
	if i.Calls == nil {
		i.Calls = map[string]int{}
	}
	i.Calls[operation]++
	i.counting.Unlock()
	if i.Fail != nil {
		return i.Fail(operation, arg)
	}
	return nil
}

// Members lists a group.
func (i *IAM) Members(_ context.Context, group string) ([]sshkeys.Member, error) {
	if err := i.call("GetGroup", group); err != nil {
		return nil, err
	}
	if !slices.Contains(i.Groups, group) {
		return nil, fmt.Errorf("no group %s", group)
	}
	var members []sshkeys.Member
	for _, u := range i.Users {
		if slices.Contains(u.Groups, group) {
			members = append(members, sshkeys.Member{IAMUser: u.Name, UserID: u.ID})
		}
	}
	if i.Answer != nil {
		return i.Answer(group, members)
	}
	return members, nil
}

func (i *IAM) user(name string) (*User, error) {
	n := slices.IndexFunc(i.Users, func(u *User) bool { return u.Name == name })
	if n < 0 {
		return nil, fmt.Errorf("%w: no user %s", sshkeys.ErrUser, name)
	}
	return i.Users[n], nil
}

// KeyIDs lists a user's keys.
func (i *IAM) KeyIDs(_ context.Context, name string) ([]string, error) {
	if err := i.call("ListSSHPublicKeys", name); err != nil {
		return nil, err
	}
	u, err := i.user(name)
	if err != nil {
		return nil, err
	}
	var ids []string
	for id := range u.Keys {
		ids = append(ids, id)
	}
	return ids, nil
}

// PublicKey returns one.
func (i *IAM) PublicKey(_ context.Context, name, id string) (string, error) {
	if err := i.call("GetSSHPublicKey", name); err != nil {
		return "", err
	}
	u, err := i.user(name)
	if err != nil {
		return "", err
	}
	return u.Keys[id], nil
}

// Tag returns the value of a tag.
func (i *IAM) Tag(_ context.Context, name, key string) (string, error) {
	if err := i.call("ListUserTags", name); err != nil {
		return "", err
	}
	u, err := i.user(name)
	if err != nil {
		return "", err
	}
	return u.Tags[key], nil
}
