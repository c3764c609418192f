package estate

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// ReadSnapshot reads what `aws iam get-account-authorization-details` prints;
// several such texts one after the other make an estate of several accounts.
// A policy may stand in it as an object, as the AWS CLI writes it, or as the
// percent-encoded text of the API. One that is no valid policy is a nil
// Document: not known. What is there twice, or under an ARN that is not its own,
// is an error. Access keys, providers, quotas and session lengths are
// not in a snapshot. One that does not go to its end is refused: what is missing
// would look as if it were not there.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
func ReadSnapshot(src []byte) (*Estate, error) {
	r := snapshotReader{accounts: map[string]*Account{}, seen: map[string]bool{}, managed: map[string]policyDetail{}}
	dec := json.NewDecoder(bytes.NewReader(src))
	cut := false
	for n := 0; ; n++ {
		var page details
		err := dec.Decode(&page)
		if errors.Is(err, io.EOF) && n > 0 {
			break
		}
		cut = page.IsTruncated || page.NextToken != ""
		if err != nil {
			return nil, fmt.Errorf("read snapshot: %w", unreadable(err))
		}
		if page.Users == nil && page.Groups == nil && page.Roles == nil && page.Policies == nil {
			return nil, errors.New("read snapshot: not the output of aws iam get-account-authorization-details")
		}
		if err := r.page(&page); err != nil {
			return nil, fmt.Errorf("read snapshot: %w", err)
		}
	}
	if cut {
		return nil, errors.New("read snapshot: it is only a part; make it without --max-items and --no-paginate")
	}
	return r.estate(), nil
}

// details is a GetAccountAuthorizationDetails response.
type details struct {
	Users    []userDetail   `json:"UserDetailList"`
	Groups   []groupDetail  `json:"GroupDetailList"`
	Roles    []roleDetail   `json:"RoleDetailList"`
	Policies []policyDetail `json:"Policies"`

	IsTruncated bool   // of a page of the API
	NextToken   string // of what the AWS CLI cuts off
}

type tag struct{ Key, Value string }

type attachedPolicy struct{ PolicyArn string }

type inlinePolicy struct {
	PolicyName     string
	PolicyDocument json.RawMessage
}

type boundary struct{ PermissionsBoundaryArn string }

type userDetail struct {
	Arn, UserName, Path     string
	GroupList               []string
	UserPolicyList          []inlinePolicy
	AttachedManagedPolicies []attachedPolicy
	PermissionsBoundary     boundary
	Tags                    []tag
}

type groupDetail struct {
	Arn, GroupName, Path    string
	GroupPolicyList         []inlinePolicy
	AttachedManagedPolicies []attachedPolicy
}

type roleDetail struct {
	Arn, RoleName, Path      string
	AssumeRolePolicyDocument json.RawMessage
	RolePolicyList           []inlinePolicy
	AttachedManagedPolicies  []attachedPolicy
	PermissionsBoundary      boundary
	Tags                     []tag
	InstanceProfileList      []struct { // nil: it was left out
		Arn, InstanceProfileName, Path string
	}
}

type policyDetail struct {
	Arn, PolicyName, Path, DefaultVersionId string
	PolicyVersionList                       []struct {
		VersionId string
		Document  json.RawMessage
	}
}

type snapshotReader struct {
	accounts map[string]*Account
	seen     map[string]bool         // users, groups, roles and policies of customers
	managed  map[string]policyDetail // AWS's own by ARN, of no account; the last of several
}

// account finds the account of an ARN.
func (r *snapshotReader) account(arn string) (*Account, error) {
	a, err := iam.ParseARN(arn)
	if err != nil {
		return nil, err
	}
	if !iam.IsAccountID(a.Account) {
		return nil, fmt.Errorf("ARN %q names no account", arn)
	}
	if r.accounts[a.Account] == nil {
		r.accounts[a.Account] = &Account{ID: a.Account, Partition: a.Partition, Quotas: DefaultQuotas()}
	}
	return r.accounts[a.Account], nil
}

func (r *snapshotReader) page(page *details) error {
	for _, d := range page.Users {
		p := placed{"user", d.Arn, d.Path, d.UserName}
		a, err := r.place(&p)
		if err != nil {
			return err
		}
		a.Users = append(a.Users, User{
			Name: p.name, Path: p.path, Groups: slices.Sorted(slices.Values(d.GroupList)), Inline: inlines(d.UserPolicyList),
			Attached: arns(d.AttachedManagedPolicies), Boundary: d.PermissionsBoundary.PermissionsBoundaryArn, Tags: tags(d.Tags),
		})
	}
	for _, d := range page.Groups {
		p := placed{"group", d.Arn, d.Path, d.GroupName}
		a, err := r.place(&p)
		if err != nil {
			return err
		}
		a.Groups = append(a.Groups, Group{
			Name: p.name, Path: p.path, Inline: inlines(d.GroupPolicyList), Attached: arns(d.AttachedManagedPolicies),
		})
	}
	for _, d := range page.Roles {
		if err := r.role(d); err != nil {
			return err
		}
	}
	for _, d := range page.Policies {
		if err := r.policy(d); err != nil {
			return err
		}
	}
	return nil
}

