package ssh

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/postern-dev/postern/internal/audit"
	"github.com/postern-dev/postern/internal/aws"
	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/input"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/estate"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/host/sshkeys"
)

type auditOptions struct {
	settings
	estates  []string // files of snapshots; none: the account that the credentials are of
	expect   []string // patterns of ARNs
	severity audit.Severity
	all      bool
	json     bool
}

func newAudit(a *command.App) *cobra.Command {
	var o auditOptions
	severity := audit.Medium.String()
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Tell who decides who logs in, and who gets sudo",
		Long: "Finds the users and roles that could put somebody into the groups, give a member a key, or change the tags that hosts look at, by all of their policies, " +
			"boundaries and conditions: in snapshots, or in the account that your credentials are of, for which iam:GetAccountAuthorizationDetails is enough. " +
			"It runs anywhere, and changes nothing. The settings are those of sync, from flags or host.yaml. What cannot be ruled out counts as possible.\n\n" +
			"Administrators, the roles of AWS's own services and those whom --expect names are no findings. Users who change their own keys are as it should be. " +
			"Who could become one of those found is not in the answer: `postern escalations` and `postern who-can sts:AssumeRole` tell. " +
			"Exits with 3 if anybody else decides.",
		Args: command.AtMost(),
		Example: `
postern host ssh audit --group engineers --sudo-group operators
aws iam get-account-authorization-details > account.json
postern host ssh audit --config host.yaml --estate account.json --expect 'arn:aws:iam::*:role/helpdesk'
postern host ssh audit --group engineers --ed25519-tag ssh-key --estate account.json --severity low --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.parse(cmd, severity); err != nil {
				return err
			}
			return runAudit(cmd.Context(), a, o)
		},
	}
	o.flags(cmd.Flags())
	input.EstateFlag(cmd, &o.estates)
	f := cmd.Flags()
	f.StringArrayVar(&o.expect, "expect", nil, "`ARN` or pattern of users and roles that are meant to decide; repeatable")
	f.StringVar(&severity, "severity", severity, "`LEVEL` show only findings as bad as this: high, medium or low")
	f.BoolVar(&o.all, "all", false, "name the administrators and others who are no findings, too")
	f.BoolVar(&o.json, "json", false, "print JSON")
	_ = cmd.RegisterFlagCompletionFunc("severity", cobra.FixedCompletions(severities(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// flags are those of the settings that matter here.
func (o *auditOptions) flags(f *pflag.FlagSet) {
	all := pflag.NewFlagSet("", pflag.ContinueOnError)
	o.settings.flags(all)
	o.intervalFlag(all)
	for _, name := range []string{"group", "sudo-group", "instance-tags", "ed25519-tag", "domain", "config"} {
		f.AddFlag(all.Lookup(name))
	}
}

func severities() []string {
	var out []string
	for _, s := range audit.Severities() {
		out = append(out, s.String())
	}
	return out
}

// parse reads what flags and the file say.
func (o *auditOptions) parse(cmd *cobra.Command, severity string) error {
	at := slices.Index(severities(), severity)
	if at < 0 {
		return command.UsageError(cmd, fmt.Sprintf("unknown severity %q", severity), command.DidYouMean(severity, "--severity ", severities()))
	}
	o.severity = audit.Severities()[at]
	for _, pattern := range o.expect {
		if !strings.HasPrefix(pattern, "arn:") {
			return command.UsageError(cmd, fmt.Sprintf("--expect %q is no ARN", pattern), "write it as arn:aws:iam::*:role/NAME")
		}
	}
	return o.settle(cmd.Flags())
}

func runAudit(ctx context.Context, a *command.App, o auditOptions) error {
	e, err := o.estate(ctx, a)
	if err != nil {
		return err
	}
	ssh := o.ssh()
	if err := missing(&ssh, e); err != nil {
		return err
	}
	r := newAuditResult(o, e, audit.Run(audit.Input{Estate: e, Now: time.Now(), SSH: ssh, Expect: o.expect}))
	if o.json {
		err = a.Result().JSON(r)
	} else {
		auditText(a, r, o)
	}
	if err == nil && len(r.Findings) > 0 {
		return command.Status(fault.Findings)
	}
	return err
}

// estate is that of the snapshots, or what stands in AWS.
func (o *auditOptions) estate(ctx context.Context, a *command.App) (*estate.Estate, error) {
	if len(o.estates) > 0 {
		in := input.Files{Stdin: a.In}
		return in.Snapshots(o.estates)
	}
	progress := a.Progress()
	defer progress.Close()
	progress.Step("read users, groups, roles and policies from AWS")
	account, err := aws.Snapshot(ctx, aws.Options{})
	return &estate.Estate{Accounts: []estate.Account{account}}, err
}

// ssh is what the rules go by.
func (o *auditOptions) ssh() audit.SSH {
	ssh := audit.SSH{Groups: o.Groups, SudoGroups: o.SudoGroups, TagKey: o.TagKey, AccountName: func(iamUser string) (string, error) {
		name, err := sshkeys.Names{Domains: o.Domains}.OSName(iamUser)
		if e, ok := errors.AsType[*fault.Error](err); ok {
			err = errors.New(e.What)
		}
		return name, err
	}}
	if o.InstanceTags {
		ssh.GroupTag, ssh.SudoTag = aws.InstanceTags{}.Keys()
	}
	return ssh
}

// missing refuses groups that are not there: of a misspelt one nobody would seem
// to decide.
func missing(ssh *audit.SSH, e *estate.Estate) error {
	var accounts, have []string
	for _, a := range e.Accounts {
		accounts = append(accounts, a.ID)
		for _, g := range a.Groups {
			have = append(have, g.Name)
		}
	}
	var wrong fault.List
	for _, name := range ssh.Missing(e) {
		hint := command.DidYouMean(name, "--group ", have)
		if hint == "" {
			hint = "groups are in the account that the users are in: give --estate with a snapshot of that, or its credentials"
		}
		wrong = append(wrong, &fault.Error{What: "there is no group " + name + " in account " + ui.Few(accounts), Hint: hint})
	}
	return wrong.Err()
}
