package sandbox

import (
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/postern-dev/postern/internal/sigv4"
	"github.com/postern-dev/postern/internal/wire"
)

// maxBody bounds a request; S3's PutObject is the only call that comes near.
const maxBody = 64 << 20

// The AWS SDK for Go closes a request's body as soon as the answer begins. If
// its transport has not quite finished writing by then, as happens with a
// server that answers within microseconds, it drops the connection, and with it
// what the client's buffer did not take. So an answer longer than the buffer
// waits for the client to be ready; no real AWS is that fast.
const (
	clientBuffer = 4096
	clientPause  = 3 * time.Millisecond
)

// issuerPath is where the embedded issuer lives. No bucket can have its name.
const issuerPath = "/_issuer"

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+issuerPath+"/.well-known/openid-configuration", s.serveDiscovery)
	mux.HandleFunc("GET "+issuerPath+"/.well-known/jwks", s.serveKeys)
	mux.HandleFunc("GET "+issuerPath+"/token", s.serveToken)
	mux.HandleFunc("/", s.serveAWS)
	return mux
}

// ServeHTTP answers as AWS does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// ServeMux would redirect S3's keys such as "a//b".
	if strings.HasPrefix(r.URL.Path, issuerPath+"/") {
		s.handler.ServeHTTP(w, r)
		return
	}
	s.serveAWS(w, r)
}

// exchange is one HTTP request to AWS on its way to an answer.
type exchange struct {
	http      *http.Request
	body      []byte
	requestID string
	now       time.Time
	signature sigv4.Signature
	protocol  wire.Protocol
	version   queryVersion // of the query services
	event     Event
	drop      bool // close the connection instead of answering
}

// answer is what goes back.
type answer struct {
	status      int
	contentType string
	body        []byte
}

func (s *Server) serveAWS(w http.ResponseWriter, r *http.Request) {
	if !pause(r.Context(), s.opt.Latency) {
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	x := &exchange{http: r, body: body, requestID: newRequestID(), now: s.opt.Clock(), version: iamVersion}
	var a answer
	if err != nil {
		a = x.failed(wire.Failure{Status: http.StatusRequestEntityTooLarge, Code: "RequestEntityTooLarge", Message: "Your request was too large."})
	} else {
		a = s.handle(x)
	}
	s.report(x)
	if x.drop {
		hangUp(w)
		return
	}
	h := w.Header()
	h.Set("Date", x.now.UTC().Format(http.TimeFormat)) // clients correct their clocks by it
	h.Set("X-Amzn-Requestid", x.requestID)
	if x.protocol == wire.RESTS3 {
		h.Set("X-Amz-Request-Id", x.requestID)
	}
	if a.contentType != "" {
		h.Set("Content-Type", a.contentType)
	}
	h.Set("Content-Length", strconv.Itoa(len(a.body)))
	if len(a.body) > clientBuffer && !pause(r.Context(), clientPause) {
		return
	}
	w.WriteHeader(a.status)
	if r.Method == http.MethodHead {
		return
	}
	if _, err := w.Write(a.body); err != nil {
		s.log.Debug("answer not delivered", "error", err)
	}
}

// pause lets time pass; it returns false if the client left.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// hangUp closes the connection without an answer.
func hangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil { // HTTP/2, or a test's recorder
		panic(http.ErrAbortHandler) // net/http's own way to say it
	}
	// The peer must see a reset or an end of file; which one does not matter.
	_ = conn.Close()
}

func (s *Server) report(x *exchange) {
	s.log.Debug("call", "action", x.event.Action, "principal", x.event.Principal, "status", x.event.Status, "code", x.event.Code, "request", x.requestID)
	if s.opt.RequestHook != nil {
		s.opt.RequestHook(x.event)
	}
}

func (x *exchange) failed(f wire.Failure) answer {
	f.RequestID, f.Namespace = x.requestID, x.version.namespace
	x.event.Status, x.event.Code = f.Status, f.Code
	contentType, body := x.protocol.Encode(f)
	return answer{f.Status, contentType, body}
}

func (x *exchange) failedWith(err error) answer { return x.failed(asFailure(x.protocol, err)) }

func (x *exchange) succeeded(contentType string, body []byte) answer {
	x.event.Status = http.StatusOK
	return answer{http.StatusOK, contentType, body}
}

// handle finds the service and answers.
func (s *Server) handle(x *exchange) answer {
	sig, signed, err := sigv4.Parse(x.http)
	if signed && sig.Service != "" {
		x.signature = sig
		p, known := wire.ProtocolOf(sig.Service)
		if !known {
			return x.failed(wire.Failure{Status: http.StatusBadRequest, Code: "UnknownOperationException", Message: "The sandbox does not serve " + sig.Service + "."})
		}
		x.protocol = p
		if sig.Service == "sts" {
			x.version = stsVersion
		}
	}
	if err != nil {
		return x.failedWith(err)
	}
	if !signed {
		return s.handleUnsigned(x)
	}
	switch sig.Service {
	case "iam", "sts":
		return s.handleQuery(x)
	default:
		return s.handleOther(x)
	}
}

// parameters reads the query protocol's parameters: from the body, or from the
// URL of a GET.
func (x *exchange) parameters() (params, error) {
	encoded := string(x.body)
	if x.http.Method == http.MethodGet {
		encoded = x.http.URL.RawQuery
	}
	p, err := parseParams(encoded)
	if err != nil {
		return nil, &apiError{http.StatusBadRequest, "MalformedQueryString", err.Error()}
	}
	return p, nil
}

