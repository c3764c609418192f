package sshkeys

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

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
			if m.UserID == "" || m.IAMUser == "" {
				gaps = append(gaps, fmt.Errorf("read group %s: a user without a name or an id", g))
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

// patience is how many users in a row may fail before the round gives up on
// the keys of the others: IAM throttles or is away, and each call would wait
// for its own time-out.
const patience = 3

// keys reads the keys of members, those first that were read the longest ago:
// when IAM throttles, every one has its turn.
func (s *Sync) keys(ctx context.Context, members []Member, previous *Snapshot, r *Report) error {
	known, read := map[string]User{}, map[string]time.Time{}
	if previous != nil {
		for _, u := range previous.Users {
			known[u.UserID], read[u.UserID] = u, previous.checked(u)
		}
	}
	slices.SortFunc(members, func(a, b Member) int {
		return cmp.Or(read[a.UserID].Compare(read[b.UserID]), strings.Compare(a.UserID, b.UserID))
	})
	failures := 0
	var last error
	for i := range members {
		m := &members[i]
		err := s.keysOf(ctx, m, known[m.UserID].Keys, r)
		switch {
		case err == nil:
			m.KeysRead, failures = true, 0
			continue
		case errors.Is(err, ErrUser):
			r.Problems = append(r.Problems, fmt.Errorf("read keys of IAM user %q: %w", m.IAMUser, err))
			continue
		}
		last = fmt.Errorf("read keys of IAM user %q: %w", m.IAMUser, err)
		if failures++; failures == patience {
			return fmt.Errorf("%w; gave up with %d of %d users to go", last, len(members)-i-1, len(members))
		}
	}
	return last
}

// keysOf fills in a member's keys. Only those that are not known yet are
// fetched. One that cannot be used is reported and left out.
func (s *Sync) keysOf(ctx context.Context, m *Member, known []Key, r *Report) error {
	r.Calls++
	ids, err := s.IAM.KeyIDs(ctx, m.IAMUser)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if i := slices.IndexFunc(known, func(k Key) bool { return k.ID == id && k.Source == FromIAM }); i >= 0 {
			m.Keys = append(m.Keys, known[i])
			continue
		}
		r.Calls++
		line, err := s.IAM.PublicKey(ctx, m.IAMUser, id)
		if err != nil {
			return err
		}
		m.addKey(Key{ID: id, Source: FromIAM}, line, r)
	}
	return s.tagged(ctx, m, r)
}

func (s *Sync) tagged(ctx context.Context, m *Member, r *Report) error {
	tags, ok := s.IAM.(Tags)
	if !ok || s.TagKey == "" {
		return nil
	}
	r.Calls++
	line, err := tags.Tag(ctx, m.IAMUser, s.TagKey)
	if err != nil || line == "" {
		return err
	}
	m.addKey(Key{ID: s.TagKey, Source: FromTag}, line, r)
	return nil
}

func (m *Member) addKey(as Key, line string, r *Report) {
	k, err := ParseKey(line)
	if err == nil && as.Source == FromTag && !strings.HasPrefix(k.Line, "ssh-ed25519 ") {
		err = errors.New("a tag holds an ed25519 key; upload others to IAM")
	}
	if err != nil {
		r.Problems = append(r.Problems, fmt.Errorf("key %s of IAM user %q: %w", as.ID, m.IAMUser, err))
		return
	}
	k.ID, k.Source = as.ID, as.Source
	m.Keys = append(m.Keys, k)
}
