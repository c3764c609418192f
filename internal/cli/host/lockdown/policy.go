package lockdown

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/host/hostfile"
	"github.com/postern-dev/postern/internal/host/lockdown"
)

// policyOptions are the flags that make a policy.
type policyOptions struct {
	allow, groups []string
	endpoints     []string
	forwardFrom   []string
	log           bool
	logGroup      uint16
	allowMissing  bool
	allowNobody   bool
	config        string // a file of settings; what flags say goes first
	named         string // the file that names users and groups; empty: flags do
	onlyShow      bool   // nobody acts on it: whoever may write the file
}

// changed tells whether a flag was given; nil: none was.
type changed func(flag string) bool

// policyFlags are the flags that say what a policy is.
var policyFlags = []string{"allow", "allow-group", "endpoint", "forward-from", "log", "log-group"}

// defaultLogGroup is free on hosts that use NFLOG for little else. 0 is where
// ulogd listens by default.
const defaultLogGroup = 77

func (o *policyOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringSliceVar(&o.allow, "allow", nil, "`USER,...` who may reach the endpoints: names or uids")
	f.StringSliceVar(&o.groups, "allow-group", nil, "`GROUP,...` whose members may, supplementary ones too")
	f.StringSliceVar(&o.endpoints, "endpoint", nil, "`NAME,...` what is guarded: imds, ecs, eks, or an address of theirs (default imds)")
	f.StringSliceVar(&o.forwardFrom, "forward-from", nil, "`CIDR,...` networks of containers that may, too; a /8 at most, a /32 of IPv6")
	f.BoolVar(&o.log, "log", true, "report refusals to an NFLOG group, for `postern host lockdown log`")
	f.Uint16Var(&o.logGroup, "log-group", defaultLogGroup, "`NUMBER` of the NFLOG group that refusals are reported to; 0 for none")
	f.BoolVar(&o.allowMissing, "allow-missing", false, "leave out users and groups that this host does not have")
	f.BoolVar(&o.allowNobody, "allow-nobody", false, "apply it although nobody would be allowed")
	f.StringVar(&o.config, "config", hostfile.Path, "`FILE` of settings, read if it is there; flags go before it")
	_ = cmd.RegisterFlagCompletionFunc("endpoint", cobra.FixedCompletions(lockdown.EndpointNames(), cobra.ShellCompDirectiveNoFileComp))
}

// wish is the policy that is asked for.
type wish struct {
	policy  lockdown.Policy
	missing []string // names that were left out
}

// settle fills in from the file what no flag says, and tells whether there is
// anything to go by. The short form has no flags and reads no file.
func (o *policyOptions) settle(given changed) (bool, error) {
	if given == nil {
		o.logGroup = defaultLogGroup
		return true, nil
	}
	if err := o.settleLog(given); err != nil {
		return false, err
	}
	some := given("allow-nobody") || slices.ContainsFunc(policyFlags, given)
	file, err := o.read()
	switch {
	case errors.Is(err, fs.ErrNotExist) && !given("config"):
		return some, nil
	case errors.Is(err, fs.ErrNotExist):
		return false, &fault.Error{Where: o.config, What: "is not there", Hint: "`postern host install --print` shows one"}
	}
	if err != nil {
		return false, err
	}
	if file.Lockdown == nil {
		return some, nil
	}
	o.fill(*file.Lockdown, given)
	return true, nil
}

func (o *policyOptions) read() (*hostfile.File, error) {
	if !o.onlyShow {
		if err := hostfile.Trust(o.config); err != nil {
			return nil, err
		}
	}
	return hostfile.Read(o.config)
}

// settleLog makes one answer of two flags: whether, and where to.
func (o *policyOptions) settleLog(given changed) error {
	switch {
	case given("log") && given("log-group") && o.log != (o.logGroup != 0):
		return &fault.Error{
			Code: fault.Usage, What: fmt.Sprintf("--log=%t and --log-group %d contradict each other", o.log, o.logGroup),
			Hint: "give one of them",
		}
	case given("log") && !o.log:
		o.logGroup = 0
	}
	return nil
}

// fill takes over what flags do not say. Users and groups are one answer to one
// question: who names users means no group of the file.
func (o *policyOptions) fill(file hostfile.Lockdown, given changed) {
	if !given("allow") && !given("allow-group") {
		o.allow, o.groups, o.named = file.Allow, file.AllowGroups, o.config
	}
	if !given("endpoint") {
		o.endpoints = file.Endpoints
	}
	if !given("forward-from") {
		o.forwardFrom = file.ForwardFrom
	}
	if !given("log") && !given("log-group") && file.LogGroup != nil {
		o.logGroup = *file.LogGroup
	}
	o.allowMissing = o.allowMissing || file.AllowMissing
	o.allowNobody = o.allowNobody || file.AllowNobody
}

// wish resolves what flags and file say on this host, reporting every mistake.
func (o *policyOptions) wish(ctx context.Context, given changed) (wish, error) {
	if _, err := o.settle(given); err != nil {
		return wish{}, err
	}
	w := wish{policy: lockdown.Policy{LogGroup: o.logGroup}}
	var wrong fault.List
	collect := func(err error) {
		if list, ok := err.(fault.List); ok { //nolint:errorlint // its members, for one list
			wrong = append(wrong, list...)
		} else if err != nil {
			wrong = append(wrong, err)
		}
	}
	endpoints := o.endpoints
	if len(endpoints) == 0 {
		endpoints = []string{lockdown.Default}
	}
	for _, name := range endpoints {
		addrs, err := lockdown.ParseEndpoint(name)
		collect(err)
		w.policy.Endpoints = append(w.policy.Endpoints, addrs...)
	}
	for _, text := range o.forwardFrom {
		prefix, err := lockdown.ParseNetwork(text)
		collect(err)
		w.policy.ForwardFrom = append(w.policy.ForwardFrom, prefix)
	}
	found, err := lockdown.Resolve(ctx, lockdown.Names{Users: o.allow, Groups: o.groups, AllowMissing: o.allowMissing, File: o.named}, lockdown.Getent)
	collect(err)
	w.policy.Allow, w.missing = found.UIDs, found.Missing
	if len(wrong) > 0 {
		return wish{}, wrong
	}
	if len(w.policy.Allow) == 0 && !o.allowNobody {
		return wish{}, nobodyAllowed(given == nil)
	}
	return w, w.policy.Check()
}

func nobodyAllowed(short bool) error {
	hint := "name users, such as --allow root or in " + hostfile.Path + "; or add --allow-nobody"
	if short {
		hint = "name users behind the address, such as `postern host lockdown 169.254.169.254 root`"
	}
	return &fault.Error{Code: fault.Usage, What: "nobody would be allowed, not even root", Hint: hint}
}

// Standing says in one line what the settings in a file stand for on this host,
// or why they cannot be applied.
func Standing(ctx context.Context, config string) (string, error) {
	o := policyOptions{config: config}
	w, err := o.wish(ctx, func(flag string) bool { return flag == "config" })
	if err != nil {
		return "", err
	}
	return standingText(w.policy, userNames(ctx, w.policy.Allow...)), nil
}

// Forget removes what apply --or-last keeps.
func Forget() error { return last.Forget() }
