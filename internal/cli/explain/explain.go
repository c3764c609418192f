// Package explain holds the command of that name: what IAM decides about one
// request, or about each of a file of them, and why.
package explain

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/iam/action"
	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/input"
	"github.com/postern-dev/postern/internal/fault"
)

type options struct {
	principal, action, resource, owner string
	context                            []string // KEY=VALUE[,VALUE…]
	identity, boundary, session        []string // files
	endpoint                           []string
	scp, rcp                           []string // a level each, its files with commas between
	resourcePolicy                     string
	request                            string   // file of a question
	estates                            []string // files of snapshots
	open                               bool     // keys that are not given are not known
	batch                              bool
	json                               bool
}

// New makes the command explain.
func New(a *command.App) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "explain",
		Short: "Say whether AWS would allow a request, and why",
		Long: "Evaluates one request against policies in files, or against those of the principal in a snapshot, and names the " +
			"statements that decide and the layers that block. Condition keys that follow from the principal, the resource and the time are " +
			"filled in; --context adds and overrides. Exits with 3 if the request is denied.\n\n" +
			"With --open, keys that are not given may have any value, and the answer is always, never, or what it depends on; " +
			"only always exits with 0.\n\n" +
			"With --batch, reads requests as JSON Lines on stdin and writes one verdict a line, in order, with nothing filled in. " +
			"docs/conformance.md describes both.",
		Args: command.AtMost(),
		Example: `
postern explain --principal arn:aws:iam::111111111111:role/ci --action s3:GetObject --resource arn:aws:s3:::state/key --policy ci.json
# what a condition leaves open
postern explain --open --principal arn:aws:iam::111111111111:role/ci --action s3:GetObject --resource arn:aws:s3:::state/key --policy ci.json
# the policies of a role, as AWS has them
aws iam get-account-authorization-details > account.json
postern explain --estate account.json --principal arn:aws:iam::111111111111:role/ci --action s3:GetObject --resource arn:aws:s3:::state/key
postern explain --batch < requests.jsonl > verdicts.jsonl`,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd, a, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.principal, "principal", "", "`ARN` who asks; a service's name, an account, or anonymous")
	f.StringVar(&o.action, "action", "", "`SERVICE:NAME` what is asked")
	f.StringVar(&o.resource, "resource", "", "`ARN` of what (default * for actions without resources)")
	f.StringVar(&o.owner, "resource-account", "", "`ID` the resource's account (default that of its ARN, else the principal's)")
	f.StringArrayVar(&o.context, "context", nil, "`KEY=VALUE` a condition key; lists take commas, or the flag again")
	f.StringArrayVar(&o.identity, "policy", nil, "`FILE` an identity policy; may be repeated")
	f.StringArrayVar(&o.boundary, "boundary", nil, "`FILE` the permissions boundary")
	f.StringArrayVar(&o.session, "session-policy", nil, "`FILE` a session policy; may be repeated")
	f.StringVar(&o.resourcePolicy, "resource-policy", "", "`FILE` the resource's policy, or the trust policy of the role to assume")
	f.StringArrayVar(&o.endpoint, "endpoint-policy", nil, "`FILE` the policy of the VPC endpoint")
	f.StringArrayVar(&o.scp, "scp", nil, "`FILE,…` the SCPs of one level of the organisation; repeated, from the root down")
	f.StringArrayVar(&o.rcp, "rcp", nil, "`FILE,…` the RCPs of one level; repeated, from the root down")
	f.StringVar(&o.request, "request", "", "`FILE` the request and its policies, as a row of --batch")
	input.EstateFlag(cmd, &o.estates)
	f.BoolVar(&o.open, "open", false, "take keys that are not given for unknown")
	f.BoolVar(&o.batch, "batch", false, "read requests from stdin")
	f.BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

func run(cmd *cobra.Command, a *command.App, o options) error {
	if o.batch {
		return answerBatch(cmd, a)
	}
	e, err := o.read(cmd, a.In, time.Now())
	if err != nil {
		return err
	}
	answer := e.answer(o.open)
	if o.json {
		err = a.Result().JSON(answer)
	} else {
		explainText(a.Result(), answer)
	}
	if err == nil && !answer.allowed() {
		return command.Status(fault.Findings)
	}
	return err
}

func answerBatch(cmd *cobra.Command, a *command.App) error {
	var other string
	for _, name := range explainFlags(cmd) {
		if name != "batch" && cmd.Flags().Changed(name) {
			other = name
		}
	}
	if other != "" {
		return command.UsageError(cmd, "--"+other+" does not go with --batch", "each row on stdin carries its request and policies")
	}
	return explainBatch(cmd.Context(), a)
}

func explainBatch(ctx context.Context, a *command.App) error {
	b := batch{talk: a.Talk()}
	return b.run(ctx, a.In, a.Out)
}

