package access

import (
	"cmp"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/iam/reach"
	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/evidence"
	"github.com/postern-dev/postern/internal/cli/input"
	"github.com/postern-dev/postern/internal/fault"
)

type escalationsOptions struct {
	principal string   // empty: all
	estates   []string // files of snapshots
	json      bool
}

// NewEscalations makes the command escalations.
func NewEscalations(a *command.App) *cobra.Command {
	var o escalationsOptions
	cmd := &cobra.Command{
		Use:   "escalations [PRINCIPAL]",
		Short: "List who could become an administrator, and how",
		Long: "Finds the ways of users and roles of snapshots to the permissions of an administrator: by changing policies, by taking over users and " +
			"roles, by passing roles to services, in several steps and across accounts. The single steps are those of pathfinding.cloud and some more, " +
			"judged by all policies of the principal, its boundary and the trust policies.\n\n" +
			"Without PRINCIPAL, the shortest way of each, and the tokens of CI systems and other issuers that enter a role at the beginning of one. " +
			"With PRINCIPAL, the shortest way to each administrator, and whom else it could take over in one step. Whether functions, instances and the like " +
			"with a given role exist is not in a snapshot: it is taken as possible. What users could do under another name, if they may rename themselves, is not looked for.\n\n" +
			"Exits with 3 if there is a way.",
		Args: command.AtMost("PRINCIPAL"),
		Example: `
aws iam get-account-authorization-details > account.json
postern escalations --estate account.json
postern escalations arn:aws:iam::111111111111:role/deploy --estate account.json --estate other.json
postern escalations --estate account.json --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.principal = command.First(args, "")
			return runEscalations(cmd, a, o)
		},
	}
	input.EstateFlag(cmd, &o.estates)
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

func runEscalations(cmd *cobra.Command, a *command.App, o escalationsOptions) error {
	q, err := askSnapshots(cmd, a, o.estates)
	if err != nil {
		return err
	}
	var r *escalationsResult
	if o.principal == "" {
		r = q.escalators()
	} else {
		m, err := q.member(o.principal)
		if err != nil {
			return err
		}
		r = q.escalations(&m)
	}
	if o.json {
		err = a.Result().JSON(r)
	} else {
		escalationsText(a.Result(), r)
	}
	if err == nil && len(r.Escalations) > 0 {
		return command.Status(fault.Findings)
	}
	return err
}

// escalationsResult is what escalations prints, for programs.
type escalationsResult struct {
	Principal     string             `json:"principal,omitempty"`     // who was asked for
	Principals    int                `json:"principals"`              // how many the snapshots have
	Administrator bool               `json:"administrator,omitempty"` // the one that was asked for is one
	Unknown       bool               `json:"unknown,omitempty"`       // not all of its policies are known: it may be one
	Escalations   []escalationAnswer `json:"escalations"`
	Entries       []entryAnswer      `json:"entries"`           // ways from outside AWS to the beginning of one
	Reaches       []stepAnswer       `json:"reaches,omitempty"` // of the one: single steps to others
}

// escalationAnswer is a way to an administrator.
type escalationAnswer struct {
	From    string       `json:"from"`
	To      string       `json:"to"`
	Unknown bool         `json:"to_unknown,omitempty"` // not all policies of To are known: it may be an administrator
	Steps   []stepAnswer `json:"steps"`
}

// stepAnswer is one step of a way.
type stepAnswer struct {
	ID          string         `json:"id"` // of pathfinding.cloud
	Category    reach.Category `json:"category"`
	Actions     []string       `json:"actions"`
	From        string         `json:"from"`
	To          string         `json:"to"`                 // that of From where it changes itself
	Service     string         `json:"service,omitempty"`  // that runs the role
	Groups      []string       `json:"groups,omitempty"`   // that it joins
	Partly      bool           `json:"partly,omitempty"`   // it gets something of what To may do, and no further
	Opens       string         `json:"opens,omitempty"`    // to whomever From likes, by a policy of something else; it leads no further
	Presumes    bool           `json:"presumes,omitempty"` // that something there runs with the role of To
	Conditional bool           `json:"conditional"`        // something allows it under conditions only
	Unknown     bool           `json:"unknown,omitempty"`  // by a policy whose content is not known
	Source      string         `json:"source"`             // where it is described
	Via         []evidence.Via `json:"via"`

	gains reach.Gains
}

func newEscalationsResult(q *asked) *escalationsResult {
	r := &escalationsResult{Escalations: []escalationAnswer{}, Entries: []entryAnswer{}}
	for i := range q.snapshot.Accounts {
		r.Principals += len(input.PrincipalsOf(&q.snapshot.Accounts[i]))
	}
	return r
}

// escalators answers for all.
func (q *asked) escalators() *escalationsResult {
	r := newEscalationsResult(q)
	leads := map[string]bool{} // roles at the beginning of a way, or at its end
	for _, c := range q.graph.Escalators() {
		r.Escalations = append(r.Escalations, q.escalation(c))
		leads[c.From()] = true
	}
	for _, e := range q.graph.Entries() {
		if leads[e.Role] || q.graph.Administers(e.Role) {
			r.Entries = append(r.Entries, entryOf(e))
		}
	}
	return r
}

// escalations answers for one.
func (q *asked) escalations(m *reach.Member) *escalationsResult {
	arn := m.Who.ARN
	r := newEscalationsResult(q)
	r.Principal, r.Administrator, r.Unknown = arn, q.graph.Administers(arn), hasUnknown(m)
	for _, c := range q.graph.Escalations(arn) {
		r.Escalations = append(r.Escalations, q.escalation(c))
	}
	for _, e := range q.graph.Entries() {
		if e.Role == arn {
			r.Entries = append(r.Entries, entryOf(e))
		}
	}
	if !r.Administrator {
		r.reach(q.graph.Edges(arn))
	}
	return r
}

// reach adds single steps, the first to each whom they lead to or what they
// open, without those that are ways already.
func (r *escalationsResult) reach(edges []reach.Edge) {
	seen := map[string]bool{}
	for _, e := range r.Escalations {
		seen[e.To] = len(e.Steps) == 1
	}
	for _, e := range edges {
		if to := cmp.Or(e.Path.Opens, e.To); !seen[to] {
			seen[to] = true
			r.Reaches = append(r.Reaches, stepOf(e))
		}
	}
}

func (q *asked) escalation(c reach.Chain) escalationAnswer {
	out := escalationAnswer{From: c.From(), To: c.To()}
	if m, ok := q.world.Member(c.To()); ok && c.To() != c.From() {
		out.Unknown = hasUnknown(&m)
	}
	for _, e := range c.Edges {
		out.Steps = append(out.Steps, stepOf(e))
	}
	return out
}

func stepOf(e reach.Edge) stepAnswer {
	s := stepAnswer{
		ID: e.Path.ID, Category: e.Path.Category, Actions: []string{}, From: e.From, To: e.To, Service: e.Service, Groups: e.Groups,
		Partly: e.Path.Gains == reach.GainsPart, Opens: e.Path.Opens, Presumes: e.Path.Presumes(), Conditional: e.Conditional(), Unknown: e.Unknown(), Source: e.Path.Source, Via: []evidence.Via{},
		gains: e.Path.Gains,
	}
	for _, step := range e.Path.Steps {
		s.Actions = append(s.Actions, step.Action)
	}
	for _, f := range e.Why {
		s.Via = append(s.Via, evidence.Of(f))
	}
	return s
}
