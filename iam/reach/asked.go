package reach

import "github.com/postern-dev/postern/iam"

// asked is a question that is put to many members. It cuts each document down,
// once, to the statements that concern it. It is for one goroutine.
type asked struct {
	Question
	index    *index
	concerns bitset
	seen     []reduced // by the document's place
	scps     [][][]Policy
}

// reduced is a document from the first to the last statement that concerns a
// question.
type reduced struct {
	document iam.Document
	first    int // place of its first statement in the whole document
	done     bool
}

func (x *index) ask(q Question) *asked {
	return &asked{
		Question: q, index: x, concerns: x.concerns(&q),
		seen: make([]reduced, len(x.documents)), scps: make([][][]Policy, len(x.scps)),
	}
}

// put asks one member: what allows it any of the question, and how much.
func (q *asked) put(m *member) ([]Finding, Extent) {
	identity, first := q.reduceAll(m.Permissions.Identity, m.identity)
	if len(identity) == 0 {
		return nil, Never
	}
	own := Principal{Identity: identity, SCP: q.reduceLevels(m.scp)}
	if edge := m.Permissions.Boundary; edge != nil {
		own.Boundary = &Policy{Name: edge.Name, Document: q.reduce(m.boundary)}
	}
	question := q.Question
	question.Facts = m.facts
	var found []Finding
	for i, policy := range identity {
		if policy.Document == nil {
			if own.remains(question, q.Action, q.Resource) {
				found = append(found, Finding{Policy: policy.Name, Unknown: true})
			}
			continue
		}
		for j, s := range policy.Document.Statements {
			if f, could := own.statementCould(policy.Document.Version, s, question); could {
				f.Policy, f.Index = policy.Name, first[i]+j
				found = append(found, f)
			}
		}
	}
	switch {
	case len(found) == 0:
		return nil, Never
	case own.always(question):
		return found, Always
	}
	return found, Sometimes
}

// reduceLevels reduces the SCPs of an account, once.
func (q *asked) reduceLevels(at int) [][]Policy {
	if q.scps[at] == nil {
		whole := &q.index.scps[at]
		for i, level := range whole.levels {
			list, _ := q.reduceAll(level, whole.places[i])
			q.scps[at] = append(q.scps[at], list)
		}
	}
	return q.scps[at]
}

// reduceAll leaves out the policies of which nothing concerns the question. With
// them come the places of their first statements.
func (q *asked) reduceAll(policies []Policy, at []int32) (list []Policy, first []int) {
	for i := range policies {
		d := q.reduce(at[i])
		if d != nil && len(d.Statements) == 0 {
			continue
		}
		if list == nil {
			list, first = make([]Policy, 0, len(policies)-i), make([]int, 0, len(policies)-i)
		}
		list = append(list, Policy{Name: policies[i].Name, Document: d})
		first = append(first, q.seen[at[i]].first)
	}
	return list, first
}

func (q *asked) reduce(at int32) *iam.Document {
	r := &q.seen[at]
	whole := q.index.documents[at]
	switch {
	case whole.document == nil:
		return nil
	case r.done:
		return &r.document
	}
	first, end := len(whole.document.Statements), 0
	for i := range whole.document.Statements {
		if q.concerns.has(whole.first + i) {
			first, end = min(first, i), i+1
		}
	}
	*r = reduced{document: iam.Document{Version: whole.document.Version}, first: first, done: true}
	if first < end {
		r.document.Statements = whole.document.Statements[first:end]
	}
	return &r.document
}
