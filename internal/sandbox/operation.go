package sandbox

import (
	"slices"
	"time"

	"github.com/postern-dev/postern/internal/wire"
)

// operation is one call of IAM or STS. One that is not in a table does not
// exist, and one in a table has an authorisation: nothing runs unjudged.
type operation struct {
	name  string
	allow func(*call) error        // who may: built by needs, all, given, anyone or of its own
	run   func(*call) (any, error) // the effect; its result is the inside of NAMEResult, nil for none
	reads bool                     // changes nothing: the state need not be saved
}

// call is one authenticated request for an operation. It lives while the
// server's lock is held.
type call struct {
	s         *Server
	who       *caller // nil for a web identity
	account   *account
	service   string
	params    params
	now       time.Time
	region    string
	sourceIP  string
	userAgent string
}

// due is when a change made by this call becomes known to authorisation, and
// to calls that read.
func (c *call) due() dues {
	return dues{seen: c.now.Add(c.s.opt.PropagationDelay), shown: c.now.Add(c.s.opt.ReadDelay)}
}

// iamOperations is everything that the sandbox knows of IAM.
func iamOperations() []operation {
	return slices.Concat(
		userOperations(), keyOperations(), sshKeyOperations(), groupOperations(), roleOperations(),
		policyOperations(), profileOperations(), providerOperations(), accountOperations(),
	)
}

func byName(operations []operation) map[string]operation {
	m := make(map[string]operation, len(operations))
	for _, op := range operations {
		m[op.name] = op
	}
	return m
}

// perform judges and runs an operation. The caller holds the lock.
func (c *call) perform(op operation) (any, error) {
	if err := op.allow(c); err != nil {
		return nil, err
	}
	if op.reads && c.service == "iam" && c.s.opt.ReadDelay > 0 {
		c.account = c.account.asShown()
	}
	result, err := op.run(c)
	if err == nil && !op.reads {
		c.s.changed()
	}
	return result, err
}

// unknownAction is AWS's answer to an operation that does not exist.
func unknownAction(action, version string) error {
	return refusal{wire.UnknownCall, "Could not find operation " + action + " for version " + version}
}
