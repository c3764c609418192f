package snippet

import (
	"slices"
	"strconv"

	"github.com/postern-dev/postern/internal/spec"
)

// names are those of jobs, workflows, profiles and the like. They are unique in
// the file that holds them: a second job of a name would take the place of the
// first.
type names struct {
	roles []string
	taken map[place]bool
}

type place struct{ file, name string }

func newNames(s *spec.Spec) names {
	n := names{taken: map[place]bool{}}
	for i := range s.Roles {
		n.roles = append(n.roles, s.Roles[i].Name)
	}
	return n
}

// next is the role's name for the first identity that has a job in such a file,
// and for the others the identity's name behind it. Whoever adds an identity
// behind the others leaves theirs as they were.
func (n names) next(file, role, identity string) string {
	name := role
	for i := 1; n.taken[place{file, name}] || name != role && slices.Contains(n.roles, name); i++ {
		name = role + "-" + identity
		if i > 1 {
			name += "-" + strconv.Itoa(i)
		}
	}
	n.taken[place{file, name}] = true
	return name
}
