package action

import (
	"compress/flate"
	_ "embed" // for the reference
	"fmt"
	"io"
	"sort"
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
}

// entry is one service of the archive.
type entry struct {
	prefix      string
	rcp         bool
	arnServices string // separated by spaces; empty if only the prefix
	packed      string // the deflated text
	size        int    // of the text, in bytes
	dict        []byte // of the archive

	once    sync.Once
	service *Service
}

// load decodes the service, the first time.
func (e *entry) load() *Service {
	e.once.Do(func() {
		s, err := e.decode()
		if err != nil {
			panic(fmt.Sprintf("read %s in the embedded reference: %v", e.prefix, err))
		}
		e.service = s
	})
	return e.service
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

	packed := r.index(a)
	for line := r.next(); line != ""; line = r.next() {
		k := r.key(line)
		k.Global = true
		a.globals = append(a.globals, k)
	}
	a.variable = variableKeys(a.globals)
	a.info.Services, a.info.GlobalKeys = len(a.services), len(a.globals)
	dict := []byte(r.bytes(dictSize))
	for i := range a.services {
		a.services[i].dict, a.services[i].packed = dict, r.bytes(packed[i])
	}
	return a, r.err
}

// index reads the lines of the services, and gives their sizes in the archive.
func (r *lines) index(a *archive) (packed []int) {
	const about = 512
	a.services, packed = make([]entry, 0, about), make([]int, 0, about)
	for line := r.next(); line != ""; line = r.next() {
		prefix, line, _ := strings.Cut(line, "\t")
		inArchive, line, _ := strings.Cut(line, "\t")
		size, line, _ := strings.Cut(line, "\t")
		rcp, arnServices, ok := strings.Cut(line, "\t")
		if !ok {
			r.fail("line of %s in the index", prefix)
		}
		a.services = append(a.services, entry{prefix: prefix, rcp: rcp == "R", arnServices: arnServices, size: r.number(size)})
		packed = append(packed, r.number(inArchive))
	}
	return packed
}

// inflaters are reused: each holds a window of 32 KB.
var inflaters sync.Pool

// decode inflates and parses a service. All strings of the result are parts of
// one, so that hardly anything is allocated.
func (e *entry) decode() (*Service, error) {
	text := make([]byte, e.size)
	z, ok := inflaters.Get().(io.Reader)
	if !ok {
		z = flate.NewReaderDict(strings.NewReader(e.packed), e.dict)
	} else if err := z.(flate.Resetter).Reset(strings.NewReader(e.packed), e.dict); err != nil {
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
	i, ok := sort.Find(len(a.services), func(i int) int { return compareFold(prefix, a.services[i].prefix) })
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
		if e := &a.services[i]; iam.HasWildcard(pattern) && iam.MatchFold(pattern, e.prefix) {
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

// bytes returns the next n bytes.
func (r *lines) bytes(n int) string {
	if n > len(r.rest) {
		r.fail("length %d with %d bytes left", n, len(r.rest))
		return ""
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
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
