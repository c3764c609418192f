package eval

import "fmt"

// String is the decision in AWS's words.
func (d Decision) String() string {
	switch d {
	case ImplicitDeny:
		return "implicitly denied"
	case ExplicitDeny:
		return "explicitly denied"
	case Allowed:
		return "allowed"
	}
	return fmt.Sprintf("Decision(%d)", uint8(d))
}

// String is the kind in AWS's words, to stand in a sentence.
func (k Kind) String() string {
	switch k {
	case Identity:
		return "identity policy"
	case Boundary:
		return "permissions boundary"
	case Session:
		return "session policy"
	case Resource:
		return "resource policy"
	case Trust:
		return "trust policy"
	case Endpoint:
		return "VPC endpoint policy"
	case SCP:
		return "service control policy"
	case RCP:
		return "resource control policy"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// String is the kind in AWS's words, to stand in a sentence.
func (k PrincipalKind) String() string {
	switch k {
	case Anonymous:
		return "anonymous"
	case Root:
		return "account root user"
	case User:
		return "user"
	case Role:
		return "role"
	case RoleSession:
		return "role session"
	case FederatedUser:
		return "federated user"
	case Service:
		return "service"
	case WebIdentity:
		return "web identity"
	case SAML:
		return "SAML identity"
	}
	return fmt.Sprintf("PrincipalKind(%d)", uint8(k))
}

// String is the outlook as a word.
func (o Outlook) String() string {
	switch o {
	case Never:
		return "never"
	case Depends:
		return "depends"
	case Always:
		return "always"
	}
	return fmt.Sprintf("Outlook(%d)", uint8(o))
}

// String is the outcome as a word.
func (o Outcome) String() string {
	switch o {
	case No:
		return "no"
	case Maybe:
		return "maybe"
	case Yes:
		return "yes"
	}
	return fmt.Sprintf("Outcome(%d)", uint8(o))
}
