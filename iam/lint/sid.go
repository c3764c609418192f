package lint

import (
	"fmt"
	"strings"
)

// iamTypes are the types whose documents IAM or Organizations keep, with rules
// of their own for Sid. Services that keep resource policies have theirs.
var iamTypes = []Type{Identity, Trust, SCP, RCP, Boundary}

var sidChecks = []*check{
	{code: "UNSUPPORTED_SID", severity: Error, types: iamTypes, run: unsupportedSid},
	{code: "UNIQUE_SIDS_REQUIRED", severity: Error, types: iamTypes, run: uniqueSids},
	{code: "UNIQUE_SIDS_RECOMMENDED", severity: Warning, types: []Type{Resource}, run: uniqueSids},
	{code: "EMPTY_SID_VALUE", severity: Suggestion, run: emptySid},
	{code: "REDUNDANT_STATEMENT", severity: Suggestion, run: redundantStatement},
}

// sids lists the Sids in use.
func (p *pass) sids() map[string]bool {
	used := map[string]bool{}
	for _, s := range p.statements {
		if s.sid != nil {
			used[s.sid.text] = true
		}
	}
	return used
}

func unsupportedSid(p *pass) {
	used := p.sids()
	for _, s := range p.statements {
		if s.sid == nil {
			continue
		}
		plain := strings.Map(alphanumeric, s.sid.text)
		if plain == s.sid.text {
			continue
		}
		f := p.report(s.sid, "Sid %q has characters other than a-z, A-Z and 0-9", s.sid.text)
		if plain != "" && !used[plain] {
			used[plain] = true
			f.hint("write %q", plain).fix("write "+plain, replace(s.sid, plain))
		}
	}
}

// alphanumeric keeps letters and digits of ASCII.
func alphanumeric(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
		return r
	}
	return -1
}

func uniqueSids(p *pass) {
	used := p.sids()
	seen := map[string]bool{}
	for _, s := range p.statements {
		if s.sid == nil || s.sid.text == "" {
			continue
		}
		if !seen[s.sid.text] {
			seen[s.sid.text] = true
			continue
		}
		free := s.sid.text
		for n := 2; used[free]; n++ {
			free = fmt.Sprintf("%s%d", s.sid.text, n)
		}
		used[free] = true
		p.report(s.sid, "Sid %q stands twice", s.sid.text).fix("write "+free, replace(s.sid, free))
	}
}

func emptySid(p *pass) {
	for _, s := range p.statements {
		if s.sid != nil && s.sid.text == "" {
			f := p.report(s.sid, "Sid is empty")
			if s.sid.removable() {
				f.fix("remove Sid", remove(s.sid))
			}
		}
	}
}
