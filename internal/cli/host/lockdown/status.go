package lockdown

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/host/hostfile"
	"github.com/postern-dev/postern/internal/host/lockdown"
)

type statusOptions struct {
	policyOptions
	json     bool
	textfile string
}

func newStatus(a *command.App) *cobra.Command {
	var o statusOptions
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Tell whether the firewall stands, is as it should be, and whom it refuses",
		Long: "Compares what stands in the kernel with what flags and file ask for, rule by rule. Without any it says that nobody has told it who should be let " +
			"through, and looks only for rules that others have changed. Exits with 3 if the firewall is absent, differs, or only observes, if the file cannot be used, or if nobody is left to roll " +
			"back a change that was not confirmed. " +
			"Refusals are counted by user since the last apply; a user without one for a day is forgotten.",
		Args: command.AtMost(),
		Example: `
postern host lockdown status
postern host lockdown status --allow root,cwagent --json
postern host lockdown status --textfile /var/lib/node_exporter/postern.prom`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runStatus(cmd.Context(), a, o, cmd.Flags().Changed)
		},
	}
	o.flags(cmd)
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	cmd.Flags().StringVar(&o.textfile, "textfile", "", "`PATH` also write Prometheus metrics there, whole or not at all")
	return cmd
}

// report is what status tells.
type report struct {
	Standing    bool           `json:"standing"`
	Compared    bool           `json:"compared"` // false: no flags, no file; drift is then of the rules alone
	Observing   bool           `json:"observing"`
	Allow       []user         `json:"allow"`
	Endpoints   []netip.Addr   `json:"endpoints"`
	ForwardFrom []netip.Prefix `json:"forward_from"`
	LogGroup    uint16         `json:"log_group"`
	Denied      []denied       `json:"denied"`
	DeniedFrom  []forwarded    `json:"denied_from"`
	Unowned     uint64         `json:"denied_unowned"` // packets of no user's socket
	Problems    []string       `json:"problems"`       // why the file cannot be used
	Drift       []string       `json:"drift"`
	Pending     *pending       `json:"pending,omitempty"`

	policy   lockdown.Policy
	names    map[uint32]string
	tampered bool // no policy of ours makes these rules
}

// pending is a change that has not been confirmed.
type pending struct {
	Until    time.Time `json:"until"`
	Orphaned bool      `json:"orphaned"` // nobody is left to roll it back
}

type user struct {
	UID  uint32 `json:"uid"`
	User string `json:"user,omitempty"`
}

type denied struct {
	user
	Packets uint64 `json:"packets"`
}

type forwarded struct {
	From    netip.Addr `json:"from"`
	Packets uint64     `json:"packets"`
}

func runStatus(ctx context.Context, a *command.App, o statusOptions, given changed) error {
	answer, err := o.look(ctx, given)
	if err != nil {
		return err
	}
	if o.textfile != "" {
		if err := command.WriteRecord(o.textfile, []byte(answer.metrics()), 0o644); err != nil {
			return err
		}
	}
	if o.json {
		err = a.Result().JSON(answer)
	} else {
		answer.text(a.Result())
	}
	if err == nil && !answer.good() {
		return command.Status(fault.Findings)
	}
	return err
}

// good reports whether all is as it should be, as far as that is known.
func (s *report) good() bool {
	return s.Standing && !s.Observing && len(s.Problems)+len(s.Drift) == 0 && (s.Pending == nil || !s.Pending.Orphaned)
}

// look reads what stands and compares it.
func (o *statusOptions) look(ctx context.Context, given changed) (*report, error) {
	answer := &report{
		Allow: []user{}, Endpoints: []netip.Addr{}, ForwardFrom: []netip.Prefix{},
		Denied: []denied{}, DeniedFrom: []forwarded{}, Problems: []string{}, Drift: []string{},
	}
	host, err := lockdown.Open(runDir)
	if err != nil {
		return nil, err
	}
	defer host.Close()
	state, err := host.Read()
	if err != nil {
		return nil, err
	}
	waiting, err := host.Pending()
	if err != nil {
		return nil, err
	}
	if waiting != nil {
		answer.Pending = &pending{Until: waiting.Until, Orphaned: waiting.Orphaned}
	}
	if state == nil {
		return answer, nil
	}
	want, err := o.want(ctx, given, answer, state.Policy)
	if err != nil && slices.ContainsFunc(policyFlags, given) {
		return nil, err // it may be the flags
	}
	if err != nil {
		answer.Problems = append(answer.Problems, strings.Split(err.Error(), "\n")...)
	}
	answer.fill(state, userNames(ctx, state.Users()...))
	answer.Drift = append(answer.Drift, state.Drift(want)...)
	return answer, nil
}

// want is what flags and file ask for, or else what stands.
func (o *statusOptions) want(ctx context.Context, given changed, answer *report, stands lockdown.Policy) (lockdown.Policy, error) {
	var err error
	if answer.Compared, err = o.settle(given); err != nil || !answer.Compared {
		return stands, err
	}
	w, err := o.wish(ctx, given)
	if err != nil {
		return stands, err
	}
	return w.policy, nil
}

