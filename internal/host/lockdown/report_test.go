package lockdown

import (
	"encoding/hex"
	"testing"
)

func TestParsePacket(t *testing.T) {
	tests := []struct {
		name, hex, want string
	}{
		{"TCP over IPv4", "4500003c0000400040060000" + "0a000001a9fea9fe" + "9c400050", "tcp 10.0.0.1:40000 169.254.169.254:80"},
		{"IPv4 with options", "4600003c0000400040110000" + "0a000001a9fea9fe" + "01010101" + "00350050", "udp 10.0.0.1:53 169.254.169.254:80"},
		{"TCP over IPv6", "60000000000406400000000000000000000000000000000100000000000000000000000000000002" + "00010050", "tcp [::1]:1 [::2]:80"},
		{"cut behind the header", "4500003c0000400040060000" + "0a000001a9fea9fe", "tcp 10.0.0.1:0 169.254.169.254:0"},
		{"ping", "4500003c0000400040010000" + "0a000001a9fea9fe" + "08000000", "icmp 10.0.0.1:0 169.254.169.254:0"},
		{"empty", "", ""},
		{"short", "4500", ""},
		{"header longer than the packet", "4f00003c0000400040060000" + "0a000001a9fea9fe", ""},
		{"header shorter than a header", "4100003c0000400040060000" + "0a000001a9fea9fe", ""},
		{"other version", "5000003c0000400040060000" + "0a000001a9fea9fe", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data, err := hex.DecodeString(tt.hex)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if r, ok := parsePacket(data); ok {
				got = r.Protocol + " " + r.From.String() + " " + r.To.String()
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzParsePacket(f *testing.F) {
	f.Add([]byte{0x45, 19: 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		r, ok := parsePacket(data)
		if ok && (!r.From.Addr().IsValid() || !r.To.Addr().IsValid()) {
			t.Errorf("%v", r)
		}
	})
}
