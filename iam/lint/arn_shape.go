package lint

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/action"
)

// templates lists the shapes that ARNs of the service have, cut into parts,
// with variables replaced by "?*": some text.
func (a arn) templates() [][]string {
	s, ok := action.ServiceByPrefix(a.parts[partService])
	if !ok || wild(a.parts[partService]) {
		return nil
	}
	var shapes [][]string
	for i := range s.ResourceTypes {
		for _, template := range s.ResourceTypes[i].ARNs {
			parts := strings.SplitN(fillTemplate(template), ":", partCount)
			if len(parts) == partCount && parts[partService] == s.Prefix {
				shapes = append(shapes, parts)
			}
		}
	}
	return shapes
}

// fillTemplate puts "?*" for each variable.
func fillTemplate(template string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(template, "${")
		b.WriteString(before)
		_, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			return b.String()
		}
		b.WriteString("?*")
		template = after
	}
}

// misfitOf names the part because of which the ARN can be of no type of
// resource: the one without which it could. partResource stands for all else,
// and partCount for none: it can, or nothing is known of the service's ARNs.
func (a arn) misfitOf() int {
	shapes := a.templates()
	if len(shapes) == 0 || slices.ContainsFunc(shapes, func(t []string) bool { return a.fits(t, -1) }) {
		return partCount
	}
	for _, part := range []int{partRegion, partAccount} {
		if slices.ContainsFunc(shapes, func(t []string) bool { return a.fits(t, part) }) {
			return part
		}
	}
	return partResource
}

// fits reports whether the ARN can be of a type, but for one part.
func (a arn) fits(template []string, but int) bool {
	for part := partRegion; part < partCount; part++ {
		if part != but && !iam.Overlaps(a.parts[part], template[part]) {
			return false
		}
	}
	return true
}

// regional reports whether a type that the ARN can be of has a region.
func (a arn) regional() bool {
	return slices.ContainsFunc(a.templates(), func(t []string) bool { return t[partRegion] != "" && a.fits(t, partRegion) })
}

func missingRegion(p *pass, v *node, a arn) {
	if a.misfit == partRegion && a.parts[partRegion] == "" {
		p.report(v, "%q has no region, and such resources have one%s", v.text, asOf()).hint("write it, or \"*\"")
	}
}

func missingAccount(p *pass, v *node, a arn) {
	if a.misfit == partAccount && a.parts[partAccount] == "" {
		p.report(v, "%q has no account, and such resources have one%s", v.text, asOf()).hint("write it, or \"*\"")
	}
}

func regionNotAllowed(p *pass, v *node, a arn) {
	if a.misfit == partRegion && a.parts[partRegion] != "" {
		p.report(v, "%q has a region, and such resources have none%s", v.text, asOf()).
			offer("leave it out", a.without(v, partRegion))
	}
}

func accountNotAllowed(p *pass, v *node, a arn) {
	if a.misfit == partAccount && a.parts[partAccount] != "" {
		p.report(v, "%q has an account, and such resources have none%s", v.text, asOf()).
			offer("leave it out", a.without(v, partAccount))
	}
}

// without empties a part. The parts of the ARN itself have lost their variables.
func (a arn) without(v *node, part int) Edit {
	at := strings.Index(v.text, ":"+a.parts[part]+":")
	if at < 0 {
		return replace(v, v.text)
	}
	return replace(v, v.text[:at+1]+v.text[at+1+len(a.parts[part]):])
}

func badResource(p *pass, v *node, a arn) {
	if a.misfit != partResource {
		return
	}
	s, _ := action.ServiceByPrefix(a.parts[partService])
	p.report(v, "%q is no ARN of a resource of %s%s", v.text, s.Name, asOf()).hint("they are such as %s", examples(s, 3))
}

// examples are templates of ARNs of the service.
func examples(s *action.Service, most int) string {
	var list []string
	for i := range s.ResourceTypes {
		for _, template := range s.ResourceTypes[i].ARNs {
			if len(list) < most {
				list = append(list, template)
			}
		}
	}
	return strings.Join(list, ", ")
}
