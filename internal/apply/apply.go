// Package apply runs a plan: stage by stage, entities side by side, within the
// rate that AWS grants. It decides nothing that the plan did not decide, and
// reports each change that was made, failed or was not tried.
package apply

import (
	"context"

	"github.com/postern-dev/postern/internal/plan"
)

// Changer makes one change in one account. It returns when AWS has accepted
// the call. A failure that may pass with time is wrapped in a Retryable.
type Changer interface {
	Change(ctx context.Context, c plan.Change) error
}
