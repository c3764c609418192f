package aws

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"

	"github.com/postern-dev/postern/internal/estate"
)

// pageSize is the most that IAM lists at once.
const pageSize = 1000

// Observe reads what stands in a connected account. It takes a call per page
// of the account, one per OIDC provider and one per machine user of the stack:
// never one per role.
//
// Some things are read only for what lies under the stack's path, because
// reading them for all would take a call each: MaxSession and Description of
// roles, Keys of users. Tags of managed policies and instance profiles are not read. The document of
// somebody else's policy is nil if it is none that we understand; within the
// stack that is an error.
func (c *Cloud) Observe(ctx context.Context, accountID, stack string) (estate.Account, error) {
	a, err := c.account(accountID)
	if err != nil {
		return estate.Account{}, err
	}
	o := &observation{account: a, path: estate.PathOf(stack)}
	o.found = estate.Account{ID: a.id, Partition: a.partition}
	if err := inParallel(ctx, o.entities, o.sessions, o.instanceProfiles, o.listProviders, o.quotas); err != nil {
		return estate.Account{}, err
	}
	o.mergeSessions()
	if err := inParallel(ctx, o.accessKeys, o.readProviders); err != nil {
		return estate.Account{}, err
	}
	o.found.Sort()
	return o.found, nil
}

// Snapshot reads the users, groups, roles and policies of the account that the
// credentials are of, as a snapshot has them: by iam:GetAccountAuthorizationDetails,
// a call per page, and nothing else. The document of a policy is nil if it is
// none that we understand.
func Snapshot(ctx context.Context, o Options) (estate.Account, error) {
	o.Accounts = nil
	c, err := Connect(ctx, o)
	if err != nil {
		return estate.Account{}, err
	}
	own := &account{id: c.caller.Account, partition: c.partition, iam: iam.NewFromConfig(c.cfg, patient)}
	read := &observation{account: own, found: estate.Account{ID: own.id, Partition: own.partition, Quotas: estate.DefaultQuotas()}}
	if err := inParallel(ctx, read.entities); err != nil {
		return estate.Account{}, err
	}
	read.found.Sort()
	return read.found, nil
}

// observation is one Observe under way. Each of its readers fills lists of
// its own.
type observation struct {
	*account
	path    string
	found   estate.Account
	details map[string]types.Role // of the stack's roles, by name
}

