package action

import (
	"compress/flate"
	_ "embed" // for the reference
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/postern-dev/postern/iam"
)

// embedded is what gen writes. Fields of a line are separated by tabs:
//
//	postern-reference 1
//	VERSION DATE ACTIONS TYPES KEYS DICTIONARY-BYTES
//	PREFIX PACKED-BYTES BYTES [R] [ARN-SERVICE...]    a line per service, sorted
//	                                                  (empty line)
//	KEY TYPE                                          a line per global key
//	                                                  (empty line)
//	the dictionary, then the services one after the other, each deflated with
//	the dictionary as preset
//
// R marks a service with resource control policies; ARN-SERVICEs are the services
// that ARNs of its resource types name, where that is not the prefix alone. An
// inflated service is text as well (parseService).
//
//go:embed reference.bin
var embedded string

const magic = "postern-reference\t1"

// archive is the opened reference: an index, and services to be decoded.
type archive struct {
	info     Info
	services []entry // sorted by prefix
	globals  []Key   // sorted by folded name
	variable []keyRef
	dict     []byte
}

// entry is one service of the archive.
type entry struct {
	prefix      string
	rcp         bool
	arnServices []string

	load func() *Service // decodes it, once
}

// Info is what the reference says of itself.
type Info struct {
	Version       string `json:"version"` // of the source: "0.21.202609261"
	Date          string `json:"date"`    // when the source was made: "2026-09-26"
	Services      int    `json:"services"`
	Actions       int    `json:"actions"`
	ResourceTypes int    `json:"resource_types"`
	ConditionKeys int    `json:"condition_keys"` // of the services, without the global ones
	GlobalKeys    int    `json:"global_keys"`
}

// Version is that of the data's source: "0.21.202609261".
func Version() string { return reference().info.Version }

// Date is the day when the data was taken from AWS's reference: "2026-09-26".
func Date() string { return reference().info.Date }

// About says what the reference holds without decoding all of it.
func About() Info { return reference().info }

// reference opens the embedded archive. Its content is as much part of the
// program as code is; what cannot be read is a broken build, which the
// package's tests would have found.
var reference = sync.OnceValue(func() *archive {
	a, err := open(embedded)
	if err != nil {
		panic(fmt.Sprintf("read the embedded reference: %v", err))
	}
	return a
})

// open reads the index.
func open(src string) (*archive, error) {
	r := &lines{rest: src}
	if r.next() != magic {
		return nil, fmt.Errorf("not a reference of this format")
	}
	head := strings.Split(r.next(), "\t")
	if len(head) != 6 {
		return nil, fmt.Errorf("header has %d fields", len(head))
	}
	a := &archive{info: Info{Version: head[0], Date: head[1]}}
	a.info.Actions, a.info.ResourceTypes, a.info.ConditionKeys = r.number(head[2]), r.number(head[3]), r.number(head[4])
	dictSize := r.number(head[5])

	sizes := r.index(a)
	for line := r.next(); line != ""; line = r.next() {
		k := r.key(line)
		k.Global = true
		a.globals = append(a.globals, k)
	}
	a.variable = variableKeys(a.globals)
	a.info.Services, a.info.GlobalKeys = len(a.services), len(a.globals)
	if dictSize > len(r.rest) {
		return nil, fmt.Errorf("dictionary is cut off")
	}
	a.dict, r.rest = []byte(r.rest[:dictSize]), r.rest[dictSize:]
	return a, a.members(r, sizes)
}

// size is how long a member is in the archive, and inflated.
type size struct{ packed, plain int }

// index reads the lines of the services.
func (r *lines) index(a *archive) []size {
	var sizes []size
	for line := r.next(); line != ""; line = r.next() {
		f := strings.SplitN(line, "\t", 5)
		if len(f) != 5 {
			r.fail("line %q of the index", line)
			return nil
		}
		e := entry{prefix: f[0], rcp: f[3] == "R", arnServices: strings.Fields(f[4])}
		if f[4] == "" {
			e.arnServices = []string{e.prefix}
		}
		a.services = append(a.services, e)
		sizes = append(sizes, size{r.number(f[1]), r.number(f[2])})
	}
	return sizes
}

// members cuts what is left into services.
func (a *archive) members(r *lines, sizes []size) error {
	for i := range a.services {
		if r.err == nil && sizes[i].packed > len(r.rest) {
			r.fail("service %s is cut off", a.services[i].prefix)
		}
		if r.err != nil {
			return r.err
		}
		packed := r.rest[:sizes[i].packed]
		r.rest = r.rest[sizes[i].packed:]
		e := &a.services[i]
		e.load = sync.OnceValue(func() *Service {
			s, err := a.decode(e, packed, sizes[i].plain)
			if err != nil {
				panic(fmt.Sprintf("read %s in the embedded reference: %v", e.prefix, err))
			}
			return s
		})
	}
	return r.err
}

// inflaters are reused: each holds a window of 32 KB.
var inflaters sync.Pool

// decode inflates and parses a service. All strings of the result are parts of
// one, so that hardly anything is allocated.
func (a *archive) decode(e *entry, packed string, plain int) (*Service, error) {
	text := make([]byte, plain)
	z, ok := inflaters.Get().(io.Reader)
	if !ok {
		z = flate.NewReaderDict(strings.NewReader(packed), a.dict)
	} else if err := z.(flate.Resetter).Reset(strings.NewReader(packed), a.dict); err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(z, text); err != nil {
		return nil, err
	}
	inflaters.Put(z)
	s, err := parseService(e.prefix, string(text))
	if err != nil {
		return nil, err
	}
	s.RCP = e.rcp
	return s, nil
}

// entry finds a service by prefix, in any case.
func (a *archive) entry(prefix string) (*entry, bool) {
	i, ok := slices.BinarySearchFunc(a.services, prefix, func(e entry, p string) int { return compareFold(e.prefix, p) })
	if !ok {
		return nil, false
	}
	return &a.services[i], true
}

// matching gives the services whose prefix matches a pattern.
func (a *archive) matching(pattern string) []*entry {
	if e, ok := a.entry(pattern); ok {
		return []*entry{e}
	}
	var found []*entry
	for i := range a.services {
		if e := &a.services[i]; hasWildcard(pattern) && iam.MatchFold(pattern, e.prefix) {
			found = append(found, e)
		}
	}
	return found
}

// lines reads text line by line and keeps the first error.
type lines struct {
	rest string
	err  error
}

// next returns the next line without its end; "" when none is left.
func (r *lines) next() string {
	line, rest, _ := strings.Cut(r.rest, "\n")
	r.rest = rest
	return line
}

func (r *lines) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("bad "+format, args...)
	}
}

// number reads a count.
func (r *lines) number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		r.fail("number %q", s)
		return 0
	}
	return n
}
