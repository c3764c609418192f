package trust

import "strings"

// Known returns what the identity fixes of its tokens, one set of condition
// keys for each form that their subject may have. A value may hold "*", which
// stands for any number of the characters of Wild: without ids the immutable
// subject has digits that nobody here knows. Claims that are not named are the
// workflow's to choose: it may ask for any audience, be started by anyone and
// run jobs of any file. No name can hold a wildcard of its own, see Check.
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

// Wild are the characters that a "*" among the values of Known stands for;
// empty: any, since a wide identity has any text there.
func (g GitHub) Wild() string {
	if g.Wide() {
		return ""
	}
	return "0123456789"
}
