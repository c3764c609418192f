package lint_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/lint"
)

// FuzzRun holds the linter to what must be so of any text: no panic, places
// inside the text, an error for whatever is refused, and safe fixes that leave a
// policy that is taken and nothing to fix.
func FuzzRun(f *testing.F) {
	for _, fixture := range fixtures(f) {
		f.Add(fixture.src, string(fixture.typ))
	}
	f.Fuzz(func(t *testing.T, src []byte, typ string) {
		opt := lint.Options{Type: lint.Type(typ)}
		lines := strings.Count(string(src), "\n") + 1
		for _, finding := range lint.Run(src, opt) {
			if finding.Start.Line < 1 || finding.End.Line > lines || finding.Start.Column < 1 || finding.Message == "" {
				t.Errorf("%+v is not inside the %d lines of\n%s", finding, lines, src)
			}
		}
		checkRefused(t, src, opt.Type)
		fixed, _ := lint.Fixed(src, opt)
		if again, _ := lint.Fixed(fixed, opt); len(src) < 10_000 && !bytes.Equal(again, fixed) {
			t.Errorf("%s\nbecomes\n%s\nand then\n%s", src, fixed, again)
		}
		if _, err := iam.Parse(src); err == nil {
			if _, err := iam.Parse(fixed); err != nil {
				t.Errorf("%s\nbecomes\n%s\nwhich is refused: %v", src, fixed, err)
			}
		}
	})
}
