package lockdown

import (
	"encoding/binary"
	"fmt"
	"syscall"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
)

// Numbers of linux/netfilter/nf_tables.h and nf_conntrack_common.h that the
// library does not name.
const (
	dynsetUpdate    = 1
	rejectReset     = 1
	rejectICMPX     = 2
	icmpxProhibited = 3
	ctStatusDNAT    = 1 << 5
	register        = 1
)

// netlink gives the kernel's expressions for one of ours.
func netlink(e expression) []expr.Any {
	switch e := e.(type) {
	case byAllowed:
		return []expr.Any{skuid(), &expr.Lookup{SourceRegister: register, SetName: allowSet}}
	case hasSocket:
		return []expr.Any{skuid(), compare(expr.CmpOpNeq, uidKeyOf(nobody))}
	case address:
		return append(load(e.field), &expr.Lookup{SourceRegister: register, SetName: e.set})
	case established:
		return conntrack(expr.CtKeySTATE, expr.CtStateBitESTABLISHED|expr.CtStateBitRELATED)
	case translated:
		return conntrack(expr.CtKeySTATUS, ctStatusDNAT)
	case isTCP:
		return []expr.Any{
			&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: register},
			compare(expr.CmpOpEq, []byte{syscall.IPPROTO_TCP}),
		}
	case count:
		return []expr.Any{&expr.Counter{}}
	case remember:
		return append(load(e.key), &expr.Dynset{SrcRegKey: register, SetName: e.set, Operation: dynsetUpdate})
	case limit:
		return []expr.Any{&expr.Limit{Type: expr.LimitTypePkts, Rate: uint64(e.rate), Unit: expr.LimitTimeSecond, Burst: e.burst}}
	case logTo:
		return []expr.Any{&expr.Log{Key: logKeys, Group: e.group, Data: []byte(logPrefix)}}
	case resetTCP:
		return []expr.Any{&expr.Reject{Type: rejectReset}}
	case prohibit:
		return []expr.Any{&expr.Reject{Type: rejectICMPX, Code: icmpxProhibited}}
	case accept:
		return []expr.Any{&expr.Verdict{Kind: expr.VerdictAccept}}
	case goTo:
		return []expr.Any{&expr.Verdict{Kind: expr.VerdictGoto, Chain: e.chain}}
	}
	panic(fmt.Sprintf("lockdown: no netlink for %T", e))
}

// logKeys are the attributes that a log to a group carries, NFTA_LOG_GROUP and
// NFTA_LOG_PREFIX, as the bits of their numbers.
const logKeys = 1<<1 | 1<<2

func skuid() *expr.Meta { return &expr.Meta{Key: expr.MetaKeySKUID, Register: register} }

func compare(op expr.CmpOp, data []byte) *expr.Cmp {
	return &expr.Cmp{Op: op, Register: register, Data: data}
}

// load puts what nft calls field into the register, after the check of the
// family that nft adds in a table of both.
func load(field string) []expr.Any {
	for _, f := range families {
		length, source, proto := uint32(16), uint32(8), byte(syscall.AF_INET6)
		if f.is4 {
			length, source, proto = 4, 12, syscall.AF_INET
		}
		offsets := map[string]uint32{f.source: source, f.dest: source + length}
		if offset, ok := offsets[field]; ok {
			return []expr.Any{
				&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: register},
				compare(expr.CmpOpEq, []byte{proto}),
				&expr.Payload{DestRegister: register, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: length},
			}
		}
	}
	return []expr.Any{skuid()}
}

func conntrack(key expr.CtKey, bits uint32) []expr.Any {
	mask := binary.NativeEndian.AppendUint32(nil, bits)
	return []expr.Any{
		&expr.Ct{Key: key, Register: register},
		&expr.Bitwise{SourceRegister: register, DestRegister: register, Len: 4, Mask: mask, Xor: make([]byte, 4)},
		compare(expr.CmpOpNeq, make([]byte, 4)),
	}
}

// expressions gives the kernel's form of a whole rule. What nft leaves out, the
// second check of one packet's family, is left out here too.
func (r rule) expressions() []expr.Any {
	var out []expr.Any
	checked := false
	for _, e := range r {
		list := netlink(e)
		if m, ok := list[0].(*expr.Meta); ok && m.Key == expr.MetaKeyNFPROTO {
			if checked {
				list = list[2:]
			}
			checked = true
		}
		out = append(out, list...)
	}
	return out
}

var dataTypes = map[keyType]nftables.SetDatatype{
	uidKey: nftables.TypeUID, ip4Key: nftables.TypeIPAddr, ip6Key: nftables.TypeIP6Addr,
}

// netlink gives the kernel's form of a set without its elements.
func (s set) netlink(t *nftables.Table) *nftables.Set {
	order := binaryutil.BigEndian
	if s.key == uidKey {
		order = binaryutil.NativeEndian
	}
	return &nftables.Set{
		Table: t, Name: s.name, KeyType: dataTypes[s.key], KeyByteOrder: order, Interval: s.interval, Size: s.size,
		Dynamic: s.timeout != 0, Counter: s.timeout != 0, HasTimeout: s.timeout != 0, Timeout: s.timeout,
	}
}

// members gives the kernel's form of the elements: of a range where it begins
// and where it has ended.
func (s set) members() []nftables.SetElement {
	var out []nftables.SetElement
	for i, e := range s.elements {
		if i == 0 && s.interval && !isZero(e.from) {
			out = append(out, nftables.SetElement{Key: make([]byte, len(e.from)), IntervalEnd: true})
		}
		out = append(out, nftables.SetElement{Key: e.from})
		if e.end != nil {
			out = append(out, nftables.SetElement{Key: e.end, IntervalEnd: true})
		}
	}
	return out
}

func isZero(key []byte) bool {
	for _, b := range key {
		if b != 0 {
			return false
		}
	}
	return true
}

var hooks = map[hook]*nftables.ChainHook{output: nftables.ChainHookOutput, forward: nftables.ChainHookForward}

func (c chain) netlink(t *nftables.Table) *nftables.Chain {
	out := &nftables.Chain{Table: t, Name: c.name}
	if c.hook != noHook {
		policy := nftables.ChainPolicyAccept
		out.Type, out.Policy = nftables.ChainTypeFilter, &policy
		out.Hooknum, out.Priority = hooks[c.hook], nftables.ChainPriorityRef(nftables.ChainPriority(c.priority))
	}
	return out
}
