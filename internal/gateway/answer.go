package gateway

import (
	"crypto/rand"
	"net/http"
	"strconv"

	"github.com/postern-dev/postern/internal/wire"
)

// refuse answers a request that is not passed on.
func (v *verdict) refuse(w http.ResponseWriter, r *http.Request) {
	write(w, r, v.record.Service, v.protocol.Refuse(v.why, v.record.Message))
}

// write answers with a failure, in the shape of the service's protocol.
func write(w http.ResponseWriter, r *http.Request, service string, f wire.Failure) {
	protocol, _ := wire.ProtocolOf(service)
	f.RequestID, f.Namespace = rand.Text(), wire.NamespaceOf(service)
	contentType, body := protocol.Encode(f)
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Amzn-Requestid", f.RequestID)
	if protocol == wire.RESTS3 {
		h.Set("X-Amz-Request-Id", f.RequestID)
	}
	w.WriteHeader(f.Status)
	if r.Method != http.MethodHead {
		// A client that has left does not read its refusal.
		_, _ = w.Write(body)
	}
}
