package reference

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/postern-dev/postern/iam/action"
	"github.com/postern-dev/postern/internal/cli/ui"
)

// serviceJSON is a service as `data SERVICE --json` prints it.
type serviceJSON struct {
	Service       string        `json:"service"` // prefix of its actions
	Name          string        `json:"name"`
	RCP           bool          `json:"rcp"` // resource control policies apply
	Actions       []actionBrief `json:"actions"`
	ResourceTypes []typeJSON    `json:"resource_types"`
	ConditionKeys []keyJSON     `json:"condition_keys"`
}

type actionBrief struct {
	Action string       `json:"action"`
	Level  action.Level `json:"level"`
}

type typeJSON struct {
	Name string   `json:"name"`
	ARNs []string `json:"arns"` // templates
}

type keyJSON struct {
	Key  string      `json:"key"`
	Type action.Type `json:"type"`
}

// actionJSON is an action as `data ACTION --json` prints it.
type actionJSON struct {
	Action        string           `json:"action"`
	Service       string           `json:"service"` // its name
	Level         action.Level     `json:"level"`
	WildcardOnly  bool             `json:"wildcard_only"`
	ResourceTypes []actionTypeJSON `json:"resource_types"`
	ConditionKeys []keyJSON        `json:"condition_keys"` // beside the global ones
}

type actionTypeJSON struct {
	typeJSON
	Required bool `json:"required"` // every call names one
}

// oneKeyJSON is a condition key as `data KEY --json` prints it.
type oneKeyJSON struct {
	keyJSON
	Global bool `json:"global"` // requests of any service may carry it
	Claim  bool `json:"claim"`  // of an OIDC token, of whatever issuer
}

func describeKey(k action.Key) oneKeyJSON {
	return oneKeyJSON{keyJSON{k.Name, k.Type}, k.Global, k.Claim}
}

func describeService(s *action.Service) serviceJSON {
	d := serviceJSON{
		Service: s.Prefix, Name: s.Name, RCP: s.RCP,
		ResourceTypes: []typeJSON{}, ConditionKeys: describeKeys(s, slices.Sorted(maps.Keys(s.ConditionKeys))),
	}
	for i := range s.Actions {
		d.Actions = append(d.Actions, actionBrief{s.Actions[i].String(), s.Actions[i].Level})
	}
	for _, t := range s.ResourceTypes {
		d.ResourceTypes = append(d.ResourceTypes, typeJSON{t.Name, t.ARNs})
	}
	return d
}

func describeAction(a *action.Action) actionJSON {
	s, _ := action.ServiceByPrefix(a.Service)
	d := actionJSON{
		Action: a.String(), Service: s.Name, Level: a.Level, WildcardOnly: a.WildcardOnly,
		ResourceTypes: []actionTypeJSON{}, ConditionKeys: describeKeys(s, a.Keys()),
	}
	for i, t := range a.ResourceTypes() {
		d.ResourceTypes = append(d.ResourceTypes, actionTypeJSON{typeJSON{t.Name, t.ARNs}, a.Resources[i].Required})
	}
	return d
}

func describeKeys(s *action.Service, names []string) []keyJSON {
	keys := make([]keyJSON, len(names))
	for i, name := range names {
		keys[i] = keyJSON{name, s.ConditionKeys[name]}
	}
	return keys
}

// aboutText says what the reference holds and how old it is.
func aboutText(out *ui.Printer, about action.Info) {
	count := func(name string, n int) []ui.Span { return []ui.Span{ui.Dim(name), ui.Plain(strconv.Itoa(n))} }
	out.Line(ui.Bold("AWS service authorization reference"))
	out.Table(ui.Table{Indent: 2, Rows: [][]ui.Span{
		{ui.Dim("as of"), ui.Plain(about.Date)},
		{ui.Dim("version"), ui.Plain(about.Version)},
		count("services", about.Services),
		count("actions", about.Actions),
		count("resource types", about.ResourceTypes),
		{ui.Dim("condition keys"), ui.Plain(fmt.Sprintf("%d, and %d that are global", about.ConditionKeys, about.GlobalKeys))},
	}})
	out.Blank()
	out.Text(0, ui.StyleDim, "`postern data SERVICE` and `postern data ACTION` explain one, such as s3 and s3:GetObject.")
}

