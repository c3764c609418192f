package gateway

import (
	"crypto/subtle"
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

// verdict is a request's record, and how to refuse it.
type verdict struct {
	record   Record
	protocol wire.Protocol
	why      wire.Refusal
}

func (v *verdict) no(outcome Outcome, why wire.Refusal, message string) *verdict {
	v.record.Outcome, v.record.Message, v.why = outcome, message, why
	return v
}

const (
	notSigned    = "Request is missing Authentication Token"
	badToken     = "The security token included in the request is invalid."
	badSignature = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)

// judge decides a request: who signed it, what it asks for, whether that is
// allowed.
func (g *Gateway) judge(r *http.Request, body []byte) *verdict {
	v := &verdict{record: Record{Time: g.opt.Clock()}}
	sig, signed, err := sigv4.Parse(r)
	v.record.KeyID, v.record.Service = sig.KeyID, sig.Service
	protocol, served := wire.ProtocolOf(sig.Service)
	v.protocol = protocol
	switch {
	case !signed:
		return v.no(Refused, wire.NoCredentials, notSigned)
	case err != nil:
		return v.no(Refused, wire.Incomplete, err.Error())
	}
	holder, ok := g.opt.Keys.Holder(r.Context(), sig.KeyID)
	if !ok {
		return v.no(Refused, wire.UnknownKey, badToken)
	}
	if message := sig.CheckTime(v.record.Time); message != "" {
		return v.no(Refused, wire.BadSignature, message)
	}
	data, ok := sig.Verify(r, body, holder.Secret)
	if !ok {
		return v.no(Refused, wire.BadSignature, badSignature)
	}
	if subtle.ConstantTimeCompare([]byte(sig.Token), []byte(holder.Token)) != 1 {
		return v.no(Refused, wire.WrongToken, badToken)
	}
	v.record.Principal = holder.Principal.ARN
	asked := request(r, sig.Service, data)
	v.record.Operation = operation(asked)
	calls, ok := wire.Read(asked, scope(sig, holder))
	if !served || !ok {
		return v.no(Unknown, wire.Denied, "User: "+holder.Principal.ARN+" is not authorized to perform: "+sig.Service+":"+v.record.Operation+
			" because the gateway cannot tell what this request asks for")
	}
	return v.decide(calls, holder, g.model(r, sig, holder, v.record.Time))
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

func request(r *http.Request, service string, body []byte) wire.Request {
	return wire.Request{
		Service: service, Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery,
		Target: r.Header.Get("X-Amz-Target"), Type: r.Header.Get("Content-Type"), Header: r.Header, Body: body,
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
