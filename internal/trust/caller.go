package trust

import (
	"fmt"
	"slices"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

// Caller is somebody who asks for a role, as STS sees the request.
type Caller struct {
	Principal eval.Principal
	Actions   []string            // what the trust policy must allow: "sts:AssumeRole", and "sts:TagSession" if it passes tags
	Keys      map[string][]string // condition keys, beside those that tell the principal
	Claims    Claims              // of its token; nil if none proves it
}

// Attack is somebody who must not become the role, though they could come close.
type Attack struct {
	Name string // short, for a table: "another repository"
	Why  string // who can ask so, and what would let it in
	Caller
}

// Known is what an identity fixes of its requests: one set of condition keys for
// each form that they may have. A value may hold "*", which stands for any number
// of the characters of Wild; empty: of any. Keys that are not named are the
// caller's to choose.
type Known struct {
	Forms []map[string]string
	Wild  string
}

// KnownOf returns what an identity fixes of its requests to roles in s. Of most
// it is nothing: one form without keys.
func KnownOf(id Identity, s Scope) Known {
	if tokens, ok := TokensOf(id, s); ok {
		return tokens.Known
	}
	if serves, ok := id.(interface{ known() Known }); ok {
		return serves.known()
	}
	return Known{Forms: []map[string]string{{}}}
}

// Open returns what an identity leaves open by what it says, or by what its
// issuer lets AWS ask for: who else passes or might some day, and what to add.
func Open(id Identity) []string {
	if opens, ok := id.(interface{ open() []string }); ok {
		return opens.open()
	}
	return nil
}

// facts are the sentences that are true.
func facts(of ...fact) []string {
	var out []string
	for _, f := range of {
		if f.holds {
			out = append(out, f.text)
		}
	}
	return out
}

type fact struct {
	holds bool
	text  string
}

// Admits reports whether the trust policy of a role, named by its ARN, lets the
// caller in whose own policies allow it everything. What cannot be judged admits.
func Admits(doc *iam.Document, role string, c Caller) bool {
	policy, err := eval.Compile("trust", eval.Trust, doc)
	if err != nil {
		return true
	}
	layers := eval.Layers{Resource: policy}
	switch c.Principal.Kind {
	case eval.WebIdentity, eval.Service, eval.SAML, eval.Anonymous:
	default:
		layers.Identity = []*eval.Policy{everything()}
	}
	keys := eval.PrincipalContext(c.Principal)
	for key, values := range c.Keys {
		keys[key] = values
	}
	return !slices.ContainsFunc(c.Actions, func(action string) bool {
		return layers.Decide(&eval.Request{
			Principal: c.Principal, Action: action, Resource: role, ResourceAccount: accountOf(role), Context: eval.NewContext(keys),
		}) != eval.Allowed
	})
}

// everything is a policy that allows all.
func everything() *eval.Policy {
	policy, err := eval.Compile("everything", eval.Identity, &iam.Document{
		Version:    iam.Version2012,
		Statements: []iam.Statement{{Effect: iam.Allow, Actions: []string{"*"}, Resources: []string{"*"}}},
	})
	if err != nil { // it is what it is
		panic(fmt.Sprintf("compile a constant policy: %v", err))
	}
	return policy
}
