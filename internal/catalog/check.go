package catalog

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/postern-dev/postern/internal/suggest"
)

// Check returns every mistake in a level and arguments, in the order in which
// a reader would fix them: the level, the grant's parameters as it lists them,
// then names that it does not know. One that was probably meant to be a
// parameter stands for it: that is not missing too. An empty level is the default one.
//
// It refuses whatever would make the grant wider than its level promises: a
// wildcard, a policy variable, an empty list, "..", an ARN in place of a name.
func (g *Grant) Check(level string, args Args) []*ArgError {
	var errs []*ArgError
	l, known := g.level(level)
	if !known {
		errs = append(errs, &ArgError{
			Param: "level",
			Msg:   fmt.Sprintf("%s has no level %q", g.Name, level),
			Hint:  choose(level, "levels, narrowest first", g.levelNames()),
		})
	}
	meant := g.meant(args)
	for i := range g.Params {
		p := &g.Params[i]
		given, ok := args[p.Name]
		switch {
		case ok && known && !p.at(l.Name):
			errs = append(errs, p.misplaced(l.Name))
		case ok:
			errs = append(errs, p.check(given)...)
		case !meant[p.Name] && (p.Required || slices.Contains(l.Needs, p.Name)):
			errs = append(errs, p.missing(l.Name))
		}
	}
	return append(errs, g.unknown(args)...)
}

// meant are the parameters that unknown names were probably meant to be.
func (g *Grant) meant(args Args) map[string]bool {
	names, meant := g.paramNames(), map[string]bool{}
	for name := range args {
		if !slices.Contains(names, name) {
			meant[suggest.Nearest(name, names)] = true
		}
	}
	return meant
}

// unknown reports the arguments that the grant has no parameter for, by name.
func (g *Grant) unknown(args Args) []*ArgError {
	var errs []*ArgError
	names := g.paramNames()
	for _, name := range slices.Sorted(maps.Keys(args)) {
		if slices.Contains(names, name) {
			continue
		}
		errs = append(errs, &ArgError{
			Param: name,
			Msg:   "unknown parameter of " + g.Name,
			Hint:  choose(name, "parameters", names),
		})
	}
	return errs
}

func (p *Param) misplaced(level string) *ArgError {
	return &ArgError{
		Param: p.Name,
		Msg:   fmt.Sprintf("has no effect at level %q", level),
		Hint:  "remove it, or use level " + strings.Join(p.Levels, " or "),
	}
}

func (p *Param) missing(level string) *ArgError {
	msg := "is required"
	if !p.Required {
		msg = fmt.Sprintf("is required at level %q", level)
	}
	return &ArgError{Param: p.Name, Msg: msg, Hint: join("write "+p.example(), p.Why)}
}

// example is the parameter as the spec would write it.
func (p *Param) example() string {
	if p.Type == List {
		return p.Name + ": [" + p.Example + "]"
	}
	return p.Name + ": " + p.Example
}

// check returns every mistake in the values given for the parameter.
func (p *Param) check(given []string) []*ArgError {
	var errs []*ArgError
	report := func(msg, hint string) {
		errs = append(errs, &ArgError{Param: p.Name, Msg: msg, Hint: hint})
	}
	switch {
	case p.Type == List && len(given) == 0:
		report("is an empty list", join("name at least one: "+p.example(), p.Wider))
	case p.Type == List && p.Max > 0 && len(given) > p.Max:
		report(fmt.Sprintf("has %d values; at most %d are allowed", len(given), p.Max),
			join("split the grant in two", p.Wider))
	case p.Type != List && len(given) != 1:
		report(fmt.Sprintf("wants one %s, not %d", p.Type, len(given)), "write "+p.example())
	}
	for _, v := range given {
		if msg, hint := p.fault(v); msg != "" {
			report(msg, hint)
		}
	}
	return errs
}

// fault says what is wrong with one value and what to write instead; an empty
// message means that nothing is. The specific mistakes come before the
// pattern, which catches all of them but explains none.
func (p *Param) fault(v string) (msg, hint string) {
	write := "write " + p.example()
	if p.Type == Bool {
		if v == "true" || v == "false" {
			return "", ""
		}
		return fmt.Sprintf("%q is neither true nor false", v), write
	}
	matches := p.pattern == nil || p.pattern().MatchString(v)
	switch {
	case v == "":
		return "is empty", join(write, p.Wider)
	case strings.ContainsAny(v, "*?"):
		return fmt.Sprintf("%q is a wildcard and would widen the grant", v), join(p.Wider, "name each one: "+p.example())
	case strings.Contains(v, "${"):
		return fmt.Sprintf("%q is a policy variable: what it grants cannot be proven", v), write
	case p.Regions:
		return CheckRegion(v)
	case strings.HasPrefix(v, "arn:") && !strings.Contains(p.Pattern, "arn:"):
		return fmt.Sprintf("%q is an ARN; a name is wanted", v), join(write, "what another account has is reached through a role there: see assume-roles")
	case strings.Contains(v, ".dkr.ecr."):
		return fmt.Sprintf("%q begins with the address of a registry; the repository's name alone is wanted", v), write
	case strings.Contains(v, ".."):
		return fmt.Sprintf("%q contains \"..\"", v), join(p.clean(v), p.Wider)
	case strings.HasSuffix(v, "/"):
		return fmt.Sprintf("%q has a slash too many", v), join(p.clean(v), p.Wider)
	case strings.HasPrefix(v, "/"), strings.Contains(v, "//"):
		return fmt.Sprintf("%q has a slash too many", v), p.clean(v)
	case !matches && strings.Contains(v, "/"):
		return fmt.Sprintf("%q has a part or a slash too many, or a character that is not allowed", v), write
	case !matches:
		return fmt.Sprintf("%q does not have the form of this parameter: %s", v, p.Summary), write
	case p.Type == String && p.Max > 0 && len(v) > p.Max:
		return fmt.Sprintf("has %d characters; at most %d are allowed", len(v), p.Max), ""
	}
	return "", ""
}

// clean suggests the value without superfluous slashes and ways up, if that
// would do.
func (p *Param) clean(v string) string {
	clean := strings.TrimPrefix(path.Clean("/"+v), "/")
	if !strings.Contains(clean, "..") && p.pattern != nil && p.pattern().MatchString(clean) {
		return fmt.Sprintf("write %q", clean)
	}
	return "write " + p.example()
}

// choose is the hint for a name that is none of the known ones.
func choose(word, kind string, names []string) string {
	if near := suggest.Nearest(word, names); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return kind + ": " + strings.Join(names, ", ")
}

// join joins what is not empty.
func join(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "; ")
}
