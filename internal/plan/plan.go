package plan

import (
	"github.com/postern-dev/postern/internal/estate"
	"github.com/postern-dev/postern/internal/fault"
)

// Plan leads from what stands in AWS to what a spec asks for.
type Plan struct {
	Stack   string
	Changes []Change // in order of stage; within a stage and entity in order of execution
	Access  []Access // what the changes give and take; roles without a difference are left out
	Notes   []string // what the plan sees and leaves to people
}

// Sides is what a plan compares. Both estates hold the same accounts.
type Sides struct {
	Stack    string
	Desired  *estate.Estate // accounts without content for destroy
	Observed *estate.Estate // everything that stands there, the stack's and others'
}

// Make compares. The error is a fault.List of names that others hold, of quotas
// that the result would exceed and of trust policies that AWS would refuse; then
// nothing may be changed.
func Make(in Sides) (*Plan, error) {
	p := &Plan{Stack: in.Stack}
	var errs fault.List
	depth := trustDepth(in.Desired)
	for i := range in.Desired.Accounts {
		want := &in.Desired.Accounts[i]
		have := in.Observed.Account(want.ID)
		if have == nil {
			have = &estate.Account{ID: want.ID, Partition: want.Partition, Quotas: want.Quotas}
		}
		a := &accountPlan{stack: in.Stack, want: want, have: have, depth: depth}
		changes := a.changes()
		errs = append(errs, a.refusals()...)
		errs = append(errs, refusedTrusts(changes)...)
		p.Changes = append(p.Changes, changes...)
		p.Access = append(p.Access, a.access()...)
		p.Notes = append(p.Notes, a.notes()...)
	}
	if err := errs.Err(); err != nil {
		return nil, err
	}
	sortChanges(p.Changes)
	return p, nil
}

// Empty reports whether there is nothing to do.
func (p *Plan) Empty() bool { return len(p.Changes) == 0 }

// Widened lists the standing roles and groups, by ARN, that end up with more
// than they had.
func (p *Plan) Widened() []string {
	var out []string
	for _, a := range p.Access {
		if a.Widens && !a.New {
			out = append(out, a.Entity)
		}
	}
	return out
}
