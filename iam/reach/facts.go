package reach

import (
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

// Facts are what is known of the requests that a question is about. The zero
// value knows nothing: then every condition is open.
type Facts struct {
	// Now is the earliest instant of the requests: a condition on the time is
	// judged for it and for all that come after. Zero: any instant.
	Now time.Time
	// Keys are the condition keys whose values are known; one without values is
	// known to be absent.
	Keys map[string][]string
	// Like are the condition keys that have one value each, of which a pattern
	// is known. A key stands in one of the three.
	Like map[string]Pattern
	// Among are the condition keys that may have several values, as aws:TagKeys
	// has, of which one is known.
	Among map[string]string
}

// Pattern is what is known of a value.
type Pattern struct {
	Text string // with the wildcards "*" and "?"
	Wild string // the characters that wildcards stand for; empty: any
}

// Overlaps reports whether the value might match a pattern of a policy.
func (p Pattern) Overlaps(pattern string) bool {
	return overlaps([]rune(p.Text), []rune(pattern), func(_ int, c rune) bool { return p.Wild == "" || strings.ContainsRune(p.Wild, c) })
}

func (p Pattern) lower() Pattern {
	return Pattern{Text: strings.ToLower(p.Text), Wild: p.Wild + strings.ToLower(p.Wild)}
}

// With returns the facts with more known keys.
func (f Facts) With(keys map[string][]string) Facts {
	all := make(map[string][]string, len(f.Keys)+len(keys))
	for _, from := range []map[string][]string{f.Keys, keys} {
		for key, values := range from {
			all[strings.ToLower(key)] = values
		}
	}
	f.Keys = all
	return f
}

// Free returns the document as it reads for whom every open condition favours:
// an Allow that some request can meet loses its conditions, a Deny stays only
// if no request can escape it. What is left has no conditions.
func (f Facts) Free(d *iam.Document) *iam.Document { return unconditional(d, f.favouring(d)) }

// favouring tells for each statement whether Free keeps it.
func (f *Facts) favouring(d *iam.Document) []byte {
	kept := make([]byte, len(d.Statements))
	for i, s := range d.Statements {
		open, alive := f.settle(d.Version, s.Conditions)
		if alive && (s.Effect == iam.Allow || len(open) == 0) {
			kept[i] = 1
		}
	}
	return kept
}

// unconditional is a document of the kept statements without their conditions.
func unconditional(d *iam.Document, kept []byte) *iam.Document {
	out := *d
	out.Statements = nil
	for i, s := range d.Statements {
		if kept[i] == 1 {
			s.Conditions = nil
			out.Statements = append(out.Statements, s)
		}
	}
	return &out
}

// surely reports whether the conditions hold for every request.
func (f *Facts) surely(version string, conditions []iam.Condition) bool {
	open, alive := f.settle(version, conditions)
	return alive && len(open) == 0
}

// settle returns the conditions that hold for some of the requests and not for
// others, or of which that is not known. It is not alive if they can never all
// hold.
func (f *Facts) settle(version string, conditions []iam.Condition) (open []iam.Condition, alive bool) {
	var times []iam.Condition
	for _, c := range conditions {
		if _, known := find(f.Keys, c.Key); isTime(c.Key) && !known {
			times = append(times, c)
			continue
		}
		switch f.judge(version, c) {
		case fails:
			return nil, false
		case depends:
			open = append(open, c)
		}
	}
	switch f.judgeTimes(version, times) {
	case fails:
		return nil, false
	case depends:
		open = append(open, times...)
	}
	return open, true
}

// outcome is what a condition comes to over all requests of a question.
type outcome uint8

const (
	depends outcome = iota
	fails
	holds
)

func outcomeOf(might, does bool) outcome {
	switch {
	case does:
		return holds
	case might:
		return depends
	}
	return fails
}

func (o outcome) not() outcome {
	switch o {
	case fails:
		return holds
	case holds:
		return fails
	}
	return depends
}

// judge settles one condition on anything but the time.
func (f *Facts) judge(version string, c iam.Condition) outcome {
	if f.leavesVariable(c.Values) {
		return depends
	}
	if pattern, ok := find(f.Like, c.Key); ok {
		if slices.ContainsFunc(c.Values, hasVariables) {
			return depends
		}
		return judgeLike(c, pattern)
	}
	if value, ok := find(f.Among, c.Key); ok {
		return judgeAmong(c, outcomeOf(weigh(version, []iam.Condition{c}, f.With(map[string][]string{c.Key: {value}}).Keys)))
	}
	if _, ok := find(f.Keys, c.Key); ok {
		return outcomeOf(weigh(version, []iam.Condition{c}, f.Keys))
	}
	return depends
}

// judgeAmong settles a condition on a key of which one value is known, from what
// it would come to if that were the only one.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
func judgeAmong(c iam.Condition, alone outcome) outcome {
	op, _ := iam.ParseOperator(c.Operator)
	switch {
	case op.Name == "Null", op.Set == "ForAnyValue" && alone == holds, op.Set == "ForAllValues" && alone == fails:
		return alone
	}
	return depends
}

// leavesVariable reports whether a value holds a variable of which the value
// is not known.
func (f *Facts) leavesVariable(values []string) bool {
	for _, v := range values {
		for {
			_, rest, found := strings.Cut(v, "${")
			if !found {
				break
			}
			name, after, _ := iam.CutVariable(rest)
			name, _, _ = strings.Cut(name, ",")
			name = strings.TrimSpace(name)
			if _, known := find(f.Keys, name); !known && !strings.Contains("*?$", name) {
				return true
			}
			v = after
		}
	}
	return false
}

// find looks a condition key up: keys have no case.
func find[V any](keys map[string]V, key string) (V, bool) {
	if v, ok := keys[key]; ok {
		return v, true
	}
	for have, v := range keys {
		if len(have) == len(key) && strings.EqualFold(have, key) {
			return v, true
		}
	}
	var none V
	return none, false
}

// weigh reports whether the conditions might and whether they do hold in one
// context.
func weigh(version string, conditions []iam.Condition, keys map[string][]string) (might, does bool) {
	policy, err := eval.Compile("conditions", eval.Identity, &iam.Document{Version: version, Statements: []iam.Statement{{
		Effect: iam.Allow, Actions: []string{"*"}, Resources: []string{"*"}, Conditions: conditions,
	}}})
	if err != nil { // what cannot be evaluated is open
		return true, false
	}
	layers := eval.Layers{Identity: []*eval.Policy{policy}}
	request := eval.Request{Principal: eval.Principal{Kind: eval.User}, Action: "iam:GetUser", Resource: "*", Context: eval.NewContext(keys)}
	return layers.MightAllow(&request), layers.Decide(&request) == eval.Allowed
}

// judgeLike settles a condition on a key that has one value, of which a pattern
// is known.
func judgeLike(c iam.Condition, known Pattern) outcome {
	op, ok := iam.ParseOperator(c.Operator)
	if !ok {
		return depends
	}
	name := strings.Replace(op.Name, "Not", "", 1)
	result := depends
	switch name {
	case "StringEquals", "ArnEquals", "ArnLike":
		if !slices.ContainsFunc(c.Values, known.Overlaps) {
			result = fails
		}
	case "StringEqualsIgnoreCase":
		if !slices.ContainsFunc(c.Values, func(v string) bool { return known.lower().Overlaps(strings.ToLower(v)) }) {
			result = fails
		}
	case "StringLike":
		does := slices.ContainsFunc(c.Values, func(v string) bool { return iam.Covers(v, known.Text) })
		result = outcomeOf(slices.ContainsFunc(c.Values, known.Overlaps), does)
	case "Null":
		wants := func(text string) bool {
			return slices.ContainsFunc(c.Values, func(v string) bool { return strings.EqualFold(v, text) })
		}
		switch { // the key is there
		case wants("false"):
			return holds
		case wants("true"):
			return fails
		}
	}
	if name != op.Name {
		return result.not()
	}
	return result
}
