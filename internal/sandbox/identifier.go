package sandbox

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
)

// The prefixes of IAM's unique IDs.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
const (
	userPrefix    = "AIDA"
	groupPrefix   = "AGPA"
	rolePrefix    = "AROA"
	policyPrefix  = "ANPA"
	profilePrefix = "AIPA"
	sshKeyPrefix  = "APKA"
	keyPrefix     = "AKIA"
	tempKeyPrefix = "ASIA"
)

const (
	idLength  = 21 // with prefix
	keyLength = 20
)

// newID makes a unique ID: prefix and upper-case letters and digits.
func newID(prefix string, length int) string {
	return prefix + rand.Text()[:length-len(prefix)]
}

// newSecret makes a secret access key: 40 characters.
func newSecret() string { return base64.StdEncoding.EncodeToString(randomBytes(30)) }

// newToken makes a session token. AWS's are opaque and have no fixed length.
func newToken() string { return "IQoJ" + base64.StdEncoding.EncodeToString(randomBytes(180)) }

// newRequestID makes a random UUID.
func newRequestID() string {
	b := randomBytes(16)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails: see crypto/rand
	return b
}
