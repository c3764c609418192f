package lint

import "strings"

// maxWord bounds the quadratic comparison; longer words are no typing errors.
const maxWord = 100

// nearest is the candidate that word was probably meant to be: at most one edit
// in four characters away, whatever the case. Empty if none is near; of two the
// first.
func nearest(word string, candidates []string) string {
	word = strings.ToLower(word)
	if word == "" || len(word) > maxWord {
		return ""
	}
	best, limit := "", max(1, len(word)/4)
	for _, c := range candidates {
		if d := distance(word, strings.ToLower(c), limit); d <= limit && c != "" {
			best, limit = c, d-1
		}
	}
	return best
}

// distance is the number of bytes to insert, delete or replace that turns a
// into b, and limit+1 if it is more than limit.
func distance(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal, least := row[0], i+1
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
			least = min(least, cost)
		}
		if least > limit {
			return limit + 1
		}
	}
	return row[len(b)]
}
