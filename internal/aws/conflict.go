package aws

import (
	"context"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/plan"
)

// obstacle is what IAM wants gone before an entity, in a noun phrase, and the
// arguments of the AWS CLI's command that removes it.
type obstacle struct {
	what    string
	command []string
}

// blocked says what keeps a user or a policy from being deleted, if it is
// something that no plan removes: repeating the call would only lose time. Any
// other conflict passes or shows in the next plan, and is returned as it is.
// What may not be read is left out: AWS's own words remain.
func (a *account) blocked(ctx context.Context, ch plan.Change, cause error) error {
	var found []obstacle
	switch ch.Verb {
	case plan.DeleteUser:
		found = a.possessions(ctx, ch.Input.UserName)
	case plan.DeletePolicy:
		found = a.strangers(ctx, ch.Entity)
	default:
	}
	if len(found) == 0 {
		return cause
	}
	var what, commands []string
	for _, o := range found {
		what = append(what, o.what)
		commands = append(commands, "aws iam "+shellWords(o.command))
	}
	return &fault.Error{
		Where: ch.Entity,
		What:  "cannot be deleted: " + strings.Join(what, ", "),
		Hint:  "Postern did not make that and leaves it alone; if it may go, remove it and run the same command again:\n" + strings.Join(commands, "\n"),
	}
}

// possessions are what a user may have besides the policies, groups and access
// keys that a plan sees.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html
func (a *account) possessions(ctx context.Context, user string) []obstacle {
	var out []obstacle
	add := func(what, command string, id ...string) {
		out = append(out, obstacle{what, append([]string{command, "--user-name", user}, id...)})
	}
	if _, err := a.iam.GetLoginProfile(ctx, &iam.GetLoginProfileInput{UserName: &user}); err == nil {
		add("it has a password", "delete-login-profile")
	}
	if l, err := a.iam.ListMFADevices(ctx, &iam.ListMFADevicesInput{UserName: &user}); err == nil {
		for _, d := range l.MFADevices {
			id := sdk.ToString(d.SerialNumber)
			add("it has the MFA device "+id, "deactivate-mfa-device", "--serial-number", id)
		}
	}
	if l, err := a.iam.ListSigningCertificates(ctx, &iam.ListSigningCertificatesInput{UserName: &user}); err == nil {
		for _, c := range l.Certificates {
			id := sdk.ToString(c.CertificateId)
			add("it has the signing certificate "+id, "delete-signing-certificate", "--certificate-id", id)
		}
	}
	if l, err := a.iam.ListSSHPublicKeys(ctx, &iam.ListSSHPublicKeysInput{UserName: &user}); err == nil {
		for _, k := range l.SSHPublicKeys {
			id := sdk.ToString(k.SSHPublicKeyId)
			add("it has the SSH public key "+id, "delete-ssh-public-key", "--ssh-public-key-id", id)
		}
	}
	if l, err := a.iam.ListServiceSpecificCredentials(ctx, &iam.ListServiceSpecificCredentialsInput{UserName: &user}); err == nil {
		for _, c := range l.ServiceSpecificCredentials {
			id := sdk.ToString(c.ServiceSpecificCredentialId)
			add("it has the credential "+id+" for "+sdk.ToString(c.ServiceName), "delete-service-specific-credential", "--service-specific-credential-id", id)
		}
	}
	return out
}

// strangers are the roles, users and groups outside the stack that use one of
// its policies.
func (a *account) strangers(ctx context.Context, policyARN string) []obstacle {
	s := strangers{account: a, policy: policyARN}
	_, resource, _ := strings.Cut(policyARN, ":policy")
	s.own, _ = splitLast(resource)
	s.list(ctx, types.PolicyUsageTypePermissionsPolicy)
	s.list(ctx, types.PolicyUsageTypePermissionsBoundary)
	return s.found
}

type strangers struct {
	*account
	policy string // ARN
	own    string // the stack's path
	found  []obstacle
}

func (s *strangers) list(ctx context.Context, usage types.PolicyUsageType) {
	pages := iam.NewListEntitiesForPolicyPaginator(s.iam, &iam.ListEntitiesForPolicyInput{PolicyArn: &s.policy, PolicyUsageFilter: usage})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return
		}
		for _, r := range page.PolicyRoles {
			s.note(ctx, usage, "role", sdk.ToString(r.RoleName), s.lookupRole)
		}
		for _, u := range page.PolicyUsers {
			s.note(ctx, usage, "user", sdk.ToString(u.UserName), s.lookupUser)
		}
		for _, g := range page.PolicyGroups {
			s.note(ctx, usage, "group", sdk.ToString(g.GroupName), s.lookupGroup)
		}
	}
}

// note keeps a holder of the policy unless it is gone or the stack's own: those
// let go of it by the plan. One that we may not even look at is not ours.
func (s *strangers) note(ctx context.Context, usage types.PolicyUsageType, kind, name string, lookup func(context.Context, string) (standing, error)) {
	have, err := lookup(ctx, name)
	if hasCode(err, "NoSuchEntity") {
		return
	}
	if _, rest, ok := strings.Cut(have.arn, ":"+kind); err == nil && ok {
		if path, _ := splitLast(rest); path == s.own {
			return
		}
	}
	if usage == types.PolicyUsageTypePermissionsBoundary {
		s.found = append(s.found, obstacle{
			"it is the permissions boundary of " + kind + " " + name,
			[]string{"delete-" + kind + "-permissions-boundary", "--" + kind + "-name", name},
		})
		return
	}
	s.found = append(s.found, obstacle{
		"it is attached to " + kind + " " + name,
		[]string{"detach-" + kind + "-policy", "--" + kind + "-name", name, "--policy-arn", s.policy},
	})
}

// shellWords writes arguments as a POSIX shell reads them.
func shellWords(args []string) string {
	var b strings.Builder
	for i, arg := range args {
		if i > 0 {
			b.WriteByte(' ')
		}
		if strings.Trim(arg, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@+=,") != "" {
			arg = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
		b.WriteString(arg)
	}
	return b.String()
}
