package lockdown

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// BenchmarkApply replaces a table that stands: "apply" is the call until the new
// one guards, "change" the same beside reading what stands and a self-test that
// says yes at once, "freed" until the socket is closed, for which the kernel
// waits for all its processors to free the old table; beside nft -f of the same
// text, a whole process.
func BenchmarkApply(b *testing.B) {
	need(b)
	for _, users := range []uint32{1, 1000} {
		p := Policy{Endpoints: addresses(b, Default), LogGroup: 77}
		for uid := range users {
			p.Allow = append(p.Allow, uid)
		}
		file := filepath.Join(b.TempDir(), "lockdown.nft")
		if err := os.WriteFile(file, []byte(Print(p)), 0o600); err != nil {
			b.Fatal(err)
		}
		dir := b.TempDir()
		test := func(context.Context) error { return nil }
		name := func(what string) string { return fmt.Sprintf("users=%d/%s", users, what) }
		b.Run(name("apply"), func(b *testing.B) {
			eachOpen(b, func(c *conn) error { return c.apply(p) })
		})
		b.Run(name("change"), func(b *testing.B) {
			eachOpen(b, func(c *conn) error {
				h := Host{dir: dir, conn: c}
				return h.Make(b.Context(), Change{Policy: &p, Test: test})
			})
		})
		b.Run(name("freed"), func(b *testing.B) {
			for b.Loop() {
				c, err := dial()
				if err == nil {
					err = c.apply(p)
				}
				if err == nil {
					err = c.close()
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name("nft"), func(b *testing.B) {
			for b.Loop() {
				if out, err := exec.CommandContext(b.Context(), "nft", "-f", file).CombinedOutput(); err != nil {
					b.Fatalf("%v\n%s", err, out)
				}
			}
		})
	}
}

// eachOpen times opening a socket and a call on it, and closes the socket
// beside the clock.
func eachOpen(b *testing.B, call func(*conn) error) {
	for b.Loop() {
		c, err := dial()
		if err == nil {
			err = call(c)
		}
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := c.close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// BenchmarkDrift reads what stands and compares it, as each refresh does.
func BenchmarkDrift(b *testing.B) {
	need(b)
	p := apply(b, Policy{Allow: []uint32{0, 999}, LogGroup: 77})
	c := open(b)
	for b.Loop() {
		s, err := c.read()
		if err != nil || s.Drift(p) != nil {
			b.Fatal(err)
		}
	}
}
