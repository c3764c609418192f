package access

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/iam/reach"
	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/input"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/fault"
)

type entriesOptions struct {
	role    string   // empty: all
	estates []string // files of snapshots
	json    bool
}

// NewEntries makes the command entries.
func NewEntries(a *command.App) *cobra.Command {
	var o entriesOptions
	cmd := &cobra.Command{
		Use:   "entries [ROLE]",
		Short: "List the repositories and other places whose OIDC tokens enter roles",
		Long: "Reads the trust policies of snapshots for the tokens of GitHub, GitLab, clusters and other OIDC issuers that enter a role, as a set: " +
			"the repositories, branches and tags, environments and workflows that the conditions leave. ! marks what is wider than one place of a repository, " +
			"✗ what lets in tokens that anybody can get. Principals of AWS are for `postern who-can sts:AssumeRole ROLE`.\n\n" +
			"Exits with 3 if anybody's tokens enter.",
		Args: command.AtMost("ROLE"),
		Example: `
aws iam get-account-authorization-details > account.json
postern entries --estate account.json
postern entries arn:aws:iam::111111111111:role/deploy --estate account.json --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.role = command.First(args, "")
			return runEntries(cmd, a, o)
		},
	}
	input.EstateFlag(cmd, &o.estates)
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

func runEntries(cmd *cobra.Command, a *command.App, o entriesOptions) error {
	q, err := askSnapshots(cmd, a, o.estates)
	if err != nil {
		return err
	}
	list := []entryAnswer{}
	if o.role != "" {
		m, err := q.member(o.role)
		if err != nil {
			return err
		}
		if m.Who.Kind != eval.Role {
			return command.UsageError(cmd, m.Who.ARN+" is a user: tokens enter roles only", "")
		}
		o.role = m.Who.ARN
	}
	for _, e := range q.graph.Entries() {
		if o.role == "" || e.Role == o.role {
			list = append(list, entryOf(e))
		}
	}
	switch {
	case o.json:
		err = a.Result().JSON(struct {
			Entries []entryAnswer `json:"entries"`
		}{list})
	case len(list) == 0:
		a.Result().Mark(ui.OK, ui.Plain("no OIDC token enters"))
	default:
		entriesText(a.Result(), list)
	}
	if err == nil && slices.ContainsFunc(list, func(e entryAnswer) bool { return len(e.Open) > 0 }) {
		return command.Status(fault.Findings)
	}
	return err
}

// entryAnswer is a way into a role for the tokens of one issuer.
type entryAnswer struct {
	Role      string                `json:"role"`
	Issuer    string                `json:"issuer"`
	Statement int                   `json:"statement"` // of the trust policy, from 0
	Tokens    []tokensAnswer        `json:"tokens"`
	Unless    [][]command.Condition `json:"unless,omitempty"` // tokens that meet all of one list are kept out
	Open      []string              `json:"open,omitempty"`   // why anybody's tokens enter
	Wide      []string              `json:"wide,omitempty"`   // why more than one place enters
}

// tokensAnswer is a set of tokens: those that match a pattern of each list. Of
// what a list is absent nothing is asked.
type tokensAnswer struct {
	Subject      string              `json:"subject"`
	Repositories []string            `json:"repositories,omitempty"`
	Refs         []string            `json:"refs,omitempty"`
	Environments []string            `json:"environments,omitempty"`
	Workflows    []string            `json:"workflows,omitempty"`
	PullRequests bool                `json:"pull_requests,omitempty"` // only those of pull requests
	Others       []command.Condition `json:"others,omitempty"`
}

func entryOf(e reach.Entry) entryAnswer {
	out := entryAnswer{Role: e.Role, Issuer: e.Issuer, Statement: e.Statement, Open: e.Open, Wide: e.Wide}
	for _, t := range e.Tokens {
		out.Tokens = append(out.Tokens, tokensAnswer{
			Subject: t.Subject, Repositories: t.Repositories, Refs: t.Refs, Environments: t.Environments, Workflows: t.Workflows,
			PullRequests: t.PullRequests, Others: conditionJSONs(t.Others),
		})
	}
	for _, list := range e.Unless {
		out.Unless = append(out.Unless, conditionJSONs(list))
	}
	return out
}

func conditionJSONs(list []iam.Condition) []command.Condition {
	var out []command.Condition
	for _, c := range list {
		out = append(out, command.Condition{Operator: c.Operator, Key: c.Key, Values: c.Values})
	}
	return out
}

func entriesText(out *ui.Printer, list []entryAnswer) {
	for i := range list {
		e := &list[i]
		if i > 0 && e.Role != list[i-1].Role {
			out.Blank()
		}
		if i == 0 || e.Role != list[i-1].Role {
			out.Line(ui.Name(e.Role))
		}
		for _, t := range e.Tokens {
			out.Table(ui.Table{Indent: 2, Gap: 1, Rows: [][]ui.Span{{ui.Point.Span(), ui.Plain(e.Issuer + ": " + t.text())}}})
			if len(t.Others) > 0 {
				conditionsText(out, "if", t.Others)
			}
		}
		for _, unless := range e.Unless {
			conditionsText(out, "unless", unless)
		}
		for _, why := range e.Open {
			out.Item(4, ui.Failed, why)
		}
		for _, why := range e.Wide {
			out.Item(4, ui.Warning, why)
		}
	}
}

func conditionsText(out *ui.Printer, word string, list []command.Condition) {
	var texts []string
	for _, c := range list {
		texts = append(texts, c.Operator+" "+c.Key+" "+ui.Few(c.Values))
	}
	out.Table(ui.Table{Indent: 4, Gap: 1, Rows: [][]ui.Span{{ui.Dim(word), ui.Dim(strings.Join(texts, " and "))}}})
}

// text says where tokens come from; if nothing is known of it, their subject.
func (t *tokensAnswer) text() string {
	var parts []string
	add := func(name string, values []string) {
		if len(values) > 0 {
			parts = append(parts, name+" "+ui.Few(values))
		}
	}
	add("repository", t.Repositories)
	add("ref", t.Refs)
	add("environment", t.Environments)
	add("workflow", t.Workflows)
	if t.PullRequests {
		parts = append(parts, "pull requests")
	}
	switch {
	case len(parts) > 0:
		return strings.Join(parts, ", ")
	case t.Subject == "*":
		return "any token"
	}
	return "subject " + t.Subject
}
