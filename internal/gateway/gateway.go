// Package gateway stands between AWS's own clients and AWS, or an emulator of
// it: it verifies each request's signature, finds out which actions on which
// resources it asks for, judges them by the policies of whoever signed it, and
// either refuses in AWS's words or passes the request on. It records every one.
//
// What it cannot read with certainty it refuses. It judges by the policies that
// it is given and knows no resource's own policy: bucket policies, key policies
// and trust policies are for what stands behind it. S3's buckets are read from
// paths, not from host names.
//
// It passes requests on to something that does not verify them again: with the
// headers that AWS's clients send and no others, the scope that was judged in
// the Authorization header, and JSON bodies with their ampersands escaped.
package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/internal/wire"
)

const (
	defaultMaxBody = 64 << 20
	defaultTimeout = 2 * time.Minute
)

// Holder is who holds an access key.
type Holder struct {
	Secret    string
	Token     string // session token; empty of long-term keys
	Principal eval.Principal
	Layers    eval.Layers // the policies that bound the principal
	// Model is what is known of the principal and its account. The gateway
	// fills in what a request says: time, source, region, transport.
	Model eval.Model
}

// Keys knows access keys.
type Keys interface {
	// Holder returns false for a key that does not exist or is not active. It
	// is asked for each request, at the same time from many goroutines.
	Holder(ctx context.Context, accessKeyID string) (Holder, bool)
}

// Options say how a gateway works. Keys and Upstream are required.
type Options struct {
	Keys      Keys
	Upstream  *url.URL          // scheme and host of what answers
	Transport http.RoundTripper // to Upstream; nil: net/http's, over connections of its own
	// Record is told of every request when it has been judged, before it is
	// passed on. It must not block, and is called from many goroutines.
	Record  func(Record)
	Clock   func() time.Time // nil: time.Now
	MaxBody int64            // bytes of a request; 0: 64 MiB
	Timeout time.Duration    // of one request, body and answer; 0: two minutes
	Log     *slog.Logger     // nil: silent
}

// Outcome is what became of a request.
type Outcome uint8

// The outcomes.
const (
	Refused Outcome = iota // not signed, or not by a key that holds
	Unknown                // the gateway cannot tell what it asks for
	Denied                 // the policies do not allow it
	Passed                 // handed to what stands behind
)

// String is the outcome as a word.
func (o Outcome) String() string {
	return [...]string{"refused", "unknown", "denied", "passed"}[o]
}

// Record is one request and what became of it.
type Record struct {
	Number    int64 // from 1, in the order in which requests were judged
	Time      time.Time
	KeyID     string // empty if it is not signed
	Principal string // ARN; empty if refused
	Service   string // the signing name
	Operation string // in AWS's words, or method and path where they name none
	Asks      []Ask  // empty if refused or unknown
	Outcome   Outcome
	Message   string // of a request that was not passed
}

// Ask is one thing that a request needs permission for.
type Ask struct {
	wire.Call
	Decision eval.Decision
}

// Gateway is an http.Handler for clients of AWS. It is safe for concurrent use.
type Gateway struct {
	opt   Options
	proxy *httputil.ReverseProxy
	count atomic.Int64
}

// New makes a gateway. It opens no connection.
func New(opt Options) (*Gateway, error) {
	if opt.Keys == nil || opt.Upstream == nil || opt.Upstream.Host == "" {
		return nil, errors.New("make gateway: the keys or the upstream's address is missing")
	}
	if opt.MaxBody < 0 || opt.Timeout < 0 {
		return nil, errors.New("make gateway: a bound is below zero")
	}
	if opt.Clock == nil {
		opt.Clock = time.Now
	}
	if opt.MaxBody == 0 {
		opt.MaxBody = defaultMaxBody
	}
	if opt.Timeout == 0 {
		opt.Timeout = defaultTimeout
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Transport == nil {
		// An answer goes back as it came, compressed or not.
		opt.Transport = &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Minute}
	}
	g := &Gateway{opt: opt}
	g.proxy = &httputil.ReverseProxy{
		Rewrite: g.rewrite, Transport: opt.Transport, ErrorHandler: g.unreachable,
		ErrorLog: slog.NewLogLogger(opt.Log.Handler(), slog.LevelWarn),
	}
	return g, nil
}

// ServeHTTP judges a request, and refuses it or passes it on.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), g.opt.Timeout)
	defer cancel()
	r = r.WithContext(ctx)
	v := g.judge(w, r)
	g.record(v)
	if v.record.Outcome != Passed {
		v.refuse(w, r)
		return
	}
	r.Header, r.Trailer, r.TransferEncoding = v.head, nil, nil
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(v.body)), int64(len(v.body))
	g.proxy.ServeHTTP(w, r)
}

func (g *Gateway) record(v *verdict) {
	v.record.Number = g.count.Add(1)
	if g.opt.Record != nil {
		g.opt.Record(v.record)
	}
	g.opt.Log.Debug("request", "number", v.record.Number, "service", v.record.Service, "operation", v.record.Operation,
		"principal", v.record.Principal, "outcome", v.record.Outcome.String(), "message", v.record.Message)
}

// rewrite sends a request to the upstream under the upstream's own name: a name
// that the client chose could select another bucket there than was judged.
func (g *Gateway) rewrite(p *httputil.ProxyRequest) {
	p.Out.URL.Scheme, p.Out.URL.Host = g.opt.Upstream.Scheme, g.opt.Upstream.Host
	p.Out.Host = ""
}

func (g *Gateway) unreachable(w http.ResponseWriter, r *http.Request, err error) {
	g.opt.Log.Warn("upstream does not answer", "error", err)
	service := serviceOf(r)
	protocol, _ := wire.ProtocolOf(service)
	write(w, r, service, protocol.Refuse(wire.InternalFailure, "The service behind the gateway does not answer."))
}
