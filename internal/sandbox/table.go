package sandbox

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// table holds entities of one kind by name. Entities are never changed in
// place: a change puts a new one. So the two views, what the API shows (live)
// and what authorisation has heard of so far (seen), can share them.
type table[T any] struct {
	live    map[string]*T
	seen    map[string]*T
	pending []arrival[T] // by due time
}

// arrival is a change on its way to the seen view.
type arrival[T any] struct {
	due  time.Time
	name string
	v    *T // nil: deleted
}

func (t *table[T]) get(name string) (*T, bool) {
	v, ok := t.live[name]
	return v, ok
}

// known returns what authorisation knows under name.
func (t *table[T]) known(name string) (*T, bool) {
	v, ok := t.seen[name]
	return v, ok
}

func (t *table[T]) put(name string, v *T, due time.Time) {
	if t.live == nil {
		t.live = map[string]*T{}
	}
	t.live[name] = v
	t.pending = append(t.pending, arrival[T]{due, name, v})
}

func (t *table[T]) remove(name string, due time.Time) {
	delete(t.live, name)
	t.pending = append(t.pending, arrival[T]{due, name, nil})
}

// settle lets the changes that are due by now arrive.
func (t *table[T]) settle(now time.Time) {
	n := 0
	for _, a := range t.pending {
		if a.due.After(now) {
			break
		}
		n++
		if t.seen == nil {
			t.seen = map[string]*T{}
		}
		if a.v == nil {
			delete(t.seen, a.name)
		} else {
			t.seen[a.name] = a.v
		}
	}
	t.pending = slices.Delete(t.pending, 0, n)
}

// names returns the live names in order.
func (t *table[T]) names() []string { return slices.Sorted(maps.Keys(t.live)) }

// all returns the live entities in order of their names.
func (t *table[T]) all() []*T {
	out := make([]*T, 0, len(t.live))
	for _, name := range t.names() {
		out = append(out, t.live[name])
	}
	return out
}

// MarshalJSON writes the live view: a restart lets everything arrive.
func (t *table[T]) MarshalJSON() ([]byte, error) {
	if t.live == nil {
		return []byte("{}"), nil
	}
	return json.Marshal(t.live)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (t *table[T]) UnmarshalJSON(data []byte) error {
	var live map[string]*T
	if err := json.Unmarshal(data, &live); err != nil {
		return err
	}
	for name, v := range live {
		if v == nil {
			return fmt.Errorf("entity %q is null", name)
		}
	}
	t.live, t.seen, t.pending = live, maps.Clone(live), nil
	return nil
}
