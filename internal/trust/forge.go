package trust

import (
	"slices"
	"strings"
)

// signer is a job, or what else an issuer signs tokens for.
type signer interface{ claims() Claims }

// change makes of the right job another one.
type change[J signer] struct {
	name, why string // as of an Attack
	make      func(*J)
}

// forge returns the tokens of changed jobs.
func forge[J signer](right J, changes ...change[J]) []forgery {
	var forged []forgery
	for _, c := range changes {
		job := right
		c.make(&job)
		forged = append(forged, forgery{c.name, c.why, job.claims()})
	}
	return forged
}

// another is the first of the names that is not taken.
func another(taken string, names ...string) string {
	return names[slices.IndexFunc(names, func(name string) bool { return name != taken })]
}

// evil is a name that begins like another: a pattern with a "*" at its end takes
// it in.
func evil(name string) string { return name + "-evil" }

// one of the texts that a wildcard of the spec stands for.
func oneOf(pattern string) string { return strings.ReplaceAll(pattern, "*", "1") }

// anyUUID stands for one UUID and for nothing else: "*" would take in text with
// further parts.
const anyUUID = "????????-????-????-????-????????????"

// otherUUID is a UUID that is not the given one.
func otherUUID(id string) string {
	const other = "99999999-9999-4999-8999-999999999999"
	if id == other {
		return "88888888-8888-4888-8888-888888888888"
	}
	return other
}

// someUUID is one that nobody chose.
const someUUID = "11111111-2222-4333-8444-555555555555"

const (
	whyAnyone = "anyone can have it; a trust without sub lets it in"
	whyAlike  = "whoever may create one; a * after the name lets it in"
	whyPushes = "whoever may push a branch, without review; a * for the ref lets it in"
	whyElse   = "every team there can have it; a * for the name lets it in"
)