func (r *snapshotReader) role(d roleDetail) error {
	p := placed{"role", d.Arn, d.Path, d.RoleName}
	a, err := r.place(&p)
	if err != nil {
		return err
	}
	d.Path, d.RoleName = p.path, p.name
	a.Roles = append(a.Roles, Role{
		Name: d.RoleName, Path: d.Path, Trust: document(d.AssumeRolePolicyDocument), Inline: inlines(d.RolePolicyList),
		Attached: arns(d.AttachedManagedPolicies), Boundary: d.PermissionsBoundary.PermissionsBoundaryArn, Tags: tags(d.Tags),
		Unprofiled: d.InstanceProfileList != nil && len(d.InstanceProfileList) == 0,
	})
	for _, p := range d.InstanceProfileList {
		a.InstanceProfiles = append(a.InstanceProfiles, InstanceProfile{Name: p.InstanceProfileName, Path: p.Path, Role: d.RoleName})
	}
	return nil
}

func (r *snapshotReader) policy(d policyDetail) error {
	if strings.Contains(d.Arn, ":iam::aws:policy/") {
		r.managed[d.Arn] = d
		return nil
	}
	p := placed{"policy", d.Arn, d.Path, d.PolicyName}
	a, err := r.place(&p)
	if err != nil {
		return err
	}
	d.Path, d.PolicyName = p.path, p.name
	a.Policies = append(a.Policies, managedPolicy(d))
	return nil
}

func managedPolicy(d policyDetail) ManagedPolicy {
	p := ManagedPolicy{Name: d.PolicyName, Path: d.Path, AWSManaged: strings.Contains(d.Arn, ":iam::aws:policy/")}
	for _, v := range d.PolicyVersionList {
		if v.VersionId == d.DefaultVersionId {
			p.Document = document(v.Document)
		} else if !p.AWSManaged {
			p.Versions = append(p.Versions, v.VersionId)
		}
	}
	return p
}

// estate sorts what was read. AWS's own policies belong to each account that
// has any.
func (r *snapshotReader) estate() *Estate {
	e := &Estate{}
	for _, a := range r.accounts {
		for _, d := range r.managed {
			a.Policies = append(a.Policies, managedPolicy(d))
		}
		slices.SortFunc(a.Users, func(x, y User) int { return cmp.Compare(x.Name, y.Name) })
		slices.SortFunc(a.Groups, func(x, y Group) int { return cmp.Compare(x.Name, y.Name) })
		slices.SortFunc(a.Roles, func(x, y Role) int { return cmp.Compare(x.Name, y.Name) })
		slices.SortFunc(a.Policies, func(x, y ManagedPolicy) int { return cmp.Compare(x.ARN(a), y.ARN(a)) })
		slices.SortFunc(a.InstanceProfiles, func(x, y InstanceProfile) int { return cmp.Compare(x.Name, y.Name) })
		e.Accounts = append(e.Accounts, *a)
	}
	slices.SortFunc(e.Accounts, func(x, y Account) int { return cmp.Compare(x.ID, y.ID) })
	return e
}

// document parses a policy that is an object or percent-encoded text (RFC
// 3986, where "+" is itself); nil if it is neither.
func document(src json.RawMessage) *iam.Document {
	text := []byte(src)
	var encoded string
	if json.Unmarshal(src, &encoded) == nil {
		plain, err := url.PathUnescape(encoded)
		if err != nil {
			plain = encoded
		}
		text = []byte(plain)
	}
	doc, err := iam.Parse(text)
	if err != nil {
		return nil
	}
	return doc
}

func inlines(list []inlinePolicy) []InlinePolicy {
	var out []InlinePolicy
	for _, p := range list {
		out = append(out, InlinePolicy{Name: p.PolicyName, Document: document(p.PolicyDocument)})
	}
	slices.SortFunc(out, func(a, b InlinePolicy) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

func arns(list []attachedPolicy) []string {
	var out []string
	for _, p := range list {
		out = append(out, p.PolicyArn)
	}
	slices.Sort(out)
	return out
}

func tags(list []tag) map[string]string {
	if len(list) == 0 {
		return nil
	}
	out := make(map[string]string, len(list))
	for _, t := range list {
		out[t.Key] = t.Value
	}
	return out
}
