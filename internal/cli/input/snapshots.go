// Package input reads what questions about access are asked of, snapshots and
// policies, and says what is wrong with the names in them: of actions, of users
// and roles.
package input

import (
	"cmp"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/ui"
	"github.com/postern-dev/postern/internal/estate"
	"github.com/postern-dev/postern/internal/fault"
)

// Files reads the files of a command, of which one may be the standard input.
type Files struct {
	Stdin io.Reader
	taken bool
}

// MaxSnapshot is the most that is read of a snapshot, in bytes: an account of a
// hundred thousand roles stays below it.
const MaxSnapshot = 1 << 30

// Read reads a file up to a number of bytes.
func (in *Files) Read(file string, most int64) ([]byte, error) {
	if file == command.Stdin {
		if in.taken {
			return nil, &fault.Error{Code: fault.Usage, What: "- is given twice: the standard input can be read once"}
		}
		in.taken = true
	}
	return command.ReadFile(file, in.Stdin, most)
}

// EstateFlag adds --estate to a command.
func EstateFlag(cmd *cobra.Command, files *[]string) {
	cmd.Flags().StringArrayVar(files, "estate", nil, "`FILE` of aws iam get-account-authorization-details, - for stdin; may be repeated")
}

// NeedEstate is the mistake of a command without a snapshot.
func NeedEstate(cmd *cobra.Command) error {
	return command.UsageError(cmd, "--estate is missing", "make a snapshot with `aws iam get-account-authorization-details > account.json`")
}

// Snapshots makes one estate of several files, of different accounts.
func (in *Files) Snapshots(files []string) (*estate.Estate, error) {
	all := &estate.Estate{}
	from := map[string]string{} // the file of each account
	for _, file := range files {
		text, err := in.Read(file, MaxSnapshot)
		if err != nil {
			return nil, err
		}
		one, err := estate.ReadSnapshot(text)
		if err != nil {
			return nil, NotSnapshot(file, err)
		}
		for _, a := range one.Accounts {
			if before, twice := from[a.ID]; twice {
				return nil, &fault.Error{Code: fault.Usage, Where: file, What: "account " + a.ID + " is in " + before + " too", Hint: "give one snapshot of each account"}
			}
			from[a.ID] = file
			all.Accounts = append(all.Accounts, a)
		}
	}
	slices.SortFunc(all.Accounts, func(a, b estate.Account) int { return cmp.Compare(a.ID, b.ID) })
	return all, nil
}

// NotSnapshot is the error about a file that should be a snapshot.
func NotSnapshot(file string, err error) error {
	return &fault.Error{Where: file, What: err.Error(), Hint: "make it with `aws iam get-account-authorization-details`"}
}

// NotInSnapshot is about somebody who was asked for. It names those who are
// called alike, on another path or of another kind or account.
func NotInSnapshot(snapshot *estate.Estate, arn string) error {
	e := &fault.Error{Code: fault.General, What: arn + " is not in the snapshot"}
	var accounts, same, all []string
	for i := range snapshot.Accounts {
		a := &snapshot.Accounts[i]
		accounts = append(accounts, a.ID)
		for _, who := range PrincipalsOf(a) {
			all = append(all, who)
			if strings.EqualFold(path.Base(who), calledIn(arn)) {
				same = append(same, who)
			}
		}
	}
	parsed, err := iam.ParseARN(arn)
	switch {
	case strings.HasSuffix(arn, ":root"):
		e.Hint = "an account's root user may do everything in it; ask about users and roles"
	case len(same) > 0:
		e.Hint = "did you mean " + ui.Few(same) + "?"
	case err == nil && parsed.Account != "" && !slices.Contains(accounts, parsed.Account):
		e.Hint = "it has account " + ui.Few(accounts) + "; add --estate with a snapshot of " + parsed.Account
	default:
		e.Hint = command.DidYouMean(arn, "", all)
	}
	return e
}

// calledIn is the name of a user or role in an ARN, or what was given for one.
func calledIn(arn string) string {
	if _, session, ok := strings.Cut(arn, ":assumed-role/"); ok {
		name, _, _ := strings.Cut(session, "/")
		return name
	}
	return path.Base(arn)
}

// PrincipalsOf are the ARNs of an account's users and roles.
func PrincipalsOf(a *estate.Account) []string {
	var out []string
	for _, u := range a.Users {
		out = append(out, a.UserARN(u.Path, u.Name))
	}
	for _, r := range a.Roles {
		out = append(out, a.RoleARN(r.Path, r.Name))
	}
	return out
}

// FindRole finds a role by its ARN or by that of one of its sessions.
func FindRole(snapshot *estate.Estate, arn string) (*estate.Account, *estate.Role) {
	for i := range snapshot.Accounts {
		a := &snapshot.Accounts[i]
		for j := range a.Roles {
			r := &a.Roles[j]
			session := iam.ARN{Partition: a.Partition, Service: "sts", Account: a.ID, Resource: "assumed-role/" + r.Name + "/"}.String()
			if a.RoleARN(r.Path, r.Name) == arn || strings.HasPrefix(arn, session) {
				return a, r
			}
		}
	}
	return nil, nil
}
