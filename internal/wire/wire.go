// Package wire knows how calls of AWS services look on the wire, as data: which
// protocol a service speaks, which operation needs which IAM action, and where
// the request carries the resource. The same table reads a request (the
// sandbox) and writes one (the proof that a role works). It judges nothing and
// opens no connection.
package wire

import (
	"net/http"
	"slices"
	"strings"
)

// Protocol is the encoding of a service's requests and responses.
//
// https://smithy.io/2.0/aws/protocols/index.html
type Protocol uint8

// The protocols in the table.
const (
	Query    Protocol = iota // form-encoded request, XML response: iam, sts, autoscaling
	EC2                      // the EC2 dialect of Query
	JSON                     // X-Amz-Target header, JSON bodies: ecr, ecs, dynamodb
	RESTS3                   // S3: verb and path
	RESTJSON                 // verb, path and JSON bodies: lambda, eks
	RESTXML                  // verb, path and XML bodies: cloudfront, route53
)

// Request is an AWS call, parsed or to be sent.
type Request struct {
	Service string // the signing name: "ecr"
	Method  string
	Path    string      // escaped, as it stands in the request line; begins with "/"
	Query   string      // without "?"
	Target  string      // X-Amz-Target
	Type    string      // Content-Type
	Header  http.Header // the x-amz- headers; may be nil for services other than S3
	Body    []byte      // without the frames of a streamed body
}

// Call is a request in IAM's words.
type Call struct {
	Action   string              // "ecr:DescribeImages"
	Resource string              // an ARN, or "*" for actions without resource
	Context  map[string][]string // condition keys that the request itself carries; nil: none
	Free     bool                // AWS lets whoever signs make it, whatever the policies say
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

// NamespaceOf returns the XML namespace of a service's answers, empty for one
// that has none.
func NamespaceOf(service string) string {
	s, _ := serviceNamed(service)
	return s.namespace
}

// BuildCall writes the request that asks for an IAM action on a resource, with
// the other fields that the operation demands filled with harmless values. A
// condition key that the operation carries, such as s3:prefix, goes into the
// request; others are ignored, because the caller does not choose them. It
// returns false if the table lacks the action, if the ARN is not of the
// action's resource type, or if it lies in another region than region (empty:
// any).
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
	fields = s.first(fields)
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

// first replaces the star of a list's field by the index of its first element.
func (s service) first(fields map[string]string) map[string]string {
	index := ".0"
	if s.protocol == Query || s.protocol == EC2 {
		index = ".1"
	}
	out := map[string]string{}
	for name, v := range fields {
		out[strings.ReplaceAll(name, ".*", index)] = v
	}
	return out
}

func addMissing(into, from map[string]string) {
	for k, v := range from {
		if _, taken := into[k]; !taken {
			into[k] = v
		}
	}
}

// Read says which actions on which resources a request asks for: its own first,
// once for each resource, then what AWS asks for besides, such as iam:PassRole.
// It returns false for an operation that the table lacks, for a request without
// the field that names its resource, and for one that could be understood in
// two ways.
//
// It knows of the resources only what the request says: an alias stays one, and
// which tags a resource carries nobody can tell.
func Read(r Request, at Scope) ([]Call, bool) {
	s, ok := serviceNamed(r.Service)
	if !ok {
		return nil, false
	}
	op, fields, ok := s.read(r)
	if !ok {
		return nil, false
	}
	f := filler{s.name, op, fields, at}
	if s.owner != "" && f.has(s.owner) {
		f.at.Account = fields[s.owner]
		if !isAccount(f.at.Account) {
			return nil, false
		}
	}
	if slices.ContainsFunc(op.rivals, f.has) {
		return nil, false
	}
	own := f
	if op.shared != nil && op.shared(fields) {
		own.at.Account = ""
	}
	calls, ok := own.calls(s.name+":"+op.action, op.resource, op.context)
	if !ok {
		return nil, false
	}
	for i := range calls {
		calls[i].Free = op.free
	}
	for _, n := range op.needs {
		if !f.has(n.given) {
			continue
		}
		if more, ok := f.calls(n.action, n.resource, n.context); ok {
			calls = append(calls, more...)
		} else if f.mentions(n.resource) {
			return nil, false
		}
	}
	return calls, true
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
