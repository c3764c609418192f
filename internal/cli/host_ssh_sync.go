package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/host/sshkeys"
)

// sshSyncOptions say who may log in. install takes the same ones and hands them
// to the unit that runs sync.
type sshSyncOptions struct {
	groups      []string
	sudoGroups  []string
	roleARN     string
	externalID  string
	domains     []string
	localGroups []string
	tagKey      string
	maxStale    time.Duration
	login       sshkeys.LoginOptions
}

// defaultStale is how long logins go on without IAM.
const defaultStale = 24 * time.Hour

func (o *sshSyncOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&o.groups, "group", nil, "`GROUP` of IAM whose members may log in; repeatable")
	f.StringArrayVar(&o.sudoGroups, "sudo-group", nil, "`GROUP` of IAM whose members may log in and use sudo; repeatable")
	f.StringVar(&o.roleARN, "role-arn", "", "`ARN` of the role to assume, in the account that the users are in")
	f.StringVar(&o.externalID, "external-id", "", "`ID` that the role asks for")
	f.StringSliceVar(&o.domains, "domain", nil, "`DOMAIN` to cut off IAM user names: with example.com, alice@example.com logs in as alice")
	f.StringSliceVar(&o.localGroups, "local-group", nil, "`GROUP` of this host that every user is put into; repeatable")
	f.StringVar(&o.tagKey, "ed25519-tag", "", "`KEY` of the IAM users' tag that holds an ed25519 key, beside the keys in IAM: who may tag users then decides who logs in")
	f.DurationVar(&o.maxStale, "max-stale", defaultStale, "`TIME` for which logins go on while IAM is away")
	f.StringSliceVar(&o.login.Allow, "allow", nil, "`OPTION` that sessions may use beside a terminal: agent-forwarding, port-forwarding, user-rc, X11-forwarding")
	f.StringSliceVar(&o.login.From, "from", nil, "`ADDRESS` or CIDR block that logins may come from; repeatable (default: all)")
}

// check finds what can be known to be wrong before anything is asked or done.
func (o *sshSyncOptions) check() error {
	var wrong fault.List
	if len(o.groups)+len(o.sudoGroups) == 0 {
		wrong = append(wrong, &fault.Error{Code: fault.Usage, What: "no IAM group is named", Hint: "name who may log in: --group engineers"})
	}
	if o.externalID != "" && o.roleARN == "" {
		wrong = append(wrong, &fault.Error{Code: fault.Usage, What: "--external-id without --role-arn", Hint: "name the role that asks for it"})
	}
	if o.maxStale < time.Hour {
		wrong = append(wrong, &fault.Error{Code: fault.Usage, What: "--max-stale " + o.maxStale.String() + " is shorter than an hour", Hint: "a short outage of IAM would lock everybody out"})
	}
	if err := o.login.Check(); err != nil {
		wrong = append(wrong, err)
	}
	return wrong.Err()
}

// args are the flags that give the same options.
func (o *sshSyncOptions) args() []string {
	var out []string
	add := func(flag string, values ...string) {
		for _, v := range values {
			if v != "" {
				out = append(out, "--"+flag+"="+v)
			}
		}
	}
	add("group", o.groups...)
	add("sudo-group", o.sudoGroups...)
	add("role-arn", o.roleARN)
	add("external-id", o.externalID)
	add("domain", o.domains...)
	add("local-group", o.localGroups...)
	add("ed25519-tag", o.tagKey)
	if o.maxStale != defaultStale {
		add("max-stale", o.maxStale.String())
	}
	add("allow", o.login.Allow...)
	add("from", o.login.From...)
	return out
}
