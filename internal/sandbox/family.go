package sandbox

import (
	"maps"
	"slices"

	"github.com/postern-dev/postern/internal/sigv4"
)

// attachedPerEntity is the quota of managed policies on a user or a group.
const attachedPerEntity = 10

// family is a kind of entity whose policies and tags are managed by calls of
// the same shape: users, groups, roles, and for tags alone policies, instance
// profiles and OIDC providers.
type family struct {
	word       string // as the operations spell it: "Role"
	noun       string // as AWS's messages spell it
	resource   func(*call) resource
	open       func(*call) (entity, error)
	inlineSize func(*Server) int
	attached   func(*Server) int
}

// entity is an open copy of one member of a family.
type entity struct {
	name   string
	holder *holder
	tags   *map[string]string
	save   func() // stores the copy
}

// op builds an operation of the family, judged on its entity.
func (f family) op(name string, reads bool, run func(*call, entity) (any, error)) operation {
	return operation{
		name: name, reads: reads, allow: needs("iam:"+name, f.resource),
		run: func(c *call) (any, error) {
			e, err := f.open(c)
			if err != nil {
				return nil, err
			}
			return run(c, e)
		},
	}
}

func (f family) policyOperations() []operation {
	return []operation{
		f.op("Put"+f.word+"Policy", false, f.putPolicy),
		f.op("Get"+f.word+"Policy", true, f.getPolicy),
		f.op("Delete"+f.word+"Policy", false, f.deletePolicy),
		f.op("List"+f.word+"Policies", true, listInline),
		f.op("Attach"+f.word+"Policy", false, f.attach),
		f.op("Detach"+f.word+"Policy", false, detach),
		f.op("ListAttached"+f.word+"Policies", true, listAttached),
	}
}

func (f family) boundaryOperations() []operation {
	return []operation{
		f.op("Put"+f.word+"PermissionsBoundary", false, func(c *call, e entity) (any, error) {
			if _, err := c.params.required("PermissionsBoundary"); err != nil {
				return nil, err
			}
			if err := c.setBoundary(e.holder); err != nil {
				return nil, err
			}
			e.save()
			return nil, nil
		}),
		f.op("Delete"+f.word+"PermissionsBoundary", false, func(_ *call, e entity) (any, error) {
			e.holder.Boundary = ""
			e.save()
			return nil, nil
		}),
	}
}

func (f family) tagOperations() []operation {
	return []operation{
		f.op("Tag"+f.word, false, func(c *call, e entity) (any, error) {
			more, err := c.params.tags()
			if err != nil {
				return nil, err
			}
			if *e.tags, err = withTags(*e.tags, more); err != nil {
				return nil, err
			}
			e.save()
			return nil, nil
		}),
		f.op("Untag"+f.word, false, func(c *call, e entity) (any, error) {
			*e.tags = withoutTags(*e.tags, c.params.list("TagKeys"))
			e.save()
			return nil, nil
		}),
		f.op("List"+f.word+"Tags", true, func(c *call, e entity) (any, error) {
			keys, next, err := page(c.params, slices.Collect(maps.Keys(*e.tags)), func(key string) string { return key })
			if err != nil {
				return nil, err
			}
			return struct {
				Tags list[tagXML]
				paging
			}{listOf(keys, func(key string) tagXML { return tagXML{key, (*e.tags)[key]} }), next}, nil
		}),
	}
}

// setBoundary takes the PermissionsBoundary parameter, if there is one.
func (c *call) setBoundary(h *holder) error {
	arn := c.params["PermissionsBoundary"]
	if arn == "" {
		return nil
	}
	if _, err := c.managedPolicy(arn); err != nil {
		return err
	}
	h.Boundary = arn
	return nil
}

func (f family) putPolicy(c *call, e entity) (any, error) {
	name, err := c.params.name("PolicyName", maxNameLong)
	if err != nil {
		return nil, err
	}
	text := c.params["PolicyDocument"]
	if err := checkIdentityPolicy("policyDocument", text); err != nil {
		return nil, err
	}
	e.holder.Inline[name] = text
	if most := f.inlineSize(c.s); e.holder.inlineSize() > most {
		return nil, limitExceeded("Maximum policy size of %d bytes exceeded for %s %s", most, f.noun, e.name)
	}
	e.save()
	return nil, nil
}

func (f family) noInline(name string) error {
	return noSuchEntity("The %s policy with name %s cannot be found.", f.noun, name)
}

func (f family) getPolicy(c *call, e entity) (any, error) {
	name, err := c.params.name("PolicyName", maxNameLong)
	if err != nil {
		return nil, err
	}
	text, ok := e.holder.Inline[name]
	if !ok {
		return nil, f.noInline(name)
	}
	x := inlineXML{PolicyName: name, PolicyDocument: sigv4.Escape(text)}
	switch f.word {
	case "User":
		x.UserName = e.name
	case "Group":
		x.GroupName = e.name
	case "Role":
		x.RoleName = e.name
	}
	return x, nil
}

type inlineXML struct {
	UserName       string `xml:",omitempty"`
	GroupName      string `xml:",omitempty"`
	RoleName       string `xml:",omitempty"`
	PolicyName     string
	PolicyDocument string // percent-encoded
}

func (f family) deletePolicy(c *call, e entity) (any, error) {
	name, err := c.params.name("PolicyName", maxNameLong)
	if err != nil {
		return nil, err
	}
	if _, ok := e.holder.Inline[name]; !ok {
		return nil, f.noInline(name)
	}
	delete(e.holder.Inline, name)
	e.save()
	return nil, nil
}

func listInline(c *call, e entity) (any, error) {
	names, next, err := page(c.params, slices.Collect(maps.Keys(e.holder.Inline)), func(name string) string { return name })
	if err != nil {
		return nil, err
	}
	return struct {
		PolicyNames list[string]
		paging
	}{list[string]{names}, next}, nil
}

func (f family) attach(c *call, e entity) (any, error) {
	arn, err := c.params.required("PolicyArn")
	if err != nil {
		return nil, err
	}
	if _, err := c.managedPolicy(arn); err != nil {
		return nil, err
	}
	if slices.Contains(e.holder.Attached, arn) {
		return nil, nil
	}
	if most := f.attached(c.s); len(e.holder.Attached) >= most {
		return nil, limitExceeded("Cannot exceed quota for PoliciesPer%s: %d", f.word, most)
	}
	e.holder.Attached = append(e.holder.Attached, arn)
	e.save()
	return nil, nil
}

func detach(c *call, e entity) (any, error) {
	arn, err := c.params.required("PolicyArn")
	if err != nil {
		return nil, err
	}
	i := slices.Index(e.holder.Attached, arn)
	if i < 0 {
		return nil, noSuchEntity("Policy %s was not found.", arn)
	}
	e.holder.Attached = slices.Delete(e.holder.Attached, i, i+1)
	e.save()
	return nil, nil
}

type attachedXML struct{ PolicyName, PolicyArn string }

func attachedOf(arn string) attachedXML { return attachedXML{lastSegment(arn), arn} }

func listAttached(c *call, e entity) (any, error) {
	arns, next, err := page(c.params, slices.Clone(e.holder.Attached), func(arn string) string { return arn })
	if err != nil {
		return nil, err
	}
	return struct {
		AttachedPolicies list[attachedXML]
		paging
	}{listOf(arns, attachedOf), next}, nil
}
