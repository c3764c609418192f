package wire

import (
	"strings"
	"sync"
)

// service is one AWS service: how it speaks and what it is asked.
type service struct {
	name        string // signing name and IAM prefix
	protocol    Protocol
	version     string // API version; Query and EC2
	namespace   string // of the XML answers
	target      string // prefix of X-Amz-Target; JSON
	contentType string // JSON
	owner       string // the field that names another account than the caller's; empty: none does
	operations  []operation
}

// operation is one call of a service.
type operation struct {
	action   string            // the IAM action after the colon
	name     string            // the operation's name if it differs from action
	resource string            // template of the ARN, or "*"
	context  map[string]string // condition key → template of its values
	needs    []need            // what AWS asks for besides
	tags     string            // where tags stand: "tags.*" a list of pairs, "Tags" an object; empty: nowhere
	free     bool              // AWS lets whoever signs make it
	fill     map[string]string // fields that a valid request needs besides
	reply    string            // the inside of an empty success

	// REST. An operation applies if the method, the path, each name in query
	// and, if it names one, the header are there.
	method, path, query, header string
	reads                       bool // S3: the body has fields, the bucket's operation takes keys from it

	rivals []string // fields that name the resource in another way: with one of them nobody can tell which holds

	shared func(map[string]string) bool // the resource is AWS's own, of no account; nil: never

	named func(string) string // a name or an ARN of the request, as it stands in the resource
	given func(string) string // and back
}

// need is a further permission of a call, such as iam:PassRole. It applies if
// the request has the fields of its resource, and the field in given.
type need struct {
	action   string // "iam:PassRole"
	resource string
	context  map[string]string
	given    string // a field, or the beginning of some; empty: those of the resource are enough
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

// table is services by name, made when first asked for. It is read-only.
var table = sync.OnceValue(func() map[string]service {
	byName := map[string]service{}
	for _, s := range services() {
		byName[s.name] = s
	}
	return byName
})

func serviceNamed(name string) (service, bool) {
	s, ok := table()[name]
	return s, ok
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

// anywhere are operations whose actions know no resource.
func anywhere(actions ...string) []operation {
	var out []operation
	for _, action := range actions {
		out = append(out, operation{action: action, resource: "*"})
	}
	return out
}

// passRole is the permission to hand the role in a field to a service.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
func passRole(field, service string) need {
	return need{
		action: "iam:PassRole", resource: "arn:{partition}:iam::{account}:role/{" + field + "...}",
		context: map[string]string{"iam:PassedToService": service + ".amazonaws.com"},
	}
}
