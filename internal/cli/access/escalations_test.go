package access

import (
	"fmt"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/cli/ui"
)

// Of very many ways the text shows the first and says how many there are.
func TestEscalationsTextEnds(t *testing.T) {
	r := &escalationsResult{Principals: 100}
	for i := range 60 {
		from := fmt.Sprintf("arn:aws:iam::111111111111:user/u%02d", i)
		r.Escalations = append(r.Escalations, escalationAnswer{From: from, To: from, Steps: []stepAnswer{{ID: "iam-007", From: from, To: from}}})
	}
	streams, out, _ := ui.Test("")
	escalationsText(streams.Result(), r)
	text := out.String()
	if !strings.HasPrefix(text, "✗ 60 of 100 users") || !strings.Contains(text, "user/u49\n") || strings.Contains(text, "user/u50") ||
		!strings.HasSuffix(text, "\n… and 10 more: --json has all\n") {
		t.Errorf("text:\n%s", text)
	}
}
