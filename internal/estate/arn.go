package estate

import "github.com/postern-dev/postern/iam"

// RoleARN is the ARN of a role of this account.
func (a *Account) RoleARN(path, name string) string { return a.arn("role" + path + name) }

// UserARN is the ARN of a user of this account.
func (a *Account) UserARN(path, name string) string { return a.arn("user" + path + name) }

// GroupARN is the ARN of a group of this account.
func (a *Account) GroupARN(path, name string) string { return a.arn("group" + path + name) }

// PolicyARN is the ARN of a customer managed policy of this account.
func (a *Account) PolicyARN(path, name string) string { return a.arn("policy" + path + name) }

// InstanceProfileARN is the ARN of an instance profile of this account.
func (a *Account) InstanceProfileARN(path, name string) string {
	return a.arn("instance-profile" + path + name)
}

// ProviderARN is the ARN of the OIDC provider for an issuer, given without
// "https://".
func (a *Account) ProviderARN(url string) string { return a.arn("oidc-provider/" + url) }

func (a *Account) arn(resource string) string {
	return iam.ARN{Partition: a.Partition, Service: "iam", Account: a.ID, Resource: resource}.String()
}

// Account returns the account with the id, nil if there is none.
func (e *Estate) Account(id string) *Account {
	for i := range e.Accounts {
		if e.Accounts[i].ID == id {
			return &e.Accounts[i]
		}
	}
	return nil
}

// PolicyDocument returns the content of a managed policy by its ARN, nil if it
// is not known here.
func (a *Account) PolicyDocument(arn string) *iam.Document {
	for i := range a.Policies {
		p := &a.Policies[i]
		if p.ARN(a) == arn {
			return p.Document
		}
	}
	return nil
}

// ARN is the policy's ARN as seen from an account that holds or uses it.
func (p *ManagedPolicy) ARN(in *Account) string {
	if p.AWSManaged {
		return iam.ARN{Partition: in.Partition, Service: "iam", Account: "aws", Resource: "policy" + p.Path + p.Name}.String()
	}
	return in.PolicyARN(p.Path, p.Name)
}

// Principals are the ARNs that stand in the account and that a trust policy
// may name: roles, users and OIDC providers.
func (a *Account) Principals() map[string]bool {
	out := map[string]bool{}
	for _, r := range a.Roles {
		out[a.RoleARN(r.Path, r.Name)] = true
	}
	for _, u := range a.Users {
		out[a.UserARN(u.Path, u.Name)] = true
	}
	for _, p := range a.Providers {
		out[a.ProviderARN(p.URL)] = true
	}
	return out
}
