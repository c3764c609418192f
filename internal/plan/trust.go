package plan

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/trust"
)

// commonTrust is the trust policy that admits only whom both policies admit,
// statement by statement and subject by subject, and refuses whom either
// refuses. It is nil when no Allow statement is common: AWS takes no empty trust
// policy.
func commonTrust(want, have *iam.Document) *iam.Document {
	wanted := statementKeys(want)
	common := &iam.Document{Version: iam.Version2012}
	allows := false
	if have == nil {
		return nil
	}
	for _, s := range trust.Split(have).Statements {
		if s.Effect == iam.Allow && !slices.Contains(wanted, statementKey(s)) {
			continue
		}
		allows = allows || s.Effect == iam.Allow
		common.Statements = append(common.Statements, s)
	}
	if !allows {
		return nil
	}
	return trust.Join(common)
}

// sameTrust reports whether two policies have the same statements, whatever
// their names and order, and whichever subjects share one.
func sameTrust(a, b *iam.Document) bool {
	x, y := statementKeys(a), statementKeys(b)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

func statementKeys(d *iam.Document) []string {
	var keys []string
	if d == nil {
		return nil
	}
	for _, s := range trust.Split(d).Statements {
		keys = append(keys, statementKey(s))
	}
	return keys
}

// statementKey is equal for statements that say the same, whatever their Sid.
func statementKey(s iam.Statement) string {
	s.SID = ""
	d := (&iam.Document{Version: iam.Version2012, Statements: []iam.Statement{s}}).Normalized()
	text, err := json.Marshal(d)
	if err != nil {
		panic(fmt.Sprintf("plan: print a parsed statement: %v", err))
	}
	return string(text)
}
