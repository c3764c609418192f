package spec

import (
	"encoding/json"
	"maps"
)

// Schema returns the JSON Schema of a spec file, draft 2020-12, for editors and
// other tools. It comes from the same tables as the reader, so whatever Parse
// takes it takes too; what only Parse can see (references, names in AWS,
// arguments of grants that do not fit together) it lets pass.
func Schema() []byte {
	proofs := newProofForms()
	s := schema{
		"$schema":     "https://json-schema.org/draft/2020-12/schema",
		"title":       "Postern spec",
		"description": "Who asks for AWS access, what they may become, and what must never be. One file, or one of a folder of files that together are a spec.",
		"$defs":       proofs.defs(),
	}
	maps.Copy(s, specForm(proofs).schema)
	out, err := json.MarshalIndent(s, "", "  ")
	if err != nil { // the tables hold nothing that JSON cannot
		panic(err)
	}
	return append(out, '\n')
}
