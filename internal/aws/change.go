package aws

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/postern-dev/postern/internal/apply"
	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/plan"
)

// How long it makes sense to wait for IAM, whose answers lag behind its
// changes by seconds, rarely by half a minute. The change may also be wrong
// in earnest, which is why these are shorter than apply's patience.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
const (
	waitForPrincipal = time.Minute
	waitForEntity    = 30 * time.Second
	waitForRelease   = 20 * time.Second // of a deleted attachment
	waitForNetwork   = 30 * time.Second
)

// Change makes one change and implements apply.Changer. Made twice, because
// the answer to the first call was lost, it still succeeds: what is there
// already as it should be, or already gone, is done. What lies outside
// Postern's paths is refused, and so is a name that somebody else holds.
func (c *Cloud) Change(ctx context.Context, ch plan.Change) error {
	a, err := c.account(ch.Account)
	if err != nil {
		return err
	}
	if err := guard(ch); err != nil {
		return err
	}
	err = a.proveOurs(ctx, ch)
	if err == nil {
		err = a.call(ctx, ch)
		err = a.settle(ctx, ch, err)
	}
	if hasCode(err, "NoSuchEntity") && removes(ch.Verb) {
		return nil
	}
	return classify(ch, err)
}

// guard refuses a change that a plan of ours cannot hold: it is the last look
// before the call, also at a plan file that somebody has edited.
func guard(ch plan.Change) error {
	at, err := arn.Parse(ch.Entity)
	kind, rest, _ := strings.Cut(at.Resource, "/")
	_, name := splitLast(rest)
	switch {
	case err != nil || at.Service != "iam" || at.AccountID != ch.Account:
		return refuse(ch, "not an IAM entity of account "+ch.Account)
	case kind == "oidc-provider":
		if ch.Input.ProviderARN != "" && ch.Input.ProviderARN != ch.Entity || ch.Input.URL != "" && ch.Input.URL != "https://"+rest {
			return refuse(ch, "the call would change another entity")
		}
	case !strings.HasPrefix(rest, "postern/"):
		return refuse(ch, "lies outside /postern/")
	case name != nameIn(kind, ch.Input) && ch.Input.PolicyARN != ch.Entity:
		return refuse(ch, "the call would change another entity")
	}
	return nil
}

func refuse(ch plan.Change, why string) error {
	return &fault.Error{Where: ch.Entity, What: "refusing " + string(ch.Verb) + ": " + why, Hint: "run postern plan again"}
}

// nameIn is the name by which the call addresses an entity of a kind.
func nameIn(kind string, in plan.Input) string {
	switch kind {
	case "role":
		return in.RoleName
	case "user":
		return in.UserName
	case "group":
		return in.GroupName
	case "instance-profile":
		return in.InstanceProfileName
	case "policy":
		return in.PolicyName
	}
	return ""
}

func splitLast(path string) (dir, name string) {
	i := strings.LastIndex(path, "/")
	return path[:i+1], path[i+1:]
}

// removes says whether the absence of its object is what a verb wants.
func removes(v plan.Verb) bool {
	for _, prefix := range []string{"Delete", "Detach", "Remove", "Untag"} {
		if strings.HasPrefix(string(v), prefix) {
			return true
		}
	}
	return false
}

// classify explains err and marks it as retryable if it may pass with time.
func classify(ch plan.Change, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*apply.Retryable](err); ok {
		return err
	}
	final := explain(err, ch.Entity, "iam:"+string(ch.Verb))
	wait, throttled, ok := passes(err)
	if !ok {
		return final
	}
	return &apply.Retryable{Err: final, Throttled: throttled, Within: wait}
}

// passes says whether err may pass with time, and within which; 0 leaves that
// to the runner.
func passes(err error) (within time.Duration, throttled, ok bool) {
	api, answered := errors.AsType[smithy.APIError](err)
	switch {
	case errors.Is(err, context.Canceled):
		return 0, false, false
	case !answered:
		return waitForNetwork, false, retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err).Bool()
	case isFreshPrincipal(api):
		return waitForPrincipal, false, true
	}
	switch code := api.ErrorCode(); code {
	case "NoSuchEntity":
		return waitForEntity, false, true
	case "DeleteConflict":
		return waitForRelease, false, true
	case "ConcurrentModification", "EntityTemporarilyUnmodifiable", "ServiceFailure":
		return 0, false, true
	case "LimitExceeded": // a quota, not a rate
		return 0, false, false
	default:
		if _, slow := retry.DefaultThrottleErrorCodes[code]; slow {
			return 0, true, true
		}
	}
	resp, isHTTP := errors.AsType[*smithyhttp.ResponseError](err)
	return 0, false, isHTTP && resp.HTTPStatusCode() >= http.StatusInternalServerError
}

// isFreshPrincipal says whether a trust policy names somebody whom IAM does
// not know, perhaps not yet.
func isFreshPrincipal(api smithy.APIError) bool {
	return api.ErrorCode() == "MalformedPolicyDocument" && strings.Contains(strings.ToLower(api.ErrorMessage()), "invalid principal")
}

func hasCode(err error, codes ...string) bool {
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return false
	}
	for _, c := range codes {
		if api.ErrorCode() == c {
			return true
		}
	}
	return false
}

func unknownVerb(v plan.Verb) error { return errors.New("no such operation: " + string(v)) }
