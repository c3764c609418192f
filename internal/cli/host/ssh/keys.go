package ssh

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/host/sshd"
	"github.com/postern-dev/postern/internal/host/sshkeys"
)

// keysDeadline ends a look-up that hangs. sshd would cut the client off after
// LoginGraceTime and log nothing.
const keysDeadline = 2 * time.Second

type keysOptions struct {
	account     string
	fingerprint string // of the key that the client offers; empty: all keys are wanted
	uid         uint32
	snapshot    string
}

func newKeys(a *command.App) *cobra.Command {
	var o keysOptions
	cmd := &cobra.Command{
		Use:   "keys USER [FINGERPRINT]",
		Short: "Print the keys of an account: what sshd runs at each login",
		Long: "Reads the snapshot, and nothing else: no network, no instance metadata. Each key carries the time at which the snapshot is too old. " +
			"An account that is not from IAM has no keys here, which is no error; why there are none goes to standard error, which sshd throws away. What was answered goes to the system's log: fingerprint, IAM user, account. " +
			"With the FINGERPRINT of an offered key only that key is printed.",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return command.UsageError(cmd, "no account is named", "")
			}
			return command.AtMost("USER", "FINGERPRINT")(cmd, args)
		},
		Example: `
sudo postern host ssh keys alice
# as sshd runs it
postern host ssh keys --uid %U -- %u %f`,
		// A signal ends it at once: nothing is half done, and catching one takes a
		// thread of its own.
		PersistentPreRun: func(*cobra.Command, []string) {},
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.account = args[0]; len(args) == 2 {
				o.fingerprint = args[1]
			}
			runKeys(cmd.Context(), a, o)
			return nil
		},
	}
	cmd.Flags().Uint32Var(&o.uid, "uid", 0, "`UID` of the account on this host: another one than the IAM user's has no keys")
	cmd.Flags().StringVar(&o.snapshot, "snapshot", sshd.Snapshot, "`PATH` of the snapshot")
	return cmd
}

// runKeys never fails: to sshd, a failure is an error to log at every login,
// of every account, and no keys are an answer. The answer goes before the log,
// which may hang.
func runKeys(ctx context.Context, a *command.App, o keysOptions) {
	ctx, cancel := context.WithTimeout(ctx, keysDeadline)
	defer cancel()
	answers := make(chan keysAnswer, 1)
	go func() { answers <- o.lookup(time.Now()) }() // a file on a dead disk cannot be told to stop, but need not be waited for
	var answer keysAnswer
	select {
	case answer = <-answers:
	case <-ctx.Done():
		answer.err = errLate
	}
	var out strings.Builder // sshd is written to once
	for _, line := range answer.lines {
		out.WriteString(line + "\n")
	}
	a.Result().Printf("%s", out.String())
	answer.tell(a, o)
	answer.report(ctx, systemLog(a.Err), o)
}

// errLate is why nothing was answered.
var errLate = errors.New("no answer in time")

// keysAnswer is what sshd is told, and what the log is.
type keysAnswer struct {
	lines []string
	event *sshkeys.Event // the offered key is the account's
	err   error
}

func (o keysOptions) lookup(now time.Time) keysAnswer {
	s, err := sshkeys.Lookup(o.snapshot, o.account)
	if s == nil {
		return keysAnswer{err: err}
	}
	if o.fingerprint == "" {
		lines, why := sshkeys.KeysFor(s, o.query(now))
		return keysAnswer{lines: lines, err: errors.Join(err, why)}
	}
	u, _ := s.Find(o.account)
	k, ok := u.KeyOf(o.fingerprint)
	if ok {
		u.Keys = []sshkeys.Key{k}
	} else {
		u.Keys = nil
	}
	if len(s.Users) > 0 {
		s.Users = []sshkeys.User{u}
	}
	lines, why := sshkeys.KeysFor(s, o.query(now))
	answer := keysAnswer{lines: lines, err: errors.Join(err, why)}
	if ok && len(lines) > 0 {
		e := sshkeys.EventOf(sshkeys.KeyAnswered, u, now)
		e.Fingerprint = k.Fingerprint
		answer.event = &e
	}
	return answer
}

func (o keysOptions) query(now time.Time) sshkeys.Query {
	return sshkeys.Query{Name: o.account, UID: o.uid, Now: now}
}

// tell says why there are no keys. sshd throws that away; it is for who asks by
// hand.
func (k keysAnswer) tell(a *command.App, o keysOptions) {
	if k.err != nil {
		a.Talk().Mark(ui.Warning, ui.Plain(o.account+": "+k.err.Error()))
	}
}

// report writes to the log what somebody would look for there. Accounts that
// are not from IAM are none of it.
func (k keysAnswer) report(ctx context.Context, log *slog.Logger, o keysOptions) {
	if k.event != nil {
		log.LogAttrs(ctx, slog.LevelInfo, "ssh", eventAttrs(*k.event)...)
	}
	switch {
	case k.err == nil || errors.Is(k.err, sshkeys.ErrUnknown):
	case errors.Is(k.err, errLate):
		log.ErrorContext(ctx, errLate.Error(), "account", o.account, "within", keysDeadline.String())
	case errors.Is(k.err, fs.ErrNotExist):
		log.ErrorContext(ctx, "there is no snapshot yet", "account", o.account, "snapshot", o.snapshot)
	default:
		log.WarnContext(ctx, "snapshot", "account", o.account, "fingerprint", o.fingerprint, "problem", k.err.Error())
	}
}
