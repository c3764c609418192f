package sshd

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// Line is one directive of sshd_config or of a file that it includes.
//
// https://man.openbsd.org/sshd_config
type Line struct {
	File    string
	Number  int
	Keyword string   // lower case
	Args    []string // without quotes
	Match   string   // the criteria of the Match block that it stands in; empty outside
}

// At is where the line is.
func (l Line) At() string { return fmt.Sprintf("%s:%d", l.File, l.Number) }

// files is how the configuration is read: os.ReadFile and filepath.Glob.
type files struct {
	read func(name string) ([]byte, error)
	glob func(pattern string) ([]string, error)
}

// maxDepth is how deep sshd follows Include (SERVCONF_MAX_DEPTH).
const maxDepth = 16

// parse reads a configuration in the order in which sshd does. It is lenient:
// whether a file is valid, sshd -t says.
func (f files) parse(name string) ([]Line, error) { return f.parseIn(name, "", 0) }

func (f files) parseIn(name, match string, depth int) ([]Line, error) {
	text, err := f.read(name)
	if err != nil {
		return nil, fmt.Errorf("read sshd's configuration: %w", err)
	}
	var lines []Line
	number := 0
	for raw := range strings.Lines(string(text)) {
		number++
		words := split(raw)
		if len(words) == 0 || words[0] == "" {
			continue
		}
		l := Line{File: name, Number: number, Keyword: strings.ToLower(words[0]), Args: words[1:], Match: match}
		if l.Keyword == "match" {
			match = strings.Join(l.Args, " ")
			l.Match = ""
		}
		lines = append(lines, l)
		if l.Keyword == "include" && depth < maxDepth {
			// A Match block in an included file ends with it, and so does ours here
			// go on behind it.
			more, err := f.included(l, depth)
			if err != nil {
				return nil, err
			}
			lines = append(lines, more...)
		}
	}
	return lines, nil
}

func (f files) included(l Line, depth int) ([]Line, error) {
	var lines []Line
	for _, pattern := range l.Args {
		names, err := f.glob(absolute(pattern))
		if err != nil {
			continue // sshd takes a pattern that is none for one that matches nothing
		}
		slices.Sort(names)
		for _, name := range names {
			more, err := f.parseIn(name, l.Match, depth+1)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
			lines = append(lines, more...)
		}
	}
	return lines, nil
}

// absolute puts what an Include names without a folder into sshd's.
func absolute(pattern string) string {
	if filepath.IsAbs(pattern) {
		return pattern
	}
	return filepath.Join(filepath.Dir(MainConfig), pattern)
}

// split takes a line apart: a keyword, then white space or one "=", then
// arguments, some in double quotes; # begins a comment.
func split(line string) []string {
	line = strings.TrimSpace(line)
	if i := strings.IndexAny(line, " \t="); i > 0 && line[0] != '"' {
		rest := strings.TrimLeft(line[i:], " \t")
		rest = strings.TrimPrefix(rest, "=")
		line = line[:i] + " " + rest
	}
	return words(line)
}

// words splits at white space outside of quotes, of which a backslash escapes
// the next one. A # at the beginning of a word ends the line.
func words(line string) []string {
	var out []string
	for {
		line = strings.TrimLeft(line, " \t\r\n")
		if line == "" || line[0] == '#' {
			return out
		}
		var w string
		w, line = word(line)
		out = append(out, w)
	}
}

func word(line string) (w, rest string) {
	var b strings.Builder
	var quote byte
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == '\\' && i+1 < len(line) && strings.IndexByte(`"'\`, line[i+1]) >= 0:
			i++
			b.WriteByte(line[i])
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote == 0 && strings.IndexByte(" \t\r\n", c) >= 0:
			return b.String(), line[i:]
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}

// first is the line that gives a keyword its value outside of Match blocks: for
// sshd, the first one counts.
func first(lines []Line, keyword string) (Line, bool) {
	i := slices.IndexFunc(lines, func(l Line) bool { return l.Keyword == strings.ToLower(keyword) && l.Match == "" })
	if i < 0 {
		return Line{}, false
	}
	return lines[i], true
}

// includesDropIn says whether sshd reads our file.
func includesDropIn(lines []Line) bool {
	return slices.ContainsFunc(lines, func(l Line) bool {
		return l.Keyword == "include" && l.Match == "" && slices.ContainsFunc(l.Args, func(pattern string) bool {
			ok, err := filepath.Match(absolute(pattern), DropIn)
			return ok && err == nil
		})
	})
}

// overrides are the lines of Match blocks that set one of our directives to
// something else.
func overrides(lines []Line, ours []Directive) []Line {
	var out []Line
	for _, l := range lines {
		i := slices.IndexFunc(ours, func(d Directive) bool { return strings.EqualFold(d.Keyword, l.Keyword) })
		if l.Match != "" && i >= 0 && strings.Join(l.Args, " ") != ours[i].Value {
			out = append(out, l)
		}
	}
	return out
}
