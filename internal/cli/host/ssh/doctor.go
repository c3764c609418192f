package ssh

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/host/sshd"
	"github.com/postern-dev/postern/internal/host/sshkeys"
)

// diagnosis is what doctor tells.
type diagnosis struct {
	SchemaVersion int            `json:"schema_version"`
	Findings      []sshd.Finding `json:"findings"`
}

func newDoctor(a *command.App) *cobra.Command {
	var asJSON, fix bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Find what breaks logins, with the fix of each",
		Long: "Looks at what is known to break SSH by IAM: EC2 Instance Connect's command line, Match blocks, AllowGroups, an Include that is missing, permissions on the way to the " +
			"program, SELinux, accounts that count as locked, short RSA keys, an old snapshot. Exits with 3 if a finding stands in the way of a login; " +
			"warnings alone do not. --fix makes the fixes that can lock nobody out and looks again.",
		Args:    command.AtMost(),
		Example: "\nsudo postern host ssh doctor\nsudo postern host ssh doctor --fix",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runDoctor(cmd.Context(), a, fix, asJSON)
		},
	}
	cmd.Flags().BoolVar(&fix, "fix", false, "make the fixes that are safe")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func runDoctor(ctx context.Context, a *command.App, fix, asJSON bool) error {
	found, err := examine(ctx)
	if err == nil && fix && slices.ContainsFunc(found, func(f sshd.Finding) bool { return f.Safe }) {
		for _, f := range found {
			for _, line := range f.Commands() {
				if f.Safe {
					a.Talk().Mark(ui.Point, ui.Plain(line))
				}
			}
		}
		if err := sshd.Fix(ctx, sshd.System(), found); err != nil {
			return err
		}
		found, err = examine(ctx)
	}
	if err != nil {
		return err
	}
	if asJSON {
		if err := a.Result().JSON(diagnosis{1, found}); err != nil {
			return err
		}
	} else {
		findingsText(a.Result(), found)
		if len(found) == 0 {
			a.Result().Mark(ui.OK, ui.Plain("nothing stands in the way of a login"))
		}
	}
	if slices.ContainsFunc(found, func(f sshd.Finding) bool { return f.Severity == sshd.Fail }) {
		return command.Status(fault.Findings)
	}
	return nil
}

// examine is everything that doctor knows to look for.
func examine(ctx context.Context) ([]sshd.Finding, error) {
	var accounts []string
	if s, _ := sshkeys.Read(sshd.Snapshot); s != nil { // seeSnapshot says what is wrong with it
		for _, u := range s.Users {
			if !u.Removed {
				accounts = append(accounts, u.Name)
			}
		}
	}
	found, err := sshd.Doctor(ctx, sshd.System(), accounts)
	if err != nil {
		return nil, err
	}
	stands, err := sshd.Read(ctx, sshd.System())
	if err != nil || !stands.Installed {
		return slices.Concat([]sshd.Finding{}, found), err
	}
	_, more := seeSnapshot(sshd.Snapshot, stands.Settings, time.Now())
	return slices.Concat([]sshd.Finding{}, found, more), nil
}

func findingsText(out *ui.Printer, found []sshd.Finding) {
	for _, f := range found {
		mark := ui.Failed
		if f.Severity == sshd.Warn {
			mark = ui.Warning
		}
		where := f.Where
		if where != "" {
			where += ": "
		}
		out.Mark(mark, ui.Plain(where+f.What))
		for _, line := range f.Commands() {
			out.Line(ui.Dim("  fix: "), ui.Name(line))
		}
		if f.Hint != "" {
			out.Line(ui.Dim("  " + f.Hint))
		}
	}
}
