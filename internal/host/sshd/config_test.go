package sshd

import (
	"io/fs"
	"path"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// virtual reads files from memory.
func virtual(content map[string]string) files {
	m := fstest.MapFS{}
	for name, text := range content {
		m[name[1:]] = &fstest.MapFile{Data: []byte(text)}
	}
	return files{
		read: func(name string) ([]byte, error) { return fs.ReadFile(m, name[1:]) },
		glob: func(pattern string) ([]string, error) {
			names, err := fs.Glob(m, pattern[1:])
			for i, n := range names {
				names[i] = path.Join("/", n)
			}
			slices.Reverse(names) // the order is not glob's business
			return names, err
		},
	}
}

func TestParse(t *testing.T) {
	tests := []struct {
		name    string
		content map[string]string
		want    []Line
	}{
		{
			name: "spellings",
			content: map[string]string{MainConfig: "# a comment\n\n  PermitRootLogin\tno # why\nport=22\nBanner = \"/etc/a b\"\n" +
				`AuthorizedKeysCommand /bin/x "a \"b" 'c d'` + "\r\nUsePAM yes"},
			want: []Line{
				{MainConfig, 3, "permitrootlogin", []string{"no"}, ""},
				{MainConfig, 4, "port", []string{"22"}, ""},
				{MainConfig, 5, "banner", []string{"/etc/a b"}, ""},
				{MainConfig, 6, "authorizedkeyscommand", []string{"/bin/x", `a "b`, "c d"}, ""},
				{MainConfig, 7, "usepam", []string{"yes"}, ""},
			},
		},
		{
			name: "included files in their order, a Match block ends with its file",
			content: map[string]string{
				MainConfig:                      "Include sshd_config.d/*.conf /missing\nUsePAM no\nMatch User bob\nInclude /etc/ssh/bob\nUsePAM yes\nMatch all\nPort 1\n",
				"/etc/ssh/sshd_config.d/2.conf": "Port 2\n",
				"/etc/ssh/sshd_config.d/1.conf": "Port 3\nMatch User eve\nPort 4\n",
				"/etc/ssh/bob":                  "Port 5\n",
			},
			want: []Line{
				{MainConfig, 1, "include", []string{"sshd_config.d/*.conf", "/missing"}, ""},
				{"/etc/ssh/sshd_config.d/1.conf", 1, "port", []string{"3"}, ""},
				{"/etc/ssh/sshd_config.d/1.conf", 2, "match", []string{"User", "eve"}, ""},
				{"/etc/ssh/sshd_config.d/1.conf", 3, "port", []string{"4"}, "User eve"},
				{"/etc/ssh/sshd_config.d/2.conf", 1, "port", []string{"2"}, ""},
				{MainConfig, 2, "usepam", []string{"no"}, ""},
				{MainConfig, 3, "match", []string{"User", "bob"}, ""},
				{MainConfig, 4, "include", []string{"/etc/ssh/bob"}, "User bob"},
				{"/etc/ssh/bob", 1, "port", []string{"5"}, "User bob"},
				{MainConfig, 5, "usepam", []string{"yes"}, "User bob"},
				{MainConfig, 6, "match", []string{"all"}, ""},
				{MainConfig, 7, "port", []string{"1"}, "all"},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := virtual(tt.content).parse(MainConfig)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// A file that includes itself ends, as it does for sshd.
func TestParseLoop(t *testing.T) {
	got, err := virtual(map[string]string{MainConfig: "Include /etc/ssh/sshd_config\n"}).parse(MainConfig)
	if err != nil || len(got) != maxDepth+1 {
		t.Errorf("got %d lines, %v", len(got), err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`""`)
	f.Add("Include *\nMatch User a\nB=\"c\\")
	f.Fuzz(func(t *testing.T, text string) {
		lines, err := virtual(map[string]string{MainConfig: text, "/etc/ssh/x": "Port 1"}).parse(MainConfig)
		if err != nil {
			t.Skip()
		}
		for _, l := range lines {
			if l.Keyword == "" || l.Number < 1 {
				t.Errorf("a line of nothing: %+v", l)
			}
		}
	})
}

func TestIncludesDropIn(t *testing.T) {
	tests := []struct {
		config string
		want   bool
	}{
		{"Include /etc/ssh/sshd_config.d/*.conf", true},
		{"include sshd_config.d/*", true},
		{"Include a.conf " + DropIn, true},
		{"Include /etc/ssh/sshd_config.d/5*.conf", false},
		{"#Include /etc/ssh/sshd_config.d/*.conf", false},
		{"Match User bob\nInclude /etc/ssh/sshd_config.d/*.conf", false},
		{"Include [", false},
	}
	for _, tt := range tests {
		lines, err := virtual(map[string]string{MainConfig: tt.config}).parse(MainConfig)
		if err != nil {
			t.Fatal(err)
		}
		if got := includesDropIn(lines); got != tt.want {
			t.Errorf("%q: got %v", tt.config, got)
		}
	}
}
