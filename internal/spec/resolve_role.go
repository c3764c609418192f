package spec

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/catalog"
	"github.com/postern-dev/postern/internal/trust"
)

// iamName is what IAM takes as the name of a role, user or policy.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
var iamName = lazily(`^[A-Za-z0-9_+=,.@-]{1,128}$`)

func (r *resolver) roles() {
	for _, p := range r.raw.Roles {
		r.checkLength(p.KeyPos, "role", p.Key)
		r.spec.Roles = append(r.spec.Roles, r.role(p))
	}
}

func (r *resolver) role(p pair[rawRole]) Role {
	raw := p.V
	role := Role{
		Name: p.Key, Description: raw.Description, Session: raw.Session,
		InstanceProfile: raw.InstanceProfile.V, ExternalID: raw.ExternalID, Pos: p.KeyPos,
	}
	if role.Session == 0 {
		role.Session = minSession
	}
	if !raw.Pos.known() { // not even a map
		return role
	}
	account := &Account{}
	if a := r.accountOf(raw.Account, raw.place); a != nil {
		account = a
	}
	role.Account = account.Name
	role.Trust = r.trust(raw, account)
	for _, g := range raw.Grants {
		role.Grants = append(role.Grants, r.grant(g))
	}
	for _, c := range raw.Custom {
		role.Custom = append(role.Custom, r.custom(c))
	}
	role.Boundary = r.boundary(raw.Boundary, account)
	role.Tags = r.tags(raw.Tags)
	return role
}

func (r *resolver) trust(raw rawRole, account *Account) []Trust {
	var out []Trust
	seen := map[string]Pos{}
	ec2, asked := false, false
	for _, t := range raw.Trust {
		proof := t.V.Proof.Identity
		switch {
		case !t.OK: // reported
		case t.Kind == "identity":
			proof = r.trusted(t.V.Name, seen)
		default:
			r.checkProof(t.V.Proof)
		}
		if service, ok := proof.(trust.Service); ok {
			ec2 = ec2 || service.IsEC2()
		}
		if whole, ok := proof.(trust.AWSAccount); ok {
			r.refused(t.Pos, whole.CheckNarrowed(account.ID, raw.ExternalID))
		}
		_, declared := r.proofs[t.V.Name.V]
		asked = asked || !t.OK || t.Kind == "identity" && !declared || trust.TakesExternalID(proof, account.ID)
		out = append(out, Trust{Identity: t.V.Name.V, Proof: t.V.Proof.Identity, Until: t.Rest.Until, Pos: t.Pos})
	}
	if raw.InstanceProfile.V && !ec2 {
		r.add(raw.InstanceProfile.Pos, "an instance profile needs a role that trusts EC2", "add { service: ec2 } to trust")
	}
	if raw.ExternalID == "" {
		return out
	}
	problems := trust.AWSAccount{ID: "000000000000", ExternalID: raw.ExternalID}.Check()
	r.refused(raw.of("external_id"), problems)
	if len(problems) == 0 && !asked && account.ID != "" {
		r.add(raw.of("external_id"), "external_id has no effect: the role trusts no role or account of another account that states none itself", "remove it")
	}
	return out
}

// refused adds what is wrong at one place.
func (r *resolver) refused(pos Pos, list []trust.Problem) {
	for _, problem := range list {
		r.add(pos, problem.Error(), problem.Hint)
	}
}

// trusted follows the name of an identity and returns its proof, if it has one.
func (r *resolver) trusted(name item[string], seen map[string]Pos) trust.Identity {
	if first, twice := seen[name.V]; twice {
		r.add(name.Pos, fmt.Sprintf("identity %q is already trusted at %s", name.V, first), "keep one of them")
	}
	seen[name.V] = name.Pos
	proof, ok := r.proofs[name.V]
	if !ok {
		r.unknown("identity", name, r.names.identities)
	}
	return proof
}

