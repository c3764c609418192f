package spec

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/suggest"
)

// String gives "file:line:column", as compilers and editors write it.
func (p Pos) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// known tells a position that was read from the zero one.
func (p Pos) known() bool { return p.Line > 0 }

// problem is one mistake in a spec.
type problem struct {
	pos        Pos
	what, hint string
}

// report collects the mistakes of all files; nothing stops at the first one.
type report struct {
	files    []string // in the order they were given
	problems []problem
	secrets  map[Pos]bool // where text stands that no message may repeat
}

func (r *report) add(pos Pos, what, hint string) {
	if !r.secrets[pos] {
		r.problems = append(r.problems, problem{pos, what, hint})
	}
}

// addSecret reports a secret and keeps other messages about the same text,
// which might repeat it, from being reported.
func (r *report) addSecret(pos Pos, what, hint string) {
	r.add(pos, what, hint)
	if r.secrets == nil {
		r.secrets = map[Pos]bool{}
	}
	r.secrets[pos] = true
}

// err returns the mistakes as a fault.List in source order, nil if there are
// none.
func (r *report) err() error {
	slices.SortStableFunc(r.problems, func(a, b problem) int {
		return cmp.Or(
			cmp.Compare(slices.Index(r.files, a.pos.File), slices.Index(r.files, b.pos.File)),
			cmp.Compare(a.pos.Line, b.pos.Line),
			cmp.Compare(a.pos.Column, b.pos.Column),
		)
	})
	var list fault.List
	for _, p := range r.problems {
		list = append(list, &fault.Error{Code: fault.General, Where: p.pos.String(), What: p.what, Hint: p.hint})
	}
	return list.Err()
}

// didYouMean is the hint for an unknown word: the near one, else all there are.
func didYouMean(word string, candidates []string) string {
	if near := suggest.Nearest(word, candidates); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return oneOf(candidates)
}

// oneOf lists what could stand here, unless that would fill the screen.
func oneOf(candidates []string) string {
	const most = 12
	switch n := len(candidates); {
	case n == 0:
		return ""
	case n > most:
		return fmt.Sprintf("known here: %s and %d more", strings.Join(candidates[:most], ", "), n-most)
	}
	return "known here: " + strings.Join(candidates, ", ")
}
