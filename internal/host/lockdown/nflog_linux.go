package lockdown

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"syscall"
	"time"

	mdl "github.com/mdlayher/netlink"

	"github.com/postern-dev/postern/internal/fault"
)

// Numbers of linux/netfilter/nfnetlink.h and nfnetlink_log.h.
const (
	subsystemLog = 4
	messagePkt   = subsystemLog << 8
	messageCfg   = subsystemLog<<8 | 1

	configCommand   = 1
	configMode      = 2
	configThreshold = 5
	commandBind     = 1
	copyPacket      = 2

	packetHeader  = 1 // hardware protocol in two bytes, then the hook
	packetPayload = 9
	packetUID     = 11
	hookForward   = 2

	genericHeader = 4 // nfgenmsg: family, version, group
	headerBytes   = 64
)

// Log follows the refusals that are reported to an NFLOG group.
type Log struct {
	conn  *mdl.Conn
	group uint16
}

// OpenLog takes the group, which one process at a time can have.
func OpenLog(group uint16) (*Log, error) {
	conn, err := mdl.Dial(syscall.NETLINK_NETFILTER, nil)
	if err != nil {
		return nil, explain("open netlink", err)
	}
	if err := bind(conn, group); err != nil {
		conn.Close()
		return nil, err
	}
	return &Log{conn, group}, nil
}

// Close gives the group back.
func (l *Log) Close() error { return l.conn.Close() }

// Follow reports refused packets until the context ends, which is no error.
func (l *Log) Follow(ctx context.Context, handle func(Report)) error {
	stop := context.AfterFunc(ctx, func() { _ = l.conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	for {
		messages, err := l.conn.Receive()
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, syscall.ENOBUFS):
			continue // more came than we could take: reports are lost, not refusals
		case err != nil:
			return fmt.Errorf("read NFLOG group %d: %w", l.group, err)
		}
		for _, m := range messages {
			if m.Header.Type == messagePkt && len(m.Data) >= genericHeader {
				if r, ok := parseReport(m.Data[genericHeader:]); ok {
					handle(r)
				}
			}
		}
	}
}

// bind asks for the headers of each packet of the group, one message each.
func bind(conn *mdl.Conn, group uint16) error {
	settings := []mdl.Attribute{
		{Type: configCommand, Data: []byte{commandBind}},
		{Type: configMode, Data: append(binary.BigEndian.AppendUint32(nil, headerBytes), copyPacket, 0)},
		{Type: configThreshold, Data: binary.BigEndian.AppendUint32(nil, 1)},
	}
	for _, s := range settings {
		data, err := mdl.MarshalAttributes([]mdl.Attribute{s})
		if err != nil {
			return fmt.Errorf("encode NFLOG settings: %w", err)
		}
		_, err = conn.Execute(mdl.Message{
			Header: mdl.Header{Type: messageCfg, Flags: mdl.Request | mdl.Acknowledge},
			Data:   append(binary.BigEndian.AppendUint16([]byte{syscall.AF_UNSPEC, 0}, group), data...),
		})
		if errors.Is(err, syscall.EPERM) { // also the answer if somebody else has the group
			return &fault.Error{
				What: fmt.Sprintf("cannot listen to NFLOG group %d: another process does, or CAP_NET_ADMIN is missing", group),
				Hint: "stop the other one, or apply with another --log-group",
			}
		}
		if err != nil {
			return explain(fmt.Sprintf("listen to NFLOG group %d", group), err)
		}
	}
	return nil
}

func parseReport(data []byte) (Report, bool) {
	attributes, err := mdl.UnmarshalAttributes(data)
	if err != nil {
		return Report{}, false
	}
	var r Report
	var uid uint32
	ok, owned, forwarded := false, false, false
	for _, a := range attributes {
		switch {
		case a.Type == packetHeader && len(a.Data) == 4:
			forwarded = a.Data[2] == hookForward
		case a.Type == packetPayload:
			r, ok = parsePacket(a.Data)
		case a.Type == packetUID && len(a.Data) == 4:
			uid, owned = binary.BigEndian.Uint32(a.Data), true
		}
	}
	r.UID, r.Owned, r.Forwarded = uid, owned, forwarded
	return r, ok
}
