package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/host/sshd"
	"github.com/postern-dev/postern/internal/host/sshkeys"
)

// sshStatus is what status tells.
type sshStatus struct {
	SchemaVersion int            `json:"schema_version"`
	Installed     bool           `json:"installed"`
	Snapshot      *sshSnapshot   `json:"snapshot,omitempty"`
	Drift         []sshd.Finding `json:"drift"`
}

// sshSnapshot is what there is to say of the snapshot as a whole.
type sshSnapshot struct {
	FetchedAt time.Time `json:"fetched_at"`
	ExpiresAt time.Time `json:"expires_at"` // from then on it lets nobody in
	Users     int       `json:"users"`      // who may log in
	Removed   int       `json:"removed"`
	Keys      int       `json:"keys"`
}

func newSSHStatus(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Tell whether sshd still asks Postern, and how fresh the keys are",
		Long: "Compares sshd's configuration, as sshd itself understands it, with what install left, and looks at the timer and the snapshot. " +
			"Exits with 3 if nothing is installed or something differs.",
		Args:    atMost(),
		Example: "\nsudo postern host ssh status\nsudo postern host ssh status --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runSSHStatus(cmd.Context(), a, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func runSSHStatus(ctx context.Context, a *app, asJSON bool) error {
	stands, err := sshd.Read(ctx, sshd.System())
	if err != nil {
		return err
	}
	st := sshStatus{SchemaVersion: 1, Installed: stands.Installed, Drift: stands.Drift}
	if stands.Installed {
		snapshot, found := seeSnapshot(sshd.Snapshot, stands.Settings.Interval, time.Now())
		st.Snapshot, st.Drift = snapshot, append(st.Drift, found...)
	}
	if asJSON {
		st.Drift = slices.Concat([]sshd.Finding{}, st.Drift) // [] rather than null
		if err := a.Result().JSON(st); err != nil {
			return err
		}
	} else {
		sshStatusText(a.Result(), st)
	}
	if !st.Installed || len(st.Drift) > 0 {
		return status(fault.Findings)
	}
	return nil
}

func sshStatusText(out *ui.Printer, st sshStatus) {
	if !st.Installed {
		out.Mark(ui.Failed, ui.Plain("not installed: sshd does not ask Postern for keys"))
		return
	}
	if len(st.Drift) == 0 {
		out.Mark(ui.OK, ui.Plain("sshd asks Postern for keys, and nothing differs from what was installed"))
	}
	findingsText(out, st.Drift)
	if s := st.Snapshot; s != nil {
		out.Mark(ui.Point, ui.Plain(fmt.Sprintf("%s may log in, with %s; %s removed", plural(s.Users, "user", "users"), plural(s.Keys, "key", "keys"), plural(s.Removed, "user", "users"))))
		out.Mark(ui.Point, ui.Plain(fmt.Sprintf("IAM last answered at %s; without it, logins go on until %s",
			s.FetchedAt.Local().Format(time.DateTime), s.ExpiresAt.Local().Format(time.DateTime))))
	}
}

// seeSnapshot summarises the snapshot and says what is wrong with it.
func seeSnapshot(path string, interval time.Duration, now time.Time) (*sshSnapshot, []sshd.Finding) {
	s, err := sshkeys.Read(path)
	again := "run postern host ssh sync --once, or see journalctl -u " + sshd.Service
	found := func(sev sshd.Severity, what string) []sshd.Finding {
		return []sshd.Finding{{Check: "snapshot", Severity: sev, Where: path, What: what, Hint: again}}
	}
	if s == nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, found(sshd.Fail, "there is none yet, so nobody logs in with a key from IAM")
		}
		return nil, found(sshd.Fail, err.Error())
	}
	sum := &sshSnapshot{FetchedAt: s.FetchedAt, ExpiresAt: s.FetchedAt.Add(s.MaxStale)}
	for _, u := range s.Users {
		if u.Removed {
			sum.Removed++
			continue
		}
		sum.Users++
		sum.Keys += len(u.Keys)
	}
	age := now.Sub(s.FetchedAt)
	switch {
	case err != nil:
		return sum, found(sshd.Warn, err.Error())
	case age >= s.MaxStale:
		return sum, found(sshd.Fail, "it is too old and lets nobody in: IAM has not answered for "+age.Round(time.Minute).String())
	case age > staleAfter(interval):
		return sum, found(sshd.Warn, "it was not renewed for "+age.Round(time.Minute).String())
	case age < -time.Minute:
		return sum, found(sshd.Warn, "it is from the future: the clock has gone back")
	}
	return sum, nil
}

// sshDiagnosis is what doctor tells.
type sshDiagnosis struct {
	SchemaVersion int            `json:"schema_version"`
	Findings      []sshd.Finding `json:"findings"`
}

func newSSHDoctor(a *app) *cobra.Command {
	var asJSON, fix bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Find what breaks logins, with the fix of each",
		Long: "Looks at what is known to break SSH by IAM: EC2 Instance Connect's command line, Match blocks, an Include that is missing, permissions on the way to the " +
			"program, SELinux, accounts that count as locked, short RSA keys, an old snapshot. Exits with 3 if a finding stands in the way of a login; " +
			"warnings alone do not. --fix makes the fixes that can lock nobody out and looks again.",
		Args:    atMost(),
		Example: "\nsudo postern host ssh doctor\nsudo postern host ssh doctor --fix",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runSSHDoctor(cmd.Context(), a, fix, asJSON)
		},
	}
	cmd.Flags().BoolVar(&fix, "fix", false, "make the fixes that are safe")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func runSSHDoctor(ctx context.Context, a *app, fix, asJSON bool) error {
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
		if err := a.Result().JSON(sshDiagnosis{1, found}); err != nil {
			return err
		}
	} else {
		findingsText(a.Result(), found)
		if len(found) == 0 {
			a.Result().Mark(ui.OK, ui.Plain("nothing stands in the way of a login"))
		}
	}
	if slices.ContainsFunc(found, func(f sshd.Finding) bool { return f.Severity == sshd.Fail }) {
		return status(fault.Findings)
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
	_, more := seeSnapshot(sshd.Snapshot, stands.Settings.Interval, time.Now())
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
