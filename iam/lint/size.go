package lint

import "unicode/utf8"

var sizeChecks = []*check{
	{code: "POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA", severity: Warning, types: []Type{Identity, Boundary}, run: identitySize},
	{code: "POLICY_SIZE_EXCEEDS_RESOURCE_POLICY_QUOTA", severity: Warning, types: []Type{Resource}, run: resourceSize},
	{code: "POLICY_SIZE_EXCEEDS_ROLE_TRUST_POLICY_QUOTA", severity: Warning, types: []Type{Trust}, run: trustSize},
	{code: "POLICY_SIZE_EXCEEDS_SCP_QUOTA", severity: Error, types: []Type{SCP}, run: scpSize},
	{code: "POLICY_SIZE_EXCEEDS_RCP_QUOTA", severity: Error, types: []Type{RCP}, run: rcpSize},
}

// characters counts as IAM does: no white space, be it inside strings or outside.
func characters(src []byte) int {
	n := 0
	for _, r := range string(src) {
		if r != ' ' && r != '\t' && r != '\r' && r != '\n' {
			n++
		}
	}
	return n
}

// compare reports a size above its quota, or above otherwise if the settings
// have none.
func (p *pass) compare(size, quota, otherwise int, unit, hint string) {
	if quota == 0 {
		quota = otherwise
	}
	if quota > 0 && size > quota {
		p.report(p.root, "the policy has %d %s, %d more than the quota of %d", size, unit, size-quota, quota).hint("%s", hint)
	}
}

const noSpace = "characters without white space"

func identitySize(p *pass) {
	p.compare(characters(p.src), p.settings.IdentitySize, 6144, noSpace, "split it: a role takes up to 10 managed policies, and 10,240 characters inline in sum")
}

func trustSize(p *pass) {
	p.compare(characters(p.src), p.settings.TrustSize, 2048, noSpace, "AWS raises the quota to 8,192 on request")
}

func resourceSize(p *pass) {
	p.compare(len(p.src), p.settings.ResourceSize, 20480, "bytes", "services have quotas of their own; 20,480 is that of a bucket policy")
}

func scpSize(p *pass) {
	p.compare(utf8.RuneCount(p.src), p.settings.SCPSize, 5120, "characters", "white space counts: take it out, or split the policy")
}

func rcpSize(p *pass) {
	p.compare(utf8.RuneCount(p.src), p.settings.RCPSize, 5120, "characters", "white space counts: take it out, or split the policy")
}
