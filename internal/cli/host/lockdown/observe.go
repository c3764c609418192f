package lockdown

import (
	"cmp"
	"context"
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
	cmd.Flags().DurationVar(&o.limit, "for", 10*time.Minute, "`TIME` to watch; ctrl-C ends it early")
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

func runObserve(ctx context.Context, a *command.App, o observeOptions, given changed) error {
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
	state, err := host.Read()
	if err != nil {
		return err
	}
	if state != nil && !state.Policy.Observe {
		return &fault.Error{
			What: "a firewall stands that refuses: to observe, it would have to be opened",
			Hint: "run `postern host lockdown log` or `postern host lockdown status` to see whom it refuses",
		}
	}
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

// observe watches for a time, or until the context ends, and leaves no table behind.
func observe(ctx context.Context, a *command.App, host *lockdown.Host, p lockdown.Policy, limit time.Duration) (s *observed, err error) {
	if err := host.Make(ctx, lockdown.Change{Policy: &p}); err != nil {
		return nil, err
	}
	after := context.WithoutCancel(ctx) // ctrl-C ends the watching, not the clearing up
	defer func() {
		if undo := host.Make(after, lockdown.Change{}); err == nil {
			err = undo
		}
	}()
	names := userNames(after)
	a.Talk().Line(ui.Dim(fmt.Sprintf("watching for %v; nobody is refused", limit)))
	commands := map[uint32]map[string]bool{}
	watching, cancel := orUntil(ctx, limit)
	defer cancel()
	err = lockdown.Listen(watching, p.LogGroup, func(r lockdown.Report) {
		if owner, ok := lockdown.Owner(r); ok && r.Owned {
			if commands[r.UID] == nil {
				commands[r.UID] = map[string]bool{}
			}
			commands[r.UID][owner.Command] = true
		}
	})
	if err != nil {
		return nil, err
	}
	state, err := host.Read()
	if err != nil {
		return nil, err
	}
	if state == nil {
		return nil, &fault.Error{What: "somebody else has removed the table: what was counted is lost", Hint: "does a service flush all rules? try again"}
	}
	return newObserved(state, commands, names), nil
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
