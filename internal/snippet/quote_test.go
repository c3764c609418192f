package snippet

import (
	"os/exec"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
	"pgregory.net/rapid"

	"github.com/postern-dev/postern/internal/trust"
	"github.com/postern-dev/postern/test/witness"
)

// text is what a name of the spec may hold: see checkText of internal/trust.
func text() *rapid.Generator[string] {
	letter := rapid.Rune().Filter(func(r rune) bool { return r >= ' ' && r != 0x7f && r <= 0xff })
	tricky := rapid.SampledFrom([]rune(" \"'\\#:-?*&!|>%@`{}[],$~=/0123456789yn\u0085\u00a0"))
	return rapid.StringOf(rapid.OneOf(letter, tricky))
}

func TestYAMLScalars(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := text().Draw(t, "value")
		for name, write := range map[string]func(string) string{"scalar": yamlScalar, "quoted": quoted} {
			var got map[string]any
			doc := "key: " + write(v) + " # comment\nlist: [" + write(v) + ", end]\n"
			if err := yaml.Unmarshal([]byte(doc), &got); err != nil {
				t.Fatalf("%s: %v\n%s", name, err, doc)
			}
			if want := map[string]any{"key": v, "list": []any{v, "end"}}; !cmp.Equal(want, got) {
				t.Fatalf("%s: %s\n%s", name, doc, cmp.Diff(want, got))
			}
		}
	})
}

// TestAnyNames has names that the spec takes, whatever they hold, arrive where
// they belong.
func TestAnyNames(t *testing.T) {
	arrived := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		v := text().Draw(rt, "name")
		for _, tt := range []struct {
			id   trust.Identity
			path []any
		}{
			{trust.GitHub{Repository: "acme/shop", Environment: v}, []any{"jobs", "deploy", "environment"}},
			{trust.AzureDevOps{Organization: "acme", OrganizationID: "61c028b9-510c-4f84-bfb2-f48d33b6b542", Project: v, ServiceConnection: v}, []any{"steps", 0, "inputs", "awsCredentials"}},
			{trust.GitLab{ProjectPath: "acme/shop", Ref: "main", Audience: v}, []any{"shop-deploy", "id_tokens", "AWS_ID_TOKEN", "aud"}},
		} {
			if v == "" || tt.id.Check() != nil {
				continue
			}
			s, err := formsOf(tt.id)[0].snippet(job{ID: tt.id, Stack: "shop", Identity: "ci", Role: "deploy", Name: "deploy", Describe: tt.id.Describe(), Audience: v})
			if err != nil {
				rt.Fatal(err)
			}
			if got := at(t, parse(t, s), tt.path...); got != v {
				rt.Fatalf("%s: got %q, want %q\n%s", s.System, got, v, s.Text)
			}
			arrived[s.System]++
		}
	})
	for _, system := range []string{"github", "azure_devops", "gitlab"} {
		if arrived[system] == 0 {
			t.Errorf("%s took no name", system)
		}
	}
}

func TestPlainScalars(t *testing.T) {
	for v, want := range map[string]string{
		"main":        "main",
		"release/1.x": "release/1.x",
		"arn:aws:iam::222222222222:role/postern/shop/shop-deploy": "arn:aws:iam::222222222222:role/postern/shop/shop-deploy",
		"":            `""`,
		"yes":         `"yes"`,
		"On":          `"On"`,
		"y":           `"y"`,
		"null":        `"null"`,
		"..":          `".."`,
		".0":          `".0"`,
		".github":     ".github",
		"1":           `"1"`,
		"0x1f":        `"0x1f"`,
		"arn:":        `"arn:"`,
		"a: b":        `"a: b"`,
		"a #b":        `"a #b"`,
		`a "b" == \`:  `'a "b" == \'`,
		"it's \"so\"": `"it's \"so\""`,
		"a\u0085b":    `"a\u0085b"`,
	} {
		if got := yamlScalar(v); got != want {
			t.Errorf("%q: got %s, want %s", v, got, want)
		}
	}
}

func TestShellWords(t *testing.T) {
	bash := witness.Need(t, "bash")
	var values []string
	var script strings.Builder
	gen := text()
	for i := range 200 {
		v := gen.Example(i)
		values = append(values, v)
		script.WriteString("printf '%s\\0' " + shellWord(v) + "\n")
	}
	cmd := exec.Command(bash)
	cmd.Stdin = strings.NewReader(script.String())
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(values, strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestStrings(t *testing.T) {
	tests := []struct{ name, got, want string }{
		{"HCL has templates", hclString(`${a} %{b} "c"`), `"$${a} %%{b} \"c\""`},
		{"Groovy has escapes", groovyString("it's \\ so"), `'it\'s \\ so'`},
		{"GitHub has patterns", githubPattern("release/*+!"), `release/**\+\!`},
		{"a pattern of slashes", slashedPattern("release/1.*"), `/^release\/1\..*$/`},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, tt.got, tt.want)
		}
	}
}

func TestOneLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		got := oneLine(rapid.String().Draw(t, "text"))
		if strings.IndexFunc(got, unicode.IsControl) >= 0 || strings.ContainsAny(got, "\u2028\u2029") {
			t.Fatalf("%q has more than one line", got)
		}
	})
}
