package lockdown

import (
	"encoding/hex"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Process is a process that has a socket.
type Process struct {
	PID     int    `json:"pid"`
	Command string `json:"command"` // its name, at most 15 bytes
}

// Owner finds the process that sent a report's packet, by the socket's local
// address. It works as long as the socket is open: a program that gives up at
// once may be gone.
func Owner(r Report) (Process, bool) {
	inode, ok := socketInode(r)
	if !ok {
		return Process{}, false
	}
	link := "socket:[" + inode + "]"
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return Process{}, false
	}
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil && holds(pid, link) {
			name, err := os.ReadFile(filepath.Join("/proc", e.Name(), "comm"))
			return Process{pid, strings.TrimSpace(string(name))}, err == nil
		}
	}
	return Process{}, false
}

// socketInode looks for the local address in the tables of the kernel. An IPv4
// flow may belong to an IPv6 socket.
//
// https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html
func socketInode(r Report) (string, bool) {
	for _, table := range []string{r.Protocol, r.Protocol + "6"} {
		data, err := os.ReadFile("/proc/net/" + table)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(data)) {
			f := strings.Fields(line)
			if len(f) > 9 && f[9] != "0" && localAddr(f[1]) == r.From {
				return f[9], true
			}
		}
	}
	return "", false
}

// localAddr reads "0100007F:0050": words of the host's byte order, here little
// endian as on every EC2 instance.
func localAddr(text string) netip.AddrPort {
	host, port, ok := strings.Cut(text, ":")
	raw, err := hex.DecodeString(host)
	n, err2 := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil || err2 != nil {
		return netip.AddrPort{}
	}
	for word := range slices.Chunk(raw, 4) {
		slices.Reverse(word)
	}
	addr, _ := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(addr.Unmap(), uint16(n))
}

func holds(pid int, link string) bool {
	dir := filepath.Join("/proc", strconv.Itoa(pid), "fd")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(entries, func(e os.DirEntry) bool {
		target, err := os.Readlink(filepath.Join(dir, e.Name()))
		return err == nil && target == link
	})
}
