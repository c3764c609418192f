package lockdown

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/host/lockdown"
)

func newLog(a *command.App) *cobra.Command {
	var limit time.Duration
	cmd := &cobra.Command{
		Use:   "log",
		Short: "Follow refusals as JSON lines, with user and process",
		Long: "Reads what the firewall reports to its NFLOG group until interrupted: one JSON line for each refused packet, at most five a second. " +
			"The counts of `postern host lockdown status` are complete. A process is named if it still has the socket.",
		Args: command.AtMost(), Example: "\npostern host lockdown log\npostern host lockdown log | jq -r .user",
		RunE: func(cmd *cobra.Command, _ []string) error { return runLog(cmd.Context(), a, limit) },
	}
	cmd.Flags().DurationVar(&limit, "for", 0, "`TIME` after which it ends")
	return cmd
}

func runLog(ctx context.Context, a *command.App, limit time.Duration) error {
	if err := checkLimit(limit); err != nil {
		return err
	}
	host, err := lockdown.Open(runDir)
	if err != nil {
		return err
	}
	defer host.Close()
	state, err := host.Read()
	switch {
	case err != nil:
		return err
	case state == nil:
		return noFirewall()
	case state.Policy.LogGroup == 0:
		return &fault.Error{What: "the firewall reports to no NFLOG group", Hint: "apply it with --log"}
	}
	reports, err := lockdown.OpenLog(state.Policy.LogGroup)
	if err != nil {
		return err
	}
	defer reports.Close()
	ctx, cancel := orUntil(ctx, limit)
	defer cancel()
	names := map[uint32]string{}
	maps.Copy(names, userNames(ctx))
	log := slog.New(slog.NewJSONHandler(a.Out, nil))
	message := "refused"
	if state.Policy.Observe {
		message = "would be refused"
	}
	return reports.Follow(ctx, func(r lockdown.Report) {
		if _, ok := names[r.UID]; r.Owned && !ok { // of a directory, or new
			names[r.UID] = userNames(ctx, r.UID)[r.UID]
		}
		log.LogAttrs(ctx, slog.LevelWarn, message, reportAttrs(r, names)...)
	})
}

// checkLimit refuses a time that is over before it begins.
func checkLimit(limit time.Duration) error {
	if limit < 0 {
		return &fault.Error{Code: fault.Usage, What: fmt.Sprintf("--for %v is less than nothing", limit), Hint: "write a time such as 10m; 0 is without end"}
	}
	return nil
}

func forText(limit time.Duration) string {
	if limit == 0 {
		return ""
	}
	return " for " + limit.String()
}

// orUntil gives a context that also ends after a time; 0 is never.
func orUntil(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if limit == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, limit)
}

func reportAttrs(r lockdown.Report, names map[uint32]string) []slog.Attr {
	attrs := []slog.Attr{slog.String("protocol", r.Protocol), slog.String("from", r.From.String()), slog.String("to", r.To.String())}
	switch {
	case r.Forwarded:
		return append(attrs, slog.Bool("forwarded", true))
	case !r.Owned:
		return attrs
	}
	attrs = append(attrs, slog.Uint64("uid", uint64(r.UID)), slog.String("user", names[r.UID]))
	if p, ok := lockdown.Owner(r); ok {
		attrs = append(attrs, slog.Int("pid", p.PID), slog.String("command", p.Command))
	}
	return attrs
}

func noFirewall() error {
	return &fault.Error{Code: fault.Findings, What: "no firewall stands", Hint: "run `postern host lockdown apply`"}
}
