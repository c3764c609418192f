package aws

import (
	"errors"
	"net/http"
	"net/url"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	sdkiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/postern-dev/postern/internal/apply"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/plan"
	"github.com/postern-dev/postern/internal/sandbox"
)

var (
	conflict = fails(http.StatusConflict, "DeleteConflict", "Cannot delete entity, must delete other things first.")
	noEntity = fails(http.StatusNotFound, "NoSuchEntity", "cannot be found.")
)

const leftAlone = "Postern did not make that and leaves it alone; if it may go, remove it and run the same command again:\n"

func member(field, value string) string {
	return "<member><" + field + ">" + value + "</" + field + "></member>"
}

// TestDeleteConflict is about what IAM wants gone before a user or a policy.
func TestDeleteConflict(t *testing.T) {
	const (
		userARN   = "arn:aws:iam::222222222222:user/postern/shop/shop-ci"
		policyARN = "arn:aws:iam::222222222222:policy/postern/shop/shop-more"
	)
	user := plan.Change{Account: prod, Entity: userARN, Verb: plan.DeleteUser, Input: plan.Input{UserName: "shop-ci"}}
	policy := plan.Change{Account: prod, Entity: policyARN, Verb: plan.DeletePolicy, Input: plan.Input{PolicyARN: policyARN}}
	entities := func(attached, bounded string) answer {
		return func(_ int, form url.Values) (int, string) {
			if form.Get("PolicyUsageFilter") == "PermissionsBoundary" {
				return ok("ListEntitiesForPolicy", bounded)
			}
			return ok("ListEntitiesForPolicy", attached)
		}
	}
	tests := []struct {
		name    string
		change  plan.Change
		answers map[string]answer
		again   bool // it may pass
		want    fault.Error
	}{
		{
			name: "a user with all that a plan does not see", change: user,
			answers: map[string]answer{
				"GetLoginProfile":                says("GetLoginProfile", "<LoginProfile><UserName>shop-ci</UserName></LoginProfile>"),
				"ListMFADevices":                 says("ListMFADevices", "<MFADevices>"+member("SerialNumber", "arn:aws:iam::222222222222:mfa/$x/ci")+"</MFADevices>"),
				"ListSigningCertificates":        says("ListSigningCertificates", "<Certificates>"+member("CertificateId", "CERT")+"</Certificates>"),
				"ListSSHPublicKeys":              says("ListSSHPublicKeys", "<SSHPublicKeys>"+member("SSHPublicKeyId", "APKA1")+member("SSHPublicKeyId", "APKA2")+"</SSHPublicKeys>"),
				"ListServiceSpecificCredentials": says("ListServiceSpecificCredentials", "<ServiceSpecificCredentials><member><ServiceName>codecommit.amazonaws.com</ServiceName><ServiceSpecificCredentialId>ACCA1</ServiceSpecificCredentialId></member></ServiceSpecificCredentials>"),
			},
			want: fault.Error{
				Where: userARN,
				What: "cannot be deleted: it has a password, it has the MFA device arn:aws:iam::222222222222:mfa/$x/ci, it has the signing certificate CERT, " +
					"it has the SSH public key APKA1, it has the SSH public key APKA2, it has the credential ACCA1 for codecommit.amazonaws.com",
				Hint: leftAlone + `aws iam delete-login-profile --user-name shop-ci
aws iam deactivate-mfa-device --user-name shop-ci --serial-number 'arn:aws:iam::222222222222:mfa/$x/ci'
aws iam delete-signing-certificate --user-name shop-ci --certificate-id CERT
aws iam delete-ssh-public-key --user-name shop-ci --ssh-public-key-id APKA1
aws iam delete-ssh-public-key --user-name shop-ci --ssh-public-key-id APKA2
aws iam delete-service-specific-credential --user-name shop-ci --service-specific-credential-id ACCA1`,
			},
		},
		{
			name: "a user with nothing more", change: user, answers: map[string]answer{"GetLoginProfile": noEntity}, again: true,
			want: fault.Error{
				Where: userARN, What: "iam:DeleteUser: DeleteConflict: Cannot delete entity, must delete other things first.",
				Hint: "AWS is slow to see what was removed, or somebody added to it since the plan: run postern plan again",
			},
		},
		{
			name: "a policy that strangers use", change: policy,
			answers: map[string]answer{
				"ListEntitiesForPolicy": entities(
					"<PolicyRoles>"+member("RoleName", "web")+member("RoleName", "shop-deploy")+member("RoleName", "hidden")+"</PolicyRoles>",
					"<PolicyUsers>"+member("UserName", "bob")+member("UserName", "gone")+"</PolicyUsers>"),
				"GetRole": func(_ int, form url.Values) (int, string) {
					switch name := form.Get("RoleName"); name {
					case "hidden":
						return fail(http.StatusForbidden, "AccessDenied", "no")
					case "shop-deploy":
						return ok("GetRole", "<Role><Arn>"+roleARN+"</Arn></Role>")
					default: // a path that begins like the stack's
						return ok("GetRole", "<Role><Arn>arn:aws:iam::222222222222:role/postern/shop/x/"+name+"</Arn></Role>")
					}
				},
				"GetUser": func(_ int, form url.Values) (int, string) {
					if form.Get("UserName") == "gone" {
						return fail(http.StatusNotFound, "NoSuchEntity", "gone")
					}
					return ok("GetUser", "<User><Arn>arn:aws:iam::222222222222:user/bob</Arn></User>")
				},
			},
			want: fault.Error{
				Where: policyARN,
				What:  "cannot be deleted: it is attached to role web, it is attached to role hidden, it is the permissions boundary of user bob",
				Hint: leftAlone + `aws iam detach-role-policy --role-name web --policy-arn ` + policyARN + `
aws iam detach-role-policy --role-name hidden --policy-arn ` + policyARN + `
aws iam delete-user-permissions-boundary --user-name bob`,
			},
		},
		{
			name: "a policy that the stack has just let go of", change: policy, again: true,
			answers: map[string]answer{
				"ListEntitiesForPolicy": entities("<PolicyRoles>"+member("RoleName", "shop-deploy")+"</PolicyRoles>", ""),
				"GetRole":               says("GetRole", "<Role><Arn>"+roleARN+"</Arn></Role>"),
			},
			want: fault.Error{
				Where: policyARN, What: "iam:DeletePolicy: DeleteConflict: Cannot delete entity, must delete other things first.",
				Hint: "AWS is slow to see what was removed, or somebody added to it since the plan: run postern plan again",
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			answers := map[string]answer{"DeleteUser": conflict, "DeletePolicy": conflict}
			if tt.change.Verb == plan.DeleteUser {
				answers["GetUser"] = says("GetUser", "<User><Arn>"+userARN+"</Arn></User>")
			}
			for action, a := range tt.answers {
				answers[action] = a
			}
			err := startStub(t, answers).connect(t).Change(t.Context(), tt.change)
			equal(t, asFault(t, err), tt.want)
			_, again := errors.AsType[*apply.Retryable](err)
			equal(t, again, tt.again)
		})
	}
}

// TestDeleteConflictOnSandbox removes a machine user that somebody gave an SSH
// key, and a policy that somebody else's group uses.
func TestDeleteConflictOnSandbox(t *testing.T) {
	_, c := startSandbox(t, sandbox.Options{})
	build, takeDown := script(t)
	if _, err := apply.Run(t.Context(), build, c, quick); err != nil {
		t.Fatal(err)
	}
	a := c.accounts[motoAccount]
	key, err := a.iam.UploadSSHPublicKey(t.Context(), &sdkiam.UploadSSHPublicKeyInput{UserName: sdk.String("shop-ci"), SSHPublicKeyBody: sdk.String(
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl")})
	if err != nil {
		t.Fatal(err)
	}
	_, err = apply.Run(t.Context(), takeDown, c, quick)
	if err == nil {
		t.Fatal("the user went, or nobody said that it did not")
	}
	id := sdk.ToString(key.SSHPublicKey.SSHPublicKeyId)
	equal(t, asFault(t, err).What, "cannot be deleted: it has the SSH public key "+id)
	equal(t, asFault(t, err).Hint, leftAlone+"aws iam delete-ssh-public-key --user-name shop-ci --ssh-public-key-id "+id)
}
