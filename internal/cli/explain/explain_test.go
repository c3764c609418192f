package explain

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/internal/cli/command"
	"github.com/postern-dev/postern/internal/cli/ui"
)

const (
	allowGet = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}`
	denyS3   = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}`
	eve      = `"principal":"arn:aws:iam::111111111111:user/eve"`
)

// TestDocumentedRow judges the row of docs/conformance.md.
func TestDocumentedRow(t *testing.T) {
	page, err := os.ReadFile("../../../docs/conformance.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(page), "```json\n")
	text, _, _ = strings.Cut(text, "```")
	got, _ := runBatch(t, strings.NewReader(strings.ReplaceAll(text, "\n", "")))
	if want := `{"id":1,"decision":"allowed","blocked_by":[]}`; strings.TrimSpace(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// rowOf is a row that asks to read an object; more is added behind a comma.
func rowOf(id, request, more string) string {
	return `{"id":` + id + `,"request":{` + request + `,"action":"s3:GetObject","resource":"arn:aws:s3:::b/k"}` + more + `}`
}

func TestBatchVerdicts(t *testing.T) {
	everyone := func(effect string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"` + effect + `","Principal":"*","Action":"s3:*","Resource":"*"}]}`
	}
	names := func(principal string) string {
		return `,"resource_policy":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + principal + `,"Action":"*","Resource":"*"}]}`
	}
	for _, tc := range []struct{ name, row, want string }{
		{"allowed", rowOf(`"a"`, eve, `,"identity_policies":[`+allowGet+`]`), `{"id":"a","decision":"allowed","blocked_by":[]}`},
		{"nothing allows", rowOf(`1.50`, eve, ``), `{"id":1.50,"decision":"implicitly_denied","blocked_by":["identity_policies"]}`},
		{"denied", rowOf(`{"n":[1]}`, eve, `,"identity_policies":[`+allowGet+`,`+denyS3+`]`), `{"id":{"n":[1]},"decision":"explicitly_denied","blocked_by":["identity_policies"]}`},
		{"no id", `{"request":{` + eve + `,"action":"s3:GetObject","resource":"*"}}`, `{"id":null,"decision":"implicitly_denied","blocked_by":["identity_policies"]}`},
		{
			"every layer", rowOf(`1`, eve+`,"resource_account":"222222222222"`, `,"identity_policies":[],"session_policies":[`+denyS3+`],"permissions_boundaries":[`+denyS3+
				`],"resource_policy":`+everyone("Deny")+`,"vpc_endpoint_policies":[`+everyone("Deny")+`],"scp_levels":[[`+denyS3+`]],"rcp_levels":[[`+everyone("Deny")+`]]`),
			`{"id":1,"decision":"explicitly_denied","blocked_by":["permissions_boundaries","session_policies","resource_policy","vpc_endpoint_policies","scp_levels","rcp_levels"]}`,
		},
		{
			"across accounts by the ARN", `{"id":1,"request":{` + eve + `,"action":"sqs:SendMessage","resource":"arn:aws:sqs:eu-west-1:222222222222:q"},"identity_policies":[` + strings.ReplaceAll(allowGet, "s3:Get*", "*") + `]}`,
			`{"id":1,"decision":"implicitly_denied","blocked_by":["resource_policy"]}`,
		},
		{"a level without policies", rowOf(`1`, eve, `,"identity_policies":[`+allowGet+`],"scp_levels":[[],[`+allowGet+`]]`), `{"id":1,"decision":"implicitly_denied","blocked_by":["scp_levels"]}`},
		{"an RCP level without policies", rowOf(`1`, eve, `,"identity_policies":[`+allowGet+`],"rcp_levels":[[]]`), `{"id":1,"decision":"allowed","blocked_by":[]}`},
		{"anonymous", rowOf(`1`, `"principal":{"type":"anonymous"}`, names(`"*"`)), `{"id":1,"decision":"allowed","blocked_by":[]}`},
		{"a service", rowOf(`1`, `"principal":"ec2.amazonaws.com"`, names(`{"Service":"ec2.amazonaws.com"}`)), `{"id":1,"decision":"allowed","blocked_by":[]}`},
		{"a session by its role", rowOf(`1`, `"principal":"arn:aws:sts::111111111111:assumed-role/ci/run"`, names(`{"AWS":"arn:aws:iam::111111111111:role/ops/ci"}`)), `{"id":1,"decision":"allowed","blocked_by":[]}`},
		{"a session by its role's path", rowOf(`1`, `"principal":"arn:aws:sts::111111111111:assumed-role/ci/run","context":{"aws:PrincipalArn":"arn:aws:iam::111111111111:role/dev/ci"}`, names(`{"AWS":"arn:aws:iam::111111111111:role/ops/ci"}`)), `{"id":1,"decision":"implicitly_denied","blocked_by":["identity_policies"]}`},
		{"root", rowOf(`1`, `"principal":"arn:aws:iam::111111111111:root"`, ``), `{"id":1,"decision":"allowed","blocked_by":[]}`},
		{"a token", `{"id":1,"request":{"principal":"arn:aws:iam::111111111111:oidc-provider/gitlab.com","action":"sts:AssumeRoleWithWebIdentity","resource":"arn:aws:iam::111111111111:role/ci","context":{"gitlab.com:sub":"project_path:a/b:ref_type:branch:ref:main","gitlab.com:aud":["sts"]}},"resource_policy":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111111111111:oidc-provider/gitlab.com"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringLike":{"gitlab.com:sub":"project_path:a/*"},"StringEquals":{"gitlab.com:aud":"sts"}}}]}}`, `{"id":1,"decision":"allowed","blocked_by":[]}`},
		{"no trust policy", `{"id":1,"request":{` + eve + `,"action":"sts:AssumeRole","resource":"arn:aws:iam::111111111111:role/ci"},"identity_policies":[` + strings.ReplaceAll(allowGet, "s3:Get*", "*") + `]}`, `{"id":1,"decision":"implicitly_denied","blocked_by":["resource_policy"]}`},
		{"nothing is filled in", rowOf(`1`, eve, `,"identity_policies":[{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Null":{"aws:username":"false"}}}]}]`), `{"id":1,"decision":"implicitly_denied","blocked_by":["identity_policies"]}`},
		{"numbers and booleans in the context", rowOf(`1`, eve+`,"context":{"n":5,"b":[true]}`, `,"identity_policies":[{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NumericEquals":{"n":5},"Bool":{"b":true}}}]}]`), `{"id":1,"decision":"allowed","blocked_by":[]}`},
		{"the management account", rowOf(`1`, eve, `,"identity_policies":[`+allowGet+`],"scp_levels":[[]],"organization":{"management_account":"111111111111"}`), `{"id":1,"decision":"allowed","blocked_by":[]}`},
		{"keys of others are left alone", rowOf(`1`, eve, `,"note":[1],"identity_policies":[`+allowGet+`]`), `{"id":1,"decision":"allowed","blocked_by":[]}`},

		{"no JSON", `{"id":7,`, `{"id":7,"error":"unexpected end of JSON input"}`},
		{"no object", `[]`, `{"id":null,"error":"row is of the wrong type: array"}`},
		{"no request", `{"id":7}`, `{"id":7,"error":"request.principal is missing"}`},
		{"no action", `{"id":7,"request":{` + eve + `,"resource":"*"}}`, `{"id":7,"error":"request.action is missing"}`},
		{"no resource", `{"id":7,"request":{` + eve + `,"action":"a:B"}}`, `{"id":7,"error":"request.resource is missing"}`},
		{"resource", `{"id":7,"request":{` + eve + `,"action":"a:B","resource":"bucket"}}`, `{"id":7,"error":"request.resource \"bucket\" is neither an ARN nor *"}`},
		{"action pattern", `{"id":7,"request":{` + eve + `,"action":"a:*","resource":"*"}}`, `{"id":7,"error":"request.action \"a:*\" is not of the form service:Name"}`},
		{"account", rowOf(`7`, eve+`,"resource_account":"1"`, ``), `{"id":7,"error":"request.resource_account \"1\" is not an account id"}`},
		{"principal", rowOf(`7`, `"principal":{"type":"AWS"}`, ``), `{"id":7,"error":"principal must be a string or {\"type\":\"anonymous\"}"}`},
		{"principal null", rowOf(`7`, `"principal":null`, ``), `{"id":7,"error":"principal must be a string or {\"type\":\"anonymous\"}"}`},
		{"context", rowOf(`7`, eve+`,"context":{"a":{}}`, ``), `{"id":7,"error":"context value {} is not a string, number or boolean"}`},
		{"context list", rowOf(`7`, eve+`,"context":{"a":["b",null]}`, ``), `{"id":7,"error":"context value null is not a string, number or boolean"}`},
		{"policy", rowOf(`7`, eve, `,"scp_levels":[[`+allowGet+`],[`+allowGet+`,{}]]`), `{"id":7,"error":"scp_levels[1][1]: 1:1: policy has no Statement"}`},
		{"policy null", rowOf(`7`, eve, `,"identity_policies":[null]`), `{"id":7,"error":"identity_policies[0]: 1:1: policy must be an object"}`},
		{"two policies", rowOf(`7`, eve, `,"identity_policies":[1],"resource_policy":2`), `{"id":7,"error":"identity_policies[0]: 1:1: policy must be an object\nresource_policy: 1:1: policy must be an object"}`},
		{"layer", rowOf(`7`, eve, `,"identity_policies":"x"`), `{"id":7,"error":"identity_policies is of the wrong type: string"}`},
		{"text", rowOf(`7`, "\"principal\":\"\xff\"", ``), `{"id":7,"error":"row is not UTF-8"}`},
		{"an id that is not text", "{\"id\":\"\xff\"}", `{"id":null,"error":"row is not UTF-8"}`},
		{"an id that may go on", `{"id":7`, `{"id":null,"error":"unexpected end of JSON input"}`},
		{"id before a slip", `{"id":7,"request":{]}`, `{"id":7,"error":"invalid character ']' looking for beginning of object key string"}`},
		{"too long with an id", `{"id":7,"note":"` + strings.Repeat("a", maxRow) + `"}`, `{"id":7,"error":"row is longer than 16777216 bytes"}`},
		{"id twice", `{"id":7,"id":8}`, `{"id":7,"error":"id is given twice"}`},
		{"layer twice", rowOf(`7`, eve, `,"identity_policies":[`+denyS3+`],"identity_policies":[`+allowGet+`]`), `{"id":7,"error":"identity_policies is given twice"}`},
		{"layer twice by an escape", rowOf(`7`, eve, `,"identity_policies":[`+denyS3+`],"identity\u005fpolicies":[`+allowGet+`]`), `{"id":7,"error":"identity_policies is given twice"}`},
		{"request twice", `{"id":7,"request":{},"request":{}}`, `{"id":7,"error":"request is given twice"}`},
		{"principal twice", rowOf(`7`, eve+`,`+eve, ``), `{"id":7,"error":"request.principal is given twice"}`},
		{"context key twice", rowOf(`7`, eve+`,"context":{"a":"b","a":"c"}`, ``), `{"id":7,"error":"request.context has the key \"a\" twice"}`},
		{"organization key twice", rowOf(`7`, eve, `,"organization":{"resource_outside":true,"resource_outside":false}`), `{"id":7,"error":"organization.resource_outside is given twice"}`},
		{"layer in another case", rowOf(`7`, eve, `,"identity_policies":[`+allowGet+`],"IDENTITY_policies":[`+denyS3+`]`), `{"id":7,"decision":"allowed","blocked_by":[]}`},
		{"request key in another case", rowOf(`7`, eve, ``)[:len(rowOf(`7`, eve, ``))-2] + `,"Action":"x"},"note":1,"note":2}`, `{"id":7,"decision":"implicitly_denied","blocked_by":["identity_policies"]}`},
		{"resource of the wrong type", `{"id":7,"request":{` + eve + `,"resource":[]}}`, `{"id":7,"error":"request.resource is of the wrong type: array"}`},
		{"action with a control character", `{"id":7,"request":{` + eve + `,"action":"a:B\u0000","resource":"*"}}`, `{"id":7,"error":"request.action \"a:B\\x00\" is not of the form service:Name"}`},
		{"action with a newline", `{"id":7,"request":{` + eve + `,"action":"a:B\n","resource":"*"}}`, `{"id":7,"error":"request.action \"a:B\\n\" is not of the form service:Name"}`},
		{"action beyond ASCII", `{"id":7,"request":{` + eve + `,"action":"s3:GetÖbject","resource":"*"}}`, `{"id":7,"error":"request.action \"s3:GetÖbject\" is not of the form service:Name"}`},
		{"longest resource", `{"id":7,"request":{` + eve + `,"action":"a:B","resource":"arn:aws:a:::` + strings.Repeat("a", 8192-len("arn:aws:a:::")) + `"}}`, `{"id":7,"decision":"implicitly_denied","blocked_by":["identity_policies"]}`},
		{"resource too long", `{"id":7,"request":{` + eve + `,"action":"a:B","resource":"` + strings.Repeat("a", 8193) + `"}}`, `{"id":7,"error":"request.resource is longer than 8192 bytes"}`},
		{"action too long", `{"id":7,"request":{` + eve + `,"action":"a:` + strings.Repeat("B", 8193) + `","resource":"*"}}`, `{"id":7,"error":"request.action is longer than 8192 bytes"}`},
		{"context value too long", rowOf(`7`, eve+`,"context":{"a":["b","`+strings.Repeat("a", 8193)+`"]}`, ``), `{"id":7,"error":"a value of request.context is longer than 8192 bytes"}`},
		{"too long", `"` + strings.Repeat("a", maxRow) + `"`, `{"id":null,"error":"row is longer than 16777216 bytes"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, talk := runBatch(t, strings.NewReader(tc.row))
			if diff := cmp.Diff(tc.want+"\n", got); diff != "" || talk != "" {
				t.Errorf("verdict (-want +got), stderr %q:\n%s", talk, diff)
			}
		})
	}
}

func runBatch(t *testing.T, in io.Reader) (out, talk string) {
	t.Helper()
	streams, stdout, stderr := ui.Test("")
	streams.In = in
	if err := explainBatch(t.Context(), &command.App{Streams: streams}); err != nil {
		t.Fatal(err)
	}
	return stdout.String(), stderr.String()
}

// What cannot be evaluated is told once for each text, on stderr.
func TestBatchDoubts(t *testing.T) {
	row := rowOf(`1`, eve, `,"identity_policies":[`+allowGet+`,{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"StringIs":{"a":"b"}}}]}]`)
	got, talk := runBatch(t, strings.NewReader(row+"\n"+row))
	const verdict = `{"id":1,"decision":"explicitly_denied","blocked_by":["identity_policies"]}` + "\n"
	if got != verdict+verdict {
		t.Errorf("verdicts:\n%s", got)
	}
	if talk != "warning: compile policy identity policy: statement 0 (at 1:38): condition operator \"StringIs\" is unknown\n" {
		t.Errorf("stderr: %s", talk)
	}
}

// Verdicts come in the order of the rows, whoever is done first; blank lines
// are no rows, and the last row needs no newline.
func TestBatchOrder(t *testing.T) {
	var in, want strings.Builder
	for i := range 5000 {
		switch i % 3 {
		case 0:
			in.WriteString(rowOf(fmt.Sprint(i), eve, `,"identity_policies":[`+strings.ReplaceAll(allowGet, `"s3:Get*"`, fmt.Sprintf(`["s3:Get*","x:%d"]`, i))+`]`) + "\r\n\n")
			fmt.Fprintf(&want, `{"id":%d,"decision":"allowed","blocked_by":[]}`+"\n", i)
		case 1:
			in.WriteString("?\n")
			want.WriteString(`{"id":null,"error":"invalid character '?' looking for beginning of value"}` + "\n")
		case 2:
			in.WriteString(rowOf(fmt.Sprint(i), eve, ``))
			if i < 4999 {
				in.WriteString("\n")
			}
			fmt.Fprintf(&want, `{"id":%d,"decision":"implicitly_denied","blocked_by":["identity_policies"]}`+"\n", i)
		}
	}
	for name, reader := range map[string]io.Reader{"whole": strings.NewReader(in.String()), "in halves": iotest.HalfReader(strings.NewReader(in.String()))} {
		if got, _ := runBatch(t, reader); got != want.String() {
			t.Errorf("%s: verdicts are not those of the rows in order", name)
		}
	}
}

// A peer may wait for a verdict before it sends the next row.
func TestBatchAnswersAtOnce(t *testing.T) {
	rows, send := io.Pipe()
	receive, verdicts := io.Pipe()
	streams, _, _ := ui.Test("")
	streams.In, streams.Out = rows, verdicts
	done := make(chan error)
	go func() { done <- explainBatch(t.Context(), &command.App{Streams: streams}) }()
	reader := bufio.NewReader(receive)
	for i := range 3 {
		if _, err := io.WriteString(send, rowOf(fmt.Sprint(i), eve, ``)+"\n"); err != nil {
			t.Fatal(err)
		}
		line, err := reader.ReadString('\n')
		if err != nil || !strings.HasPrefix(line, fmt.Sprintf(`{"id":%d,`, i)) {
			t.Fatalf("row %d: %q, %v", i, line, err)
		}
	}
	if err := send.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestBatchBreaks(t *testing.T) {
	broken := errors.New("broken")
	streams, _, _ := ui.Test("")
	b := batch{talk: streams.Talk()}
	row := rowOf(`1`, eve, ``) + "\n"
	var out bytes.Buffer
	err := b.run(t.Context(), io.MultiReader(strings.NewReader(row), iotest.ErrReader(broken)), &out)
	if !errors.Is(err, broken) || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("a reader that breaks: %v after %q", err, &out)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	silent, _ := io.Pipe()
	if err := b.run(ctx, silent, &out); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	_, closed := io.Pipe()
	if err := closed.CloseWithError(broken); err != nil {
		t.Fatal(err)
	}
	if err := b.run(t.Context(), strings.NewReader(row), closed); err == nil {
		t.Error("a writer that breaks is not told")
	}
}

// A signal ends a batch whose next verdict takes long.
func TestBatchInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	chunks, done := make(chan *chunk), make(chan error, 1)
	go func() { done <- writeChunks(ctx, chunks, io.Discard) }()
	chunks <- &chunk{done: make(chan struct{})}
	cancel()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("interrupted: %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("a chunk that is not done keeps the batch from ending")
	}
}

// The text of the policies kept compiled is bounded over all kinds.
func TestPolicyCacheBound(t *testing.T) {
	var cache policyCache
	most := 0
	for i := range 30 {
		for _, kind := range []eval.Kind{eval.Identity, eval.SCP, eval.RCP} {
			cache.get(kind, fmt.Appendf(nil, "%d%s", i, strings.Repeat("x", 1<<18)), nil)
			held := 0
			for _, texts := range cache.seen {
				for text := range texts {
					held += len(text)
				}
			}
			most = max(most, held)
		}
	}
	if most > 8<<20 || most < 4<<20 {
		t.Errorf("up to %d bytes of text are kept", most)
	}
	cache.get(eval.Identity, bytes.Repeat([]byte("y"), 9<<20), nil)
	for text := range cache.seen[eval.Identity] {
		if len(text) > 8<<20 {
			t.Errorf("a text of %d bytes is kept", len(text))
		}
	}
}

// FuzzBatch: whatever the row, there is one verdict, with a decision or an
// error, and it is JSON.
func FuzzBatch(f *testing.F) {
	f.Add([]byte(rowOf(`1`, eve+`,"context":{"a":["b"],"c":1}`, `,"identity_policies":[`+allowGet+`],"scp_levels":[[`+denyS3+`]]`)))
	f.Add([]byte(`{"id":null,"request":{"principal":{"type":"anonymous"},"action":"a:b","resource":"*"},"resource_policy":{"Statement":[]},"rcp_levels":[]}`))
	f.Fuzz(func(t *testing.T, row []byte) {
		if bytes.ContainsRune(row, '\n') || len(bytes.TrimSpace(row)) == 0 {
			return
		}
		out, _ := runBatch(t, bytes.NewReader(row))
		var v struct {
			Decision, Error string
		}
		if err := json.Unmarshal([]byte(out), &v); err != nil || strings.Count(out, "\n") != 1 || (v.Decision == "") == (v.Error == "") {
			t.Errorf("%q: %v", out, err)
		}
	})
}

func BenchmarkBatch(b *testing.B) {
	row := rowOf(`"r"`, eve+`,"context":{"aws:SourceIp":"10.0.0.1"}`, `,"identity_policies":[`+allowGet+`],"scp_levels":[[`+allowGet+`]]`) + "\n"
	b.ReportAllocs()
	streams, _, _ := ui.Test("")
	streams.In, streams.Out = strings.NewReader(strings.Repeat(row, b.N)), io.Discard
	if err := explainBatch(b.Context(), &command.App{Streams: streams}); err != nil {
		b.Fatal(err)
	}
}
