package eval

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/postern-dev/postern/iam"
)

// shape is how a pattern is matched, from cheap to dear.
type shape uint8

const (
	anything        shape = iota
	exact                 // the text itself
	exactFold             // the text itself, in any case of ASCII letters
	prefix                // what begins with the text
	prefixFold            // what begins with the text, in any case of ASCII letters
	glob                  // text with wildcards
	globFold              // text with wildcards, in any case of ASCII letters
	anyCase               // the text itself, in any case of any letter
	template              // pieces with variables
	templateAnyCase       // pieces with variables and no wildcards, in any case
)

// pattern is one compiled value of a policy.
type pattern struct {
	shape  shape
	unset  truth   // template shapes: the answer when a variable has no value
	text   string  // lower case in the fold shapes
	pieces []piece // template shapes only
}

// piece is a part of a template. What a variable stands for is literal: a star
// in a user's name is no wildcard.
type piece struct {
	kind     pieceKind
	text     string // literal: the text; variable: the key in lower case
	fallback string // variable: what to use when the key is absent
	optional bool   // variable: it has a fallback
}

type pieceKind uint8

const (
	literal pieceKind = iota
	manyChars
	oneChar
	variable
)

// style says what is special in a policy value, by where it stands.
type style struct {
	wild    bool // '*' and '?' are wildcards
	fold    bool // the case of ASCII letters does not matter: names of actions
	anyCase bool // no case matters; not together with wild
	vars    bool // ${…} is a variable
	negated bool // what matches is kept out: NotResource, StringNotEquals
	// unparsable is the answer to a request's value that is no number, date,
	// address or base64, before a negation.
	unparsable truth
	short      truth // the answer of a pattern that is no ARN, where it matches as a text
}

func compilePattern(text string, st style) (pattern, error) {
	if st.vars && strings.Contains(text, "${") {
		return compileTemplate(text, st)
	}
	p := pattern{shape: exact, text: text}
	if st.anyCase {
		p.shape = anyCase
		return p, nil
	}
	switch star := strings.IndexAny(text, "*?"); {
	case !st.wild || star < 0:
	case text == "*":
		p.shape = anything
	case star == len(text)-1 && text[star] == '*':
		p.shape, p.text = prefix, text[:star]
	default:
		p.shape = glob
	}
	if st.fold && p.shape != anything {
		p.shape++ // the fold twin follows each shape
		p.text = lowerASCII(p.text)
	}
	return p, nil
}

func compilePatterns(texts []string, st style) ([]pattern, error) {
	out := make([]pattern, 0, len(texts))
	var errs []error
	for _, text := range texts {
		p, err := compilePattern(text, st)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, p)
	}
	// Cheap ones first: a list is an "or", so its order is ours.
	slices.SortStableFunc(out, func(a, b pattern) int { return int(a.shape) - int(b.shape) })
	return out, errors.Join(errs...)
}

func compileTemplate(text string, st style) (pattern, error) {
	p := pattern{shape: template, text: text}
	if st.anyCase {
		p.shape = templateAnyCase
	}
	if st.negated {
		p.unset = maybe // "matches nothing" must not open what a negation keeps shut
	}
	for rest := text; rest != ""; {
		switch {
		case strings.HasPrefix(rest, "${"):
			body, after, closed := iam.CutVariable(rest[len("${"):])
			if !closed {
				return pattern{}, fmt.Errorf("variable in %q: no closing brace", text)
			}
			pc, err := compileVariable(body)
			if err != nil {
				return pattern{}, fmt.Errorf("variable in %q: %w", text, err)
			}
			p.pieces, rest = append(p.pieces, pc), after
		case st.wild && rest[0] == '*':
			p.pieces, rest = append(p.pieces, piece{kind: manyChars}), rest[1:]
		case st.wild && rest[0] == '?':
			p.pieces, rest = append(p.pieces, piece{kind: oneChar}), rest[1:]
		default:
			n := literalLen(rest, st.wild)
			p.pieces, rest = append(p.pieces, piece{text: rest[:n]}), rest[n:]
		}
	}
	return p, nil
}

// literalLen is how far text goes on without anything special; at least 1.
func literalLen(text string, wild bool) int {
	n := len(text)
	if i := strings.Index(text[1:], "${"); i >= 0 {
		n = i + 1
	}
	if i := strings.IndexAny(text[1:], "*?"); wild && i >= 0 {
		n = min(n, i+1)
	}
	return n
}

// compileVariable reads "key", "key, 'default'", or one of "*", "?" and "$",
// which stand for themselves.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
func compileVariable(body string) (piece, error) {
	if body == "*" || body == "?" || body == "$" {
		return piece{text: body}, nil
	}
	key, def, hasDefault := strings.Cut(body, ",")
	if key == "" || strings.ContainsAny(key, " ${'*?") {
		return piece{}, fmt.Errorf("%q is not a condition key", key)
	}
	pc := piece{kind: variable, text: strings.ToLower(key)}
	if !hasDefault {
		return pc, nil
	}
	def = strings.TrimSpace(def)
	if len(def) < 2 || def[0] != '\'' || def[len(def)-1] != '\'' {
		return piece{}, errors.New("default must stand in single quotes")
	}
	pc.fallback, pc.optional = def[1:len(def)-1], true
	return pc, nil
}

