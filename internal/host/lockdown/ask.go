package lockdown

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// Outcome is what became of a request to an endpoint.
type Outcome string

// The outcomes.
const (
	Answered Outcome = "answered" // by HTTP, whatever the status
	Refused  Outcome = "refused"  // by a reset or an ICMP message
	Silent   Outcome = "silent"   // no answer in time
	NoRoute  Outcome = "no route" // the host has no way to the address
)

// Result is the outcome of a request, as the process that made it saw it.
type Result struct {
	Outcome Outcome       `json:"outcome"`
	Status  int           `json:"status,omitempty"` // of HTTP
	After   time.Duration `json:"after"`            // in nanoseconds
	Detail  string        `json:"detail,omitempty"` // of what went wrong
}

// patience is how long a request may take. The service answers in milliseconds.
const patience = 2 * time.Second

// Ask requests a session token as version 2 of the instance metadata service
// gives them out, and throws it away. An endpoint of another kind answers with
// some other status, which serves as well.
//
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
func Ask(ctx context.Context, addr netip.Addr) Result {
	return ask(ctx, addr, http.MethodPut, "/latest/api/token")
}

// AskWithoutToken requests metadata as version 1 did. Where version 2 is
// required the status is 401.
func AskWithoutToken(ctx context.Context, addr netip.Addr) Result {
	return ask(ctx, addr, http.MethodGet, "/latest/meta-data/")
}

func ask(ctx context.Context, addr netip.Addr, method, path string) Result {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	start := time.Now()
	url := "http://" + netip.AddrPortFrom(addr, 80).String() + path
	req, err := http.NewRequestWithContext(ctx, method, url, http.NoBody)
	if err != nil {
		return Result{Outcome: NoRoute, Detail: err.Error()}
	}
	req.Header.Set("X-aws-ec2-metadata-token-ttl-seconds", "1")
	// No proxy, whatever the environment says, and no connection kept.
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	r := Result{After: time.Since(start)}
	if err != nil {
		r.Outcome, r.Detail = outcomeOf(err), err.Error()
		return r
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 4096))
	if err != nil {
		r.Detail = err.Error()
	}
	r.Outcome, r.Status = Answered, resp.StatusCode
	return r
}

func outcomeOf(err error) Outcome {
	var timeout net.Error
	switch {
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.EAFNOSUPPORT):
		return NoRoute
	case errors.As(err, &timeout) && timeout.Timeout():
		return Silent
	}
	return Refused
}