func (s *report) fill(state *lockdown.State, names map[uint32]string) {
	p := state.Policy
	s.Standing, s.Observing, s.LogGroup, s.Unowned = true, p.Observe, p.LogGroup, state.Unowned
	s.policy, s.names, s.tampered = p, names, len(state.Drift(p)) > 0
	s.Endpoints = append(s.Endpoints, p.Endpoints...)
	s.ForwardFrom = append(s.ForwardFrom, p.ForwardFrom...)
	for _, uid := range p.Allow {
		s.Allow = append(s.Allow, user{uid, names[uid]})
	}
	for _, d := range state.Denied {
		s.Denied = append(s.Denied, denied{user{d.UID, names[d.UID]}, d.Packets})
	}
	for _, d := range state.DeniedFrom {
		s.DeniedFrom = append(s.DeniedFrom, forwarded(d))
	}
}

func (s *report) text(out *ui.Printer) {
	if !s.Standing {
		out.Mark(ui.Failed, ui.Plain("no firewall stands: every user of this host reaches the instance role's credentials"))
		s.pendingText(out)
		return
	}
	mark := ui.OK
	if !s.good() {
		mark = ui.Warning
	}
	text := standingText(s.policy, s.names)
	if s.tampered {
		text = "somebody else has changed the rules, so that this need not hold: " + text
	}
	out.Mark(mark, ui.Plain(text))
	for _, p := range s.Problems {
		out.Mark(ui.Failed, ui.Plain("the settings cannot be used: "+p))
	}
	if !s.Compared && len(s.Problems) == 0 {
		out.Mark(ui.Point, ui.Plain("not compared: neither flags nor "+hostfile.Path+" say who should be let through; only the rules were looked at"))
	}
	s.pendingText(out)
	for _, d := range s.Drift {
		out.Mark(ui.Failed, ui.Plain("changed: "+d))
	}
	t := ui.Table{Indent: 2, Header: []string{"REFUSED", "PACKETS"}}
	if s.Observing {
		t.Header[0] = "WOULD BE REFUSED"
	}
	for _, d := range s.Denied {
		t.Rows = append(t.Rows, []ui.Span{ui.Name(userText(d.UID, s.names)), ui.Plain(fmt.Sprint(d.Packets))})
	}
	for _, d := range s.DeniedFrom {
		t.Rows = append(t.Rows, []ui.Span{ui.Name("from " + d.From.String()), ui.Plain(fmt.Sprint(d.Packets))})
	}
	if s.Unowned > 0 {
		t.Rows = append(t.Rows, []ui.Span{ui.Name("of no socket"), ui.Plain(fmt.Sprint(s.Unowned))})
	}
	if len(t.Rows) > 0 {
		out.Table(t)
	}
}

func (s *report) pendingText(out *ui.Printer) {
	switch {
	case s.Pending == nil:
	case s.Pending.Orphaned:
		out.Mark(ui.Failed, ui.Plain("the last change was not confirmed, and nobody is left to roll it back: run `postern host lockdown confirm` to keep it, or apply again"))
	default:
		out.Mark(ui.Warning, ui.Plain("rolled back at "+s.Pending.Until.Format(time.TimeOnly)+" unless you run `postern host lockdown confirm`"))
	}
}

// labelValue escapes a text as the format says, which is less than Go's %q does:
// one escape that Prometheus does not know makes it refuse the whole file.
func labelValue(text string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(strings.ToValidUTF8(text, ""))
}

// metrics are in Prometheus's text format.
//
// https://prometheus.io/docs/instrumenting/exposition_formats/
func (s *report) metrics() string {
	var b strings.Builder
	gauge := func(name, help string, on bool) {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s gauge\n%s %d\n", name, help, name, name, map[bool]int{true: 1}[on])
	}
	gauge("postern_lockdown_standing", "Whether the metadata firewall stands.", s.Standing)
	gauge("postern_lockdown_observing", "Whether it only counts.", s.Observing)
	gauge("postern_lockdown_drift", "Whether it differs from what was asked for.", len(s.Problems)+len(s.Drift) > 0)
	gauge("postern_lockdown_compared", "Whether anything was asked for.", s.Compared)
	gauge("postern_lockdown_orphaned", "Whether nobody is left to roll back a change that was not confirmed.", s.Pending != nil && s.Pending.Orphaned)
	const denied = "postern_lockdown_denied_packets"
	fmt.Fprintf(&b, "# HELP %s Refused packets since the last apply.\n# TYPE %s gauge\n", denied, denied)
	for _, d := range s.Denied {
		fmt.Fprintf(&b, "%s{uid=\"%d\",user=\"%s\",from=\"\"} %d\n", denied, d.UID, labelValue(d.User), d.Packets)
	}
	for _, d := range s.DeniedFrom {
		fmt.Fprintf(&b, "%s{uid=\"\",user=\"\",from=\"%s\"} %d\n", denied, d.From, d.Packets)
	}
	return b.String()
}
