package sshkeys

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

// minRSA is the least modulus in bits; IAM itself takes no smaller one.
const minRSA = 2048

// keyTypes are the types that sshd takes by default. DSA is not among them.
var keyTypes = []string{
	"ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
	"sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com",
}

// ParseKey reads a public key as in authorized_keys, without options. The
// comment is dropped: what the snapshot holds goes into sshd's answer, and a
// key's owner chooses the comment. RSA keys under 2048 bits are refused.
func ParseKey(line string) (Key, error) {
	fields := strings.Fields(line)
	if len(fields) < 2 || strings.ContainsAny(strings.TrimSpace(line), "\r\n") {
		return Key{}, errors.New("not one line of type and key")
	}
	if !slices.Contains(keyTypes, fields[0]) {
		return Key{}, fmt.Errorf("keys of type %.40q are not used", fields[0])
	}
	blob, err := base64.StdEncoding.Strict().DecodeString(fields[1])
	if err != nil {
		return Key{}, errors.New("the key is not base64")
	}
	if err := checkBlob(fields[0], blob); err != nil {
		return Key{}, err
	}
	sum := sha256.Sum256(blob)
	return Key{
		Fingerprint: "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:]),
		Line:        fields[0] + " " + base64.StdEncoding.EncodeToString(blob),
	}, nil
}

// checkBlob reads the parts of a key, each with its length before it.
//
// https://www.rfc-editor.org/rfc/rfc4253#section-6.6
func checkBlob(keyType string, blob []byte) error {
	var parts [][]byte
	for rest := blob; len(rest) > 0; {
		if len(rest) < 4 || uint64(len(rest)-4) < uint64(binary.BigEndian.Uint32(rest)) {
			return errors.New("the key is cut short")
		}
		n := 4 + int(binary.BigEndian.Uint32(rest))
		parts, rest = append(parts, rest[4:n]), rest[n:]
	}
	switch {
	case len(parts) < 2 || string(parts[0]) != keyType:
		return errors.New("the key is not of the type that it says")
	case keyType == "ssh-rsa" && len(parts) != 3:
		return errors.New("an RSA key has an exponent and a modulus")
	case keyType == "ssh-rsa" && bitLen(parts[2]) < minRSA:
		return fmt.Errorf("an RSA key of %d bits is too short: sshd is told to take %d or more", bitLen(parts[2]), minRSA)
	case keyType == "ssh-ed25519" && (len(parts) != 2 || len(parts[1]) != 32):
		return errors.New("an ed25519 key has 32 bytes")
	}
	return nil
}

// bitLen is the length of a big-endian number without its leading zeros.
func bitLen(n []byte) int {
	for len(n) > 0 && n[0] == 0 {
		n = n[1:]
	}
	if len(n) == 0 {
		return 0
	}
	return 8*(len(n)-1) + bits.Len8(n[0])
}
