package systemd_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/postern-dev/postern/internal/host/lockdown/lockdowntest"
)

// endpoint is where tokens are to be had.
const endpoint = "169.254.169.254:80"

// documents are what the metadata service tells a host, by path, beside giving
// out tokens: func() map[string]string by the host's address.
var documents sync.Map

// serveMetadata starts the metadata service of all hosts.
var serveMetadata = sync.OnceValue(func() error {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tell := func() map[string]string { return nil }
		if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
			if f, ok := documents.Load(host); ok {
				tell = f.(func() map[string]string)
			}
		}
		lockdowntest.MetadataWith(tell).ServeHTTP(w, r)
	})
	for _, address := range []string{endpoint, "[fd00:ec2::254]:80"} {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return err
		}
		go func() { _ = http.Serve(listener, handler) }()
	}
	return nil
})

// askForever is the stranger: it connects to the metadata service again and
// again, and writes down when the answer changes.
func askForever() {
	for was := ""; ; time.Sleep(10 * time.Millisecond) {
		is := answer()
		if is != was {
			fmt.Println(time.Now().UnixMicro(), is)
		}
		was = is
	}
}

// answer is "open", "refused" or, before there is a network, "away".
func answer() string {
	conn, err := net.DialTimeout("tcp", endpoint, time.Second)
	switch {
	case err == nil:
		_ = conn.(*net.TCPConn).SetLinger(0) // leave no port waiting
		_ = conn.Close()
		return "open"
	case strings.Contains(err.Error(), "refused"):
		return "refused"
	}
	return "away"
}
