package reach

import "github.com/postern-dev/postern/iam"

// asked is a question that is put to many members. It reduces each document,
// once, to the statements that concern it. It is for one goroutine.
type asked struct {
	Question
	index    *index
	concerns bitset
	seen     []reduced // by the document's place
	scps     [][][]Policy
}

// reduced is a document without the statements that do not concern a question.
type reduced struct {
	document *iam.Document
	places   []int // of its statements in the whole document
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
	identity, places := q.reduceAll(m.Permissions.Identity, m.identity)
	if len(identity) == 0 {
		return nil, Never
	}
	own := Principal{Identity: identity, SCP: q.reduceLevels(m.scp)}
	if edge := m.Permissions.Boundary; edge != nil {
		own.Boundary = &Policy{Name: edge.Name, Document: q.reduce(m.boundary).document}
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
				f.Policy, f.Index = policy.Name, places[i][j]
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

// reduceAll leaves out the policies of which nothing concerns the question.
func (q *asked) reduceAll(policies []Policy, at []int32) (list []Policy, places [][]int) {
	for i := range policies {
		r := q.reduce(at[i])
		if r.document == nil || len(r.places) > 0 {
			list = append(list, Policy{Name: policies[i].Name, Document: r.document})
			places = append(places, r.places)
		}
	}
	return list, places
}

func (q *asked) reduce(at int32) *reduced {
	r := &q.seen[at]
	whole := q.index.documents[at]
	if r.done || whole.document == nil {
		return r
	}
	*r = reduced{document: &iam.Document{Version: whole.document.Version}, done: true}
	for i := range whole.document.Statements {
		if q.concerns.has(whole.first + i) {
			r.document.Statements = append(r.document.Statements, whole.document.Statements[i])
			r.places = append(r.places, i)
		}
	}
	return r
}
