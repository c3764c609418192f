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
	Path    string
	Query   string
	Target  string // X-Amz-Target
	Type    string // Content-Type
	Body    []byte
}
