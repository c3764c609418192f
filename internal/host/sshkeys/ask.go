package sshkeys

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/postern-dev/postern/internal/fault"
)

// IAM is what is asked of AWS.
type IAM interface {
	// Members returns the users of a group. With an error these are not all
	// of them; without one they are.
	Members(ctx context.Context, group string) ([]Member, error)
	// KeyIDs returns the active SSH public keys of a user.
	KeyIDs(ctx context.Context, iamUser string) ([]string, error)
	// PublicKey returns a key as a line of authorized_keys. A key never changes.
	PublicKey(ctx context.Context, iamUser, keyID string) (string, error)
}

// Tags is IAM that also reads tags of users.
type Tags interface {
	// Tag returns the value of a user's tag, empty if there is none.
	Tag(ctx context.Context, iamUser, key string) (string, error)
}

// ErrUser is in the tree of an error that concerns one user alone: it was
// deleted meanwhile, or may not be read.
var ErrUser = errors.New("the user cannot be read")

// GroupSource says which IAM groups let users in.
type GroupSource interface {
	Groups(ctx context.Context) (Groups, error)
}

// Groups are names of IAM groups. Members of the sudo groups may log in too.
type Groups struct{ Login, Sudo []string }

// Groups returns g itself: a list from flags or a file.
func (g Groups) Groups(context.Context) (Groups, error) { return g, nil }

// GroupSources joins several.
type GroupSources []GroupSource

// Groups asks all sources. One that fails fails all: with a part of the
// groups, users would seem to have left.
func (s GroupSources) Groups(ctx context.Context) (Groups, error) {
	var all Groups
	for _, source := range s {
		g, err := source.Groups(ctx)
		if err != nil {
			return Groups{}, err
		}
		all.Login, all.Sudo = union(all.Login, g.Login), union(all.Sudo, g.Sudo)
	}
	return all, nil
}

// ask collects one answer, one call at a time. The error says why it is not
// complete.
func (s *Sync) ask(ctx context.Context, previous *Snapshot, r *Report) (Answer, error) {
	answer := Answer{At: r.At}
	groups, err := s.Groups.Groups(ctx)
	if err != nil {
		return answer, err
	}
	all := union(groups.Login, groups.Sudo)
	if len(all) == 0 {
		return answer, &fault.Error{Code: fault.Usage, What: "no IAM group is named", Hint: "postern host ssh sync --group engineers"}
	}
	var gaps fault.List
	members := map[string]*Member{} // by UserID
	for _, g := range all {
		r.Calls++
		found, err := s.IAM.Members(ctx, g)
		if err != nil {
			gaps = append(gaps, fmt.Errorf("read group %s: %w", g, err))
		}
		for _, m := range found {
			if !lineForm().MatchString(m.IAMUser) || !lineForm().MatchString(m.UserID) {
				gaps = append(gaps, fmt.Errorf("read group %s: %.80q (%.80q) is no user of IAM's", g, m.IAMUser, m.UserID))
				continue
			}
			join(members, m, g, slices.Contains(groups.Sudo, g))
		}
	}
	answer.Complete = len(gaps) == 0
	for _, m := range members {
		answer.Members = append(answer.Members, *m)
	}
	if err := s.keys(ctx, answer.Members, previous, r); err != nil {
		gaps = append(gaps, err)
	}
	return answer, gaps.Err()
}

func join(members map[string]*Member, m Member, group string, sudo bool) {
	known, ok := members[m.UserID]
	if !ok {
		known = &Member{IAMUser: m.IAMUser, UserID: m.UserID}
		members[m.UserID] = known
	}
	known.Groups = union(known.Groups, []string{group})
	known.Sudo = known.Sudo || sudo
}
