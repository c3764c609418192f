package eval

// truth is three-valued: maybe stands for what this package cannot know. An
// Allow statement needs yes; a Deny statement takes maybe too. So doubt denies.
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
