package reach

import (
	"iter"
	"maps"
	"slices"

	"github.com/postern-dev/postern/iam/eval"
)

// findings are what several questions found: each statement once, with all that
// any of them found of it.
type findings struct {
	list  []Finding
	again []int // places of those that add knows
}

// add takes in what one more question found.
func (l *findings) add(more ...Finding) {
	if l.list == nil { // one question finds no statement twice
		l.list = more
		for i := range more {
			l.again = append(l.again, i)
		}
		return
	}
	for i := range more {
		f := &more[i]
		have := l.find(f)
		if have == nil {
			l.again = append(l.again, len(l.list))
			l.list = append(l.list, *f)
			continue
		}
		for _, a := range f.Actions {
			have.Actions = appendNew(have.Actions, a)
		}
		for _, r := range f.Resources {
			have.Resources = appendNew(have.Resources, r)
		}
	}
}

func (l *findings) find(f *Finding) *Finding {
	for _, at := range l.again {
		if have := &l.list[at]; have.Policy == f.Policy && have.Index == f.Index && have.Unknown == f.Unknown {
			return have
		}
	}
	return nil
}

// addOnce takes in what no other question finds.
func (l *findings) addOnce(more iter.Seq[Finding]) {
	l.list = slices.AppendSeq(l.list, more)
}

// answers are what was found of each of several parties.
type answers struct {
	who map[string]eval.Principal
	via map[string]*findings
}

// of returns what was found of a party.
func (a *answers) of(who eval.Principal) *findings {
	if a.via == nil {
		a.who, a.via = map[string]eval.Principal{}, map[string]*findings{}
	}
	if a.via[who.ARN] == nil {
		a.who[who.ARN], a.via[who.ARN] = who, &findings{}
	}
	return a.via[who.ARN]
}

// sorted are the answers by ARN.
func (a *answers) sorted() []Answer {
	var out []Answer
	for _, name := range slices.Sorted(maps.Keys(a.via)) {
		out = append(out, Answer{Principal: a.who[name], Extent: Sometimes, Via: a.via[name].list})
	}
	return out
}
