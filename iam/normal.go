package iam

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
)

// Clone copies the document with everything in it.
func (d *Document) Clone() *Document {
	if d == nil {
		return nil
	}
	out := *d
	out.Statements = slices.Clone(d.Statements)
	for i := range out.Statements {
		out.Statements[i] = out.Statements[i].clone()
	}
	return &out
}

func (s Statement) clone() Statement {
	s.Principal = s.Principal.clone()
	s.NotPrincipal = s.NotPrincipal.clone()
	for _, list := range s.lists() {
		*list = slices.Clone(*list)
	}
	s.Conditions = slices.Clone(s.Conditions)
	for i := range s.Conditions {
		s.Conditions[i].Values = slices.Clone(s.Conditions[i].Values)
	}
	return s
}

func (s *Statement) lists() []*[]string {
	return []*[]string{&s.Actions, &s.NotActions, &s.Resources, &s.NotResources}
}

func (p *Principal) clone() *Principal {
	if p == nil {
		return nil
	}
	out := *p
	for _, list := range out.lists() {
		*list = slices.Clone(*list)
	}
	return &out
}

func (p *Principal) lists() []*[]string {
	return []*[]string{&p.AWS, &p.Service, &p.Federated, &p.CanonicalUser}
}

// Normalized is a copy of equal meaning in which lists are sorted and free of
// doubles, conditions are sorted by operator and key, operators have AWS's
// spelling, and accounts among principals are ARNs. Version, statement order
// and the spelling of actions and keys stay; Equal looks past the last.
func (d *Document) Normalized() *Document {
	out := d.Clone()
	if out == nil {
		return nil
	}
	for i := range out.Statements {
		out.Statements[i].normalize()
	}
	return out
}

func (s *Statement) normalize() {
	s.Actions = sortFold(s.Actions)
	s.NotActions = sortFold(s.NotActions)
	s.Resources = sortExact(s.Resources)
	s.NotResources = sortExact(s.NotResources)
	s.Principal.normalize()
	s.NotPrincipal.normalize()
	for i := range s.Conditions {
		c := &s.Conditions[i]
		c.Operator = spelling(c.Operator)
		c.Values = sortExact(c.Values)
	}
	slices.SortStableFunc(s.Conditions, func(a, b Condition) int {
		return cmp.Or(strings.Compare(a.Operator, b.Operator), compareFold(a.Key, b.Key), slices.Compare(a.Values, b.Values))
	})
}

func (p *Principal) normalize() {
	if p == nil {
		return
	}
	if p.Everyone {
		*p = Principal{Everyone: true}
		return
	}
	partition := p.partition()
	for i, s := range p.AWS {
		if IsAccountID(s) {
			p.AWS[i] = ARN{Partition: partition, Service: "iam", Account: s, Resource: "root"}.String()
		}
	}
	for _, list := range p.lists() {
		if *list = sortExact(*list); len(*list) == 0 {
			*list = nil
		}
	}
}

// partition is that of the first ARN among the principals, for the bare
// account ids beside it: a policy lives in one partition.
func (p *Principal) partition() string {
	for _, s := range slices.Concat(p.AWS, p.Federated) {
		if a, err := ParseARN(s); err == nil {
			return a.Partition
		}
	}
	return "aws"
}

// sortExact sorts a list of its own and drops doubles; nil stays nil.
func sortExact(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// sortFold is sortExact for names that AWS compares without case.
func sortFold(list []string) []string {
	slices.SortFunc(list, compareFold)
	return slices.CompactFunc(list, strings.EqualFold)
}

func compareFold(a, b string) int {
	return cmp.Or(strings.Compare(strings.ToLower(a), strings.ToLower(b)), strings.Compare(a, b))
}

// Equal reports whether two documents are the same but for what Normalized
// evens out, the case of actions and condition keys, and positions.
func Equal(a, b *Document) bool {
	if a == nil || b == nil {
		return a == b
	}
	return reflect.DeepEqual(a.comparable(), b.comparable())
}

func (d *Document) comparable() *Document {
	out := d.Normalized()
	if len(out.Statements) == 0 {
		out.Statements = nil
	}
	for i := range out.Statements {
		s := &out.Statements[i]
		s.Pos = Pos{}
		for _, list := range []*[]string{&s.Actions, &s.NotActions} {
			for j := range *list {
				(*list)[j] = strings.ToLower((*list)[j])
			}
		}
		for j := range s.Conditions {
			s.Conditions[j].Key = strings.ToLower(s.Conditions[j].Key)
		}
		if len(s.Conditions) == 0 {
			s.Conditions = nil
		}
	}
	return out
}
