package lockdown

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"syscall"

	"github.com/google/nftables"

	"github.com/postern-dev/postern/internal/fault"
)

// elementsPerMessage keeps a message's list of elements below the 64 KiB that
// the length of a netlink attribute can say.
const elementsPerMessage = 1000

// apply puts the policy's table into the kernel in one transaction, in place of
// the one that stands: at no moment is there none, and what it cannot apply
// whole it does not apply. The table guards when it returns. It needs
// CAP_NET_ADMIN in the network namespace. It does not check the policy: what
// stood before is restored, whoever made it.
func (c *conn) apply(p Policy) error {
	t := &nftables.Table{Name: Table, Family: nftables.TableFamilyINet}
	c.nft.AddTable(t) // deleting what is not there would fail
	c.nft.DelTable(t)
	c.nft.AddTable(t)
	if err := describe(p).send(c.nft, t); err != nil {
		return err
	}
	return explainChange("apply table "+Table, c.nft.Flush())
}

// send queues the table's content.
func (t table) send(conn *nftables.Conn, in *nftables.Table) error {
	for i, s := range t.sets {
		queued := s.netlink(in)
		queued.ID = uint32(i) + 1 // the library's own counter is shared, and not guarded
		if err := conn.AddSet(queued, nil); err != nil {
			return fmt.Errorf("encode set %s: %w", s.name, err)
		}
		for some := range slices.Chunk(s.members(), elementsPerMessage) {
			if err := conn.SetAddElements(queued, some); err != nil {
				return fmt.Errorf("encode elements of set %s: %w", s.name, err)
			}
		}
	}
	for _, c := range t.chains {
		conn.AddChain(c.netlink(in))
	}
	for _, c := range t.chains {
		for _, r := range c.rules {
			conn.AddRule(&nftables.Rule{Table: in, Chain: &nftables.Chain{Name: c.name, Table: in}, Exprs: r.expressions()})
		}
	}
	return nil
}

// remove deletes our table and reports whether there was one.
func (c *conn) remove() (bool, error) {
	c.nft.DelTable(&nftables.Table{Name: Table, Family: nftables.TableFamilyINet})
	err := c.nft.Flush()
	if errors.Is(err, syscall.ENOENT) {
		return false, nil
	}
	return err == nil, explainChange("remove table "+Table, err)
}

// explainChange also knows a table that nobody but its owner may touch, root or not.
//
// https://manpages.debian.org/bookworm/nftables/nft.8.en.html#TABLES
func explainChange(doing string, err error) error {
	if errors.Is(err, fs.ErrPermission) && owned() {
		return &fault.Error{
			What: doing + ": it belongs to a process that made it with nft's flag `owner`",
			Hint: "end that process, and the table is gone; `nft list table inet " + Table + "` tells which it is",
		}
	}
	return explain(doing, err)
}

// owned looks through a socket of its own: the one that a change has failed on
// still holds answers to the rest of it.
func owned() bool {
	const owner = 2 // NFT_TABLE_F_OWNER of linux/netfilter/nf_tables.h
	c, err := dial()
	if err != nil {
		return false
	}
	defer func() { _ = c.close() }()
	tables, err := c.nft.ListTablesOfFamily(nftables.TableFamilyINet)
	return err == nil && slices.ContainsFunc(tables, func(t *nftables.Table) bool {
		// The library reads the kernel's big endian in the host's byte order.
		flags := binary.BigEndian.Uint32(binary.NativeEndian.AppendUint32(nil, t.Flags))
		return t.Name == Table && flags&owner != 0
	})
}

// forget strikes a user from the count of refusals.
func (c *conn) forget(uid uint32) error {
	t := &nftables.Table{Name: Table, Family: nftables.TableFamilyINet}
	denied := &nftables.Set{Table: t, Name: deniedSet, KeyType: nftables.TypeUID}
	if err := c.nft.SetDeleteElements(denied, []nftables.SetElement{{Key: uidKeyOf(uid)}}); err != nil {
		return fmt.Errorf("encode element of set %s: %w", deniedSet, err)
	}
	if err := c.nft.Flush(); err != nil && !errors.Is(err, syscall.ENOENT) {
		return explain("forget refusals", err)
	}
	return nil
}

// explain says what the kernel's answer means for an operator.
func explain(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrPermission):
		return &fault.Error{
			Code: fault.Auth, What: doing, Cause: errors.New("not permitted: CAP_NET_ADMIN is missing"),
			Hint: "run it as root; in a container, with --network host --cap-add NET_ADMIN",
		}
	case errors.Is(err, syscall.EPROTONOSUPPORT), errors.Is(err, syscall.EOPNOTSUPP), errors.Is(err, syscall.EINVAL):
		return &fault.Error{
			What: doing, Cause: fmt.Errorf("the kernel has no nf_tables, or one that is too old: %w", err),
			Hint: "run `modprobe nf_tables`; Linux 4.14 or later is needed",
		}
	case errors.Is(err, syscall.ENOENT):
		return &fault.Error{
			What: doing, Cause: fmt.Errorf("the kernel lacks a part of nf_tables: %w", err),
			Hint: "run `modprobe -a nft_ct nft_limit nft_log nft_reject_inet`; a minimal kernel keeps them in a package of extra modules",
		}
	}
	return fmt.Errorf("%s: %w", doing, err)
}
