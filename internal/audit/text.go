package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/reach"
)

// sentence says who could do what: "role/helpdesk can add users to
// group operators (sudo)".
func (d *doers) sentence(does string) string {
	var who []string
	for _, arn := range d.who {
		who = append(who, short(arn))
	}
	word := "could"
	if d.extent == reach.Always {
		word = "can"
	}
	return few(who) + " " + word + " " + fmt.Sprintf(does, d.names())
}

// names lists the targets, those that matter most first.
func (d *doers) names() string {
	sorted := slices.Clone(d.targets)
	slices.SortStableFunc(sorted, func(a, b target) int { return int(b.severity) - int(a.severity) })
	var list []string
	for _, t := range sorted {
		list = append(list, t.name)
	}
	return few(list)
}

// severity is the worst of the targets.
func (d *doers) severity() Severity {
	worst := Low
	for _, t := range d.targets {
		worst = max(worst, t.severity)
	}
	return worst
}

// short is "role/ops/helpdesk" of an ARN.
func short(arn string) string {
	parsed, err := iam.ParseARN(arn)
	if err != nil {
		return arn
	}
	return parsed.Resource
}

// few lists the first of many.
func few(list []string) string {
	const most = 4
	switch n := len(list); {
	case n > most:
		return fmt.Sprintf("%s and %d more", strings.Join(list[:most-1], ", "), n-most+1)
	case n > 1:
		return strings.Join(list[:n-1], ", ") + " and " + list[n-1]
	}
	return strings.Join(list, "")
}

// baseName is the name in the ARN of a user or group.
func baseName(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }
