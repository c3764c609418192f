package sandbox

import (
	"net"
	"net/http"
	"sync"
)

// reserve are the connections on which no request has begun. Clients dial more
// than they use, and http.Server.Shutdown waits for seconds whether those will
// be used after all.
type reserve struct {
	mu     sync.Mutex
	conns  map[net.Conn]struct{}
	closed bool
}

// track is the server's ConnState.
func (r *reserve) track(c net.Conn, state http.ConnState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case state != http.StateNew:
		delete(r.conns, c)
	case r.closed:
		_ = c.Close() // nobody waits for an answer on it
	default:
		if r.conns == nil {
			r.conns = map[net.Conn]struct{}{}
		}
		r.conns[c] = struct{}{}
	}
}

// close ends the connections in reserve, those to come included.
func (r *reserve) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for c := range r.conns {
		_ = c.Close() // as above
	}
}
