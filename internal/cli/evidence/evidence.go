// Package evidence shows the statements by which somebody can do something,
// alike in the text and the JSON of every command.
package evidence

import (
	"fmt"

	"github.com/postern-dev/postern/iam/reach"
	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/ui"
)

// Via is a statement that allows.
type Via struct {
	Policy     string              `json:"policy"`
	Unknown    bool                `json:"unknown,omitempty"` // the policy's content is not known
	Statement  int                 `json:"statement"`         // from 0
	SID        string              `json:"sid,omitempty"`
	Actions    []string            `json:"actions"`
	Resources  []string            `json:"resources"`
	Conditions []command.Condition `json:"conditions,omitempty"` // that are open
}

// Of describes what was found.
func Of(f reach.Finding) Via {
	via := Via{
		Policy: f.Policy, Unknown: f.Unknown, Statement: f.Index, SID: f.Statement.SID,
		Actions: append([]string{}, f.Actions...), Resources: append([]string{}, f.Resources...),
	}
	for _, c := range f.Open {
		via.Conditions = append(via.Conditions, command.Condition(c))
	}
	return via
}

// Text is the policy, the statement, what it is about and its open conditions.
func (v *Via) Text() string {
	if v.Unknown || len(v.Resources) == 1 && (v.Resources[0] == "*" || v.Policy == "trust policy of "+v.Resources[0]) {
		return v.Brief()
	}
	return v.source() + " on " + ui.Few(v.Resources) + v.conditions()
}

// Brief is Text without what the statement is about.
func (v *Via) Brief() string { return v.source() + v.conditions() }

// source is the policy and the statement.
func (v *Via) source() string {
	switch {
	case v.Unknown:
		return v.Policy + ", whose content is not known"
	case v.SID != "":
		return v.Policy + ", " + v.SID
	}
	return fmt.Sprintf("%s, statement %d", v.Policy, v.Statement+1)
}

func (v *Via) conditions() string {
	text := ""
	for i, c := range v.Conditions {
		text += [...]string{" if ", " and "}[min(i, 1)] + c.Operator + " " + c.Key + " " + ui.Few(c.Values)
	}
	return text
}
