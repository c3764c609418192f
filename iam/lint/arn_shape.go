package lint

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/action"
)

// shape is the form of a type's ARNs: a template cut into parts, with "?*", some
// text, for each variable.
type shape struct {
	parts  []string
	bucket bool // its last variable is a bucket's name, which has no slash
}

func newShape(template string) (shape, bool) {
	parts := strings.SplitN(iam.ReplaceVariables(template, "?*"), ":", partCount)
	return shape{parts, strings.HasSuffix(template, ":::${BucketName}")}, len(parts) == partCount
}

// shapesOf lists the shapes of a service's ARNs that name the service itself.
func (p *pass) shapesOf(service string) []shape {
	if shapes, ok := p.services[service]; ok {
		return shapes
	}
	var shapes []shape
	if s, ok := action.ServiceByPrefix(service); ok {
		for i := range s.ResourceTypes {
			for _, t := range p.shapesOfType(&s.ResourceTypes[i]) {
				if t.parts[partService] == s.Prefix {
					shapes = append(shapes, t)
				}
			}
		}
	}
	p.services[service] = shapes
	return shapes
}

// shapesOfType lists the shapes of a type's ARNs.
func (p *pass) shapesOfType(t *action.ResourceType) []shape {
	shapes, ok := p.types[t]
	if !ok {
		for _, template := range t.ARNs {
			if s, ok := newShape(template); ok {
				shapes = append(shapes, s)
			}
		}
		p.types[t] = shapes
	}
	return shapes
}

// misfitOf names the part because of which the ARN can be of no type of
// resource: the one without which it could. partResource stands for all else,
// and partCount for none: it can, or nothing is known of the service's ARNs.
func (a arn) misfitOf() int {
	if len(a.shapes) == 0 || slices.ContainsFunc(a.shapes, func(s shape) bool { return a.fits(s, -1) }) {
		return partCount
	}
	for _, part := range []int{partRegion, partAccount} {
		if slices.ContainsFunc(a.shapes, func(s shape) bool { return a.fits(s, part) }) {
			return part
		}
	}
	return partResource
}

// fits reports whether the ARN can be of a type, but for one part. The services
// are not compared.
func (a arn) fits(s shape, but int) bool {
	for part := partRegion; part < partCount; part++ {
		if part != but && !partFits(a.parts[part], s.parts[part]) {
			return false
		}
	}
	return !s.bucket || !strings.Contains(a.parts[partResource], "/")
}

// partFits is iam.Overlaps for a part of an ARN and one of a shape, which is
// mostly empty or any text.
func partFits(pattern, shape string) bool {
	switch {
	case shape == "":
		return strings.Trim(pattern, "*") == ""
	case shape == "?*":
		return pattern != ""
	case !iam.HasWildcard(pattern) && !iam.HasWildcard(shape):
		return pattern == shape
	}
	return iam.Overlaps(pattern, shape)
}

// regional reports whether a type that the ARN can be of has a region.
func (a arn) regional() bool {
	return slices.ContainsFunc(a.shapes, func(s shape) bool { return s.parts[partRegion] != "" && a.fits(s, partRegion) })
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
	p.report(v, "%q is no ARN of a resource of %s%s", v.text, s.Prefix, asOf()).hint("they are such as %s", shortest(typesOf(s), 2))
}

// shortest lists the shortest templates of types' ARNs, which are most often
// the plain ones.
func shortest(types []*action.ResourceType, most int) string {
	var list []string
	for _, t := range types {
		list = append(list, t.ARNs...)
	}
	slices.SortStableFunc(list, func(a, b string) int { return len(a) - len(b) })
	list = slices.Compact(list)
	return strings.Join(list[:min(len(list), most)], ", ")
}

func typesOf(s *action.Service) []*action.ResourceType {
	types := make([]*action.ResourceType, len(s.ResourceTypes))
	for i := range s.ResourceTypes {
		types[i] = &s.ResourceTypes[i]
	}
	return types
}
