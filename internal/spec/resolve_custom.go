package spec

import (
	"fmt"
	"regexp"
	"strings"

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
	return Custom{Because: raw.Because, Statement: st, Until: until(raw.Until), Pos: raw.Pos}
}

func (r *resolver) checkActions(raw rawCustom, effect iam.Effect) {
	_, some := raw.keys["actions"]
	notActions, allBut := raw.keys["not_actions"]
	switch {
	case some && allBut:
		r.add(notActions, "actions and not_actions exclude each other", "keep one of them")
	case !some && !allBut:
		r.add(raw.Pos, `"actions" is missing`, "name what the statement is about, such as s3:GetObject")
	case allBut && effect == iam.Allow:
		r.add(notActions, "an Allow of all but some actions allows every action that AWS will ever add", "list the actions that are needed, under actions")
	}
	for _, a := range append(raw.Actions, raw.NotActions...) {
		if a.V != "*" || effect == iam.Allow && some {
			r.checkAction(a)
		}
	}
}

var actionPattern = regexp.MustCompile(`^[a-z0-9-]+:[A-Za-z0-9*?]+$`)

// checkAction reports what is no action or pattern of actions of one service.
func (r *resolver) checkAction(a item[string]) {
	service, name, colon := strings.Cut(a.V, ":")
	switch {
	case actionPattern.MatchString(a.V):
	case strings.Trim(service, "*?") == "" && (name == "" || strings.Trim(name, "*?") == ""):
		r.add(a.Pos, fmt.Sprintf("%q is every action of AWS", a.V), "name the actions, such as s3:GetObject")
	case !colon:
		r.add(a.Pos, fmt.Sprintf("%q is not an action", a.V), "write SERVICE:ACTION, such as s3:GetObject")
	case actionPattern.MatchString(strings.ToLower(service) + ":" + name):
		r.add(a.Pos, fmt.Sprintf("%q is not an action", a.V), fmt.Sprintf("the service is written in lower case: %q", strings.ToLower(service)+":"+name))
	default:
		r.add(a.Pos, fmt.Sprintf("%q is not an action", a.V), "write SERVICE:ACTION, such as s3:GetObject or s3:Get*")
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

// checkBreadth refuses every action of a service on every resource.
func (r *resolver) checkBreadth(raw rawCustom) {
	everywhere := false
	for _, res := range raw.Resources {
		everywhere = everywhere || strings.Trim(res.V, "*") == ""
	}
	for _, a := range raw.Actions {
		service, name, _ := strings.Cut(a.V, ":")
		if everywhere && actionPattern.MatchString(a.V) && strings.Trim(name, "*") == "" {
			r.add(a.Pos, fmt.Sprintf("every action of %s on every resource is administration, not least privilege", service), "name the actions or the resources")
		}
	}
}

func values(items []item[string]) []string {
	var out []string
	for _, i := range items {
		out = append(out, i.V)
	}
	return out
}
