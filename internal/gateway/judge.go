package gateway

import (
	"crypto/subtle"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/internal/denial"
	"github.com/postern-dev/postern/internal/sigv4"
	"github.com/postern-dev/postern/internal/wire"
)

// verdict is a request's record, and how to refuse it or what goes on of it.
type verdict struct {
	record   Record
	protocol wire.Protocol
	why      wire.Refusal
	head     http.Header
	body     []byte
}

func (v *verdict) no(outcome Outcome, why wire.Refusal, message string) *verdict {
	v.record.Outcome, v.record.Message, v.why = outcome, message, why
	return v
}

const (
	notSigned    = "Request is missing Authentication Token"
	badToken     = "The security token included in the request is invalid."
	badBody      = "The request's body is too large or incomplete."
	badSignature = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)

// judge decides a request: who signed it, what it asks for, whether that is
// allowed. It reads the body only of those who name a key that holds. Reading
// ends when the server's own time-outs say so.
func (g *Gateway) judge(w http.ResponseWriter, r *http.Request) *verdict {
	v := &verdict{record: Record{Time: g.opt.Clock()}}
	sig, holder, ok := g.signer(v, r)
	if !ok {
		return v
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, g.opt.MaxBody))
	if err != nil {
		return v.no(Refused, wire.BadParameter, badBody)
	}
	data, ok := sig.Verify(r, body, holder.Secret)
	if !ok {
		return v.no(Refused, wire.BadSignature, badSignature)
	}
	if subtle.ConstantTimeCompare([]byte(sig.Token), []byte(holder.Token)) != 1 {
		return v.no(Refused, wire.WrongToken, badToken)
	}
	v.record.Principal = holder.Principal.ARN
	calls, ok := v.read(r, sig, holder, data)
	if !ok {
		return v.no(Unknown, wire.Denied, "User: "+holder.Principal.ARN+" is not authorized to perform: "+sig.Service+":"+v.record.Operation+
			" because the gateway cannot tell what this request asks for")
	}
	v.body = plain(v.protocol, body)
	return v.decide(calls, holder, g.model(r, sig, holder, v.record.Time))
}

// signer is who claims to have signed a request, as far as that shows without
// its body.
func (g *Gateway) signer(v *verdict, r *http.Request) (sigv4.Signature, Holder, bool) {
	sig, signed, err := sigv4.Parse(r)
	v.record.KeyID, v.record.Service = sig.KeyID, sig.Service
	v.protocol, _ = wire.ProtocolOf(sig.Service)
	switch {
	case !signed:
		v.no(Refused, wire.NoCredentials, notSigned)
		return sig, Holder{}, false
	case err != nil:
		v.no(Refused, wire.Incomplete, err.Error())
		return sig, Holder{}, false
	}
	holder, ok := g.opt.Keys.Holder(r.Context(), sig.KeyID)
	if !ok {
		v.no(Refused, wire.UnknownKey, badToken)
		return sig, Holder{}, false
	}
	if message := sig.CheckTime(v.record.Time); message != "" {
		v.no(Refused, wire.BadSignature, message)
		return sig, Holder{}, false
	}
	return sig, holder, true
}

// read finds out what a request asks for, of the headers that go on.
func (v *verdict) read(r *http.Request, sig sigv4.Signature, holder Holder, data []byte) ([]wire.Call, bool) {
	head, once := forwarded(r.Header)
	asked := request(r, sig.Service, head, data)
	v.record.Operation = operation(asked)
	calls, ok := wire.Read(asked, scope(sig, holder))
	v.head = head
	v.head.Set("Authorization", sig.Authorization())
	return calls, ok && once && !reserved(r.URL.Path)
}

// decide judges each call. All of them are recorded, the first that is denied
// is what the client hears of.
func (v *verdict) decide(calls []wire.Call, holder Holder, model eval.Model) *verdict {
	v.record.Outcome = Passed
	for _, c := range calls {
		q := &eval.Request{Principal: holder.Principal, Action: c.Action, Resource: c.Resource}
		if arn, err := iam.ParseARN(c.Resource); err == nil && iam.IsAccountID(arn.Account) {
			q.ResourceAccount = arn.Account
		}
		q.Context = model.Context(q, c.Context)
		ex := holder.Layers.Explain(q)
		if c.Free {
			ex.Decision = eval.Allowed
		}
		v.record.Asks = append(v.record.Asks, Ask{c, ex.Decision})
		if ex.Decision != eval.Allowed && v.record.Outcome == Passed {
			v.no(Denied, wire.Denied, denial.Message(holder.Principal.ARN, c.Action, c.Resource, ex))
		}
	}
	return v
}

// scope is what the ARNs of a request leave to the place that it was signed for.
func scope(sig sigv4.Signature, holder Holder) wire.Scope {
	return wire.Scope{Partition: iam.LookupPartition(sig.Region), Region: sig.Region, Account: holder.Principal.Account}
}

func (g *Gateway) model(r *http.Request, sig sigv4.Signature, holder Holder, now time.Time) eval.Model {
	m := holder.Model
	m.Now, m.Region, m.UserAgent, m.Plain = now, sig.Region, r.UserAgent(), r.TLS == nil
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		m.SourceIP = host
	}
	return m
}

func request(r *http.Request, service string, head http.Header, body []byte) wire.Request {
	return wire.Request{
		Service: service, Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery,
		Target: head.Get("X-Amz-Target"), Type: head.Get("Content-Type"), Header: head, Body: body,
	}
}

// operation is what a request calls itself, for people to read.
func operation(r wire.Request) string {
	if _, name, ok := strings.Cut(r.Target, "."); ok {
		return name
	}
	if form, err := url.ParseQuery(string(r.Body)); err == nil && form.Get("Action") != "" {
		return form.Get("Action")
	}
	return r.Method + " " + r.Path
}

func serviceOf(r *http.Request) string {
	sig, _, err := sigv4.Parse(r)
	if err != nil {
		return ""
	}
	return sig.Service
}
