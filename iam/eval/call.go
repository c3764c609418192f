package eval

// Part is what an API call needs of one resource. Layers differ between parts
// where their resources have policies or owners of their own.
type Part struct {
	Layers  *Layers
	Request *Request
}

// Call is one API call over several resources or actions, such as
// ec2:RunInstances, which launches from an image into a subnet, and the
// iam:PassRole that goes with it. AWS makes it only if every part is allowed.
//
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/iam-policies-ec2-console.html
type Call []Part

// Decide is Allowed only if every part is, and ExplicitDeny if any part is. A
// call without parts is denied.
func (c Call) Decide() Decision {
	if len(c) == 0 {
		return ImplicitDeny
	}
	worst := Allowed
	for i := range c {
		switch c[i].Layers.Decide(c[i].Request) {
		case ExplicitDeny:
			return ExplicitDeny
		case ImplicitDeny:
			worst = ImplicitDeny
		}
	}
	return worst
}

// Explain explains each part, in order.
func (c Call) Explain() (Decision, []Explanation) {
	out := make([]Explanation, len(c))
	for i := range c {
		out[i] = c[i].Layers.Explain(c[i].Request)
	}
	return c.Decide(), out
}
