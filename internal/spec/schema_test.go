package spec_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"github.com/postern-dev/postern/internal/spec"
)

const schemaFile = "postern.schema.json"

// TestSchemaDrift fails when the checked-in schema is not what the tables say.
// go test ./internal/spec -update writes it.
func TestSchemaDrift(t *testing.T) {
	if *update {
		if err := os.WriteFile(schemaFile, spec.Schema(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, spec.Schema()) {
		t.Errorf("%s is not what Schema returns; run go test ./internal/spec -update", schemaFile)
	}
}

// witness is the schema in an implementation that is not ours.
func witness(t testing.TB) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(spec.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("mem:///spec.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("mem:///spec.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asJSON is a YAML document as an editor gives it to a schema: by YAML 1.2's
// core schema, which has no dates.
func asJSON(t testing.TB, data []byte) any {
	t.Helper()
	var n yaml.Node
	if err := yaml.Load(data, &n); err != nil {
		t.Fatal(err)
	}
	if n.IsZero() {
		return nil
	}
	return nodeJSON(t, n.Content[0])
}

func nodeJSON(t testing.TB, n *yaml.Node) any {
	t.Helper()
	switch {
	case n.Kind == yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = nodeJSON(t, n.Content[i+1])
		}
		return m
	case n.Kind == yaml.SequenceNode:
		list := []any{}
		for _, v := range n.Content {
			list = append(list, nodeJSON(t, v))
		}
		return list
	}
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int", "!!float":
		return json.Number(n.Value)
	default:
		return n.Value
	}
}

func TestSchemaTakesExamples(t *testing.T) {
	s := witness(t)
	examples, err := filepath.Glob("../../examples/*/*.yaml")
	if err != nil || len(examples) < 5 {
		t.Fatal("few examples", examples, err)
	}
	for _, path := range examples {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(asJSON(t, data)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestExamplesLoad(t *testing.T) {
	dirs, err := filepath.Glob("../../examples/*")
	if err != nil || len(dirs) == 0 {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		if _, err := spec.Load(dir); err != nil {
			t.Errorf("%s:\n%v", dir, err)
		}
	}
}

// TestSchemaRefuses gives the bad specs to the witness. Those that it takes
// need more knowledge than a schema has; they are named, with the reason.
// Others never come before a schema.
func TestSchemaRefuses(t *testing.T) {
	unread := []string{"control", "empty", "syntax", "utf8", "yaml_documents", "yaml_features", "yaml_keys", "yaml_star", "yaml_tab", "duplicate_keys"}
	taken := map[string]string{
		"account_trust":          "what the role that trusts an account adds",
		"admin_role":             "the account of an ARN",
		"conditions_repeated":    "keys that differ in case",
		"boundary":               "the account of an ARN",
		"breadth":                "what a pattern covers",
		"unknown_actions":        "AWS's actions and condition keys",
		"dangling":               "references",
		"duplicate_across_files": "several files",
		"identity_checks":        "what trust knows of each kind",
		"identity_tokens":        "what trust knows of each kind",
		"invisible":              "what a reader cannot see",
		"many_names":             "references",
		"missing_across_files":   "several files",
		"names_too_long":         "names in AWS are longer than those in the spec",
		"partition":              "the partition of an ARN",
		"partition_unsupported":  "which partitions are supported",
		"region":                 "the names of regions",
		"secrets":                "what a secret looks like",
		"tags":                   "the rules for tags",
	}
	s := witness(t)
	archives, err := filepath.Glob("testdata/bad/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatal("no archives", err)
	}
	for _, path := range archives {
		name := strings.TrimSuffix(filepath.Base(path), ".txtar")
		if slices.Contains(unread, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			sources, _ := split(archive)
			for _, src := range sources {
				err := s.Validate(asJSON(t, src.Data))
				if (err == nil) != (taken[name] != "") {
					t.Errorf("%s: got %v, but the reason to take it is %q", src.Name, err, taken[name])
				}
			}
		})
	}
}