// inParallel runs readers side by side. The first error ends the others and
// is the one returned.
func inParallel(ctx context.Context, readers ...func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for _, read := range readers {
		wg.Go(func() {
			if err := read(ctx); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return explain(err, "", "reading the account")
	}
	return nil
}

func (o *observation) explain(err error, op string) error {
	return explain(err, "account "+o.id, "iam:"+op)
}

// entities reads users, groups, roles and managed policies.
func (o *observation) entities(ctx context.Context) error {
	pages := iam.NewGetAccountAuthorizationDetailsPaginator(o.iam, &iam.GetAccountAuthorizationDetailsInput{
		Filter: []types.EntityType{
			types.EntityTypeUser, types.EntityTypeRole, types.EntityTypeGroup,
			types.EntityTypeLocalManagedPolicy, types.EntityTypeAWSManagedPolicy,
		},
		MaxItems: sdk.Int32(pageSize),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return o.explain(err, "GetAccountAuthorizationDetails")
		}
		if err := o.addPage(page); err != nil {
			return err
		}
	}
	o.dropUnused()
	return nil
}

// dropUnused keeps, of AWS's own policies, those that the account uses.
func (o *observation) dropUnused() {
	used := map[string]bool{}
	note := func(boundary string, attached []string) {
		used[boundary] = true
		for _, arn := range attached {
			used[arn] = true
		}
	}
	for _, r := range o.found.Roles {
		note(r.Boundary, r.Attached)
	}
	for _, u := range o.found.Users {
		note(u.Boundary, u.Attached)
	}
	for _, g := range o.found.Groups {
		note("", g.Attached)
	}
	o.found.Policies = slices.DeleteFunc(o.found.Policies, func(p estate.ManagedPolicy) bool {
		return p.AWSManaged && !used[p.ARN(&o.found)]
	})
}

func (o *observation) addPage(page *iam.GetAccountAuthorizationDetailsOutput) error {
	r := reader{own: o.path}
	for _, d := range page.RoleDetailList {
		o.found.Roles = append(o.found.Roles, r.role(d))
	}
	for _, d := range page.UserDetailList {
		o.found.Users = append(o.found.Users, r.user(d))
	}
	for _, d := range page.GroupDetailList {
		o.found.Groups = append(o.found.Groups, r.group(d))
	}
	for _, d := range page.Policies {
		o.found.Policies = append(o.found.Policies, r.policy(d))
	}
	return r.errs.Err()
}

// sessions reads what GetAccountAuthorizationDetails leaves out of roles.
func (o *observation) sessions(ctx context.Context) error {
	o.details = map[string]types.Role{}
	pages := iam.NewListRolesPaginator(o.iam, &iam.ListRolesInput{PathPrefix: &o.path, MaxItems: sdk.Int32(pageSize)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return o.explain(err, "ListRoles")
		}
		for _, r := range page.Roles {
			o.details[sdk.ToString(r.RoleName)] = r
		}
	}
	return nil
}

func (o *observation) mergeSessions() {
	for i := range o.found.Roles {
		r := &o.found.Roles[i]
		if d, ok := o.details[r.Name]; ok {
			r.MaxSession = seconds(d.MaxSessionDuration)
			r.Description = sdk.ToString(d.Description)
		}
	}
}

func (o *observation) instanceProfiles(ctx context.Context) error {
	pages := iam.NewListInstanceProfilesPaginator(o.iam, &iam.ListInstanceProfilesInput{MaxItems: sdk.Int32(pageSize)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return o.explain(err, "ListInstanceProfiles")
		}
		for _, p := range page.InstanceProfiles {
			o.found.InstanceProfiles = append(o.found.InstanceProfiles, instanceProfile(p))
		}
	}
	return nil
}

func (o *observation) listProviders(ctx context.Context) error {
	out, err := o.iam.ListOpenIDConnectProviders(ctx, nil)
	if err != nil {
		return o.explain(err, "ListOpenIDConnectProviders")
	}
	for _, p := range out.OpenIDConnectProviderList {
		o.found.Providers = append(o.found.Providers, estate.OIDCProvider{URL: providerURL(sdk.ToString(p.Arn))})
	}
	return nil
}

// readProviders reads all of them, not only those that the stack trusts now: an
// interrupted run may have left one that no role trusts any more. One that is
// listed but cannot be read is going, or so new that not every replica of IAM
// has it: it counts as absent, as what the lists do not show yet.
func (o *observation) readProviders(ctx context.Context) error {
	var standing []estate.OIDCProvider
	for _, p := range o.found.Providers {
		out, err := o.iam.GetOpenIDConnectProvider(ctx, &iam.GetOpenIDConnectProviderInput{
			OpenIDConnectProviderArn: sdk.String(o.found.ProviderARN(p.URL)),
		})
		if hasCode(err, "NoSuchEntity") {
			continue
		}
		if err != nil {
			return o.explain(err, "GetOpenIDConnectProvider")
		}
		p.Audiences = slices.Sorted(slices.Values(out.ClientIDList))
		p.Tags = tagMap(out.Tags)
		standing = append(standing, p)
	}
	o.found.Providers = standing
	return nil
}

func (o *observation) accessKeys(ctx context.Context) error {
	for i := range o.found.Users {
		u := &o.found.Users[i]
		if u.Path != o.path {
			continue
		}
		out, err := o.iam.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: &u.Name})
		if hasCode(err, "NoSuchEntity") { // going, or too new: see readProviders
			continue
		}
		if err != nil {
			return o.explain(err, "ListAccessKeys")
		}
		for _, k := range out.AccessKeyMetadata {
			u.Keys = append(u.Keys, estate.AccessKey{
				ID: sdk.ToString(k.AccessKeyId), Active: k.Status == types.StatusTypeActive, Created: sdk.ToTime(k.CreateDate),
			})
		}
	}
	return nil
}

// quotas reads the account's limits; who may not read them gets AWS's
// defaults, which are the least that any account has.
func (o *observation) quotas(ctx context.Context) error {
	o.found.Quotas = estate.DefaultQuotas()
	out, err := o.iam.GetAccountSummary(ctx, nil)
	if api, ok := errors.AsType[smithy.APIError](err); ok && isDenied(api.ErrorCode()) {
		return nil
	}
	if err != nil {
		return o.explain(err, "GetAccountSummary")
	}
	q := &o.found.Quotas
	for key, field := range map[types.SummaryKeyType]*int{
		"PolicySizeQuota":              &q.ManagedPolicySize,
		"RolePolicySizeQuota":          &q.RoleInlineSize,
		"GroupPolicySizeQuota":         &q.GroupInlineSize,
		"UserPolicySizeQuota":          &q.UserInlineSize,
		"AssumeRolePolicySizeQuota":    &q.TrustPolicySize,
		"AttachedPoliciesPerRoleQuota": &q.AttachedPerRole,
		"RolesQuota":                   &q.Roles,
		"UsersQuota":                   &q.Users,
		"GroupsQuota":                  &q.Groups,
		"PoliciesQuota":                &q.Policies,
		"InstanceProfilesQuota":        &q.InstanceProfiles,
	} {
		if v, ok := out.SummaryMap[string(key)]; ok && v > 0 {
			*field = int(v)
		}
	}
	return nil
}

func seconds(n *int32) time.Duration { return time.Duration(sdk.ToInt32(n)) * time.Second }

func tagMap(tags []types.Tag) map[string]string {
	if len(tags) == 0 {
		return nil
	}
	m := make(map[string]string, len(tags))
	for _, t := range tags {
		m[sdk.ToString(t.Key)] = sdk.ToString(t.Value)
	}
	return m
}

func tagList(m map[string]string) []types.Tag {
	var tags []types.Tag
	for _, k := range slices.Sorted(maps.Keys(m)) {
		tags = append(tags, types.Tag{Key: sdk.String(k), Value: sdk.String(m[k])})
	}
	return tags
}
