package access

import (
	"cmp"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam/action"
	"github.com/postern-dev/postern/iam/reach"
	"github.com/postern-dev/postern/internal/cli/evidence"
	"github.com/postern-dev/postern/internal/cli/input"
	"github.com/postern-dev/postern/internal/cli/ui"
)

// accessReport is what diff-access prints: for people and, with --json, for
// programs.
type accessReport struct {
	Gained  []changeAnswer   `json:"gained"`      // what NEW allows and OLD did not surely
	Granted []grantAnswer    `json:"not_granted"` // who may do what must not be granted
	Public  []exposureAnswer `json:"public"`      // what NEW opens to everyone

	subject string // the file of NEW, if it is one policy
}

type changeAnswer struct {
	Principal string       `json:"principal,omitempty"` // empty: of the identity policy
	New       bool         `json:"new"`                 // the principal, or the role, was not there before
	Into      string       `json:"into,omitempty"`      // the role whose trust policy lets it in
	Actions   []string     `json:"actions"`
	Resources []string     `json:"resources"`
	Unknown   []string     `json:"unknown_actions,omitempty"` // of the actions: those that match none that AWS has
	Later     bool         `json:"later,omitempty"`           // actions that AWS may add: those of today were allowed before
	Via       evidence.Via `json:"via"`
}

type grantAnswer struct {
	Action   string `json:"action"`
	Resource string `json:"resource,omitempty"`
	whoCanAnswer
}

type exposureAnswer struct {
	Into   string       `json:"into,omitempty"`   // the role, for a trust policy
	Tokens string       `json:"tokens,omitempty"` // everyone who has a token of this issuer
	Via    evidence.Via `json:"via"`
}

func newAccessReport() *accessReport {
	return &accessReport{Gained: []changeAnswer{}, Granted: []grantAnswer{}, Public: []exposureAnswer{}}
}

func (r *accessReport) clean() bool { return len(r.Gained)+len(r.Granted)+len(r.Public) == 0 }

func (r *accessReport) public(list []reach.Exposure) {
	for _, e := range list {
		r.Public = append(r.Public, exposureAnswer{Into: e.Into, Tokens: e.Tokens, Via: evidence.Of(e.Via)})
	}
}

func changeOf(c reach.Change) changeAnswer {
	return changeAnswer{
		Principal: c.Principal, New: c.New, Into: c.Into, Actions: append([]string{}, c.Actions...),
		Resources: append([]string{}, c.Resources...), Later: c.Later, Via: evidence.Of(c.Via), Unknown: unknownActions(c.Actions),
	}
}

func unknownActions(names []string) []string {
	var out []string
	for _, name := range names {
		if input.CheckAction(name) != nil {
			out = append(out, name)
		}
	}
	return out
}

func accessReportText(out *ui.Printer, r *accessReport, o *diffAccessOptions) {
	if len(r.Gained) == 0 {
		out.Mark(ui.OK, ui.Plain("no new access"))
	} else {
		out.Line(ui.Bold("New access"))
		gainedText(out, r)
	}
	if len(o.notGranted) > 0 || len(o.on) > 0 {
		grantedText(out, r.Granted, o)
	}
	if o.noPublic {
		publicText(out, r.Public)
	}
}

// gainedText lists what was gained under whom gained it.
func gainedText(out *ui.Printer, r *accessReport) {
	for i, c := range r.Gained {
		if i == 0 || c.Principal != r.Gained[i-1].Principal || c.New != r.Gained[i-1].New {
			gainerText(out, c, r.subject)
		}
		for _, text := range c.texts() {
			out.Table(ui.Table{Indent: 4, Gap: 1, Rows: [][]ui.Span{{ui.Added.Span(), ui.Plain(text)}}})
		}
		byText(out, 6, c.Via.Text())
	}
}

// texts say what was gained, apart what AWS does not know.
func (c *changeAnswer) texts() []string {
	if c.Via.Unknown {
		return []string{"whatever it allows"}
	}
	var out []string
	known := slices.DeleteFunc(slices.Clone(c.Actions), func(name string) bool { return slices.Contains(c.Unknown, name) })
	if len(known) > 0 {
		text := strings.Join(known, ", ") + " on " + ui.Few(c.Resources)
		if c.Later {
			text += ", once AWS adds more such actions"
		}
		out = append(out, text)
	}
	if len(c.Unknown) > 0 {
		out = append(out, strings.Join(c.Unknown, ", ")+" on "+ui.Few(c.Resources)+", which AWS does not have as of "+action.Date())
	}
	return out
}

// gainerText names who gained; subject stands for the one identity policy.
func gainerText(out *ui.Printer, c changeAnswer, subject string) {
	switch {
	case c.Principal == "":
		out.Line(ui.Plain("  "), ui.Name(subject))
	case c.New && c.Into == "":
		out.Line(ui.Plain("  "), ui.Name(partyText(c.Principal)), ui.Plain(" (new)"))
	default:
		out.Line(ui.Plain("  "), ui.Name(partyText(c.Principal)))
	}
}

func partyText(name string) string {
	if name == reach.Everyone {
		return "everyone"
	}
	return name
}

func grantedText(out *ui.Printer, list []grantAnswer, o *diffAccessOptions) {
	if len(list) == 0 {
		what := strings.Join(o.notGranted, ", ")
		if len(o.on) > 0 {
			what = cmp.Or(what, "anything") + " on " + strings.Join(o.on, ", ")
		}
		out.Mark(ui.OK, ui.Plain("not granted to anybody: "+what))
		return
	}
	out.Heading("Granted, and should not be")
	for _, g := range list {
		who := partyText(g.Principal)
		if who == "" {
			who = "the policy"
		}
		out.Line(ui.Plain("  "), ui.Failed.Span(), ui.Plain(" "), ui.Name(who), ui.Plain(" may "+g.Extent.String()+" do "+whatAsked(whoCanOptions{action: g.Action, resource: g.Resource})))
		for _, via := range g.Via {
			byText(out, 6, via.Text())
		}
	}
}

func publicText(out *ui.Printer, list []exposureAnswer) {
	if len(list) == 0 {
		out.Mark(ui.OK, ui.Plain("nothing is open to everyone"))
		return
	}
	out.Heading("Open to everyone")
	for _, e := range list {
		who := "everyone"
		if e.Tokens != "" {
			who = "everyone with a token of " + e.Tokens
		}
		out.Line(ui.Plain("  "), ui.Failed.Span(), ui.Plain(" "+who+" may do "+ui.Few(e.Via.Actions)))
		byText(out, 6, e.Via.Text())
	}
}
