package plan

import (
	"cmp"
	"maps"
	"slices"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/estate"
)

// inlineDiff is one inline policy that differs; either document may be nil.
type inlineDiff struct {
	name       string
	want, have *iam.Document
}

func (d inlineDiff) reason() string {
	if d.have == nil {
		return "not there yet"
	}
	return "its statements differ"
}

// growth is how many characters the policy takes more than before.
func (d inlineDiff) growth() int { return size(d.want) - size(d.have) }

// diffInline lists what differs, the ones that shrink first: all inline
// policies of a role share one quota.
func diffInline(want, have []estate.InlinePolicy) []inlineDiff {
	diffs := map[string]inlineDiff{}
	for _, p := range want {
		diffs[p.Name] = inlineDiff{name: p.Name, want: p.Document}
	}
	for _, p := range have {
		d := diffs[p.Name]
		d.name, d.have = p.Name, p.Document
		diffs[p.Name] = d
	}
	maps.DeleteFunc(diffs, func(_ string, d inlineDiff) bool {
		return d.want != nil && d.have != nil && iam.Equal(d.want, d.have)
	})
	return slices.SortedFunc(maps.Values(diffs), func(a, b inlineDiff) int {
		return cmp.Or(cmp.Compare(a.growth(), b.growth()), cmp.Compare(a.name, b.name))
	})
}

func size(d *iam.Document) int {
	if d == nil {
		return 0
	}
	return d.Size()
}
