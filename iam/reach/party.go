package reach

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
)

// Everyone is the party of statements that are for everyone.
const Everyone = "*"

// parties are all whom the policy of a resource lets in, as it names them,
// sorted. Accounts are named by their root user.
func parties(doc *iam.Document) []string {
	var out []string
	for _, s := range doc.Statements {
		switch {
		case s.Effect != iam.Allow:
		case s.Principal != nil:
			out = append(out, partiesOf(s.Principal)...)
		case s.NotPrincipal != nil:
			out = append(out, Everyone)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func partiesOf(p *iam.Principal) []string {
	if p.Everyone {
		return []string{Everyone}
	}
	out := slices.Concat(p.Service, p.Federated, p.CanonicalUser)
	for _, name := range p.AWS {
		if iam.IsAccountID(name) {
			name = "arn:aws:iam::" + name + ":root"
		}
		out = append(out, name)
	}
	return out
}

// granted is what a policy of a resource surely or possibly allows a party, as a
// policy of the party's own. Surely: what it allows everyone and the party's
// account counts, and so does each denial that might mean the party. Possibly:
// only what names the party counts, and each denial that surely means it. With
// it come the places of its statements in the policy.
func granted(doc *iam.Document, party string, surely bool) (out *iam.Document, places []int) {
	out = &iam.Document{Version: doc.Version}
	for i, s := range doc.Statements {
		var means bool
		switch {
		case s.Effect == iam.Allow && !surely:
			means = s.Principal == nil && s.NotPrincipal != nil && party == Everyone ||
				s.Principal != nil && slices.Contains(partiesOf(s.Principal), party)
		case s.Effect == iam.Allow:
			means = s.Principal != nil && includes(partiesOf(s.Principal), party)
		case surely:
			means = mightMean(&s, party)
		default:
			means = s.Principal != nil && includes(partiesOf(s.Principal), party)
		}
		if !means {
			continue
		}
		out.Statements = append(out.Statements, alone(s))
		places = append(places, i)
	}
	return out, places
}

// includes reports whether the parties surely include one. Whether everyone of
// AWS includes who comes with a token, AWS does not say.
func includes(parties []string, party string) bool {
	p, err := eval.ParsePrincipal(party)
	token := err == nil && (p.Kind == eval.WebIdentity || p.Kind == eval.SAML)
	return slices.ContainsFunc(parties, func(have string) bool {
		return have == party || !token && (have == Everyone || isAccountOf(have, party))
	})
}

// isAccountOf tells the root user of an account, who stands for the account,
// from other principals of it.
func isAccountOf(root, party string) bool {
	account, err := eval.ParsePrincipal(root)
	if err != nil || account.Kind != eval.Root {
		return false
	}
	p, err := eval.ParsePrincipal(party)
	return err == nil && p.Account == account.Account && p.Kind != eval.WebIdentity && p.Kind != eval.SAML
}

// mightMean reports whether a denial might be meant for the party, or for some
// whom it stands for.
func mightMean(s *iam.Statement, party string) bool {
	if s.Principal == nil {
		return s.NotPrincipal != nil
	}
	parties := partiesOf(s.Principal)
	return includes(parties, party) || party == Everyone || slices.ContainsFunc(parties, func(have string) bool {
		return isAccountOf(party, have) || strings.Contains(party, ":role/") && strings.Contains(have, ":assumed-role/")
	})
}

// Grants lists whom a policy might allow some of the question: the parties
// that a resource's policy names, by name, or, for an identity policy, one without a
// name. The ARN of each answer's Principal is the party's name in the policy.
func Grants(policy Policy, q Question) []Answer {
	names := parties(policy.Document)
	if len(names) == 0 && !slices.ContainsFunc(policy.Document.Statements, hasPrincipal) {
		return grants("", policy, nil, q)
	}
	var out []Answer
	for _, party := range names {
		doc, places := granted(policy.Document, party, false)
		out = append(out, grants(party, Policy{policy.Name, doc}, places, q)...)
	}
	return out
}

func grants(party string, policy Policy, places []int, q Question) []Answer {
	p := Principal{Identity: []Policy{policy}}
	a := Answer{Principal: eval.Principal{ARN: party}, Extent: p.Extent(q)}
	for f := range p.Findings(q) {
		if places != nil {
			f.Index = places[f.Index]
		}
		a.Via = append(a.Via, f)
	}
	if a.Extent == Never {
		return nil
	}
	if places != nil { // other statements may deny, whom they mean is open
		a.Extent = Sometimes
	}
	return []Answer{a}
}
