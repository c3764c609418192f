// Package plan compares a desired estate with an observed one and says which
// IAM calls, in which order and why, lead from the one to the other, and which
// permissions that gains and loses. It makes no call and reads no clock.
package plan

import (
	"time"

	"github.com/postern-dev/postern/iam"
)

// Verb is the IAM operation that a change calls, by its API name.
type Verb string

// Every operation that a plan can hold.
const (
	CreateOpenIDConnectProvider        Verb = "CreateOpenIDConnectProvider"
	AddClientIDToOpenIDConnectProvider Verb = "AddClientIDToOpenIDConnectProvider"
	DeleteOpenIDConnectProvider        Verb = "DeleteOpenIDConnectProvider"
	CreatePolicy                       Verb = "CreatePolicy"
	CreatePolicyVersion                Verb = "CreatePolicyVersion"
	DeletePolicyVersion                Verb = "DeletePolicyVersion"
	DeletePolicy                       Verb = "DeletePolicy"
	CreateUser                         Verb = "CreateUser"
	DeleteUser                         Verb = "DeleteUser"
	TagUser                            Verb = "TagUser"
	UntagUser                          Verb = "UntagUser"
	DeleteUserPolicy                   Verb = "DeleteUserPolicy"
	DetachUserPolicy                   Verb = "DetachUserPolicy"
	DeleteUserPermissionsBoundary      Verb = "DeleteUserPermissionsBoundary"
	DeleteAccessKey                    Verb = "DeleteAccessKey"
	AddUserToGroup                     Verb = "AddUserToGroup"
	RemoveUserFromGroup                Verb = "RemoveUserFromGroup"
	CreateGroup                        Verb = "CreateGroup"
	DeleteGroup                        Verb = "DeleteGroup"
	PutGroupPolicy                     Verb = "PutGroupPolicy"
	DeleteGroupPolicy                  Verb = "DeleteGroupPolicy"
	DetachGroupPolicy                  Verb = "DetachGroupPolicy"
	CreateRole                         Verb = "CreateRole"
	DeleteRole                         Verb = "DeleteRole"
	UpdateRole                         Verb = "UpdateRole"
	UpdateAssumeRolePolicy             Verb = "UpdateAssumeRolePolicy"
	PutRolePermissionsBoundary         Verb = "PutRolePermissionsBoundary"
	DeleteRolePermissionsBoundary      Verb = "DeleteRolePermissionsBoundary"
	TagRole                            Verb = "TagRole"
	UntagRole                          Verb = "UntagRole"
	PutRolePolicy                      Verb = "PutRolePolicy"
	DeleteRolePolicy                   Verb = "DeleteRolePolicy"
	AttachRolePolicy                   Verb = "AttachRolePolicy"
	DetachRolePolicy                   Verb = "DetachRolePolicy"
	CreateInstanceProfile              Verb = "CreateInstanceProfile"
	DeleteInstanceProfile              Verb = "DeleteInstanceProfile"
	AddRoleToInstanceProfile           Verb = "AddRoleToInstanceProfile"
	RemoveRoleFromInstanceProfile      Verb = "RemoveRoleFromInstanceProfile"
)

// Verbs lists them all.
func Verbs() []Verb {
	return []Verb{
		CreateOpenIDConnectProvider, AddClientIDToOpenIDConnectProvider, DeleteOpenIDConnectProvider,
		CreatePolicy, CreatePolicyVersion, DeletePolicyVersion,
		DeletePolicy, CreateUser, DeleteUser,
		TagUser, UntagUser, DeleteUserPolicy,
		DetachUserPolicy, DeleteUserPermissionsBoundary, DeleteAccessKey,
		AddUserToGroup, RemoveUserFromGroup, CreateGroup,
		DeleteGroup, PutGroupPolicy, DeleteGroupPolicy,
		DetachGroupPolicy, CreateRole, DeleteRole,
		UpdateRole, UpdateAssumeRolePolicy, PutRolePermissionsBoundary,
		DeleteRolePermissionsBoundary, TagRole, UntagRole,
		PutRolePolicy, DeleteRolePolicy, AttachRolePolicy,
		DetachRolePolicy, CreateInstanceProfile, DeleteInstanceProfile,
		AddRoleToInstanceProfile, RemoveRoleFromInstanceProfile,
	}
}

// Change is one IAM call. Changes of one stage and different entities may run
// side by side; those of one entity run in the plan's order; a stage begins
// when the one before it has ended.
type Change struct {
	Account string `json:"account"` // 12 digits
	Stage   int    `json:"stage"`   // from 0
	Entity  string `json:"entity"`  // ARN of what changes; the key for ordering
	Verb    Verb   `json:"verb"`
	Input   Input  `json:"input"`
	Reason  string `json:"reason"` // one line for people: why this call
}

// Input holds the parameters of the call under IAM's own names. A change sets
// those that its Verb takes and no others.
type Input struct {
	RoleName            string            `json:",omitempty"`
	UserName            string            `json:",omitempty"`
	GroupName           string            `json:",omitempty"`
	InstanceProfileName string            `json:",omitempty"`
	PolicyName          string            `json:",omitempty"`
	PolicyARN           string            `json:",omitempty"` // also a permissions boundary
	VersionID           string            `json:",omitempty"`
	Path                string            `json:",omitempty"`
	Description         string            `json:",omitempty"`
	Document            *iam.Document     `json:",omitempty"` // policy or trust policy
	MaxSession          time.Duration     `json:",omitempty"`
	Tags                map[string]string `json:",omitempty"`
	TagKeys             []string          `json:",omitempty"`
	AccessKeyID         string            `json:",omitempty"`
	ProviderARN         string            `json:",omitempty"`
	URL                 string            `json:",omitempty"` // with https://
	ClientIDs           []string          `json:",omitempty"`
}