// match is for all but the fold shapes, which are matchAction's.
func (p *pattern) match(s string, ctx Context) truth {
	switch p.shape {
	case anything:
		return yes
	case exact:
		return truthOf(s == p.text)
	case anyCase:
		return truthOf(strings.EqualFold(s, p.text))
	case prefix:
		return truthOf(strings.HasPrefix(s, p.text))
	case glob:
		return truthOf(iam.Match(p.text, s))
	case templateAnyCase:
		return p.matchAnyCase(s, ctx)
	}
	return p.matchTemplate(s, ctx)
}

// matchAction is matchAny for the names of actions, which have no variables:
// the innermost loop of every decision.
func matchAction(ps []pattern, action string) bool {
	for i := range ps {
		p := &ps[i]
		switch p.shape {
		case anything:
			return true
		case exactFold:
			if len(action) == len(p.text) && hasPrefixFold(action, p.text) {
				return true
			}
		case prefixFold:
			if hasPrefixFold(action, p.text) {
				return true
			}
		default:
			if iam.MatchFold(p.text, action) {
				return true
			}
		}
	}
	return false
}

// hasPrefixFold wants the prefix in lower case.
func hasPrefixFold(s, prefix string) bool {
	if len(s) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != prefix[i] {
			return false
		}
	}
	return true
}

func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + ('a' - 'A')
		}
		return r
	}, s)
}

// matchAny is an "or" over the patterns.
func matchAny(ps []pattern, s string, ctx Context) truth {
	best := no
	for i := range ps {
		if best = max(best, ps[i].match(s, ctx)); best == yes {
			return yes
		}
	}
	return best
}

// resolve appends what the variables stand for, in order. Without an answer of
// yes the other result is that of the whole template: a variable without a value
// and without default matches nothing.
func (p *pattern) resolve(values []string, ctx Context) ([]string, truth) {
	for i := range p.pieces {
		pc := &p.pieces[i]
		if pc.kind != variable {
			continue
		}
		value, known := ctx.variable(pc.text)
		switch {
		case known == no && pc.optional:
			value = pc.fallback
		case known == no:
			return values, p.unset
		case known == maybe:
			return values, maybe
		}
		values = append(values, value)
	}
	return values, yes
}

func (p *pattern) matchTemplate(s string, ctx Context) truth {
	var buf [8]string // enough for any policy seen; more spills to the heap
	values, known := p.resolve(buf[:0], ctx)
	if known != yes {
		return known
	}
	return truthOf(matchPieces(p.pieces, values, s, 0))
}

// matchAnyCase compares the whole text in any case. It allocates: rare.
func (p *pattern) matchAnyCase(s string, ctx Context) truth {
	values, known := p.resolve(nil, ctx)
	if known != yes {
		return known
	}
	var whole strings.Builder
	for _, pc := range p.pieces {
		text := pc.text
		if pc.kind == variable {
			text, values = values[0], values[1:]
		}
		whole.WriteString(text)
	}
	return truthOf(strings.EqualFold(whole.String(), s))
}

// matchPieces is iam.Match over pieces: only the last star is retried. Before
// the resource of an ARN begins, no wildcard takes a colon.
func matchPieces(pieces []piece, values []string, s string, resource int) bool {
	i, v, at := 0, 0, 0
	star, starV, retry := -1, 0, 0
	vain := 0
	for i < len(pieces) || at < len(s) {
		if i < len(pieces) {
			pc := &pieces[i]
			switch pc.kind {
			case manyChars:
				i++
				star, starV, retry = i, v, at
				continue
			case oneChar:
				if isWild(s, at, resource) {
					i++
					at += charLen(s[at:])
					continue
				}
			case literal:
				if strings.HasPrefix(s[at:], pc.text) {
					i++
					at += len(pc.text)
					continue
				}
			case variable:
				if strings.HasPrefix(s[at:], values[v]) {
					i++
					at += len(values[v])
					v++
					continue
				}
			}
		}
		if star < 0 || !isWild(s, retry, resource) {
			return false
		}
		if vain += at - retry; vain > patience && resource == 0 && !strings.ContainsAny(s, literalStar+literalMark) {
			return matchText(pieces, values, s)
		}
		retry += charLen(s[retry:])
		i, v, at = star, starV, retry
	}
	return true
}

// patience is how many bytes may match in vain before the rest is searched for.
const patience = 4096

// These stand for a star and a question mark that are no wildcards. They are no
// characters: no text means anything by them.
const (
	literalStar = "\uFDD0"
	literalMark = "\uFDD1"
)

// matchText is matchPieces by iam.Match, which is never slow but wants a text.
func matchText(pieces []piece, values []string, s string) bool {
	literals := strings.NewReplacer("*", literalStar, "?", literalMark)
	var text strings.Builder
	for i := range pieces {
		switch pc := &pieces[i]; pc.kind {
		case manyChars:
			text.WriteByte('*')
		case oneChar:
			text.WriteByte('?')
		case literal:
			text.WriteString(literals.Replace(pc.text))
		case variable:
			text.WriteString(literals.Replace(values[0]))
			values = values[1:]
		}
	}
	return iam.Match(text.String(), literals.Replace(s))
}

// isWild says whether a wildcard may take the character at s[at].
func isWild(s string, at, resource int) bool { return at < len(s) && (at >= resource || s[at] != ':') }

func charLen(s string) int {
	_, n := utf8.DecodeRuneInString(s)
	return n
}
