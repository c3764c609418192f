package reach

import (
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/postern-dev/postern/iam"
)

// Keys that hold the time of the request.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
const (
	keyTime  = "aws:CurrentTime"
	keyEpoch = "aws:EpochTime"
)

func isTime(key string) bool {
	return strings.EqualFold(key, keyTime) || strings.EqualFold(key, keyEpoch)
}

// judgeTimes settles all conditions of a statement on the time together: they
// hold if they do at every instant from now on, and fail if they do at none.
// Between two instants that they name nothing changes, so that a few instants
// stand for all.
func (f *Facts) judgeTimes(version string, conditions []iam.Condition) outcome {
	if len(conditions) == 0 {
		return holds
	}
	instants, ok := f.instants(conditions)
	if !ok {
		return depends
	}
	ever, always := false, true
	for _, t := range instants {
		keys := maps.Clone(f.Keys)
		if keys == nil {
			keys = map[string][]string{}
		}
		keys[keyTime] = []string{t.UTC().Format(time.RFC3339Nano)}
		keys[keyEpoch] = []string{strconv.FormatInt(t.Unix(), 10)}
		might, does := weigh(version, conditions, keys)
		ever, always = ever || might, always && does
	}
	return outcomeOf(ever, always)
}

// instants are now, every instant from now on that the conditions name and the
// one just before it, and one that is later than all: one of each stretch of
// time. ok is false if now or one of theirs is not known.
func (f *Facts) instants(conditions []iam.Condition) (list []time.Time, ok bool) {
	if f.Now.IsZero() {
		return nil, false
	}
	last := f.Now
	list = []time.Time{f.Now}
	for _, c := range conditions {
		for _, v := range c.Values {
			t, ok := parseInstant(v)
			if !ok {
				return nil, false
			}
			for _, near := range []time.Time{t.Add(-time.Nanosecond), t} {
				if near.Before(f.Now) {
					continue
				}
				list = append(list, near)
				if near.After(last) {
					last = near
				}
			}
		}
	}
	return append(list, last.Add(24*time.Hour)), true
}

// parseInstant reads the W3C forms of ISO 8601 and seconds since 1970. Four
// digits are a year.
//
// https://www.w3.org/TR/NOTE-datetime
func parseInstant(s string) (time.Time, bool) {
	for _, layout := range []string{"2006", "2006-01", time.DateOnly, "2006-01-02T15:04Z07:00", time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	const mostDigits = 12 // beyond the year 9999 nothing can be written
	seconds, err := strconv.ParseInt(s, 10, 64)
	if err != nil || seconds < 0 || len(s) > mostDigits {
		return time.Time{}, false
	}
	return time.Unix(seconds, 0), true
}
