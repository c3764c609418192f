package wire

import "strings"

// service is one AWS service: how it speaks and what it is asked.
type service struct {
	name        string // signing name and IAM prefix
	protocol    Protocol
	version     string // API version; Query and EC2
	namespace   string // of the XML answers
	target      string // prefix of X-Amz-Target; JSON
	contentType string // JSON
	operations  []operation
}

// operation is one call of a service.
type operation struct {
	action   string            // the IAM action after the colon
	name     string            // the operation's name if it differs from action
	resource string            // template of the ARN, or "*"
	context  map[string]string // condition key → template of its value
	fill     map[string]string // fields that a valid request needs besides
	reply    string            // the inside of an empty success

	method, query string // S3

	named func(string) string // a name of the request, as it stands in the ARN
	given func(string) string // and back
}

func (o operation) operation() string {
	if o.name != "" {
		return o.name
	}
	return o.action
}

func (s service) named(name string) (operation, bool) {
	for _, op := range s.operations {
		if op.operation() == name {
			return op, true
		}
	}
	return operation{}, false
}

func serviceNamed(name string) (service, bool) {
	for _, s := range services() {
		if s.name == name {
			return s, true
		}
	}
	return service{}, false
}

func operationFor(action string) (service, operation, bool) {
	prefix, name, _ := strings.Cut(action, ":")
	s, ok := serviceNamed(prefix)
	if !ok {
		return service{}, operation{}, false
	}
	for _, op := range s.operations {
		if strings.EqualFold(op.action, name) {
			return s, op, true
		}
	}
	return service{}, operation{}, false
}
