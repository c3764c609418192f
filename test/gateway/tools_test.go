package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/postern-dev/postern/test/witness"
)

func needAWS(t testing.TB) { witness.Need(t, "aws") }

func hash(data []byte) string {
	digest := sha256.Sum256(data)
	return hex.EncodeToString(digest[:])
}
