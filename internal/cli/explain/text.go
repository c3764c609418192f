package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/internal/cli/ui"
)

// explainText prints the verdict, then what led to it.
func explainText(out *ui.Printer, a *answer) {
	mark := ui.Failed
	if a.allowed() {
		mark = ui.OK
	}
	out.Mark(mark, ui.Bold(strings.ReplaceAll(a.Decision, "_", " ")))
	out.Line(ui.Plain("  "), ui.Name(a.Principal))
	out.Line(ui.Plain("  "), ui.Plain(a.Action+" on "), ui.Name(a.Resource))
	if a.Rule != "" {
		out.Line(ui.Plain("  because " + a.Rule))
	}
	if a.DependsOn != "" {
		out.Line(ui.Plain("  if " + a.DependsOn))
	}
	if a.Note != "" {
		out.Item(2, ui.Warning, a.Note)
	}
	blockedText(out, a)
	statementsText(out, "Statements that match", a.Because)
	if !a.allowed() {
		statementsText(out, "Near misses", slices.DeleteFunc(slices.Clone(a.NearMiss), func(s statementAnswer) bool { return s.Effect == iam.Deny }))
	}
	if len(a.Doubts) > 0 {
		out.Heading("Not evaluated: in doubt it does not allow, and it denies")
		for _, doubt := range a.Doubts {
			out.Item(2, ui.Warning, doubt)
		}
	}
}

func blockedText(out *ui.Printer, a *answer) {
	if len(a.blocked) == 0 || a.Rule != "" {
		return
	}
	out.Heading("Blocked by")
	for _, k := range a.blocked {
		what := "no " + k.String() + " allows it"
		if a.Decision == decisionName(eval.ExplicitDeny) {
			what = "a " + k.String() + " denies it"
			if k == eval.Identity {
				what = "an " + k.String() + " denies it"
			}
		}
		out.Item(2, ui.Failed, what)
	}
}

func statementsText(out *ui.Printer, title string, list []statementAnswer) {
	if len(list) == 0 {
		return
	}
	out.Heading(title)
	for _, s := range list {
		mark := ui.Added
		if s.Effect == iam.Deny {
			mark = ui.Removed
		}
		out.Line(ui.Plain("  "), mark.Span(), ui.Plain(" "+string(s.Effect)+"  "), ui.Name(s.name()), ui.Dim("  "+s.where()))
		elementText(out, "Principal", s.Principal, s)
		elementText(out, "Action", s.Action, s)
		elementText(out, "Resource", s.Resource, s)
		for _, c := range s.Conditions {
			conditionText(out, c)
		}
		if s.Element == eval.ElementStatement {
			out.Line(ui.Plain("      in doubt: it cannot be evaluated in full"))
		}
	}
}

// name is the statement's Sid, or its number as people count, from 1.
func (s *statementAnswer) name() string {
	if s.SID != "" {
		return s.SID
	}
	return fmt.Sprintf("statement %d", s.Statement+1)
}

// where is the policy, with line and column as editors take them.
func (s *statementAnswer) where() string {
	policy := s.Policy
	if s.Line > 0 {
		policy = fmt.Sprintf("%s:%d:%d", policy, s.Line, s.Column)
	}
	if s.kind == eval.SCP || s.kind == eval.RCP {
		return fmt.Sprintf("%s at level %d, %s", s.Layer, s.Level, policy)
	}
	return s.Layer + " " + policy
}

func elementText(out *ui.Printer, element, entry string, s statementAnswer) {
	switch {
	case s.Element == element && s.Matches == "no":
		out.Line(ui.Plain("      " + element + " does not match"))
	case s.Element == element:
		out.Line(ui.Plain("      " + element + " is open: it depends on the context"))
	case entry != "":
		out.Line(ui.Dim("      " + element + " " + entry))
	}
}

func conditionText(out *ui.Printer, c conditionAnswer) {
	text := c.Operator + " " + c.Key + " " + strings.Join(c.Values, " | ")
	switch {
	case c.Present:
		text += ": the request has " + strings.Join(c.Request, ", ")
	case c.Holds == "maybe":
		text += ": not known"
	default:
		text += ": the request has none"
	}
	if c.Holds == "no" {
		out.Line(ui.Plain("      Condition fails: " + text))
		return
	}
	out.Line(ui.Dim("      Condition " + text))
}
