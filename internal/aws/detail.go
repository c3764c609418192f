package aws

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/estate"
	"github.com/postern-dev/postern/internal/fault"
)

// reader turns the SDK's details into estate values and collects what it
// cannot read of the stack's own.
type reader struct {
	own  string // the stack's path; empty: nothing is the stack's
	errs fault.List
}

func (r *reader) role(d types.RoleDetail) estate.Role {
	at := entity{arn: sdk.ToString(d.Arn), path: sdk.ToString(d.Path)}
	return estate.Role{
		Name:     sdk.ToString(d.RoleName),
		Path:     at.path,
		Trust:    r.document(at, "trust policy", d.AssumeRolePolicyDocument),
		Inline:   r.inline(at, d.RolePolicyList),
		Attached: attached(d.AttachedManagedPolicies),
		Boundary: boundary(d.PermissionsBoundary),
		Tags:     tagMap(d.Tags),
	}
}

func (r *reader) user(d types.UserDetail) estate.User {
	at := entity{arn: sdk.ToString(d.Arn), path: sdk.ToString(d.Path)}
	return estate.User{
		Name:     sdk.ToString(d.UserName),
		Path:     at.path,
		Groups:   slices.Sorted(slices.Values(d.GroupList)),
		Inline:   r.inline(at, d.UserPolicyList),
		Attached: attached(d.AttachedManagedPolicies),
		Boundary: boundary(d.PermissionsBoundary),
		Tags:     tagMap(d.Tags),
	}
}

func (r *reader) group(d types.GroupDetail) estate.Group {
	at := entity{arn: sdk.ToString(d.Arn), path: sdk.ToString(d.Path)}
	return estate.Group{
		Name:     sdk.ToString(d.GroupName),
		Path:     at.path,
		Inline:   r.inline(at, d.GroupPolicyList),
		Attached: attached(d.AttachedManagedPolicies),
	}
}

func (r *reader) policy(d types.ManagedPolicyDetail) estate.ManagedPolicy {
	at := entity{arn: sdk.ToString(d.Arn), path: sdk.ToString(d.Path)}
	_, name := splitLast(at.arn) // moto leaves PolicyName out
	p := estate.ManagedPolicy{Name: name, Path: at.path, AWSManaged: strings.Contains(at.arn, ":iam::aws:policy/")}
	for _, v := range d.PolicyVersionList {
		if sdk.ToString(v.VersionId) == sdk.ToString(d.DefaultVersionId) {
			p.Document = r.document(at, "version "+sdk.ToString(v.VersionId), v.Document)
		} else if !p.AWSManaged {
			p.Versions = append(p.Versions, sdk.ToString(v.VersionId))
		}
	}
	// v9 before v10: the oldest first.
	slices.SortFunc(p.Versions, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	return p
}

func instanceProfile(p types.InstanceProfile) estate.InstanceProfile {
	out := estate.InstanceProfile{Name: sdk.ToString(p.InstanceProfileName), Path: sdk.ToString(p.Path)}
	if len(p.Roles) > 0 { // one at most
		out.Role = sdk.ToString(p.Roles[0].RoleName)
	}
	return out
}

func (r *reader) inline(at entity, list []types.PolicyDetail) []estate.InlinePolicy {
	var out []estate.InlinePolicy
	for _, p := range list {
		name := sdk.ToString(p.PolicyName)
		out = append(out, estate.InlinePolicy{Name: name, Document: r.document(at, "policy "+name, p.PolicyDocument)})
	}
	slices.SortFunc(out, func(a, b estate.InlinePolicy) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// entity is whose document is being read.
type entity struct{ arn, path string }

// document parses a policy of an entity. One that we do not understand is nil
// if it is somebody else's, so that it cannot stop the plan of the stack.
func (r *reader) document(at entity, what string, text *string) *iam.Document {
	doc, err := parseDocument(sdk.ToString(text))
	if err == nil {
		return doc
	}
	if r.own != "" && at.path == r.own {
		r.errs = append(r.errs, &fault.Error{
			Where: at.arn, What: "read " + what, Cause: err,
			Hint: "delete or correct it in AWS, then run postern plan again",
		})
	}
	return nil
}

// parseDocument reads a policy as IAM sends it: percent-encoded (RFC 3986,
// where "+" is itself). Some emulators send it plain.
func parseDocument(text string) (*iam.Document, error) {
	if !strings.HasPrefix(strings.TrimSpace(text), "{") {
		plain, err := url.PathUnescape(text)
		if err != nil {
			return nil, err
		}
		text = plain
	}
	return iam.Parse([]byte(text))
}

func attached(list []types.AttachedPolicy) []string {
	var out []string
	for _, p := range list {
		out = append(out, sdk.ToString(p.PolicyArn))
	}
	slices.Sort(out)
	return out
}

func boundary(b *types.AttachedPermissionsBoundary) string {
	if b == nil {
		return ""
	}
	return sdk.ToString(b.PermissionsBoundaryArn)
}

// providerURL is the issuer, without "https://", in an OIDC provider's ARN;
// empty if the ARN is of another kind.
func providerURL(arn string) string {
	_, u, _ := strings.Cut(arn, ":oidc-provider/")
	return u
}
