package plan

import "slices"

// The stages. What narrows comes first and what deletes comes last, so that at
// no moment anybody can do what neither the old nor the new state allows.
const (
	stageNarrow     = iota // take away trust and permissions
	stageFoundation        // providers, managed policies, groups, users
	stageMembers           // users into groups
	stageRoles             // roles; each depth of trust between roles is a stage of its own

	// These follow the deepest stageRoles, wherever that is.
	stageProfiles = 1_000_000 + iota // instance profiles
	stageDetach                      // instance profiles that nobody wants
	stageDelete                      // roles and users that nobody wants
	stageSweep                       // groups, policies and providers that are now free
)

// sortChanges orders by stage and closes the gaps between stages; order within
// a stage is kept.
func sortChanges(changes []Change) {
	slices.SortStableFunc(changes, func(a, b Change) int { return a.Stage - b.Stage })
	stage, last := -1, -1
	for i := range changes {
		if changes[i].Stage != last {
			stage, last = stage+1, changes[i].Stage
		}
		changes[i].Stage = stage
	}
}
