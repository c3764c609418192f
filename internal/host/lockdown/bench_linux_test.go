package lockdown

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/nftables"
)

// BenchmarkApply replaces a table that stands: ours over netlink until the new
// one guards, and until the old one is freed, for which the kernel waits for
// all its processors; beside nft -f of the same text, a whole process.
func BenchmarkApply(b *testing.B) {
	need(b)
	for _, users := range []uint32{1, 1000} {
		p := Policy{Endpoints: addresses(b, Default), LogGroup: 77}
		for uid := range users {
			p.Allow = append(p.Allow, uid)
		}
		b.Run(fmt.Sprintf("users=%d/guards", users), func(b *testing.B) {
			for b.Loop() {
				conn, err := nftables.New(nftables.AsLasting())
				if err == nil {
					err = commit(conn, p)
				}
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := conn.CloseLasting(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
		b.Run(fmt.Sprintf("users=%d/freed", users), func(b *testing.B) {
			for b.Loop() {
				if err := Apply(p); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("users=%d/nft", users), func(b *testing.B) {
			file := filepath.Join(b.TempDir(), "lockdown.nft")
			if err := os.WriteFile(file, []byte(Print(p)), 0o600); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if out, err := exec.CommandContext(b.Context(), "nft", "-f", file).CombinedOutput(); err != nil {
					b.Fatalf("%v\n%s", err, out)
				}
			}
		})
	}
}

// BenchmarkDrift reads what stands and compares it, as each refresh does.
func BenchmarkDrift(b *testing.B) {
	need(b)
	p := apply(b, Policy{Allow: []uint32{0, 999}, LogGroup: 77})
	for b.Loop() {
		s, err := Read()
		if err != nil || s.Drift(p) != nil {
			b.Fatal(err)
		}
	}
}
