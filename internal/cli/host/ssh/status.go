package ssh

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/host/sshd"
	"github.com/postern-dev/postern/internal/host/sshkeys"
)

// statusResult is what status tells.
type statusResult struct {
	SchemaVersion int              `json:"schema_version"`
	Installed     bool             `json:"installed"`
	Snapshot      *snapshotSummary `json:"snapshot,omitempty"`
	Drift         []sshd.Finding   `json:"drift"`
}

// snapshotSummary is what there is to say of the snapshot as a whole.
type snapshotSummary struct {
	FetchedAt time.Time `json:"fetched_at"`
	ExpiresAt time.Time `json:"expires_at"` // from then on it lets nobody in
	Users     int       `json:"users"`      // who may log in
	Removed   int       `json:"removed"`
	Keys      int       `json:"keys"`
}

func newStatus(a *command.App) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Tell whether sshd still asks Postern, and how fresh the keys are",
		Long: "Compares sshd's configuration, as sshd itself understands it, with what install left, and looks at the timer and the snapshot. " +
			"Exits with 3 if nothing is installed or something differs.",
		Args:    command.AtMost(),
		Example: "\nsudo postern host ssh status\nsudo postern host ssh status --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runStatus(cmd.Context(), a, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func runStatus(ctx context.Context, a *command.App, asJSON bool) error {
	stands, err := sshd.Read(ctx, sshd.System())
	if err != nil {
		return err
	}
	st := statusResult{SchemaVersion: 1, Installed: stands.Installed, Drift: stands.Drift}
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
		statusText(a.Result(), st)
	}
	if !st.Installed || len(st.Drift) > 0 {
		return command.Status(fault.Findings)
	}
	return nil
}

func statusText(out *ui.Printer, st statusResult) {
	if !st.Installed {
		out.Mark(ui.Failed, ui.Plain("not installed: sshd does not ask Postern for keys"))
		return
	}
	if len(st.Drift) == 0 {
		out.Mark(ui.OK, ui.Plain("sshd asks Postern for keys, and nothing differs from what was installed"))
	}
	findingsText(out, st.Drift)
	if s := st.Snapshot; s != nil {
		out.Mark(ui.Point, ui.Plain(fmt.Sprintf("%s may log in, with %s; %s removed", ui.Plural(s.Users, "user", "users"), ui.Plural(s.Keys, "key", "keys"), ui.Plural(s.Removed, "user", "users"))))
		out.Mark(ui.Point, ui.Plain(fmt.Sprintf("IAM last answered at %s; without it, logins go on until %s",
			s.FetchedAt.Local().Format(time.DateTime), s.ExpiresAt.Local().Format(time.DateTime))))
	}
}

// seeSnapshot summarises the snapshot and says what is wrong with it.
func seeSnapshot(path string, interval time.Duration, now time.Time) (*snapshotSummary, []sshd.Finding) {
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
	sum := &snapshotSummary{FetchedAt: s.FetchedAt, ExpiresAt: s.FetchedAt.Add(s.MaxStale)}
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

// staleAfter is when a snapshot that has not been renewed is worth a word: the
// timer has failed several times.
func staleAfter(interval time.Duration) time.Duration { return 6 * interval }
