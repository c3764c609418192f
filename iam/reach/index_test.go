package reach

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestNear: no pattern that has something in common with a question's is left
// out, however many begin alike.
func TestNear(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, place := postings{}, map[string]int{}
		for range 200 {
			pattern := drawPattern(t, rapid.SampledFrom([]string{"", "arn:aws:s3:::", "arn:aws:iam::*:role/"}).Draw(t, "prefix"), "ab*?")
			p.add(place, []string{pattern}, nil, 0)
		}
		p.sort()
		q := Question{Resource: drawPattern(t, rapid.SampledFrom([]string{"", "arn:aws:s3:::", "arn:aws:iam::222222222222:role/"}).Draw(t, "asked prefix"), "ab*?")}
		q.Bare = q.Resource == "*"
		var near []string
		p.near(q.Resource, func(at int32) { near = append(near, p.patterns[at]) })
		for _, pattern := range p.patterns {
			if q.about(pattern) && !slices.Contains(near, pattern) {
				t.Fatalf("%s is not near %s", pattern, q.Resource)
			}
		}
	})
}
