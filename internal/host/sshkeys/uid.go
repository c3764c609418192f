package sshkeys

import (
	"crypto/sha256"
	"encoding/binary"
)

// The uids of Postern's accounts. systemd gives nothing below 2³¹ to anybody
// above its container range (524288…1879048191) but the foreign range
// (2147352576…2147418111), at which ours ends.
//
// https://systemd.io/UIDS-GIDS/
const (
	firstUID = 0x70000000 // 1879048192
	uidCount = 0x7FFE0000 - firstUID
)

// UID is the uid, and the gid, of the account of an IAM user: the same on every
// host and for good, because UserIDs (AIDA…) are never used twice. Two of
// 1,000 users share one with a probability of 0.2 %; the newer is refused then.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
func UID(userID string) uint32 {
	sum := sha256.Sum256([]byte(userID))
	return firstUID + uint32(binary.BigEndian.Uint64(sum[:])%uidCount)
}

// OwnUID says whether a uid is in Postern's range.
func OwnUID(uid uint32) bool { return uid >= firstUID && uid-firstUID < uidCount }