func (r *resolver) grant(raw rawGrant) Grant {
	g := Grant{Name: raw.Kind, Level: raw.V.Level, Args: catalog.Args(raw.V.Params), Until: raw.Rest.Until, Pos: raw.Pos}
	known, ok := catalog.Lookup(raw.Kind)
	if !ok || !raw.OK {
		return g // reported
	}
	problems := known.Check(g.Level, g.Args)
	if r.spec.Partition != "" {
		problems = known.CheckIn(catalog.Scope{Partition: r.spec.Partition, Region: r.spec.Region}, g.Level, g.Args)
	}
	for _, e := range problems {
		r.add(raw.V.of(e.Param), e.Error(), e.Hint)
	}
	return g
}

// boundary returns the ARN of the policy that is named or written.
func (r *resolver) boundary(b item[string], account *Account) string {
	if !b.Pos.known() {
		return ""
	}
	if !strings.HasPrefix(b.V, "arn:") {
		parts := strings.Split(b.V, "/")
		for _, part := range parts {
			if !iamName().MatchString(part) {
				r.add(b.Pos, fmt.Sprintf("%q is not the name of a policy", b.V), "write the name, with its path if it has one, or the ARN")
				break
			}
		}
		return fmt.Sprintf("arn:%s:iam::%s:policy/%s", r.spec.Partition, account.ID, b.V)
	}
	arn, err := iam.ParseARN(b.V)
	switch {
	case err != nil || arn.Service != "iam" || !strings.HasPrefix(arn.Resource, "policy/") || strings.ContainsAny(b.V, "*?$"):
		r.add(b.Pos, fmt.Sprintf("%q is not the ARN of a managed policy", b.V), "write arn:aws:iam::ACCOUNT:policy/NAME, or the name alone")
	case r.inPartition(b) && account.ID != "" && arn.Account != account.ID && arn.Account != "aws":
		r.add(b.Pos, fmt.Sprintf("the boundary is in account %s, but the role is in %s", arn.Account, account.ID), "a boundary must be a policy of the role's own account")
	}
	return b.V
}

// The rules for tags.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
const (
	maxTags     = 49 // of IAM's 50: one says which stack the role belongs to
	maxTagKey   = 128
	maxTagValue = 256
)

var tagText = lazily(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

func (r *resolver) tags(raw settings) map[string]string {
	if len(raw) == 0 {
		return nil
	}
	if len(raw) > maxTags {
		r.add(raw[maxTags].KeyPos, fmt.Sprintf("%d tags are more than the %d that a role can have beside Postern's own", len(raw), maxTags), "")
	}
	tags, folded := map[string]string{}, map[string]Pos{}
	for _, t := range raw {
		if first, twice := folded[strings.ToLower(t.Key)]; twice {
			r.add(t.KeyPos, fmt.Sprintf("tag %q differs only in case from the one at %s, which IAM takes for the same", t.Key, first), "keep one of them")
		}
		folded[strings.ToLower(t.Key)] = t.KeyPos
		r.checkTag(t)
		tags[t.Key] = t.V
	}
	return tags
}

func (r *resolver) checkTag(t pair[string]) {
	lower := strings.ToLower(t.Key)
	switch {
	case strings.HasPrefix(lower, "aws:") || strings.HasPrefix(lower, "postern:"):
		prefix, _, _ := strings.Cut(t.Key, ":")
		r.add(t.KeyPos, fmt.Sprintf("tags that begin with %q are reserved", prefix+":"), "choose another key")
	case t.Key == "" || utf8.RuneCountInString(t.Key) > maxTagKey:
		r.add(t.KeyPos, fmt.Sprintf("a tag's key has 1 to %d characters", maxTagKey), "")
	case utf8.RuneCountInString(t.V) > maxTagValue:
		r.add(t.Pos, fmt.Sprintf("a tag's value has at most %d characters", maxTagValue), "")
	case !tagText().MatchString(t.Key):
		r.add(t.KeyPos, fmt.Sprintf("tag %q has characters that IAM does not take", t.Key), "use letters, digits, spaces and _.:/=+-@")
	case !tagText().MatchString(t.V):
		r.add(t.Pos, fmt.Sprintf("the value of tag %q has characters that IAM does not take", t.Key), "use letters, digits, spaces and _.:/=+-@")
	}
}
