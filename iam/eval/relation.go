package eval

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// compileRelation compiles the values of a positive operator. Variables work
// in strings, ARNs and booleans only.
func compileRelation(operator string, values []string, st style) (relation, error) {
	switch operator {
	case "StringEquals":
		return compileText(values, st)
	case "StringEqualsIgnoreCase":
		st.anyCase = true
		return compileText(values, st)
	case "StringLike":
		st.wild = true
		return compileText(values, st)
	case "Bool":
		return compileBool(values, st)
	case "ArnEquals", "ArnLike":
		st.wild = true
		return compileARNs(values, st)
	case "IpAddress":
		return compileEach(values, parseNetwork, func(ps []netip.Prefix) relation { return networks{ps, st.unparsable} })
	case "BinaryEquals":
		return compileEach(values, parseBinary, func(bs [][]byte) relation { return binaries{bs, st.unparsable} })
	}
	order, ok := orders[strings.TrimPrefix(strings.TrimPrefix(operator, "Numeric"), "Date")]
	switch {
	case ok && strings.HasPrefix(operator, "Numeric"):
		return measure[decimal]{order: order, compare: decimal.compare, parse: parseDecimal, unparsable: st.unparsable}.over(values, "not a number")
	case ok && strings.HasPrefix(operator, "Date"):
		return measure[instant]{order: order, compare: instant.compare, parse: parseDate, unparsable: st.unparsable}.over(values, "neither an ISO 8601 date nor epoch seconds")
	}
	return nil, fmt.Errorf("operator %s cannot be evaluated", operator)
}

