package ssh

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
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
	HeldBack      []heldBack       `json:"held_back"`
	Drift         []sshd.Finding   `json:"drift"`
}

// snapshotSummary is what there is to say of the snapshot as a whole.
type snapshotSummary struct {
	FetchedAt time.Time `json:"fetched_at,omitzero"` // zero: IAM has never answered, and the next two say nothing
	ExpiresAt time.Time `json:"expires_at,omitzero"` // from then on it lets nobody in
	Age       int64     `json:"age"`                 // seconds since IAM answered; below 0: the clock has gone back
	Users     int       `json:"users"`               // who may log in
	Removed   int       `json:"removed"`
	Keys      int       `json:"keys"`

	held []heldBack
}

func summary(s *sshkeys.Snapshot, now time.Time) *snapshotSummary {
	sum := &snapshotSummary{}
	if !s.FetchedAt.IsZero() {
		sum.FetchedAt, sum.ExpiresAt, sum.Age = s.FetchedAt.UTC(), s.FetchedAt.Add(s.MaxStale).UTC(), int64(now.Sub(s.FetchedAt).Seconds())
	}
	sum.Users, sum.Removed = s.Count()
	sum.held = heldIn(s)
	for _, u := range s.Users {
		sum.Keys += len(u.Keys)
	}
	return sum
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
	st := statusResult{SchemaVersion: 1, Installed: stands.Installed, HeldBack: []heldBack{}, Drift: stands.Drift}
	if stands.Installed {
		snapshot, found := seeSnapshot(sshd.Snapshot, stands.Settings, time.Now())
		st.Snapshot, st.Drift = snapshot, append(st.Drift, found...)
		if snapshot != nil {
			st.HeldBack = snapshot.held
		}
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
		if !s.FetchedAt.IsZero() {
			out.Mark(ui.Point, ui.Plain(fmt.Sprintf("IAM last answered at %s; without it, logins go on until %s",
				s.FetchedAt.Local().Format(time.DateTime), s.ExpiresAt.Local().Format(time.DateTime))))
		}
	}
}

// seeSnapshot summarises the snapshot and says what is wrong with it.
func seeSnapshot(path string, installed sshd.Settings, now time.Time) (*snapshotSummary, []sshd.Finding) {
	s, err := sshkeys.Read(path)
	var found []sshd.Finding
	add := func(sev sshd.Severity, what string) {
		found = append(found, sshd.Finding{
			Check: "snapshot", Severity: sev, Where: path, What: what, Hint: "run " + syncCommand(installed.Sync) + ", or see journalctl -u " + sshd.Service,
		})
	}
	if s == nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = errors.New("there is none yet, so nobody logs in with a key from IAM")
		}
		add(sshd.Fail, err.Error())
		return nil, found
	}
	age := now.Sub(s.FetchedAt)
	switch {
	case err != nil:
		add(sshd.Warn, err.Error())
	case s.FetchedAt.IsZero():
		add(sshd.Fail, "IAM has not answered yet, so nobody logs in with a key from IAM")
	case age >= s.MaxStale:
		add(sshd.Fail, "it is too old and lets nobody in: IAM has not answered for "+age.Round(time.Minute).String())
	case age > staleAfter(installed.Interval):
		add(sshd.Warn, "it was not renewed for "+age.Round(time.Minute).String())
	case age < -time.Minute:
		add(sshd.Warn, "it is from the future: the clock has gone back")
	}
	sum := summary(s, now)
	return sum, append(found, heldFindings(sum.held, installed.Sync)...)
}

// heldFindings tell what sync would have taken from users, but for the brake,
// and the command that lets it.
func heldFindings(held []heldBack, args []string) []sshd.Finding {
	if len(held) == 0 {
		return nil
	}
	const most = 5
	var who []string
	for _, h := range held[:min(most, len(held))] {
		who = append(who, h.text())
	}
	if more := len(held) - most; more > 0 {
		who = append(who, fmt.Sprintf("and %d more", more))
	}
	return []sshd.Finding{{
		Check: "held-back", Severity: sshd.Warn,
		What: fmt.Sprintf("held back from %s, because too many at once would lose something: %s", ui.Plural(len(held), "user", "users"), strings.Join(who, "; ")),
		Hint: "if it is meant: " + forceCommand(args, len(held)),
	}}
}

// staleAfter is when a snapshot that has not been renewed is worth a word: the
// timer has failed several times.
func staleAfter(interval time.Duration) time.Duration { return 6 * interval }
