package sshkeys

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/postern-dev/postern/internal/fault"
)

// patience is how many users in a row may fail before the round gives up on
// the keys of the others: IAM throttles or is away, and each call would wait
// for its own time-out.
const patience = 3

// keyTime is how long a round reads keys. What was read by then is written and
// counts; the others come first in the next round. Without an end, the first
// round of many users would be killed with nothing to show for it, and so would
// each after it.
const keyTime = 5 * time.Minute

// keys reads the keys of members, those first that were read the longest ago:
// when IAM throttles, every one has its turn.
func (s *Sync) keys(ctx context.Context, members []Member, previous *Snapshot, r *Report) error {
	q := &queue{members: members, known: map[string]User{}, until: r.At.Add(keyTime)}
	read := map[string]time.Time{}
	if previous != nil {
		for _, u := range previous.Users {
			q.known[u.UserID], read[u.UserID] = u, previous.checked(u)
		}
	}
	slices.SortFunc(members, func(a, b Member) int {
		return cmp.Or(read[a.UserID].Compare(read[b.UserID]), strings.Compare(a.UserID, b.UserID))
	})
	var readers sync.WaitGroup
	for range max(1, s.Readers) {
		readers.Go(func() { s.readKeys(ctx, q) })
	}
	readers.Wait()
	slices.SortFunc(q.problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	r.Calls += q.calls
	r.Problems = append(r.Problems, q.problems...)
	return q.gap
}

// readKeys reads the keys of one member of the queue after another.
func (s *Sync) readKeys(ctx context.Context, q *queue) {
	for m := q.next(s.Now()); m != nil; m = q.next(s.Now()) {
		var own Report
		err := s.keysOf(ctx, m, q.known[m.UserID].Keys, &own)
		q.done(m, &own, err)
	}
}

// queue hands the members to readers, until time or patience has ended.
type queue struct {
	members []Member
	known   map[string]User // of the previous snapshot, by UserID
	until   time.Time

	sync.Mutex
	taken    int
	failures int // in a row
	ended    bool
	calls    int
	problems fault.List
	gap      error // why not all was read
}

// next is who comes next; nil: nobody.
func (q *queue) next(now time.Time) *Member {
	q.Lock()
	defer q.Unlock()
	if q.ended || q.taken == len(q.members) {
		return nil
	}
	if !now.Before(q.until) {
		q.giveUp(fmt.Errorf("reading keys has taken %v", keyTime))
		return nil
	}
	q.taken++
	return &q.members[q.taken-1]
}

// done takes down how it went with a member.
func (q *queue) done(m *Member, own *Report, err error) {
	q.Lock()
	defer q.Unlock()
	q.calls += own.Calls
	q.problems = append(q.problems, own.Problems...)
	if err == nil {
		m.KeysRead, q.failures = true, 0
		return
	}
	err = fmt.Errorf("read keys of IAM user %q: %w", m.IAMUser, err)
	if errors.Is(err, ErrUser) {
		q.problems = append(q.problems, err)
		return
	}
	q.failures++
	switch {
	case q.ended:
	case q.failures == patience:
		q.giveUp(err)
	default:
		q.gap = err
	}
}

func (q *queue) giveUp(why error) {
	q.ended = true
	q.gap = fmt.Errorf("%w; gave up with %d of %d users to go", why, len(q.members)-q.taken, len(q.members))
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