// compileEach parses every value and wraps the lot.
func compileEach[T any](values []string, parse func(string) (T, error), wrap func([]T) relation) (relation, error) {
	out := make([]T, 0, len(values))
	for _, s := range values {
		v, err := parse(s)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return wrap(out), nil
}

// texts are values compared as strings.
type texts []pattern

func compileText(values []string, st style) (relation, error) {
	ps, err := compilePatterns(values, st)
	if err != nil {
		return nil, err
	}
	return texts(ps), nil
}

func compileBool(values []string, st style) (relation, error) {
	for _, v := range values {
		if !strings.EqualFold(v, "true") && !strings.EqualFold(v, "false") && !(st.vars && strings.Contains(v, "${")) {
			return nil, fmt.Errorf("%q is neither true nor false", v)
		}
	}
	st.anyCase = true
	return compileText(values, st)
}

func (ts texts) holds(value string, ctx Context) truth { return matchAny(ts, value, ctx) }

// arns are ARNs compared part by part: a star does not reach past its colon.
type arns struct {
	values []arnPattern
	short  truth // whether a pattern of fewer parts matches what it matches as a text
}

// arnPattern is one ARN of a policy.
type arnPattern struct {
	parts [arnParts]pattern
	whole bool // parts[0] is the whole, for it has too few parts or they are in its variables
}

const arnParts = 6

func compileARNs(values []string, st style) (relation, error) {
	out := arns{values: make([]arnPattern, 0, len(values)), short: st.short}
	for _, s := range values {
		var a arnPattern
		var err error
		parts := splitARN(s, st.vars)
		if len(parts) < arnParts {
			a.whole, parts = true, []string{s}
		}
		for i, part := range parts {
			if a.parts[i], err = compilePattern(part, st); err != nil {
				return nil, err
			}
		}
		out.values = append(out.values, a)
	}
	return out, nil
}

// splitARN cuts at the first five colons that stand outside variables.
func splitARN(s string, vars bool) []string {
	var parts []string
	from, depth := 0, 0
	for i := 0; i < len(s) && len(parts) < arnParts-1; i++ {
		switch {
		case vars && strings.HasPrefix(s[i:], "${"):
			depth++
		case s[i] == '}' && depth > 0:
			depth--
		case s[i] == ':' && depth == 0:
			parts = append(parts, s[from:i])
			from = i + 1
		}
	}
	return append(parts, s[from:])
}

func (as arns) holds(value string, ctx Context) truth {
	best := no
	for i := range as.values {
		if best = max(best, as.match(&as.values[i], value, ctx)); best == yes {
			return yes
		}
	}
	return best
}

func (as arns) match(a *arnPattern, value string, ctx Context) truth {
	if a.whole {
		return as.matchWhole(&a.parts[0], value, ctx)
	}
	t := yes
	for i := range a.parts {
		part := value
		if i < arnParts-1 {
			colon := strings.IndexByte(value, ':')
			if colon < 0 {
				return no // not an ARN
			}
			part, value = value[:colon], value[colon+1:]
		}
		if t = min(t, a.parts[i].match(part, ctx)); t == no {
			return no
		}
	}
	return t
}

// matchWhole is for a pattern whose parts, if it has them, come out of its
// variables, such as "${aws:PrincipalArn}".
func (as arns) matchWhole(p *pattern, value string, ctx Context) truth {
	if len(p.pieces) == 0 {
		return min(as.short, p.match(value, ctx))
	}
	var buf [8]string
	values, known := p.resolve(buf[:0], ctx)
	if known != yes {
		return known
	}
	if !p.isARN(values) {
		return min(as.short, truthOf(matchPieces(p.pieces, values, value, 0)))
	}
	resource := resourceStart(value)
	return truthOf(resource > 0 && matchPieces(p.pieces, values, value, resource))
}

// isARN says whether a template has all parts of an ARN, given its values.
func (p *pattern) isARN(values []string) bool {
	colons := 0
	for i := range p.pieces {
		text := p.pieces[i].text
		if p.pieces[i].kind == variable {
			text, values = values[0], values[1:]
		}
		colons += strings.Count(text, ":")
	}
	return colons >= arnParts-1
}

// resourceStart is where the last part of an ARN begins; 0 if it is none.
func resourceStart(arn string) int {
	at := 0
	for range arnParts - 1 {
		colon := strings.IndexByte(arn[at:], ':')
		if colon < 0 {
			return 0
		}
		at += colon + 1
	}
	return at
}

// order says which results of comparing request with policy are wanted.
type order struct{ less, equal, greater bool }

var orders = map[string]order{
	"Equals":            {equal: true},
	"LessThan":          {less: true},
	"LessThanEquals":    {less: true, equal: true},
	"GreaterThan":       {greater: true},
	"GreaterThanEquals": {greater: true, equal: true},
}

func (o order) wants(compared int) bool {
	switch {
	case compared < 0:
		return o.less
	case compared > 0:
		return o.greater
	}
	return o.equal
}

// measure compares numbers or dates.
type measure[T any] struct {
	order      order
	compare    func(T, T) int
	values     []T
	parse      func(string) (T, bool)
	unparsable truth
}

// over takes the values of a policy; wrong says what one is that cannot be read.
func (m measure[T]) over(values []string, wrong string) (relation, error) {
	parse := func(s string) (T, error) {
		v, ok := m.parse(s)
		if !ok {
			return v, fmt.Errorf("%q is %s", s, wrong)
		}
		return v, nil
	}
	return compileEach(values, parse, func(all []T) relation {
		m.values = all
		return m
	})
}

func (m measure[T]) holds(value string, _ Context) truth {
	v, ok := m.parse(value)
	if !ok {
		return m.unparsable
	}
	for _, with := range m.values {
		if m.order.wants(m.compare(v, with)) {
			return yes
		}
	}
	return no
}

// networks are address ranges. IPv4 and IPv6 never match each other.
type networks struct {
	values     []netip.Prefix
	unparsable truth
}

func parseNetwork(s string) (netip.Prefix, error) {
	if strings.Contains(s, "/") {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return p, fmt.Errorf("%q is not an address range", s)
		}
		return p, nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, fmt.Errorf("%q is not an IP address", s)
	}
	return netip.PrefixFrom(a, a.BitLen()), nil
}

func (ns networks) holds(value string, _ Context) truth {
	a, err := netip.ParseAddr(value)
	if err != nil || a.Zone() != "" {
		return ns.unparsable
	}
	for _, n := range ns.values {
		if n.Contains(a) {
			return yes
		}
	}
	return no
}

// binaries are bytes, base64 on both sides.
type binaries struct {
	values     [][]byte
	unparsable truth
}

func parseBinary(s string) ([]byte, error) {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil, errors.New("value is not base64")
	}
	return b, nil
}

func (bs binaries) holds(value string, _ Context) truth {
	b, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		return bs.unparsable
	}
	for _, want := range bs.values {
		if bytes.Equal(b, want) {
			return yes
		}
	}
	return no
}
