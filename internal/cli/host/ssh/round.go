package ssh

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/host/sshd"
	"github.com/postern-dev/postern/internal/host/sshkeys"
)

// roundResult is what sync tells of one round.
type roundResult struct {
	SchemaVersion int              `json:"schema_version"`
	At            time.Time        `json:"at"`
	Complete      bool             `json:"complete"` // IAM answered without a gap
	Calls         int              `json:"calls"`    // to IAM
	Added         []account        `json:"added"`
	Restored      []account        `json:"restored"`
	Removed       []account        `json:"removed"`
	HeldBack      []heldBack       `json:"held_back"`
	Refused       []refusal        `json:"refused"` // IAM users who get no account
	Steps         []stepTaken      `json:"steps"`
	Problems      []problem        `json:"problems"`           // the rest of what was put off or went wrong
	Error         string           `json:"error,omitempty"`    // why the round as a whole is not what it should be
	Snapshot      *snapshotSummary `json:"snapshot,omitempty"` // as it stands now
}

// account is an IAM user with the account on this host.
type account struct {
	IAMUser string `json:"iam_user"`
	UserID  string `json:"user_id"`
	Account string `json:"account"`
	UID     uint32 `json:"uid"`
}

// heldBack is a user who would have lost something, but for the brake.
type heldBack struct {
	account
	Loses []sshkeys.Loss `json:"loses"`
}

type refusal struct {
	IAMUser string `json:"iam_user"`
	UserID  string `json:"user_id"`
	problem
}

type problem struct {
	Where string `json:"where,omitempty"`
	What  string `json:"what"`
	Hint  string `json:"hint,omitempty"`
}

// stepTaken is a change that was made to the host.
type stepTaken struct {
	Step    sshkeys.Kind `json:"step"`
	Account string       `json:"account,omitempty"`
}

// shower shows rounds, and logs what went wrong in them.
type shower struct {
	ctx    context.Context //nolint:containedctx // it lives for one command
	app    *command.App
	log    *slog.Logger
	asJSON bool
	args   []string // of the command, to say which one lets happen what is held back
}

// round shows one; r is nil if there was none.
func (s shower) round(r *sshkeys.Report, err error) error {
	if r == nil {
		return nil
	}
	result := resultOf(r, err, s.args)
	for _, p := range slices.Concat(result.problems(), result.Problems) {
		s.log.WarnContext(s.ctx, "sync", "problem", p.text())
	}
	if s.asJSON {
		return s.app.Result().JSON(result)
	}
	result.text(s.app)
	return nil
}

func resultOf(r *sshkeys.Report, err error, args []string) roundResult {
	result := roundResult{
		SchemaVersion: 1, At: r.At.UTC(), Complete: r.Complete, Calls: r.Calls,
		Added: []account{}, Restored: []account{}, Removed: []account{}, HeldBack: []heldBack{}, Refused: []refusal{}, Steps: []stepTaken{}, Problems: []problem{},
	}
	for _, e := range r.Changes {
		to := map[sshkeys.EventKind]*[]account{sshkeys.UserAdded: &result.Added, sshkeys.UserRestored: &result.Restored, sshkeys.UserRemoved: &result.Removed}[e.Kind]
		if to != nil {
			*to = append(*to, account{e.IAMUser, e.UserID, e.Account, e.UID})
		}
	}
	for _, step := range r.Done {
		result.Steps = append(result.Steps, stepTaken{step.Kind, step.Name})
	}
	for _, p := range r.Problems {
		result.add(p, args)
	}
	if r.Snapshot != nil {
		result.Snapshot = summary(r.Snapshot, r.At)
		result.HeldBack = result.Snapshot.held
	}
	if err != nil {
		result.Error = err.Error()
	}
	return result
}

// add puts a problem where it belongs.
func (r *roundResult) add(err error, args []string) {
	p := problem{What: err.Error()}
	if e, ok := errors.AsType[*fault.Error](err); ok {
		bare := *e
		bare.Where, p.Where, p.Hint = "", e.Where, e.Hint
		p.What = bare.Error()
	}
	if b, ok := errors.AsType[*sshkeys.Braked](err); ok {
		p.Hint = "if it is meant: " + forceCommand(args, b.Due)
	}
	if refused, ok := errors.AsType[*sshkeys.Refusal](err); ok {
		r.Refused = append(r.Refused, refusal{refused.IAMUser, refused.UserID, p})
		return
	}
	r.Problems = append(r.Problems, p)
}

// problems are those of the users who are refused.
func (r roundResult) problems() []problem {
	var out []problem
	for _, refused := range r.Refused {
		out = append(out, refused.problem)
	}
	return out
}

func (p problem) text() string {
	if p.Where == "" {
		return p.What
	}
	return p.Where + ": " + p.What
}

// heldIn are the users from whom something is held back.
func heldIn(s *sshkeys.Snapshot) []heldBack {
	out := []heldBack{}
	for _, u := range s.Users {
		if len(u.Held) > 0 {
			out = append(out, heldBack{account{u.IAMUser, u.UserID, u.Name, u.UID}, u.Held})
		}
	}
	return out
}

// forceCommand is what lets a number of users lose what is held back.
func forceCommand(args []string, users int) string {
	return syncCommand(slices.Concat(args, []string{"--force", strconv.Itoa(users)}))
}

// syncCommand is a round by hand, with the flags that install was given: without
// them no group is named.
func syncCommand(args []string) string {
	return sshd.ShellLine(slices.Concat([]string{"sudo", "postern", "host", "ssh", "sync", "--once"}, args)...)
}

func (r roundResult) text(a *command.App) {
	out := a.Result()
	for _, step := range r.Steps {
		out.Mark(ui.OK, ui.Plain(strings.TrimSpace(string(step.Step)+" "+step.Account)))
	}
	for _, h := range r.HeldBack {
		out.Mark(ui.Warning, ui.Plain("held back: "+h.text()))
	}
	for _, p := range slices.Concat(r.problems(), r.Problems) {
		a.Talk().Mark(ui.Warning, ui.Plain(p.text()))
		if p.Hint != "" {
			a.Talk().Text(2, ui.StyleDim, p.Hint)
		}
	}
	answer := "IAM answered completely"
	if !r.Complete {
		answer = "IAM's answer has gaps: nobody is removed"
	}
	users, removed := 0, 0
	if r.Snapshot != nil {
		users, removed = r.Snapshot.Users, r.Snapshot.Removed
	}
	out.Line(ui.Plain(fmt.Sprintf("%s may log in, %s removed; %s, %s",
		ui.Plural(users, "user", "users"), ui.Plural(removed, "user", "users"), ui.Plural(r.Calls, "call", "calls"), answer)))
}

// text says what the user would lose.
func (h heldBack) text() string {
	names := map[sshkeys.Loss]string{sshkeys.LosesAccount: "the account", sshkeys.LosesSudo: "sudo", sshkeys.LosesKeys: "the last key"}
	var what []string
	for _, l := range h.Loses {
		what = append(what, names[l])
	}
	return h.Account + " would lose " + strings.Join(what, " and ")
}