// explainFlags are the flags that make up a request.
func explainFlags(*cobra.Command) []string {
	return []string{
		"principal", "action", "resource", "resource-account", "context", "policy", "boundary", "session-policy", "resource-policy",
		"endpoint-policy", "scp", "rcp", "request", "estate", "open", "json",
	}
}

// read makes the question out of flags or a file, and gets it ready.
func (o *options) read(cmd *cobra.Command, stdin io.Reader, now time.Time) (*explanation, error) {
	in := input.Files{Stdin: stdin}
	q, err := o.question(cmd, &in)
	if err != nil {
		return nil, err
	}
	e := &explanation{question: q}
	if e.request, err = q.request(); err != nil {
		return nil, &fault.Error{Code: fault.Usage, Where: o.request, What: err.Error(), Hint: "run `postern explain --help`"}
	}
	act, known := action.Lookup(e.request.Action)
	switch {
	case known:
		e.note = input.Misfit(act, e.request.Resource)
	case o.request == "":
		return nil, input.UnknownAction(e.request.Action) // else a slip of the pen would pass for a denial
	}
	model := eval.Model{Now: now, Region: regionOf(q.Request.Resource)}
	if len(o.estates) > 0 {
		if err := e.useEstates(o, &in, &model); err != nil {
			return nil, err
		}
	}
	l, err := q.layers(e.compile)
	if err != nil {
		return nil, err
	}
	e.layers = l
	l.Identity, l.Boundary = append(l.Identity, e.identity...), append(l.Boundary, e.boundary...)
	if e.trust != nil && len(q.Resource) == 0 {
		l.Resource = e.trust
	}
	e.fill(&model)
	return e, nil
}

func (o *options) question(cmd *cobra.Command, in *input.Files) (*question, error) {
	if o.request != "" {
		for _, name := range explainFlags(cmd)[:12] {
			if cmd.Flags().Changed(name) {
				return nil, command.UsageError(cmd, "--"+name+" does not go with --request", "")
			}
		}
		text, err := in.Read(o.request, input.MaxSnapshot)
		if err != nil {
			return nil, err
		}
		q, err := parseQuestion(text)
		if err != nil {
			return nil, &fault.Error{Where: o.request, What: err.Error(), Hint: "docs/conformance.md describes the format"}
		}
		return q, nil
	}
	if err := o.complete(cmd); err != nil {
		return nil, err
	}
	q := &question{Request: questionRequest{
		Principal: principalName{Name: o.principal, Anonymous: o.principal == "anonymous"},
		Action:    o.action, Resource: o.resource, ResourceAccount: o.owner, Context: map[string]contextList{},
	}}
	for _, pair := range o.context {
		key, values, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return nil, command.UsageError(cmd, fmt.Sprintf("--context %q is not of the form KEY=VALUE", pair), "")
		}
		q.Request.Context[key] = append(q.Request.Context[key], strings.Split(values, ",")...)
	}
	return q, o.policies(q, in)
}

// complete fills in the resource of an action that knows none.
func (o *options) complete(cmd *cobra.Command) error {
	act, known := action.Lookup(o.action)
	if known && act.WildcardOnly && o.resource == "" {
		o.resource = "*"
	}
	switch {
	case o.principal == "":
		return command.UsageError(cmd, "--principal is missing", "")
	case o.action == "":
		return command.UsageError(cmd, "--action is missing", "")
	case !strings.Contains(o.action, ":"):
		return input.UnknownAction(o.action)
	case o.resource == "" && known:
		return command.UsageError(cmd, "--resource is missing", act.String()+" is about "+input.ResourcesOf(act))
	case o.resource == "":
		return command.UsageError(cmd, "--resource is missing", "")
	}
	return nil
}

// maxPolicy is the most that is read of a policy, in bytes: what iam.Parse takes.
const maxPolicy = 1 << 20

// policies reads the files of the flags. A text that is not JSON stays as it
// is, for the parser of policies to say where.
func (o *options) policies(q *question, in *input.Files) (err error) {
	list := func(files []string) []json.RawMessage {
		var out []json.RawMessage
		for _, name := range files {
			text, failed := in.Read(name, maxPolicy)
			if failed != nil && err == nil {
				err = failed
			}
			out = append(out, text)
			q.files = append(q.files, name)
		}
		return out
	}
	levels := func(flags []string) [][]json.RawMessage {
		var out [][]json.RawMessage
		for _, files := range flags {
			out = append(out, list(strings.Split(files, ",")))
		}
		return out
	}
	// In the order in which question.layers compiles them.
	q.Identity, q.Session, q.Boundary, q.Endpoint = list(o.identity), list(o.session), list(o.boundary), list(o.endpoint)
	q.SCP, q.RCP = levels(o.scp), levels(o.rcp)
	if o.resourcePolicy != "" {
		q.Resource = list([]string{o.resourcePolicy})[0]
	}
	return err
}
