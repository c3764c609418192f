package eval

// truth is three-valued: maybe stands for what this package cannot know. An
// Allow statement needs yes; a Deny statement takes maybe too. So doubt denies.
//
// These are in doubt, because AWS's pages leave them open or contradict each
// other, or because a request does not carry what is asked:
//
//   - a statement that Compile reports;
//   - several values of a key, or rival tags, without a set operator, unless all give
//     the same answer; and a variable with such a key;
//   - a variable without value where a match keeps out: NotResource, StringNotLike;
//   - ForAnyValue:…IfExists on an absent key;
//   - a number, date, address or base64 of the request that is none;
//   - an ARN pattern of fewer than six parts, if it matches as plain text;
//   - a Deny on a canonical user id, for principals of AWS accounts, and one on
//     {"AWS": "*"}, for web and SAML identities.
//
// The order makes "and" the minimum and "or" the maximum.
type truth uint8

const (
	no truth = iota
	maybe
	yes
)

func (t truth) not() truth { return yes - t }

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// agree is the answer common to both, or doubt.
func agree(a, b truth) truth {
	if a == b {
		return a
	}
	return maybe
}
