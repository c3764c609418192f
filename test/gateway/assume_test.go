package gateway

import (
	"github.com/postern-dev/postern/internal/catalog"
	"github.com/postern-dev/postern/internal/wire"
)

// deployRole lies in the same account: of a stranger, its trust would be asked too.
const deployRole = "arn:aws:iam::" + account + ":role/allow-auto-deploy"

// assumeScenarios become a role.
func assumeScenarios() []scenario {
	return []scenario{{
		name: "AWS CLI becomes a role", grant: "assume-roles",
		args: catalog.Args{"roles": {deployRole}, "external_id": {"acme-deploy"}},
		tool: needAWS, breaks: "sts:AssumeRole",
		run: func(s *stage) error {
			return s.aws("sts assume-role --role-session-name job --external-id acme-deploy --role-arn " + deployRole)
		},
		refused: "sts:AssumeRole", refuses: func(s *stage) error {
			return s.aws("sts assume-role --role-session-name job --role-arn " + deployRole)
		},
		denied: []wire.Call{
			{Action: "sts:AssumeRole", Resource: deployRole},
			{Action: "sts:AssumeRole", Resource: deployRole, Context: map[string][]string{"sts:ExternalId": {"another"}}},
			{Action: "sts:AssumeRole", Resource: deployRole + "2", Context: map[string][]string{"sts:ExternalId": {"acme-deploy"}}},
			{Action: "sts:AssumeRole", Resource: "arn:aws:iam::444444444444:role/allow-auto-deploy", Context: map[string][]string{"sts:ExternalId": {"acme-deploy"}}},
			{Action: "sts:AssumeRole", Resource: "arn:aws:iam::" + account + ":role/admin", Context: map[string][]string{"sts:ExternalId": {"acme-deploy"}}},
		},
	}}
}
