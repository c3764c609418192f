package wire

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTable writes every operation on an example of its resource, and reads
// the same action and resource back.
func TestTable(t *testing.T) {
	at := Scope{Partition: "aws", Region: "eu-west-1", Account: "222222222222"}
	for _, s := range services() {
		for _, op := range s.operations {
			if _, built, _ := operationFor(s.name + ":" + op.action); built.operation() != op.operation() {
				continue // BuildCall writes another operation of the same action
			}
			t.Run(s.name+"/"+op.operation(), func(t *testing.T) {
				want := Call{Action: s.name + ":" + op.action, Resource: exampleOf(op, at)}
				r, ok := BuildCall(Call{Action: want.Action, Resource: want.Resource}, at.Region)
				if !ok {
					t.Fatalf("BuildCall(%s, %s) cannot", want.Action, want.Resource)
				}
				calls, ok := Read(r, at)
				if !ok {
					t.Fatalf("Read(%+v) cannot", r)
				}
				got := Call{Action: calls[0].Action, Resource: calls[0].Resource}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%+v reads as (-want +got):\n%s", r, diff)
				}
				checkReply(t, s, r)
			})
		}
	}
}

// exampleOf fills a resource's fields with an example.
func exampleOf(op operation, at Scope) string {
	fields := map[string]string{}
	for _, m := range field().FindAllStringSubmatch(op.resource, -1) {
		if m[1] != "_" {
			fields[m[1]] = "example"
		}
	}
	if _, ok := fields["RoleArn"]; ok {
		return "arn:aws:iam::222222222222:role/example"
	}
	arn, _ := filler{"", op, fields, at}.one(op.resource)
	return arn
}

func checkReply(t *testing.T, s service, r Request) {
	t.Helper()
	_, body, ok := Reply(r, "id")
	if !ok {
		t.Fatalf("no reply to %+v", r)
	}
	if s.protocol == JSON || s.protocol == RESTJSON {
		if !json.Valid(body) {
			t.Errorf("reply is not JSON: %s", body)
		}
		return
	}
	if strings.HasPrefix(string(body), "{") { // a bucket policy
		return
	}
	d := xml.NewDecoder(strings.NewReader(string(body)))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("reply is not XML: %v: %s", err, body)
		}
	}
}

func TestTableQueriesParse(t *testing.T) {
	for _, op := range s3().operations {
		if _, err := url.ParseQuery(op.query); err != nil {
			t.Errorf("%s: query %q: %v", op.operation(), op.query, err)
		}
	}
}
