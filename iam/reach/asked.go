package reach

import (
	"slices"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

// asked is a question that is put to many members. It looks at each document
// once, and keeps what holds for all members alike. It gives the same answers as
// Principal.Findings and Principal.Extent do. It is for one goroutine.
type asked struct {
	Question // its facts are those of all members
	index    *index
	parts    []part // of the documents that concern the question, in order
	levels   map[int][]layer
}

// part is what of a document concerns a question.
type part struct {
	document   int32
	statements []int32
	done       bool
	allows     []clause // that may hold
	denies     []clause
}

// clause is a statement as a question sees it.
type clause struct {
	*iam.Statement
	version   string
	index     int      // in the document
	actions   []string // of an Allow: what of the statement overlaps the question
	resources []string
	open      []iam.Condition
	personal  bool // its conditions are to be settled for each member; open is empty
	covers    bool // it is about all of the question
	touches   bool // of a Deny: see mightDeny
}

// layer is a list of policies all of which bind a member alike.
type layer struct {
	parts   []*part
	unknown bool // there are some that are not known
}

// ask prepares a question to all members, of whom the facts are true. The
// statements about its action are those that aboutAction gives.
func (x *index) ask(q Question, actions bitset) *asked {
	list := x.concerned(&q, actions)
	a := &asked{Question: q, index: x, levels: map[int][]layer{}}
	a.parts = make([]part, 0, x.documentsOf(list))
	for len(list) > 0 {
		at := x.statements[list[0]]
		n := 1
		for n < len(list) && x.statements[list[n]] == at {
			n++
		}
		a.parts = append(a.parts, part{document: at, statements: list[:n]})
		list = list[n:]
	}
	return a
}

// documentsOf counts the documents of statements, in order.
func (x *index) documentsOf(statements []int32) int {
	count := 0
	for i, s := range statements {
		if i == 0 || x.statements[s] != x.statements[statements[i-1]] {
			count++
		}
	}
	return count
}

// allowing gives the members to whom some statement might allow any of the
// question: the others need not be asked.
func (q *asked) allowing(members bitset) {
	members.setAll(q.index.documents[unknown].holders)
	for document := range q.allowedBy {
		members.setAll(q.index.documents[document].holders)
	}
}

// allowedBy gives the documents that are known and might allow any of the
// question.
func (q *asked) allowedBy(yield func(int32) bool) {
	for i := range q.parts {
		p := &q.parts[i]
		d := &q.index.documents[p.document]
		allows := slices.ContainsFunc(p.statements, func(s int32) bool { return d.document.Statements[int(s)-d.first].Effect == iam.Allow })
		if allows && !yield(p.document) {
			return
		}
	}
}

// part returns what of a document concerns the question; nil if nothing does.
func (q *asked) part(document int32) *part {
	i, ok := slices.BinarySearchFunc(q.parts, document, func(p part, at int32) int { return int(p.document) - int(at) })
	if !ok {
		return nil
	}
	p := &q.parts[i]
	if !p.done {
		p.done = true
		d := &q.index.documents[document]
		p.allows = make([]clause, 0, len(p.statements))
		for _, s := range p.statements {
			p.add(q, d.document, int(s)-d.first)
		}
	}
	return p
}

// add takes in a statement, unless its conditions can never hold.
func (p *part) add(q *asked, d *iam.Document, at int) {
	s := &d.Statements[at]
	c := clause{Statement: s, version: d.Version, index: at, personal: q.index.personal.has(q.index.documents[p.document].first + at)}
	if !c.personal && len(s.Conditions) > 0 {
		open, alive := q.Facts.settle(d.Version, s.Conditions)
		if !alive {
			return
		}
		c.open = open
	}
	c.covers = covers(*s, q.Action, q.Resource)
	if s.Effect == iam.Deny {
		c.touches = mightTouch(s, q.Question)
		p.denies = append(p.denies, c)
		return
	}
	c.actions = among(positive(s.Actions, s.NotActions, q.Action, iam.CoversFold), func(a string) bool { return overlapsAction(a, q.Action) })
	c.resources = positive(s.Resources, s.NotResources, q.Resource, iam.Covers)
	if slices.ContainsFunc(c.resources, hasVariables) {
		c.resources = slices.Clone(c.resources)
		for i, r := range c.resources {
			c.resources[i] = freeVariables(r)
		}
	}
	c.resources = among(c.resources, q.about)
	if len(c.actions) > 0 && len(c.resources) > 0 {
		p.allows = append(p.allows, c)
	}
}

// among are the entries of a list that fit, once each. Many answers share them:
// nobody may append to them in place.
func among(list []string, fits func(string) bool) []string {
	for i, s := range list {
		if fits(s) && !slices.Contains(list[:i], s) {
			continue
		}
		out := slices.Clone(list[:i])
		for _, s := range list[i+1:] {
			if fits(s) {
				out = appendNew(out, s)
			}
		}
		return slices.Clip(out)
	}
	return slices.Clip(list)
}

func (c *clause) settle(f *Facts) (open []iam.Condition, alive bool) {
	if !c.personal {
		return c.open, true
	}
	return f.settle(c.version, c.Conditions)
}

func (c *clause) surely(f *Facts) bool {
	open, alive := c.settle(f)
	return alive && len(open) == 0
}

func (c *clause) alive(f *Facts) bool {
	_, alive := c.settle(f)
	return alive
}

// level returns the parts of policies, and whether some are not known.
func (q *asked) layer(places []int32) layer {
	var l layer
	for _, at := range places {
		if at == unknown {
			l.unknown = true
		} else if p := q.part(at); p != nil {
			l.parts = append(l.parts, p)
		}
	}
	return l
}

// limits are the SCPs of an account.
func (q *asked) limits(scp int) []layer {
	have, ok := q.levels[scp]
	if !ok {
		for _, places := range q.index.scps[scp].places {
			have = append(have, q.layer(places))
		}
		q.levels[scp] = have
	}
	return have
}

// hearing is a question put to one member.
type hearing struct {
	*asked
	member *member
	own    []*part   // of each identity policy; nil: nothing of it, or it is not known
	limits []layer   // the SCPs and the boundary
	denies []*clause // that surely hold
	narrow []*layer  // the limits that may not admit all of the question
}

// put asks one member: what allows it any of the question, and how much.
func (q *asked) put(m *member) ([]Finding, Extent) {
	if m.Who.Kind == eval.Root && !m.owns(q.Resource) {
		return nil, Never
	}
	const usual = 12 // policies; more need memory of their own
	var room [usual]*part
	h := hearing{asked: q, member: m, own: room[:0]}
	count := 0
	for _, at := range m.identity {
		p := q.part(at)
		h.own = append(h.own, p)
		if p != nil {
			count += len(p.allows)
		} else if at == unknown {
			count++
		}
	}
	if count == 0 {
		return nil, Never
	}
	h.prepare()
	found := h.findings(make([]Finding, 0, count))
	switch {
	case len(found) == 0:
		return nil, Never
	case h.always():
		return found, Always
	}
	return found, Sometimes
}

// owns reports whether a resource may be of the member's account.
func (m *member) owns(resource string) bool {
	account := accountIn(resource)
	return account == "" || account == m.Who.Account
}

func (h *hearing) prepare() {
	h.limits = h.asked.limits(h.member.scp)
	if h.member.Permissions.Boundary != nil {
		h.limits = append(slices.Clip(h.limits), h.layer([]int32{h.member.boundary}))
	}
	for _, p := range h.own {
		h.deny(p)
	}
	for i := range h.limits {
		l := &h.limits[i]
		for _, p := range l.parts {
			h.deny(p)
		}
		if !l.admitsAll(&h.member.facts) {
			h.narrow = append(h.narrow, l)
		}
	}
}

func (h *hearing) deny(p *part) {
	if p == nil {
		return
	}
	for i := range p.denies {
		if c := &p.denies[i]; c.surely(&h.member.facts) {
			h.denies = append(h.denies, c)
		}
	}
}

// findings is Principal.Findings.
func (h *hearing) findings(found []Finding) []Finding {
	for i, policy := range h.member.Permissions.Identity {
		if policy.Document == nil {
			if h.remains(h.Action, h.Resource) {
				found = append(found, Finding{Policy: policy.Name, Unknown: true})
			}
			continue
		}
		if h.own[i] == nil {
			continue
		}
		for j := range h.own[i].allows {
			if f, could := h.finding(&h.own[i].allows[j]); could {
				f.Policy = policy.Name
				found = append(found, f)
			}
		}
	}
	return found
}

// finding is statementCould for a clause.
func (h *hearing) finding(c *clause) (Finding, bool) {
	f := Finding{Index: c.index, Statement: *c.Statement, Actions: c.actions, Resources: c.resources, Open: c.open}
	if len(h.denies) > 0 || len(h.narrow) > 0 {
		f.Actions, f.Resources = nil, nil
		for _, a := range c.actions {
			for _, r := range c.resources {
				if h.remains(a, r) {
					f.Actions, f.Resources = appendNew(f.Actions, a), appendNew(f.Resources, r)
				}
			}
		}
		if len(f.Actions) == 0 {
			return Finding{}, false
		}
	}
	if !c.personal {
		return f, true
	}
	open, alive := c.settle(&h.member.facts)
	f.Open = open
	return f, alive
}

// remains is Principal.remains.
func (h *hearing) remains(action, resource string) bool {
	for _, c := range h.denies {
		if denies(*c.Statement, h.Question, action, resource) {
			return false
		}
	}
	for _, l := range h.narrow {
		if !l.admits(action, resource, &h.member.facts) {
			return false
		}
	}
	return true
}

// admitsAll reports whether one statement of a limit might allow all of the
// question: then it allows some of whatever overlaps it.
func (l *layer) admitsAll(f *Facts) bool {
	return l.unknown || l.some(func(c *clause) bool { return c.covers && c.alive(f) })
}

func (l *layer) some(holds func(*clause) bool) bool {
	return slices.ContainsFunc(l.parts, func(p *part) bool {
		return p != nil && someClause(p.allows, holds)
	})
}

func someClause(list []clause, holds func(*clause) bool) bool {
	for i := range list {
		if holds(&list[i]) {
			return true
		}
	}
	return false
}

// admits is admittedBy for the policies of a limit.
func (l *layer) admits(action, resource string, f *Facts) bool {
	return l.some(func(c *clause) bool {
		return slices.ContainsFunc(c.actions, func(a string) bool { return overlapsAction(a, action) }) &&
			slices.ContainsFunc(c.resources, func(r string) bool { return iam.Overlaps(r, resource) }) && c.alive(f)
	})
}

// always is Principal.always.
func (h *hearing) always() bool {
	if slices.Contains(h.member.identity, unknown) || !h.layerAlways(&layer{parts: h.own}) {
		return false
	}
	for i := range h.limits {
		if !h.layerAlways(&h.limits[i]) {
			return false
		}
	}
	return true
}

func (h *hearing) layerAlways(l *layer) bool {
	f := &h.member.facts
	if l.unknown || !l.some(func(c *clause) bool { return c.covers && c.surely(f) }) {
		return false
	}
	return !slices.ContainsFunc(l.parts, func(p *part) bool {
		return p != nil && someClause(p.denies, func(c *clause) bool { return c.touches && c.alive(f) })
	})
}
