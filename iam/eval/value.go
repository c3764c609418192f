package eval

import (
	"cmp"
	"strings"
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

// instant is a point in time.
type instant struct {
	seconds int64 // since 1970
	nanos   int
}

func (i instant) compare(j instant) int {
	return cmp.Or(cmp.Compare(i.seconds, j.seconds), cmp.Compare(i.nanos, j.nanos))
}

// parseDate reads the W3C forms of ISO 8601 (year, month, day, minute, second,
// fraction; a time needs its zone) and seconds since 1970. Four digits are a
// year.
//
// https://www.w3.org/TR/NOTE-datetime
func parseDate(s string) (instant, bool) {
	if len(s) != len("2006") && s != "" && isDigits(s) {
		return parseEpoch(s)
	}
	month, day := 1, 1
	year, rest, ok := cutDigits(s, 4)
	if ok && rest != "" {
		month, rest, ok = cutField(rest, '-', 1, 12)
	}
	if ok && rest != "" {
		day, rest, ok = cutField(rest, '-', 1, 31)
		ok = ok && day <= daysIn(year, month)
	}
	if !ok {
		return instant{}, false
	}
	at := instant{seconds: daysSince1970(year, month, day) * secondsPerDay}
	if rest == "" {
		return at, true
	}
	return parseClock(at, rest)
}

const secondsPerDay = 24 * 60 * 60

// daysSince1970 counts in the Gregorian calendar, with years that begin in
// March so that the leap day comes last.
func daysSince1970(year, month, day int) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	const daysTo1970 = 719468 // from 1 March of the year 0
	days := 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 - daysTo1970
	return int64(days)
}

func daysIn(year, month int) int {
	switch {
	case month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0):
		return 29
	case month == 2:
		return 28
	case month == 4 || month == 6 || month == 9 || month == 11:
		return 30
	}
	return 31
}

// parseEpoch takes up to 15 digits, so that nothing overflows.
func parseEpoch(s string) (instant, bool) {
	var n int64
	if len(s) > 15 {
		return instant{}, false
	}
	for i := range len(s) {
		n = n*10 + int64(s[i]-'0')
	}
	return instant{seconds: n}, true
}

// parseClock adds "Thh:mm[:ss[.f]]ZONE" to a day.
func parseClock(at instant, s string) (instant, bool) {
	hour, s, ok := cutField(s, 'T', 0, 23)
	if !ok {
		return instant{}, false
	}
	minute, s, ok := cutField(s, ':', 0, 59)
	if !ok {
		return instant{}, false
	}
	second := 0
	if s != "" && s[0] == ':' {
		if second, s, ok = cutField(s, ':', 0, 59); !ok {
			return instant{}, false
		}
		if at.nanos, s, ok = cutFraction(s); !ok {
			return instant{}, false
		}
	}
	offset, ok := parseZone(s)
	at.seconds += int64(hour*3600+minute*60+second) - offset
	return at, ok
}

// cutFraction cuts ".123" off s, in nanoseconds; it may be absent.
func cutFraction(s string) (nanos int, rest string, ok bool) {
	if s == "" || s[0] != '.' {
		return 0, s, true
	}
	s = s[1:]
	n, unit := 0, 1_000_000_000
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		unit /= 10
		nanos += int(s[n]-'0') * unit
		n++
	}
	return nanos, s[n:], n > 0
}

// parseZone reads "Z" or "+hh:mm", in seconds.
func parseZone(s string) (int64, bool) {
	if s == "Z" {
		return 0, true
	}
	if s == "" || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	sign := 1
	if s[0] == '-' {
		sign = -1
	}
	hour, rest, ok := cutField(s, s[0], 0, 23)
	if !ok {
		return 0, false
	}
	minute, rest, ok := cutField(rest, ':', 0, 59)
	return int64(sign * (hour*3600 + minute*60)), ok && rest == ""
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
