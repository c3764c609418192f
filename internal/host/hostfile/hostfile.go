// Package hostfile reads host.yaml, the settings of a guarded host. It reports
// every mistake with its place, takes no key that it does not know, and looks
// nothing up: whether a user exists is not its question.
package hostfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/host/lockdown"
	"github.com/postern-dev/postern/internal/suggest"
)

// Path is where the file lies if nobody says otherwise.
const Path = "/etc/postern/host.yaml"

// MaxBytes bounds the file.
const MaxBytes = 1 << 20

// File is what the file says.
type File struct {
	Lockdown *Lockdown // nil: the section is not there
	SSH      *SSH      // the same
}

// Lockdown says who may reach the metadata endpoints, as the flags of
// `postern host lockdown apply` do.
type Lockdown struct {
	Allow        []string // users: names or uids
	AllowGroups  []string // their members, supplementary ones too
	Endpoints    []string // imds, ecs, eks, or an address of theirs
	ForwardFrom  []string // networks of containers that may, too
	LogGroup     *uint16  // of NFLOG; 0 for none; nil: not said
	AllowMissing bool     // leave out names that the host does not have
	AllowNobody  bool     // an empty list is meant
}

// reader collects mistakes.
type reader struct {
	name  string
	wrong fault.List
}

// value reads the value of a key.
type value func(r *reader, n *yaml.Node)

// Parse reads the file's content; name is for messages.
func Parse(name string, data []byte) (*File, error) {
	r := &reader{name: name}
	if len(data) > MaxBytes {
		return nil, &fault.Error{Where: name, What: "is larger than 1 MiB"}
	}
	var f File
	body, err := document(data)
	if err != nil {
		return nil, r.unreadable(err)
	}
	if body == nil {
		r.fail(&yaml.Node{Line: 1, Column: 1}, "says nothing", "begin with `lockdown:`, and below it `allow: [root]`; or with `ssh:`, and below it `groups: [engineers]`")
		return nil, r.wrong
	}
	r.object(body, map[string]value{
		"lockdown": section(&f.Lockdown, lockdownKeys),
		"ssh":      section(&f.SSH, sshKeys),
	})
	if err := r.wrong.Err(); err != nil {
		return nil, err
	}
	return &f, nil
}

func lockdownKeys(l *Lockdown) map[string]value {
	return map[string]value{
		"allow":         list(&l.Allow),
		"allow_groups":  list(&l.AllowGroups),
		"endpoints":     list(&l.Endpoints, checkEndpoint),
		"forward_from":  list(&l.ForwardFrom, checkNetwork),
		"log_group":     number(&l.LogGroup),
		"allow_missing": boolean(&l.AllowMissing),
		"allow_nobody":  boolean(&l.AllowNobody),
	}
}

func checkEndpoint(name string) error {
	_, err := lockdown.ParseEndpoint(name)
	return err
}

func checkNetwork(text string) error {
	_, err := lockdown.ParseNetwork(text)
	return err
}

// document gives the one document, nil if there is none.
func document(data []byte) (*yaml.Node, error) {
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	var first, second yaml.Node
	if err := loader.Load(&first); errors.Is(err, io.EOF) {
		return nil, nil //nolint:nilnil // nothing is an answer
	} else if err != nil {
		return nil, err
	}
	switch err := loader.Load(&second); {
	case err == nil:
		return nil, errors.New("a second YAML document begins behind the first")
	case !errors.Is(err, io.EOF):
		return nil, err
	}
	return first.Content[0], nil
}

func (r *reader) unreadable(err error) error {
	where := r.name
	if e, ok := errors.AsType[*yaml.LoadError](err); ok {
		where, err = fmt.Sprintf("%s:%d:%d", r.name, max(1, e.Mark.Line), max(1, e.Mark.Column)), errors.New(e.Message)
	}
	return &fault.Error{Where: where, What: "YAML syntax", Cause: err}
}

func (r *reader) fail(n *yaml.Node, what, hint string) {
	r.wrong = append(r.wrong, &fault.Error{Where: fmt.Sprintf("%s:%d:%d", r.name, n.Line, n.Column), What: what, Hint: hint})
}

// section reads a map, which is there from then on, into the places of its keys.
func section[T any](to **T, keys func(*T) map[string]value) value {
	return func(r *reader, n *yaml.Node) {
		*to = new(T)
		r.object(n, keys(*to))
	}
}

func (r *reader) object(n *yaml.Node, keys map[string]value) {
	if n.Kind != yaml.MappingNode {
		r.fail(n, "this should be a map", "write "+strings.Join(slices.Sorted(maps.Keys(keys)), ", ")+" below it")
		return
	}
	seen := map[string]bool{}
	for pair := range slices.Chunk(n.Content, 2) {
		key := pair[0].Value
		read, ok := keys[key]
		switch {
		case !ok:
			r.fail(pair[0], fmt.Sprintf("unknown key %q", key), nearest(key, keys))
		case seen[key]:
			r.fail(pair[0], fmt.Sprintf("key %q stands twice", key), "")
		default:
			read(r, pair[1])
		}
		seen[key] = true
	}
}

func nearest(key string, keys map[string]value) string {
	names := slices.Sorted(maps.Keys(keys))
	if near := suggest.Nearest(key, names); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "one of " + strings.Join(names, ", ")
}

// list reads words and numbers: a uid needs no quotes.
func list(to *[]string, checks ...func(string) error) value {
	return func(r *reader, n *yaml.Node) {
		if n.Kind != yaml.SequenceNode {
			r.fail(n, "this should be a list", "write it as [a, b]")
			return
		}
		for _, item := range n.Content {
			if item.Kind != yaml.ScalarNode || item.Value == "" || item.ShortTag() == "!!null" {
				r.fail(item, "this should be a name", "")
				continue
			}
			*to = append(*to, item.Value)
			for _, check := range checks {
				r.refuse(item, check(item.Value))
			}
		}
	}
}

func number(to **uint16) value {
	return func(r *reader, n *yaml.Node) {
		v, err := strconv.ParseUint(n.Value, 10, 16)
		if n.Kind != yaml.ScalarNode || err != nil {
			r.fail(n, "this should be a number from 0 to 65535", "")
			return
		}
		group := uint16(v)
		*to = &group
	}
}

func boolean(to *bool) value {
	return func(r *reader, n *yaml.Node) {
		if n.Kind != yaml.ScalarNode || n.Value != "true" && n.Value != "false" {
			r.fail(n, "this should be true or false", "")
			return
		}
		*to = n.Value == "true"
	}
}
