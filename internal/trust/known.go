package trust

import "strings"

// Known returns what the identity fixes of its tokens, one set of condition
// keys for each form that their subject may have. A value may hold "*", where
// digits stand: without ids the immutable subject has some that nobody
// here knows. Claims that are not named are the workflow's to choose: it may ask
// for any audience, be started by anyone and run jobs of any file. Neither
// names nor refs can hold a wildcard of their own, see Check.
func (g GitHub) Known() []map[string]string {
	subjects := g.Subjects()
	if !g.pinned() {
		owner, name, _ := strings.Cut(g.Repository, "/")
		subjects = append(subjects, immutableSubject(owner, "*", name, "*", g.subjectTail()))
	}
	fixed := map[string]string{
		"repository":          g.Repository,
		"repository_id":       g.RepositoryID,
		"repository_owner_id": g.OwnerID,
		"environment":         g.Environment,
	}
	switch {
	case g.Branch != "":
		fixed["ref"] = "refs/heads/" + g.Branch
	case g.Tag != "":
		fixed["ref"] = "refs/tags/" + g.Tag
	}
	var forms []map[string]string
	for _, subject := range subjects {
		keys := map[string]string{GitHubIssuer + ":sub": subject}
		for claim, value := range fixed {
			if value != "" {
				keys[GitHubIssuer+":"+claim] = value
			}
		}
		forms = append(forms, keys)
	}
	return forms
}
