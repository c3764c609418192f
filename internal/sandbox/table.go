package sandbox

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// table holds entities of one kind by name. Entities are never changed in
// place: a change puts a new one. So the views can share them: what stands
// (live), what authorisation has heard of so far (seen), and what calls that
// read show so far (shown).
type table[T any] struct {
	live  map[string]*T
	seen  view[T]
	shown view[T]
}

// view is a table as somebody knows it to whom changes come late.
type view[T any] struct {
	known   map[string]*T
	pending []arrival[T] // by due time
}

// arrival is a change on its way to a view.
type arrival[T any] struct {
	due  time.Time
	name string
	v    *T // nil: deleted
}

// dues say when a change arrives in the views.
type dues struct{ seen, shown time.Time }

// atOnce is for what the sandbox itself makes.
func atOnce(now time.Time) dues { return dues{now, now} }

func (t *table[T]) get(name string) (*T, bool) {
	v, ok := t.live[name]
	return v, ok
}

// known returns what authorisation knows under name.
func (t *table[T]) known(name string) (*T, bool) {
	v, ok := t.seen.known[name]
	return v, ok
}

func (t *table[T]) put(name string, v *T, due dues) {
	if t.live == nil {
		t.live = map[string]*T{}
	}
	t.live[name] = v
	t.announce(name, v, due)
}

func (t *table[T]) remove(name string, due dues) {
	delete(t.live, name)
	t.announce(name, nil, due)
}

func (t *table[T]) announce(name string, v *T, due dues) {
	t.seen.pending = append(t.seen.pending, arrival[T]{due.seen, name, v})
	t.shown.pending = append(t.shown.pending, arrival[T]{due.shown, name, v})
}

// settle lets the changes that are due by now arrive.
func (t *table[T]) settle(now time.Time) {
	t.seen.settle(now)
	t.shown.settle(now)
}

func (w *view[T]) settle(now time.Time) {
	n := 0
	for _, a := range w.pending {
		if a.due.After(now) {
			break
		}
		n++
		if w.known == nil {
			w.known = map[string]*T{}
		}
		if a.v == nil {
			delete(w.known, a.name)
		} else {
			w.known[a.name] = a.v
		}
	}
	w.pending = slices.Delete(w.pending, 0, n)
}

// asShown is the table as calls that read see it.
func (t *table[T]) asShown() table[T] { return table[T]{live: t.shown.known, seen: t.seen} }

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
	*t = table[T]{live: live, seen: view[T]{known: maps.Clone(live)}, shown: view[T]{known: maps.Clone(live)}}
	return nil
}
