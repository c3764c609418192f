// Package wire knows how calls of AWS services look on the wire, as data: which
// protocol a service speaks, which operation needs which IAM action, and where
// the request carries the resource. The same table reads a request (the
// sandbox) and writes one (the proof that a role works). It judges nothing and
// opens no connection.
package wire

// Protocol is the encoding of a service's requests and responses.
//
// https://smithy.io/2.0/aws/protocols/index.html
type Protocol uint8

// The protocols in the table.
const (
	Query  Protocol = iota // form-encoded request, XML response: iam, sts, autoscaling
	EC2                    // the EC2 dialect of Query
	JSON                   // X-Amz-Target header, JSON bodies: ecr, ecs, dynamodb
	RESTS3                 // S3: verb and path
)

// Request is an AWS call, parsed or to be sent.
type Request struct {
	Service string // the signing name: "ecr"
	Method  string
	Path    string // escaped, as it stands in the request line; begins with "/"
	Query   string // without "?"
	Target  string // X-Amz-Target
	Type    string // Content-Type
	Body    []byte
}

// Call is a request in IAM's words.
type Call struct {
	Action   string              // "ecr:DescribeImages"
	Resource string              // an ARN, or "*" for actions without resource
	Context  map[string][]string // condition keys that the request itself carries; nil: none
}

// Scope is what a request's ARNs leave to the place that it is sent to.
type Scope struct {
	Partition string // aws, aws-us-gov, aws-cn
	Region    string
	Account   string // 12 digits
}

// ProtocolOf returns the protocol of a service by its signing name, and false
// for one that is not in the table.
func ProtocolOf(service string) (Protocol, bool) {
	s, ok := serviceNamed(service)
	return s.protocol, ok
}

// Build writes the request that asks for an IAM action on a resource, with the
// other fields that the operation demands filled with harmless values. It
// returns false if the table lacks the action, if the ARN is not of the
// action's resource type, or if it lies in another region than region (empty:
// any).
func Build(action, resourceARN, region string) (Request, bool) {
	return BuildCall(Call{Action: action, Resource: resourceARN}, region)
}

// BuildCall is Build with condition keys: a key that the operation carries,
// such as s3:prefix, goes into the request; others are ignored, because the
// caller does not choose them.
func BuildCall(c Call, region string) (Request, bool) {
	s, op, ok := operationFor(c.Action)
	if !ok {
		return Request{}, false
	}
	fields, ok := match(op.resource, c.Resource)
	if c.Resource == "*" && !ok { // an action whose resource the caller may leave open
		fields, ok = map[string]string{}, true
	}
	if !ok || region != "" && fields["region"] != "" && fields["region"] != region {
		return Request{}, false
	}
	for key, template := range op.context {
		for _, v := range c.Context[key] {
			more, ok := match(template, v)
			if !ok {
				return Request{}, false
			}
			addMissing(fields, more)
		}
	}
	for _, name := range []string{"partition", "region", "account", "_"} {
		delete(fields, name)
	}
	if op.given != nil {
		for name, v := range fields {
			fields[name] = op.given(v)
		}
	}
	addMissing(fields, op.fill)
	r, ok := s.write(op, fields)
	if !ok {
		return Request{}, false
	}
	if _, names := Read(r, Scope{Partition: "aws", Region: "us-east-1", Account: "000000000000"}); !names {
		return Request{}, false
	}
	return r, true
}

func addMissing(into, from map[string]string) {
	for k, v := range from {
		if _, taken := into[k]; !taken {
			into[k] = v
		}
	}
}

// Read says which action on which resource a request asks for. It returns
// false for an operation that the table lacks and for a request without the
// field that names its resource.
func Read(r Request, at Scope) (Call, bool) {
	s, ok := serviceNamed(r.Service)
	if !ok {
		return Call{}, false
	}
	op, fields, ok := s.read(r)
	if !ok {
		return Call{}, false
	}
	resource, ok := expand(op.resource, op, fields, at)
	if !ok {
		return Call{}, false
	}
	c := Call{Action: s.name + ":" + op.action, Resource: resource}
	for key, template := range op.context {
		if v, ok := expand(template, op, fields, at); ok {
			if c.Context == nil {
				c.Context = map[string][]string{}
			}
			c.Context[key] = []string{v}
		}
	}
	return c, true
}

// Reply is a valid answer to a request that Read understands: empty lists, or
// the least that its clients accept.
func Reply(r Request, requestID string) (contentType string, body []byte, ok bool) {
	s, ok := serviceNamed(r.Service)
	if !ok {
		return "", nil, false
	}
	op, _, ok := s.read(r)
	if !ok {
		return "", nil, false
	}
	contentType, body = s.reply(op, requestID)
	return contentType, body, true
}
