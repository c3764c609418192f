package aws

import "testing"

func TestParseDenied(t *testing.T) {
	const (
		user = "arn:aws:iam::123456789012:user/alice"
		role = "arn:aws:iam::123456789012:role/postern/shop/deploy"
	)
	tests := []struct {
		name    string
		message string
		want    Denied
		hint    string
	}{
		{
			name:    "no policy allows it",
			message: "User: " + user + " is not authorized to perform: iam:CreateRole on resource: " + role + " because no identity-based policy allows the iam:CreateRole action",
			want:    Denied{user, "iam:CreateRole", role, "because no identity-based policy allows the iam:CreateRole action"},
			hint:    `grant it: {"Effect":"Allow","Action":"iam:CreateRole","Resource":"` + role + `"}`,
		},
		{
			name: "explicit deny, with the policy's ARN",
			message: "User: " + user + " is not authorized to perform: iam:ListRoles on resource: arn:aws:iam::123456789012:role/* " +
				"with an explicit deny in a service control policy: arn:aws:organizations::987654321098:policy/o-x/service_control_policy/p-y",
			want: Denied{
				user, "iam:ListRoles", "arn:aws:iam::123456789012:role/*",
				"with an explicit deny in a service control policy: arn:aws:organizations::987654321098:policy/o-x/service_control_policy/p-y",
			},
			hint: "a Deny wins over every Allow: narrow it where it stands (with an explicit deny in a service control policy: " +
				"arn:aws:organizations::987654321098:policy/o-x/service_control_policy/p-y)",
		},
		{
			name:    "a boundary does not allow it",
			message: "User: " + user + " is not authorized to perform: iam:CreateRole on resource: " + role + " because no permissions boundary allows the iam:CreateRole action",
			want:    Denied{user, "iam:CreateRole", role, "because no permissions boundary allows the iam:CreateRole action"},
			hint:    `the permissions boundary must allow it too: {"Effect":"Allow","Action":"iam:CreateRole","Resource":"` + role + `"}`,
		},
		{
			name:    "S3 puts the resource in quotes",
			message: `User: ` + user + ` is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/k" because no identity-based policy allows the s3:GetObject action`,
			want:    Denied{user, "s3:GetObject", "arn:aws:s3:::b/k", "because no identity-based policy allows the s3:GetObject action"},
			hint:    `grant it: {"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/k"}`,
		},
		{
			name: "EC2 wraps it",
			message: "You are not authorized to perform this operation. User: " + user + " is not authorized to perform: ec2:RunInstances on resource: " +
				"arn:aws:ec2:eu-west-1:123456789012:instance/* because no identity-based policy allows the ec2:RunInstances action. Encoded authorization failure message: AbC",
			want: Denied{user, "ec2:RunInstances", "arn:aws:ec2:eu-west-1:123456789012:instance/*", "because no identity-based policy allows the ec2:RunInstances action"},
			hint: `grant it: {"Effect":"Allow","Action":"ec2:RunInstances","Resource":"arn:aws:ec2:eu-west-1:123456789012:instance/*"}`,
		},
		{
			name:    "a resource that is no ARN",
			message: "User: " + user + " is not authorized to perform: iam:GetUser on resource: user bob",
			want:    Denied{user, "iam:GetUser", role, ""},
			hint:    `grant it: {"Effect":"Allow","Action":"iam:GetUser","Resource":"` + role + `"}`,
		},
		{
			name:    "no resource",
			message: "User: " + user + " is not authorized to perform: sts:GetFederationToken",
			want:    Denied{user, "sts:GetFederationToken", role, ""},
			hint:    `grant it: {"Effect":"Allow","Action":"sts:GetFederationToken","Resource":"` + role + `"}`,
		},
		{
			name:    "web identity",
			message: "Not authorized to perform sts:AssumeRoleWithWebIdentity",
			want:    Denied{"", "sts:AssumeRoleWithWebIdentity", role, ""},
			hint:    "the role must exist and its trust policy accept the token: compare issuer, audience and subject with its conditions",
		},
		{
			name:    "nothing said",
			message: "Access Denied",
			want:    Denied{"", "iam:Op", role, ""},
			hint:    `grant it: {"Effect":"Allow","Action":"iam:Op","Resource":"` + role + `"}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := parseDenied(tt.message, "iam:Op", role)
			equal(t, *got, tt.want)
			equal(t, got.hint(), tt.hint)
		})
	}
}

func TestDeniedError(t *testing.T) {
	d := parseDenied("Access Denied", "iam:Op", "account 1")
	equal(t, d.Error(), "the caller may not iam:Op on *")
}
