package sandbox

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/iam"
)

// operatorName is the user that the printed credentials belong to.
const operatorName = "postern-operator"

const (
	operatorPolicy = "operator"
	adminSession   = 12 * 3600 // seconds
)

// ensureOperator makes the operator and its key if they are missing.
func (s *Server) ensureOperator(home *account, now time.Time) {
	if _, ok := home.Users.get(operatorName); !ok {
		home.Users.put(operatorName, &user{
			Name: operatorName, Path: "/", ID: newID(userPrefix, idLength), Created: now,
			holder: holder{Inline: map[string]string{}},
		}, atOnce(now))
	}
	if s.state.Operator.Account == home.ID {
		if _, ok := home.Keys.get(s.state.Operator.AccessKeyID); ok {
			return
		}
	}
	key := &accessKey{ID: newID(keyPrefix, keyLength), User: operatorName, Secret: newSecret(), Active: true, Created: now}
	home.Keys.put(key.ID, key, atOnce(now))
	s.state.Operator = operator{Account: home.ID, AccessKeyID: key.ID}
}

// ensureAdminRole makes a role through which the operator manages an account.
func (s *Server) ensureAdminRole(a *account, role string, now time.Time) error {
	path, name := adminName(role)
	if len(name) > maxNameUser || !namePattern().MatchString(name) || !pathPattern().MatchString(path) {
		return fmt.Errorf("admin role %q of account %s is not a role's name, path/name or ARN", role, a.ID)
	}
	if arn := a.arn("role", path, name); !slices.Contains(a.Admins, arn) {
		a.Admins = append(a.Admins, arn)
	}
	if _, ok := a.Roles.get(name); ok {
		return nil
	}
	home := s.state.Accounts[s.state.Operator.Account]
	operator, ok := home.Users.get(operatorName)
	if !ok {
		return fmt.Errorf("account %s has no user %s", home.ID, operatorName)
	}
	operatorARN := home.arn("user", operator.Path, operator.Name)
	trust, err := json.Marshal(policyJSON(map[string]any{
		"Effect": "Allow", "Principal": map[string]string{"AWS": operatorARN}, "Action": []string{"sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"},
	}))
	if err != nil {
		return err
	}
	a.Roles.put(name, newAdminRole(a, path, name, string(trust), now).trusting(operatorARN, operator.ID), atOnce(now))
	return nil
}

// found makes the account in which a role is to be assumed, if
// Options.AnyAccount says so and there is none of that id. It is not in the
// state yet: AssumeRole is still to be judged, and its role trusts the operator
// alone.
func (c *call) found() (*account, *role, bool) {
	s := c.s
	arn, err := iam.ParseARN(c.params["RoleArn"])
	partition := s.state.Accounts[s.state.Operator.Account].Partition
	if !s.opt.AnyAccount || err != nil || arn.Service != "iam" || arn.Partition != partition || !iam.IsAccountID(arn.Account) || !strings.HasPrefix(arn.Resource, "role/") {
		return nil, nil, false
	}
	if _, ok := s.state.Accounts[arn.Account]; ok {
		return nil, nil, false
	}
	a := newAccount(arn.Account, arn.Partition)
	if err := s.ensureAdminRole(a, arn.Resource[len("role"):], c.now); err != nil {
		return nil, nil, false
	}
	a.arrive(c.now)
	_, name := adminName(arn.Resource[len("role"):])
	r, ok := a.Roles.known(name)
	return a, r, ok && a.arn("role", r.Path, r.Name) == c.params["RoleArn"]
}

func newAdminRole(a *account, path, name, trust string, now time.Time) *role {
	return &role{
		Name: name, Path: path, ID: newID(rolePrefix, idLength), Created: now, Trust: trust, MaxSession: adminSession,
		Description: "Full access for the sandbox's operator",
		holder: holder{
			Inline:   map[string]string{},
			Attached: []string{"arn:" + a.Partition + ":iam::aws:policy/AdministratorAccess"},
		},
	}
}

func (r *role) trusting(arn, id string) *role {
	r.TrustIDs = map[string]string{arn: id}
	return r
}

// grantOperator writes the operator's policy: IAM in its own account, and the
// admin roles.
func (s *Server) grantOperator(now time.Time) {
	home, ok := s.state.Accounts[s.state.Operator.Account]
	if !ok {
		return
	}
	u, ok := home.Users.get(operatorName)
	if !ok {
		return
	}
	statements := []any{map[string]any{"Effect": "Allow", "Action": []string{"iam:*", "sts:GetAccessKeyInfo"}, "Resource": "*"}}
	if roles := s.assumable(home); len(roles) > 0 {
		statements = append(statements, map[string]any{"Effect": "Allow", "Action": []string{"sts:AssumeRole", "sts:TagSession"}, "Resource": roles})
	}
	text, err := json.Marshal(policyJSON(statements...))
	if err != nil { // strings only: cannot happen
		return
	}
	u = u.clone()
	u.Inline[operatorPolicy] = string(text)
	home.Users.put(operatorName, u, atOnce(now))
}

// assumable are the roles that the operator's policy names.
func (s *Server) assumable(home *account) []string {
	if s.opt.AnyAccount {
		return []string{"arn:" + home.Partition + ":iam::*:role/*"}
	}
	var roles []string
	for _, id := range slices.Sorted(maps.Keys(s.state.Accounts)) {
		roles = append(roles, s.state.Accounts[id].Admins...)
	}
	return roles
}

func policyJSON(statements ...any) map[string]any {
	return map[string]any{"Version": "2012-10-17", "Statement": statements}
}
