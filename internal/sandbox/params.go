package sandbox

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxMembers bounds the lists of one request: more than any IAM call takes.
const maxMembers = 1000

// params are the parameters of a query-protocol call, by their dotted names.
//
// https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
type params map[string]string

// parseParams reads form-encoded parameters. A name given twice is an error:
// two parties could read it differently.
func parseParams(encoded string) (params, error) {
	form, err := url.ParseQuery(encoded)
	if err != nil {
		return nil, fmt.Errorf("read parameters: %w", err)
	}
	p := make(params, len(form))
	for name, values := range form {
		if len(values) != 1 {
			return nil, fmt.Errorf("parameter %s is given %d times", name, len(values))
		}
		p[name] = values[0]
	}
	return p, nil
}

func (p params) has(name string) bool { _, ok := p[name]; return ok }

// members splits the parameters NAME.member.1.…, NAME.member.2.… into one set
// per index, in order. A scalar member stands under the name "".
func (p params) members(name string) []params {
	byIndex := map[int]params{}
	for full, v := range p {
		rest, ok := strings.CutPrefix(full, name+".member.")
		if !ok {
			continue
		}
		digits, field, _ := strings.Cut(rest, ".")
		n, err := strconv.Atoi(digits)
		if err != nil || n < 1 || n > maxMembers {
			continue
		}
		if byIndex[n] == nil {
			byIndex[n] = params{}
		}
		byIndex[n][field] = v
	}
	var out []params
	indices := make([]int, 0, len(byIndex))
	for n := range byIndex {
		indices = append(indices, n)
	}
	slices.Sort(indices)
	for _, n := range indices {
		out = append(out, byIndex[n])
	}
	return out
}

// list returns the scalar members of a list.
func (p params) list(name string) []string {
	var out []string
	for _, m := range p.members(name) {
		out = append(out, m[""])
	}
	return out
}

// integer reads a bounded number; fallback stands for an absent one.
func (p params) integer(name string, fallback, low, high int) (int, error) {
	v, ok := p[name]
	if !ok {
		return fallback, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		return 0, &apiError{400, "MalformedInput", "Invalid integer value for " + name}
	}
	field := lowerFirst(name)
	if n < low {
		return 0, invalid("1 validation error detected: Value '%d' at '%s' failed to satisfy constraint: Member must have value greater than or equal to %d", n, field, low)
	}
	if n > high {
		return 0, invalid("1 validation error detected: Value '%d' at '%s' failed to satisfy constraint: Member must have value less than or equal to %d", n, field, high)
	}
	return n, nil
}

// lowerFirst spells a parameter as AWS's validation messages do.
func lowerFirst(name string) string {
	if name == "" {
		return ""
	}
	return strings.ToLower(name[:1]) + name[1:]
}
