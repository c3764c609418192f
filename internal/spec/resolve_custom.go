package spec

import (
	"fmt"
	"slices"

	"github.com/postern-dev/postern/iam"
)

// custom checks a statement that the catalogue does not have. It refuses what
// no reason can justify; what is merely broad is for lint and guard rails.
func (r *resolver) custom(raw rawCustom) Custom {
	st := iam.Statement{
		Effect:     iam.Effect(raw.Effect),
		Actions:    values(raw.Actions),
		NotActions: values(raw.NotActions),
		Resources:  values(raw.Resources),
		Pos:        iam.Pos{Line: raw.Pos.Line, Column: raw.Pos.Column},
	}
	if st.Effect == "" {
		st.Effect = iam.Allow
	}
	r.checkActions(raw, st.Effect)
	for _, res := range raw.Resources {
		r.checkResource(res)
	}
	if st.Effect == iam.Allow {
		r.checkBreadth(raw)
	}
	if st.Effect == iam.Deny && !raw.Until.IsZero() {
		r.add(raw.of("until"), "a Deny that ends by itself would widen access while nobody looks", "remove until; remove the statement when its time has come")
	}
	st.Conditions = r.conditions(raw)
	c := Custom{Because: raw.Because, Statement: st, Until: until(raw.Until), Pos: raw.Pos}
	if raw.Unknown != "" {
		c.Unknown = unknownIn(st)
	}
	return c
}

// unknownIn lists the actions and condition keys that AWS's reference lacks.
func unknownIn(st iam.Statement) []string {
	var unknown []string
	for _, a := range slices.Concat(st.Actions, st.NotActions) {
		if what, _ := unknownAction(a); what != "" && a != "*" {
			unknown = append(unknown, a)
		}
	}
	for _, c := range st.Conditions {
		if what, _ := unknownKey(c.Key); what != "" {
			unknown = append(unknown, c.Key)
		}
	}
	return unknown
}

// orUnknown is how a statement takes what is newer than the reference.
const orUnknown = "for what is newer add unknown: allow"

func (r *resolver) checkActions(raw rawCustom, effect iam.Effect) {
	_, some := raw.keys["actions"]
	notActions, allBut := raw.keys["not_actions"]
	switch {
	case some && allBut:
		r.add(notActions, "actions and not_actions exclude each other", "keep one of them")
	case !some && !allBut && !raw.strays:
		r.add(raw.Pos, `"actions" is missing`, "name what the statement is about, such as s3:GetObject")
	case allBut && effect == iam.Allow:
		r.add(notActions, "an Allow of all but some actions allows every action that AWS will ever add", "list the actions that are needed, under actions")
	}
	for _, a := range slices.Concat(raw.Actions, raw.NotActions) {
		switch {
		case a.V == "*" && !(effect == iam.Allow && some):
		case raw.Unknown != "":
			r.checkActionForm(a, actionPattern)
		default:
			r.actionOf(a, actionPattern, orUnknown)
		}
	}
}

func (r *resolver) checkResource(res item[string]) {
	if res.V == "*" {
		return
	}
	if _, err := iam.ParseARN(res.V); err != nil {
		r.add(res.Pos, fmt.Sprintf("%q is not an ARN", res.V), `write arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE, or "*" for actions that have no resource`)
		return
	}
	r.inPartition(res)
}

func values(items []item[string]) []string {
	var out []string
	for _, i := range items {
		out = append(out, i.V)
	}
	return out
}
