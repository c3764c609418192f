package ssh

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/host/hostfile"
	"github.com/postern-dev/postern/internal/host/sshd"
	"github.com/postern-dev/postern/internal/host/sshkeys"
)

// settings say who may log in: flags, and host.yaml for what these leave open.
// install takes them too and hands its flags to the unit that runs sync.
type settings struct {
	hostfile.SSH
	account string // that reads the snapshot for sshd
	config  string // path of the file
}

// defaultStale is how long logins go on without IAM.
const defaultStale = 24 * time.Hour

func (s *settings) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&s.Groups, "group", nil, "`GROUP` of IAM whose members may log in; repeatable")
	f.StringArrayVar(&s.SudoGroups, "sudo-group", nil, "`GROUP` of IAM whose members may log in and use sudo; repeatable")
	f.BoolVar(&s.InstanceTags, "instance-tags", false, "read names of groups from this instance's tags postern:ssh-groups and postern:ssh-sudo-groups too")
	f.StringVar(&s.RoleARN, "role-arn", "", "`ARN` of the role to assume, in the account that the users are in")
	f.StringVar(&s.ExternalID, "external-id", "", "`ID` that the role asks for")
	f.StringSliceVar(&s.Domains, "domain", nil, "`DOMAIN` to cut off IAM user names: with example.com, alice@example.com logs in as alice")
	f.StringSliceVar(&s.LocalGroups, "local-group", nil, "`GROUP` of this host that every user is put into; repeatable")
	f.StringVar(&s.TagKey, "ed25519-tag", "", "`KEY` of the IAM users' tag that holds an ed25519 key, beside the keys in IAM: who may tag users then decides who logs in")
	f.StringVar(&s.account, "account", sshd.Account, "`NAME` of the account that looks keys up for sshd")
	f.DurationVar(&s.MaxStale, "max-stale", defaultStale, "`TIME` for which logins go on while IAM is away")
	f.StringSliceVar(&s.Allow, "allow", nil, "`OPTION` that sessions may use beside a terminal: agent-forwarding, port-forwarding, user-rc, X11-forwarding")
	f.StringSliceVar(&s.From, "from", nil, "`ADDRESS` or CIDR block that logins may come from; repeatable (default: all)")
	f.StringVar(&s.config, "config", hostfile.Path, "`FILE` of settings, read if it is there; flags go before it")
}

// intervalFlag is said apart: it is not for the unit, but for its timer.
func (s *settings) intervalFlag(f *pflag.FlagSet) {
	f.DurationVar(&s.Interval, "interval", sshd.DefaultInterval, "`TIME` between two syncs, give or take half of it")
}

// questions are what the file answers where no flag of a question is given:
// who names a group by flag means none of the file.
var questions = []struct {
	flags  []string
	answer func(to *hostfile.SSH, file hostfile.SSH)
}{
	{[]string{"group", "sudo-group", "instance-tags"}, func(to *hostfile.SSH, file hostfile.SSH) {
		to.Groups, to.SudoGroups, to.InstanceTags = file.Groups, file.SudoGroups, file.InstanceTags
	}},
	{[]string{"role-arn", "external-id"}, func(to *hostfile.SSH, file hostfile.SSH) { to.RoleARN, to.ExternalID = file.RoleARN, file.ExternalID }},
	{[]string{"domain"}, func(to *hostfile.SSH, file hostfile.SSH) { to.Domains = file.Domains }},
	{[]string{"local-group"}, func(to *hostfile.SSH, file hostfile.SSH) { to.LocalGroups = file.LocalGroups }},
	{[]string{"ed25519-tag"}, func(to *hostfile.SSH, file hostfile.SSH) { to.TagKey = file.TagKey }},
	{[]string{"allow"}, func(to *hostfile.SSH, file hostfile.SSH) { to.Allow = file.Allow }},
	{[]string{"from"}, func(to *hostfile.SSH, file hostfile.SSH) { to.From = file.From }},
	{[]string{"max-stale"}, func(to *hostfile.SSH, file hostfile.SSH) { to.MaxStale = or(file.MaxStale, to.MaxStale) }},
	{[]string{"interval"}, func(to *hostfile.SSH, file hostfile.SSH) { to.Interval = or(file.Interval, to.Interval) }},
	{[]string{"break-glass", "no-break-glass"}, func(to *hostfile.SSH, file hostfile.SSH) {
		to.BreakGlass, to.NoBreakGlass = file.BreakGlass, file.NoBreakGlass
	}},
	{[]string{"keep-passwords"}, func(to *hostfile.SSH, file hostfile.SSH) { to.KeepPasswords = file.KeepPasswords }},
}

