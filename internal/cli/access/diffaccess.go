package access

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/action"
	"github.com/postern-dev/postern/iam/reach"
	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/input"
	"github.com/postern-dev/postern/internal/estate"
	"github.com/postern-dev/postern/internal/fault"
)

type diffAccessOptions struct {
	before, after string
	notGranted    []string // actions that nobody may have after
	on            []string // resources that they are about
	noPublic      bool
	json          bool
}

// NewDiffAccess makes the command diff-access.
func NewDiffAccess(a *command.App) *cobra.Command {
	var o diffAccessOptions
	cmd := &cobra.Command{
		Use:   "diff-access OLD NEW",
		Short: "List the access that a change adds, between two snapshots or policies",
		Long: "Compares two snapshots, principal by principal and role by role, or two versions of one policy (one may be - for stdin), and lists what NEW allows that " +
			"OLD did not surely allow. Boundaries, denials and conditions count; in doubt it reports. With --not-granted it also lists whoever " +
			"NEW lets do one of the actions, with --no-public what NEW opens to everyone. Policies of resources are compared for all whom they name.\n\n" +
			"Exits with 3 if there is anything to report.",
		Args: command.AtMost("OLD", "NEW"),
		Example: `
postern diff-access before.json after.json
git show main:bucket-policy.json | postern diff-access - bucket-policy.json --no-public
postern diff-access before.json after.json --not-granted iam:CreateUser,iam:PassRole`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return command.UsageError(cmd, "OLD and NEW are missing", "")
			}
			o.before, o.after = args[0], args[1]
			return runDiffAccess(a, o)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.notGranted, "not-granted", nil, "`ACTION,…` that NEW must not grant; patterns too")
	f.StringSliceVar(&o.on, "on", nil, "`ARN,…` resources that --not-granted is about (default any); alone, any action on them")
	f.BoolVar(&o.noPublic, "no-public", false, "NEW must not let everyone in")
	f.BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

func runDiffAccess(a *command.App, o diffAccessOptions) error {
	report, err := o.compare(a.In, time.Now())
	if err != nil {
		return err
	}
	if o.json {
		err = a.Result().JSON(report)
	} else {
		accessReportText(a.Result(), report, &o)
	}
	if err == nil && !report.clean() {
		return command.Status(fault.Findings)
	}
	return err
}

func (o *diffAccessOptions) compare(stdin io.Reader, now time.Time) (*accessReport, error) {
	for _, action := range o.notGranted {
		if err := input.CheckAction(action); err != nil {
			return nil, err
		}
	}
	in := input.Files{Stdin: stdin}
	before, err := readSide(&in, o.before)
	if err != nil {
		return nil, err
	}
	after, err := readSide(&in, o.after)
	if err != nil {
		return nil, err
	}
	if (before.document == nil) != (after.document == nil) {
		return nil, &fault.Error{Code: fault.Usage, What: o.before + " and " + o.after + " are not both snapshots or both policies"}
	}
	facts := reach.Facts{Now: now}
	if after.document != nil {
		return o.comparePolicies(after, before, facts), nil
	}
	return o.compareWorlds(reach.NewWorld(after.estate.Members(), facts), reach.NewWorld(before.estate.Members(), facts)), nil
}

// side is what is compared with another: a snapshot or a policy.
type side struct {
	file     string
	estate   *estate.Estate
	document *iam.Document
}

func readSide(in *input.Files, file string) (*side, error) {
	text, err := in.Read(file, input.MaxSnapshot)
	if err != nil {
		return nil, err
	}
	if file == command.Stdin {
		file = "stdin"
	}
	if looksLikePolicy(text) {
		doc, err := input.ParsePolicy(file, text)
		return &side{file: file, document: doc}, err
	}
	e, err := estate.ReadSnapshot(text)
	if err != nil {
		return nil, input.NotSnapshot(file, err)
	}
	return &side{file: file, estate: e}, nil
}

// looksLikePolicy tells a policy from a snapshot by its first object. What is no JSON
// counts as a policy, whose parser says where.
func looksLikePolicy(text []byte) bool {
	var first map[string]json.RawMessage
	if json.NewDecoder(bytes.NewReader(text)).Decode(&first) != nil {
		return true
	}
	_, statement := first["Statement"]
	_, version := first["Version"]
	return statement || version
}

func (o *diffAccessOptions) compareWorlds(after, before *reach.World) *accessReport {
	r := newAccessReport()
	for _, c := range after.Gains(before) {
		r.Gained = append(r.Gained, changeOf(c))
	}
	o.eachUngranted(func(action, resource string) {
		for _, answer := range whoCanAnswers(after.WhoCan(action, resource)) {
			r.Granted = append(r.Granted, grantAnswer{Action: action, Resource: resource, whoCanAnswer: answer})
		}
	})
	if o.noPublic {
		r.public(after.Public())
	}
	return r
}

func (o *diffAccessOptions) comparePolicies(after, before *side, facts reach.Facts) *accessReport {
	r := newAccessReport()
	r.subject = after.file
	now := reach.Policy{Name: after.file, Document: after.document}
	for _, c := range reach.PolicyGains(now, reach.Policy{Name: before.file, Document: before.document}, facts) {
		r.Gained = append(r.Gained, changeOf(c))
	}
	o.eachUngranted(func(action, resource string) {
		resource = cmp.Or(resource, "*")
		for _, answer := range whoCanAnswers(reach.Grants(now, reach.Question{Action: action, Resource: resource, Facts: facts})) {
			r.Granted = append(r.Granted, grantAnswer{Action: action, Resource: resource, whoCanAnswer: answer})
		}
	})
	if o.noPublic {
		r.public(reach.Public(now, facts))
	}
	return r
}

// eachUngranted gives each action with each resource that NEW must not grant;
// the resource is "" for any.
func (o *diffAccessOptions) eachUngranted(visit func(action, resource string)) {
	for _, resource := range o.on {
		actions := o.notGranted
		if len(actions) == 0 {
			actions = actionsOn(resource)
		}
		for _, action := range actions {
			visit(action, resource)
		}
	}
	if len(o.on) > 0 {
		return
	}
	for _, action := range o.notGranted {
		visit(action, "")
	}
}

// actionsOn are patterns of all actions that a resource can be about: those of
// the services that have a type for it.
func actionsOn(resource string) []string {
	var out []string
	for _, t := range action.ResourceTypesFor(resource) {
		out = append(out, t.Service+":*")
	}
	if len(out) == 0 {
		return []string{"*"}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
