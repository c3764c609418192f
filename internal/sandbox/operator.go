package sandbox

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
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
		}, now)
	}
	if s.state.Operator.Account == home.ID {
		if _, ok := home.Keys.get(s.state.Operator.AccessKeyID); ok {
			return
		}
	}
	key := &accessKey{ID: newID(keyPrefix, keyLength), User: operatorName, Secret: newSecret(), Active: true, Created: now}
	home.Keys.put(key.ID, key, now)
	s.state.Operator = operator{Account: home.ID, AccessKeyID: key.ID}
}

// ensureAdminRole makes the role through which the operator manages an account.
func (s *Server) ensureAdminRole(a *account, role string, now time.Time) error {
	path, name := adminName(role)
	if len(name) > maxNameUser || !namePattern.MatchString(name) || !pathPattern.MatchString(path) {
		return fmt.Errorf("admin role %q of account %s is not a role's name, path/name or ARN", role, a.ID)
	}
	a.AdminRole = a.arn("role", path, name)
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
	a.Roles.put(name, newAdminRole(a, path, name, string(trust), now).trusting(operatorARN, operator.ID), now)
	return nil
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
	var roles []string
	for _, id := range slices.Sorted(maps.Keys(s.state.Accounts)) {
		if arn := s.state.Accounts[id].AdminRole; arn != "" {
			roles = append(roles, arn)
		}
	}
	if len(roles) > 0 {
		statements = append(statements, map[string]any{"Effect": "Allow", "Action": []string{"sts:AssumeRole", "sts:TagSession"}, "Resource": roles})
	}
	text, err := json.Marshal(policyJSON(statements...))
	if err != nil { // strings only: cannot happen
		return
	}
	u = u.clone()
	u.Inline[operatorPolicy] = string(text)
	home.Users.put(operatorName, u, now)
}

func policyJSON(statements ...any) map[string]any {
	return map[string]any{"Version": "2012-10-17", "Statement": statements}
}
