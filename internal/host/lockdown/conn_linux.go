package lockdown

import (
	"encoding/binary"
	"errors"

	"github.com/google/nftables"
	mdl "github.com/mdlayher/netlink"
)

// conn is a netlink socket to the firewall of the network namespace that it is
// opened in. It is not for several goroutines at once.
type conn struct {
	nft *nftables.Conn
	raw *mdl.Conn // the same socket, for what the library does not know
}

// dial opens a socket, for which no right is needed.
func dial() (*conn, error) {
	var c conn
	keep := func(raw *mdl.Conn) error {
		c.raw = raw
		return nil
	}
	var err error
	c.nft, err = nftables.New(nftables.AsLasting(), nftables.WithSockOptions(keep))
	if err != nil {
		return nil, explain("open netlink", err)
	}
	return &c, nil
}

// close closes the socket. For some milliseconds after a change the kernel
// makes it wait, until all processors have left the former table and it can be
// freed; so it is worth doing something else before.
func (c *conn) close() error { return c.nft.CloseLasting() }

// Numbers of linux/netfilter/nf_tables.h for the ruleset's generation.
const (
	messageGetGeneration = 10<<8 | 16
	generationID         = 1
)

// generation is the number that each change of any table of the namespace
// raises.
func (c *conn) generation() (uint32, error) {
	reply, err := c.raw.Execute(mdl.Message{
		Header: mdl.Header{Type: messageGetGeneration, Flags: mdl.Request},
		Data:   make([]byte, genericHeader),
	})
	if err != nil {
		return 0, err
	}
	for _, m := range reply {
		if len(m.Data) < genericHeader {
			continue
		}
		attributes, err := mdl.UnmarshalAttributes(m.Data[genericHeader:])
		if err != nil {
			return 0, err
		}
		for _, a := range attributes {
			if a.Type == generationID && len(a.Data) == 4 {
				return binary.BigEndian.Uint32(a.Data), nil
			}
		}
	}
	return 0, errors.New("the kernel tells no generation of its ruleset")
}
