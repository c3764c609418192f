package eval

import (
	"cmp"
	"strings"
	"time"
)

// decimal is a number as policies write it, kept as digits so that comparing
// is exact: "3.50" is 3.5, and no integer is too long.
type decimal struct {
	negative bool
	whole    string // digits without leading zeros
	fraction string // digits without trailing zeros
}

// parseDecimal reads "12", "-3.50", "+.5". Exponents are not numbers to AWS.
func parseDecimal(s string) (decimal, bool) {
	var d decimal
	if s != "" && (s[0] == '-' || s[0] == '+') {
		d.negative, s = s[0] == '-', s[1:]
	}
	whole, fraction, _ := strings.Cut(s, ".")
	if whole == "" && fraction == "" || !isDigits(whole) || !isDigits(fraction) {
		return decimal{}, false
	}
	d.whole, d.fraction = strings.TrimLeft(whole, "0"), strings.TrimRight(fraction, "0")
	if d.whole == "" && d.fraction == "" {
		d.negative = false
	}
	return d, true
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func (d decimal) compare(e decimal) int {
	switch {
	case d.negative != e.negative:
		if d.negative {
			return -1
		}
		return 1
	case d.negative:
		return e.compareSize(d)
	}
	return d.compareSize(e)
}

func (d decimal) compareSize(e decimal) int {
	return cmp.Or(
		cmp.Compare(len(d.whole), len(e.whole)),
		strings.Compare(d.whole, e.whole),
		strings.Compare(d.fraction, e.fraction),
	)
}

// parseDate reads the W3C forms of ISO 8601 (year, month, day, minute, second,
// fraction; a time needs its zone) and seconds since 1970. Four digits are a
// year.
//
// https://www.w3.org/TR/NOTE-datetime
func parseDate(s string) (time.Time, bool) {
	if len(s) != len("2006") && s != "" && isDigits(s) {
		return parseEpoch(s)
	}
	year, rest, ok := cutDigits(s, 4)
	if !ok || rest == "" {
		return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC), ok
	}
	month, rest, ok := cutField(rest, '-', 1, 12)
	if !ok || rest == "" {
		return time.Date(year, time.Month(month), 1, 0, 0, 0, 0, time.UTC), ok
	}
	day, rest, ok := cutField(rest, '-', 1, 31)
	date := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if !ok || date.Day() != day { // 30 February
		return time.Time{}, false
	}
	if rest == "" {
		return date, true
	}
	return parseClock(date, rest)
}

// parseEpoch takes up to 15 digits, so that nothing overflows.
func parseEpoch(s string) (time.Time, bool) {
	var n int64
	if len(s) > 15 {
		return time.Time{}, false
	}
	for i := range len(s) {
		n = n*10 + int64(s[i]-'0')
	}
	return time.Unix(n, 0), true
}

// parseClock adds "Thh:mm[:ss[.f]]ZONE" to a date.
func parseClock(date time.Time, s string) (time.Time, bool) {
	hour, s, ok := cutField(s, 'T', 0, 23)
	if !ok {
		return time.Time{}, false
	}
	minute, s, ok := cutField(s, ':', 0, 59)
	if !ok {
		return time.Time{}, false
	}
	second, nanos := 0, 0
	if s != "" && s[0] == ':' {
		if second, s, ok = cutField(s, ':', 0, 59); !ok {
			return time.Time{}, false
		}
		if nanos, s, ok = cutFraction(s); !ok {
			return time.Time{}, false
		}
	}
	offset, ok := parseZone(s)
	clock := time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second
	return date.Add(clock + time.Duration(nanos) - offset), ok
}

// cutFraction cuts ".123" off s, in nanoseconds; it may be absent.
func cutFraction(s string) (nanos int, rest string, ok bool) {
	if s == "" || s[0] != '.' {
		return 0, s, true
	}
	s = s[1:]
	n, unit := 0, int(time.Second)
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		unit /= 10
		nanos += int(s[n]-'0') * unit
		n++
	}
	return nanos, s[n:], n > 0
}

func parseZone(s string) (time.Duration, bool) {
	if s == "Z" {
		return 0, true
	}
	if s == "" || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	sign := time.Duration(1)
	if s[0] == '-' {
		sign = -1
	}
	hour, rest, ok := cutField(s, s[0], 0, 23)
	if !ok {
		return 0, false
	}
	minute, rest, ok := cutField(rest, ':', 0, 59)
	return sign * (time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute), ok && rest == ""
}

// cutField cuts a separator and two digits within bounds off s.
func cutField(s string, separator byte, low, high int) (n int, rest string, ok bool) {
	if s == "" || s[0] != separator {
		return 0, s, false
	}
	n, rest, ok = cutDigits(s[1:], 2)
	return n, rest, ok && low <= n && n <= high
}

func cutDigits(s string, count int) (n int, rest string, ok bool) {
	if len(s) < count || !isDigits(s[:count]) {
		return 0, s, false
	}
	for i := range count {
		n = n*10 + int(s[i]-'0')
	}
	return n, s[count:], true
}
