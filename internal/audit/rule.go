package audit

import (
	"slices"

	"github.com/postern-dev/postern/iam"
)

// Rule is one thing that an audit looks for.
type Rule struct {
	ID      string // "SSH-001"; no rule ever gets the ID of another
	Title   string
	Why     string   // what comes of it
	Sources []string // pages that say so

	find func(*view) []Finding // leaves Finding.Rule to Run
}

// Rules are all rules, in the order in which they are reported.
func Rules() []Rule { return slices.Concat(sshRules()) }

// Fix is what ends a finding.
type Fix struct {
	What string // in words
	// Deny is a policy that ends the finding if it stands among the policies of
	// each of Finding.Who, or bounds them. Nil: there is none.
	Deny *iam.Document
}