func matchesText(out *ui.Printer, matches []actionBrief) {
	t := ui.Table{}
	for _, m := range matches {
		t.Rows = append(t.Rows, []ui.Span{ui.Name(m.Action), ui.Plain(m.Level.String())})
	}
	out.Table(t)
}

// serviceText lists a service's actions by level, its resource types and keys.
func serviceText(out *ui.Printer, s serviceJSON) {
	out.Line(ui.Bold(s.Service), ui.Plain("  "+s.Name))
	if s.RCP {
		out.Text(2, ui.StyleDim, "resource control policies apply to its resources")
	}
	for level := action.Read; level <= action.PermissionsManagement; level++ {
		var names []string
		for _, a := range s.Actions {
			if a.Level == level {
				_, short, _ := strings.Cut(a.Action, ":")
				names = append(names, short)
			}
		}
		if len(names) > 0 {
			out.Heading(fmt.Sprintf("%s (%d)", level, len(names)))
			out.Text(2, ui.StylePlain, strings.Join(names, " "))
		}
	}
	if len(s.ResourceTypes) > 0 {
		t := ui.Table{Indent: 2}
		for _, r := range s.ResourceTypes {
			t.Rows = append(t.Rows, arnRows(r, "")...)
		}
		out.Heading("Resource types")
		out.Table(t)
	}
	keysText(out, "Condition keys", s.ConditionKeys)
}

// actionText explains one action.
func actionText(out *ui.Printer, a actionJSON) {
	out.Line(ui.Bold(a.Action), ui.Plain("  "+a.Service))
	out.Table(ui.Table{Indent: 2, Rows: [][]ui.Span{{ui.Dim("level"), ui.Plain(a.Level.String())}}})
	out.Heading("Resource types")
	if a.WildcardOnly {
		out.Text(2, ui.StylePlain, `none: its Resource can only be "*"`)
	}
	t := ui.Table{Indent: 2}
	for _, r := range a.ResourceTypes {
		need := "in some calls"
		if r.Required {
			need = "in every call"
		}
		t.Rows = append(t.Rows, arnRows(r.typeJSON, need)...)
	}
	out.Table(t)
	keysText(out, "Condition keys, beside the global ones", a.ConditionKeys)
}

// keyText explains one condition key.
func keyText(out *ui.Printer, k action.Key) {
	from := "requests of one service"
	switch {
	case k.Global:
		from = "requests of any service"
	case k.Claim:
		from = "the token, when a role is assumed with it"
	}
	out.Line(ui.Bold(k.Name), ui.Plain("  a condition key"))
	out.Table(ui.Table{Indent: 2, Rows: [][]ui.Span{
		{ui.Dim("type"), ui.Plain(string(k.Type))},
		{ui.Dim("from"), ui.Plain(from)},
	}})
}

// arnRows are a type's name and templates, one below the other.
func arnRows(t typeJSON, note string) [][]ui.Span {
	var rows [][]ui.Span
	name := t.Name
	for _, arn := range t.ARNs {
		row := []ui.Span{ui.Name(name)}
		if note != "" {
			row = append(row, ui.Dim(note))
		}
		rows = append(rows, append(row, ui.Plain(arn)))
		name, note = "", strings.Repeat(" ", len(note))
	}
	return rows
}

func keysText(out *ui.Printer, title string, keys []keyJSON) {
	if len(keys) == 0 {
		return
	}
	t := ui.Table{Indent: 2}
	for _, k := range keys {
		t.Rows = append(t.Rows, []ui.Span{ui.Name(k.Key), ui.Dim(string(k.Type))})
	}
	out.Heading(title)
	out.Table(t)
}
