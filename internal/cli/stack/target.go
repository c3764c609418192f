// Package stack holds the commands that work on a spec: check, plan, apply, up,
// prove and destroy, ci and schema, and the sandbox that stands in for AWS.
package stack

import (
	"context"
	"os"
	"sync"

	"github.com/postern-dev/postern/internal/aws"
	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/compile"
	"github.com/postern-dev/postern/internal/estate"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/plan"
	"github.com/postern-dev/postern/internal/spec"
)

// target is a stack and the connection to its accounts: what plan, apply,
// destroy, up and prove have in common.
type target struct {
	*command.App
	stack    string
	region   string
	accounts []plan.FileAccount
	cloud    *aws.Cloud
}

// connectSpec reaches the accounts of a spec.
func connectSpec(ctx context.Context, a *command.App, s *spec.Spec, o aws.Options) (*target, error) {
	t := &target{App: a, stack: s.Stack, region: s.Region}
	for _, account := range s.Accounts {
		t.accounts = append(t.accounts, plan.FileAccount{Name: account.Name, ID: account.ID, AdminRole: account.AdminRole})
	}
	o.Partition, o.Region = s.Partition, s.Region
	return t, t.connect(ctx, o)
}

func (t *target) connect(ctx context.Context, o aws.Options) error {
	progress := t.Progress()
	defer progress.Close()
	progress.Step("connect to AWS")
	for _, a := range t.accounts {
		o.Accounts = append(o.Accounts, aws.Account{ID: a.ID, Name: a.Name, AdminRole: a.AdminRole})
	}
	cloud, err := aws.Connect(ctx, o)
	t.cloud = cloud
	return err
}

// observe reads all accounts side by side.
func (t *target) observe(ctx context.Context) (*estate.Estate, error) {
	progress := t.Progress()
	defer progress.Close()
	progress.Step("read what stands in AWS")
	out := &estate.Estate{Accounts: make([]estate.Account, len(t.accounts))}
	errs := make([]error, len(t.accounts))
	var wg sync.WaitGroup
	for i, a := range t.accounts {
		wg.Go(func() { out.Accounts[i], errs[i] = t.cloud.Observe(ctx, a.ID, t.stack) })
	}
	wg.Wait()
	var list fault.List
	for _, err := range errs {
		if err != nil {
			list = append(list, err)
		}
	}
	return out, list.Err()
}

// proposal is a plan with what it was made from.
type proposal struct {
	desired, observed *estate.Estate
	plan              *plan.Plan
	digest            string
}

// propose plans the way from what stands to what the spec asks for.
func (t *target) propose(ctx context.Context, s *spec.Spec) (*proposal, error) {
	observed, err := t.observe(ctx)
	if err != nil {
		return nil, err
	}
	desired, err := compile.Estate(s, quotasOf(observed))
	if err != nil {
		return nil, err
	}
	return t.compare(desired, observed)
}

// proposeEmpty plans the removal of all that the stack owns.
func (t *target) proposeEmpty(ctx context.Context) (*proposal, error) {
	observed, err := t.observe(ctx)
	if err != nil {
		return nil, err
	}
	desired := &estate.Estate{}
	for _, a := range observed.Accounts {
		desired.Accounts = append(desired.Accounts, estate.Account{ID: a.ID, Partition: a.Partition, Quotas: a.Quotas})
	}
	return t.compare(desired, observed)
}

func (t *target) compare(desired, observed *estate.Estate) (*proposal, error) {
	p, err := plan.Make(plan.Sides{Stack: t.stack, Desired: desired, Observed: observed})
	if err != nil {
		return nil, err
	}
	digest, err := plan.Digest(t.stack, observed)
	return &proposal{desired: desired, observed: observed, plan: p, digest: digest}, err
}

// file is the proposal as it travels from plan -o to apply.
func (t *target) file(p *proposal, destroy bool) *plan.File {
	return &plan.File{
		Stack: t.stack, Region: t.region, Accounts: t.accounts, Destroy: destroy,
		Digest: p.digest, Changes: p.plan.Changes, Access: p.plan.Access, Notes: p.plan.Notes,
	}
}

func quotasOf(e *estate.Estate) compile.Quotas {
	quotas := compile.Quotas{}
	for _, a := range e.Accounts {
		quotas[a.ID] = a.Quotas
	}
	return quotas
}

// loadSpec reads a spec, and says what to do with a plan file in its place.
func loadSpec(path string) (*spec.Spec, error) {
	if file, err := readPlanFile(path); err != nil || file != nil {
		return nil, &fault.Error{Code: fault.Usage, Where: path, What: "this is a saved plan, not a spec", Hint: "look at it with postern plan " + path + ", carry it out with postern apply " + path}
	}
	return spec.Load(path)
}

// maxPlan is the most that is read of a plan file, in bytes.
const maxPlan = 1 << 30

// readPlanFile returns the plan in a file, nil if the path names something
// else: a spec or a folder of specs, whose reader says what is wrong with it.
func readPlanFile(path string) (*plan.File, error) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return nil, nil //nolint:nilerr // as above
	}
	data, err := command.ReadFile(path, nil, maxPlan)
	if err != nil || !plan.IsFile(data) {
		return nil, nil //nolint:nilerr // as above
	}
	return plan.ReadFile(path, data)
}
