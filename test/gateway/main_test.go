// Package gateway holds the catalogue's grants against the tools that will use
// them: the AWS CLI, Terraform and a client of ECR make their real calls through
// a gateway that lets through what one grant allows, and moto answers.
//
// Each scenario must pass under its grant. Without any single action of it, one
// of the recorded requests must be denied by that action's name, so that nothing
// in a grant is more than somebody needs; what no scenario reaches says why. The
// grant's neighbours must be denied. Where a grant turns on what no request says,
// such as the path of a user, the sandbox enforces it: see enforced_test.go.
package gateway

import (
	"slices"
	"testing"

	"github.com/postern-dev/postern/internal/catalog"
	"github.com/postern-dev/postern/internal/wire"
	"github.com/postern-dev/postern/test/witness"
)

// account is moto's: every key that it does not know belongs to it.
const account = "123456789012"

const region = "eu-west-1"

func scope() catalog.Scope {
	return catalog.Scope{Partition: "aws", Region: region, Account: account}
}

// scenario is what one tool does under one grant.
type scenario struct {
	name         string
	grant, level string
	args         catalog.Args
	tool         func(t testing.TB) // skips if the tool is missing
	prepare      func(s *stage)     // what stands before, made without the gateway
	run          func(s *stage) error
	// answers are the actions of calls that moto lacks: wire.Reply answers them.
	answers []string
	// breaks is an action without which the tool itself is run too, to see that
	// it understands the refusal. It fails before it has changed anything.
	breaks string
	// refuses is something that the tool must not be able to do under the grant,
	// for lack of the action refused.
	refuses func(s *stage) error
	refused string
	// unreached are "SID action" of the grant that run does not need, and why.
	unreached map[string]string
	denied    []wire.Call // the grant's neighbours
}

func scenarios() []scenario {
	return slices.Concat(ecsScenarios(), ecrScenarios(), stateScenarios(), deployScenarios(), readScenarios(), acmeScenarios(), assumeScenarios(), pulumiScenarios(), stackScenarios(), accountScenarios(), terragruntScenarios())
}

func TestScenarios(t *testing.T) {
	moto := witness.Moto(t)
	for _, sc := range scenarios() {
		t.Run(sc.name, func(t *testing.T) {
			if sc.tool != nil {
				sc.tool(t)
			}
			s := newStage(t, moto, sc)
			if sc.breaks != "" {
				s.restart(without(s.grant, func(_, action string) bool { return action == sc.breaks }))
				s.checkRefused(sc.breaks, sc.run(s))
				s.restart(s.grant)
			}
			if err := sc.run(s); err != nil {
				t.Fatalf("under the grant: %v\n%s", err, s.transcript())
			}
			s.checkNothingDenied()
			s.checkNothingSuperfluous(sc.unreached)
			s.checkNeighbours(sc.denied)
			if sc.refuses != nil {
				s.checkRefused(sc.refused, sc.refuses(s))
			}
		})
	}
}