// handleUnsigned serves the one call that a token signs, not a key.
func (s *Server) handleUnsigned(x *exchange) answer {
	p, err := x.parameters()
	if err != nil || p["Action"] != webIdentityAction || p["Version"] != stsVersion.version {
		return x.failedWith(refusal{wire.NoCredentials, "Request is missing Authentication Token"})
	}
	x.version = stsVersion
	x.event.Action = "sts:" + webIdentityAction
	return s.handleWebIdentity(x, p)
}

// handleQuery serves IAM and STS.
func (s *Server) handleQuery(x *exchange) answer {
	p, err := x.parameters()
	if err != nil {
		return x.failedWith(err)
	}
	operations := s.iam
	if x.signature.Service == "sts" {
		operations = s.sts
	}
	x.event.Action = x.signature.Service + ":" + p["Action"]
	if p["Action"] == webIdentityAction && x.signature.Service == "sts" {
		return s.handleWebIdentity(x, p) // some clients sign it all the same
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.admit(x, p)
	if err != nil {
		return x.failedWith(err)
	}
	op, ok := operations[p["Action"]]
	if !ok || p["Version"] != x.version.version {
		return x.failedWith(unknownAction(p["Action"], p["Version"]))
	}
	if c.who.session != nil && c.who.session.Role == "" && !allowedToSessionToken(x.signature.Service, op.name) {
		return x.failedWith(refusal{wire.UnknownKey, badToken})
	}
	return s.complete(x, c, op)
}

// complete runs an operation with the injected fault, if there is one.
func (s *Server) complete(x *exchange, c *call, op operation) answer {
	fault := s.fault(x, c.account)
	if fault != nil && !fault.DropAfter {
		return x.faulty(fault)
	}
	result, err := c.perform(op)
	if fault != nil {
		return x.faulty(fault)
	}
	if err != nil {
		return x.failedWith(err)
	}
	body, err := encodeAnswer(x.version, op.name, result, x.requestID)
	if err != nil {
		s.log.Error("answer not encoded", "error", err)
		return x.failedWith(err)
	}
	return x.succeeded("text/xml", body)
}

// admit authenticates a call and counts it. The caller holds the lock.
func (s *Server) admit(x *exchange, p params) (*call, error) {
	for _, a := range s.state.Accounts {
		a.arrive(x.now)
	}
	who, err := s.authenticate(x.http, x.body, x.signature, x.now)
	if err != nil {
		return nil, err
	}
	x.event.Account, x.event.Principal = who.account.ID, who.principal.ARN
	if !s.withinRate(who.account, x.now) {
		return nil, refusal{wire.Throttled, "Rate exceeded"}
	}
	c := s.newCall(x, p)
	c.who, c.account = who, who.account
	if who.role != nil {
		who.account.RoleUses[who.role.ID] = keyUse{x.now, x.signature.Service, x.signature.Region}
	}
	return c, nil
}

func (s *Server) newCall(x *exchange, p params) *call {
	host, _, err := net.SplitHostPort(x.http.RemoteAddr)
	if err != nil {
		host = x.http.RemoteAddr
	}
	return &call{
		s: s, params: p, now: x.now, service: x.signature.Service, region: x.signature.Region,
		sourceIP: host, userAgent: x.http.UserAgent(),
	}
}

// withinRate counts a call against its account's rate.
func (s *Server) withinRate(a *account, now time.Time) bool {
	if s.opt.Throttle <= 0 {
		return true
	}
	l, ok := s.limits[a.ID]
	if !ok {
		l = rate.NewLimiter(rate.Limit(s.opt.Throttle), max(1, int(s.opt.Throttle)))
		s.limits[a.ID] = l
	}
	return l.AllowN(now, 1)
}

// fault asks for the failure to inject, nil if there is none.
func (s *Server) fault(x *exchange, a *account) *Fault {
	if s.opt.Faults == nil {
		return nil
	}
	a.calls[x.event.Action]++
	return s.opt.Faults(a.ID, x.event.Action, a.calls[x.event.Action])
}

func (x *exchange) faulty(f *Fault) answer {
	if f.DropBefore || f.DropAfter {
		x.drop = true
		return answer{}
	}
	failure := wire.Failure{Status: f.Status, Code: f.Code, Message: f.Message}
	if failure.Status == 0 {
		failure.Status = http.StatusInternalServerError
	}
	if failure.Code == "" {
		failure.Code = "ServiceFailure"
	}
	return x.failed(failure)
}

// handleOther serves the services of package wire: it judges, and answers
// emptily.
func (s *Server) handleOther(x *exchange) answer {
	r := wire.Request{
		Service: x.signature.Service, Method: x.http.Method, Path: x.http.URL.EscapedPath(), Query: x.http.URL.RawQuery,
		Target: x.http.Header.Get("X-Amz-Target"), Type: x.http.Header.Get("Content-Type"), Header: x.http.Header, Body: x.body,
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.admit(x, nil)
	if err != nil {
		return x.failedWith(err)
	}
	calls, ok := wire.Read(r, wire.Scope{Partition: c.account.Partition, Region: c.region, Account: c.account.ID})
	if !ok {
		return x.failedWith(refusal{wire.UnknownCall, "The sandbox does not know this call of " + r.Service + ", or it names no resource."})
	}
	x.event.Action = calls[0].Action
	fault := s.fault(x, c.account)
	if fault != nil && !fault.DropAfter {
		return x.faulty(fault)
	}
	for _, asked := range calls {
		on := resource{arn: asked.Resource, account: ownerOf(asked.Resource), context: asked.Context}
		if err := c.judge(asked.Action, on); err != nil {
			return x.failedWith(err)
		}
	}
	if fault != nil {
		return x.faulty(fault)
	}
	contentType, body, _ := wire.Reply(r, x.requestID)
	return x.succeeded(contentType, body)
}
