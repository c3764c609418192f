package lockdown

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/host/lockdown"
)

type observeOptions struct {
	policyOptions
	limit time.Duration
	json  bool
}

func newObserve(a *command.App) *cobra.Command {
	var o observeOptions
	cmd := &cobra.Command{
		Use:   "observe",
		Short: "Tell who would be refused, refusing nobody",
		Long: "Puts the same table into the kernel without its refusals, watches for a while, takes it away again, and lists the users, processes and " +
			"containers whose requests apply would refuse. What asks only once an hour shows up only in an hour: watch for long enough.",
		Args: command.AtMost(),
		Example: `
postern host lockdown observe --allow root --for 10m
postern host lockdown observe --allow root,cwagent --for 24h --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runObserve(cmd.Context(), a, o, cmd.Flags().Changed)
		},
	}
	o.flags(cmd)
	cmd.Flags().DurationVar(&o.limit, "for", 10*time.Minute, "`TIME` to watch, 0 without end; ctrl-C ends it early")
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

func runObserve(ctx context.Context, a *command.App, o observeOptions, given changed) error {
	if err := checkLimit(o.limit); err != nil {
		return err
	}
	w, err := o.wish(ctx, given)
	if err != nil {
		return err
	}
	w.policy.Observe, w.policy.LogGroup = true, cmp.Or(w.policy.LogGroup, defaultLogGroup)
	host, err := lockdown.Open(runDir)
	if err != nil {
		return err
	}
	defer host.Close()
	seen, err := observe(ctx, a, host, w.policy, o.limit)
	if err != nil {
		return err
	}
	if o.json {
		return a.Result().JSON(seen)
	}
	seen.text(a.Result())
	return nil
}

// observe watches for a time, or until the context ends, and leaves no table of
// its own behind.
func observe(ctx context.Context, a *command.App, host *lockdown.Host, p lockdown.Policy, limit time.Duration) (*observed, error) {
	reports, err := lockdown.OpenLog(p.LogGroup) // first: whoever else observes has it
	if err != nil {
		return nil, err
	}
	defer reports.Close()
	if err := host.Make(ctx, lockdown.Change{Policy: &p, May: refusesNobody}); err != nil {
		return nil, err
	}
	a.Talk().Line(ui.Dim("watching" + forText(limit) + "; nobody is refused"))
	commands, err := watchCommands(ctx, reports, limit)
	after := context.WithoutCancel(ctx) // ctrl-C ends the watching, not the clearing up
	state, undo := withdraw(after, host, p)
	if err := errors.Join(err, undo); err != nil {
		return nil, err
	}
	return newObserved(state, commands, userNames(after, state.Users()...)), nil
}

// refusesNobody stops a change that would open a firewall.
func refusesNobody(stands *lockdown.State) error {
	if stands == nil || stands.Policy.Observe {
		return nil
	}
	return &fault.Error{
		What: "a firewall stands that refuses: to observe, it would have to be opened",
		Hint: "run `postern host lockdown log` or `postern host lockdown status` to see whom it refuses",
	}
}

// watchCommands collects the commands of each user that are caught with their
// socket open.
func watchCommands(ctx context.Context, reports *lockdown.Log, limit time.Duration) (map[uint32]map[string]bool, error) {
	commands := map[uint32]map[string]bool{}
	ctx, cancel := orUntil(ctx, limit)
	defer cancel()
	err := reports.Follow(ctx, func(r lockdown.Report) {
		if owner, ok := lockdown.Owner(r); ok && r.Owned {
			if commands[r.UID] == nil {
				commands[r.UID] = map[string]bool{}
			}
			commands[r.UID][owner.Command] = true
		}
	})
	return commands, err
}

// withdraw takes the observing table away and gives what it has counted. What
// somebody has applied in its place stays.
func withdraw(ctx context.Context, host *lockdown.Host, p lockdown.Policy) (counted *lockdown.State, err error) {
	err = host.Make(ctx, lockdown.Change{May: func(stands *lockdown.State) error {
		switch counted = stands; {
		case stands == nil:
			return &fault.Error{What: "somebody else has removed the table: what was counted is lost", Hint: "does a service flush all rules? try again"}
		case !stands.Is(p):
			return &fault.Error{What: "somebody else has applied another table: it stands, and what was counted is lost", Hint: "run `postern host lockdown status` to see it"}
		}
		return nil
	}})
	return counted, err
}

// observed is whom a firewall would refuse.
type observed struct {
	Users    []observedUser `json:"users"`
	From     []forwarded    `json:"from"`
	Warnings []string       `json:"warnings"` // of users who usually need it and are not allowed
	Notes    []string       `json:"notes"`    // of users who might be thought to need it
	names    map[uint32]string
}

type observedUser struct {
	user
	Packets  uint64   `json:"packets"`
	Commands []string `json:"commands"` // those that were caught with the socket open
}

func newObserved(state *lockdown.State, commands map[uint32]map[string]bool, names map[uint32]string) *observed {
	s := &observed{Users: []observedUser{}, From: []forwarded{}, Warnings: []string{}, Notes: []string{}, names: names}
	for _, d := range state.Denied {
		s.Users = append(s.Users, observedUser{
			user{d.UID, names[d.UID]}, d.Packets, append([]string{}, slices.Sorted(maps.Keys(commands[d.UID]))...),
		})
	}
	for _, f := range state.DeniedFrom {
		s.From = append(s.From, forwarded(f))
	}
	s.Warnings = append(s.Warnings, unserved(state.Policy, names)...)
	for uid, name := range names {
		if name == selfServed && !slices.Contains(state.Policy.Allow, uid) {
			s.Notes = append(s.Notes, name+" is not allowed, and need not be: it looks up the keys of a login in a file")
		}
	}
	return s
}

func (s *observed) text(out *ui.Printer) {
	for _, w := range s.Warnings {
		out.Mark(ui.Warning, ui.Plain(w))
	}
	for _, n := range s.Notes {
		out.Mark(ui.Point, ui.Plain(n))
	}
	if len(s.Users)+len(s.From) == 0 {
		out.Mark(ui.OK, ui.Plain("nobody would have been refused"))
		return
	}
	t := ui.Table{Header: []string{"WOULD BE REFUSED", "PACKETS", "COMMANDS"}}
	for _, u := range s.Users {
		t.Rows = append(t.Rows, []ui.Span{ui.Name(userText(u.UID, s.names)), ui.Plain(fmt.Sprint(u.Packets)), ui.Plain(strings.Join(u.Commands, " "))})
	}
	for _, f := range s.From {
		t.Rows = append(t.Rows, []ui.Span{ui.Name("from " + f.From.String()), ui.Plain(fmt.Sprint(f.Packets))})
	}
	out.Table(t)
}