func or(d, otherwise time.Duration) time.Duration {
	if d != 0 {
		return d
	}
	return otherwise
}

// settle reads the file, lets it answer what flags do not, and finds what is
// wrong before anything is asked of AWS.
func (s *settings) settle(given *pflag.FlagSet) error {
	file, err := s.read(given.Changed("config"))
	if err != nil {
		return err
	}
	for _, q := range questions {
		if !slices.ContainsFunc(q.flags, given.Changed) {
			q.answer(&s.SSH, file)
		}
	}
	return s.check()
}

// read gives what the file says. Without one, or without a section for us, that
// is nothing.
func (s *settings) read(named bool) (hostfile.SSH, error) {
	file, err := hostfile.Read(s.config)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named:
		return hostfile.SSH{}, nil
	case errors.Is(err, fs.ErrNotExist):
		return hostfile.SSH{}, &fault.Error{Where: s.config, What: "is not there", Hint: "write `ssh:`, and below it `groups: [engineers]`"}
	case err != nil || file.SSH == nil:
		return hostfile.SSH{}, err
	}
	return *file.SSH, nil
}

// trust refuses a file that others may write, before anything is done as it says.
func (s *settings) trust() error {
	if err := hostfile.Trust(s.config); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// check finds every mistake.
func (s *settings) check() error {
	var wrong fault.List
	check := func(one func(string) error, values ...string) {
		for _, v := range values {
			if err := one(v); err != nil {
				wrong = append(wrong, err)
			}
		}
	}
	if len(s.Groups)+len(s.SudoGroups) == 0 && !s.InstanceTags {
		wrong = append(wrong, &fault.Error{
			Code: fault.Usage, What: "no IAM group is named", Hint: "name who may log in: --group engineers, --instance-tags, or ssh: groups: in " + s.config,
		})
	}
	check(sshkeys.CheckGroup, slices.Concat(s.Groups, s.SudoGroups)...)
	check(sshkeys.CheckRoleARN, some(s.RoleARN)...)
	check(sshkeys.CheckExternalID, some(s.ExternalID)...)
	if s.ExternalID != "" && s.RoleARN == "" {
		wrong = append(wrong, &fault.Error{Code: fault.Usage, What: "--external-id without --role-arn", Hint: "name the role that asks for it"})
	}
	check(sshkeys.CheckDomain, s.Domains...)
	check(sshkeys.CheckTagKey, some(s.TagKey)...)
	for _, err := range []error{sshkeys.CheckMaxStale(s.MaxStale), sshkeys.CheckInterval(s.Interval), sshkeys.CheckTimes(s.Interval, s.MaxStale)} {
		if err != nil {
			wrong = append(wrong, err)
		}
	}
	check(sshkeys.CheckAllow, s.Allow...)
	check(sshkeys.CheckFrom, s.From...)
	return wrong.Err()
}

// some is a list of the value, empty if that is.
func some(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

// args are the flags that were given, for another run to be given: what the
// file says, that run reads by itself.
func (s *settings) args(given *pflag.FlagSet) []string {
	own := pflag.NewFlagSet("", pflag.ContinueOnError)
	new(settings).flags(own)
	var out []string
	given.Visit(func(f *pflag.Flag) {
		if own.Lookup(f.Name) == nil {
			return
		}
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		if path, err := filepath.Abs(s.config); f.Name == "config" && err == nil {
			values = []string{path} // a unit runs elsewhere
		}
		for _, v := range values {
			out = append(out, "--"+f.Name+"="+v)
		}
	})
	return out
}
