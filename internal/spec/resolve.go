package spec

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/catalog"
	"github.com/postern-dev/postern/internal/suggest"
	"github.com/postern-dev/postern/internal/trust"
)

// Bounds and defaults that the spec's documentation names.
const (
	maxIAMName         = 64 // of a role or a user
	defaultRotateEvery = 30 * day
	defaultRotateGrace = day
)

// resolver turns what the files say into a Spec: it follows references and
// checks what needs more than one place to see. It goes on after a mistake;
// what it returns is of use only if there was none.
type resolver struct {
	*report
	raw    rawSpec
	spec   *Spec
	names  struct{ accounts, identities, roles []string } // in source order
	proofs map[string]trust.Identity                      // by the name of the identity; nil: an access key
}

func resolve(raw rawSpec, rep *report) *Spec {
	r := &resolver{report: rep, raw: raw, spec: &Spec{Stack: raw.Stack.V, Region: raw.Region.V}}
	r.names.accounts, r.names.identities, r.names.roles = keys(raw.Accounts), keys(raw.Identities), keys(raw.Roles)
	r.required()
	r.partition()
	r.accounts()
	r.identities()
	r.roles()
	r.guardRails()
	slices.SortFunc(r.spec.Accounts, func(a, b Account) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(r.spec.Identities, func(a, b Identity) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(r.spec.Roles, func(a, b Role) int { return cmp.Compare(a.Name, b.Name) })
	return r.spec
}

// required reports what every spec must say, in whichever file.
func (r *resolver) required() {
	start := Pos{Line: 1, Column: 1}
	if len(r.files) > 0 {
		start.File = r.files[0]
	}
	for _, k := range []struct{ key, hint string }{
		{"stack", "name what this spec creates: stack: shop"},
		{"region", "say where its resources live: region: eu-west-1"},
		{"accounts", `name at least one: accounts: { prod: { id: "123456789012" } }`},
	} {
		_, there := r.raw.keys[k.key]
		if !there && suggest.Nearest(k.key, slices.Collect(maps.Keys(r.raw.keys))) == "" { // else it is misspelt
			r.add(start, fmt.Sprintf("%q is missing", k.key), k.hint)
		}
	}
}

// unsupported are the region prefixes of partitions whose service names and
// endpoints are not known here.
var unsupported = []string{"us-iso", "eu-iso", "eusc-"}

func (r *resolver) partition() {
	region := r.raw.Region.V
	if region == "" {
		return
	}
	for _, prefix := range unsupported {
		if strings.HasPrefix(region, prefix) {
			r.add(r.raw.Region.Pos, fmt.Sprintf("the partition of region %s is not supported", region), "supported are aws, aws-us-gov and aws-cn")
			return
		}
	}
	if what, hint := catalog.CheckRegion(region); what != "" {
		r.add(r.raw.Region.Pos, what, hint)
		return
	}
	r.spec.Partition = iam.LookupPartition(region)
}

// inPartition reports an ARN of another partition. Text that is no ARN at all
// is for others to judge.
func (r *resolver) inPartition(arn item[string]) bool {
	parsed, err := iam.ParseARN(arn.V)
	if err != nil || r.spec.Partition == "" || parsed.Partition == r.spec.Partition {
		return true
	}
	r.add(arn.Pos, fmt.Sprintf("%q is in partition %s, but region %s is in %s", arn.V, parsed.Partition, r.spec.Region, r.spec.Partition),
		"write arn:"+r.spec.Partition+":...")
	return false
}

func (r *resolver) accounts() {
	first := map[string]pair[rawAccount]{}
	for _, p := range r.raw.Accounts {
		id := p.V.ID
		if other, twice := first[id.V]; twice && id.Pos.known() {
			r.add(id.Pos, fmt.Sprintf("account %s is already %q, at %s", id.V, other.Key, other.V.ID.Pos), "use that name")
		} else if id.Pos.known() {
			first[id.V] = p
		}
		r.adminRole(p)
		r.spec.Accounts = append(r.spec.Accounts, Account{Name: p.Key, ID: id.V, AdminRole: p.V.AdminRole.V, Pos: p.KeyPos})
	}
}

func (r *resolver) adminRole(p pair[rawAccount]) {
	role := p.V.AdminRole
	switch {
	case !role.Pos.known():
	case strings.HasPrefix(role.V, "arn:"):
		arn, err := iam.ParseARN(role.V)
		if err != nil || arn.Service != "iam" || !strings.HasPrefix(arn.Resource, "role/") {
			r.add(role.Pos, fmt.Sprintf("%q is not the ARN of a role", role.V), "write the role's name, or arn:aws:iam::ACCOUNT:role/NAME")
			return
		}
		if r.inPartition(role) && p.V.ID.Pos.known() && arn.Account != p.V.ID.V {
			r.add(role.Pos, fmt.Sprintf("admin_role is in account %s, not in %s", arn.Account, p.V.ID.V), "an account is managed by a role of its own")
		}
	case !iamName().MatchString(role.V):
		r.add(role.Pos, fmt.Sprintf("%q is not the name of a role", role.V), "write the role's name or its ARN")
	}
}

// accountOf resolves the account that a role or a machine user names; left out,
// it is the only one. It returns nil if there is none, reported.
func (r *resolver) accountOf(name item[string], p place) *Account {
	if _, written := p.keys["account"]; !written {
		if len(r.spec.Accounts) == 1 {
			return &r.spec.Accounts[0]
		}
		if len(r.spec.Accounts) > 1 {
			r.add(p.Pos, `"account" is missing`, "there are several: "+strings.Join(r.names.accounts, ", "))
		}
		return nil
	}
	i := slices.IndexFunc(r.spec.Accounts, func(a Account) bool { return a.Name == name.V })
	if i >= 0 {
		return &r.spec.Accounts[i]
	}
	if name.Pos.known() {
		r.unknown("account", name, r.names.accounts)
	}
	return nil
}

// maxGuesses bounds the mistakes that get a guess: each one compares a word
// with all names, which is too much for thousands of both.
const maxGuesses = 20

func (r *resolver) unknown(what string, name item[string], known []string) {
	hint := ""
	switch inline := inlineHint(name.V); {
	case what == "identity" && inline != "":
		hint = inline
	case len(known) == 0:
		hint = "none is declared"
	case len(r.problems) < maxGuesses:
		hint = didYouMean(name.V, known)
	}
	r.add(name.Pos, fmt.Sprintf("unknown %s %q", what, name.V), hint)
}

// inlineHint is for what can be trusted without a name: a role or an account of
// AWS, and a service.
func inlineHint(name string) string {
	switch arn, err := iam.ParseARN(name); {
	case err == nil && arn.Service == "iam" && strings.HasPrefix(arn.Resource, "role/"):
		return "write { aws_role: " + name + " }"
	case iam.IsAccountID(name):
		return fmt.Sprintf("write { aws_account: { id: %q, external_id: ... } }", name)
	case len(trust.Service{Name: name}.Check()) == 0:
		return "write { service: " + name + " }"
	}
	return ""
}

func keys[T any](pairs []pair[T]) []string {
	out := make([]string, len(pairs))
	for i, p := range pairs {
		out[i] = p.Key
	}
	return out
}

func (r *resolver) identities() {
	r.proofs = make(map[string]trust.Identity, len(r.raw.Identities))
	for _, p := range r.raw.Identities {
		id := Identity{Name: p.Key, Pos: p.KeyPos}
		if p.V.V.Key != nil {
			id.AccessKey = r.accessKey(*p.V.V.Key)
			r.checkLength(p.KeyPos, "user", p.Key)
		} else if p.V.OK {
			id.Proof = r.checkProof(p.V.V.Proof)
		}
		r.proofs[p.Key] = id.Proof
		r.spec.Identities = append(r.spec.Identities, id)
	}
}

// checkLength reports a name that would be too long in AWS.
func (r *resolver) checkLength(pos Pos, what, name string) {
	full := r.spec.Stack + "-" + name
	if r.spec.Stack != "" && len(full) > maxIAMName {
		r.add(pos, fmt.Sprintf("the %s's name in AWS, %s, has %d characters, more than the %d that IAM allows", what, full, len(full), maxIAMName), "shorten it, or the name of the stack")
	}
}

// checkProof reports what trust finds wrong with an identity, at the key that
// it is about.
func (r *resolver) checkProof(p rawProof) trust.Identity {
	problems := p.Identity.Check()
	if r.spec.Partition != "" {
		problems = trust.CheckIn(trust.Scope{Partition: r.spec.Partition, Region: r.spec.Region}, p.Identity)
	}
	for _, problem := range problems {
		r.add(p.of(problem.Field), problem.Error(), problem.Hint)
	}
	if s, ok := p.Identity.(trust.Service); ok && len(problems) == 0 {
		r.inPartition(item[string]{s.SourceARN, p.of("source_arn")})
	}
	return p.Identity
}

func (r *resolver) accessKey(raw rawKey) *AccessKey {
	k := &AccessKey{Because: raw.Because, RotateEvery: defaultRotateEvery, RotateGrace: defaultRotateGrace}
	if !raw.Pos.known() { // not even a map
		return k
	}
	if a := r.accountOf(raw.Account, raw.place); a != nil {
		k.Account = a.Name
	}
	if raw.Rotate.Every.Pos.known() {
		k.RotateEvery = raw.Rotate.Every.V
	}
	if raw.Rotate.Grace.Pos.known() {
		k.RotateGrace = raw.Rotate.Grace.V
	}
	if k.RotateGrace >= k.RotateEvery {
		r.add(raw.of("rotate"), fmt.Sprintf("grace (%s) must be shorter than every (%s): a user can have two keys only", FormatDuration(k.RotateGrace), FormatDuration(k.RotateEvery)), "")
	}
	for _, s := range raw.Deliver {
		k.Deliver = append(k.Deliver, r.sink(s))
	}
	return k
}

func (r *resolver) sink(raw rawSink) Sink {
	s := Sink{Kind: raw.Kind, Settings: map[string]string{}, Pos: raw.Pos}
	for _, setting := range raw.V {
		if setting.OK && randomLooking(setting.V) {
			r.addSecret(setting.Pos, fmt.Sprintf("%q looks like a secret; a secret never stands in a spec", setting.Key), secretHint)
		}
		s.Settings[setting.Key] = setting.V
	}
	return s
}

// until drops the zone name that time.Parse may have attached, so that equal
// instants are equal values.
func until(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}
