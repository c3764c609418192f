package aws

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/host/lockdown/lockdowntest"
	"github.com/postern-dev/postern/test/witness"
)

func TestThisInstance(t *testing.T) {
	metadata := lockdowntest.Metadata()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/latest/meta-data/services/domain" {
			_, _ = w.Write([]byte("amazonaws.com.cn"))
			return
		}
		metadata.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	got, err := ThisInstance(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	if want := (Instance{"i-0123456789abcdef0", "eu-west-1", "amazonaws.com.cn"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	server.Close()
	_, err = ThisInstance(t.Context(), server.URL)
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.What != "read which instance this is" {
		t.Errorf("no metadata service: %v", err)
	}
}

// TestMetadataOptionsOfMoto starts an instance with the AWS CLI, and changes it
// with the command that `host lockdown verify` offers.
func TestMetadataOptionsOfMoto(t *testing.T) {
	o := startMoto(t)
	env := []string{"AWS_ENDPOINT_URL=" + o.Endpoint, "AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b", "AWS_DEFAULT_REGION=eu-west-1"}
	id, err := witness.AWS(t, env, "ec2", "run-instances", "--image-id", "ami-12c6146b", "--query", "Instances[0].InstanceId", "--output", "text",
		"--metadata-options", "HttpTokens=optional,HttpPutResponseHopLimit=2,HttpProtocolIpv6=enabled,InstanceMetadataTags=enabled")
	if err != nil {
		t.Fatal(err)
	}
	o.Region = "us-east-1" // the caller's, not the instance's
	i := Instance{ID: strings.TrimSpace(id), Region: "eu-west-1"}
	got, err := i.MetadataOptions(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, MetadataOptions{State: "applied", Tokens: "optional", HopLimit: 2, Endpoint: "enabled", IPv6: "enabled", Tags: "enabled"})
	if _, err := witness.AWS(t, env, "ec2", "modify-instance-metadata-options", "--region", "eu-west-1", "--instance-id", i.ID,
		"--http-tokens", "required", "--http-put-response-hop-limit", "1"); err != nil {
		t.Fatal(err)
	}
	got, err = i.MetadataOptions(t.Context(), o)
	if err != nil || got.Tokens != "required" || got.HopLimit != 1 {
		t.Errorf("after the change: %+v, %v", got, err)
	}
	_, err = (Instance{ID: "i-00000000000000000", Region: "eu-west-1"}).MetadataOptions(t.Context(), o)
	if f, ok := errors.AsType[*fault.Error](err); !ok || !strings.Contains(f.What, "InvalidInstanceID.NotFound") {
		t.Errorf("an instance of another account: %v", err)
	}
}

// The answers of EC2 that moto does not give.
func TestMetadataOptionsRefused(t *testing.T) {
	const denied = `<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You are not authorized to perform this operation. ` +
		`User: arn:aws:sts::123456789012:assumed-role/app/i-1 is not authorized to perform: ec2:DescribeInstances because no identity-based policy ` +
		`allows the ec2:DescribeInstances action</Message></Error></Errors><RequestID>r</RequestID></Response>`
	tests := []struct {
		name   string
		status int
		body   string
		want   string
		hint   string
	}{
		{
			name: "not permitted", status: 403, body: denied,
			want: "i-1: access denied: arn:aws:sts::123456789012:assumed-role/app/i-1 may not ec2:DescribeInstances on *, because no identity-based policy allows the ec2:DescribeInstances action",
			hint: `grant it: {"Effect":"Allow","Action":"ec2:DescribeInstances","Resource":"*"}`,
		},
		{name: "none found", status: 200, body: "<DescribeInstancesResponse><reservationSet/></DescribeInstancesResponse>", want: "i-1: EC2 tells no metadata options of this instance"},
		{
			name: "another one", status: 200, want: "i-1: EC2 tells no metadata options of this instance",
			body: "<R><reservationSet><item><instancesSet><item><instanceId>i-2</instanceId><metadataOptions><httpTokens>required</httpTokens></metadataOptions></item></instancesSet></item></reservationSet></R>",
		},
		{
			name: "a page of a proxy", status: 200, body: "<html", want: "i-1: ec2:DescribeInstances: the answer is not one of AWS: deserialization failed, XML syntax error on line 1: unexpected EOF",
			hint: "something else answers, such as a proxy or the sign-in page of a network: check HTTPS_PROXY and AWS_ENDPOINT_URL",
		},
		{name: "an error without a word", status: 500, body: "", want: "i-1: ec2:DescribeInstances"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.body))
			}))
			t.Cleanup(server.Close)
			o := Options{Endpoint: server.URL, Credentials: &StaticCredentials{ID: "a", Secret: "b"}}
			_, err := Instance{ID: "i-1", Region: "eu-west-1"}.MetadataOptions(t.Context(), o)
			f, ok := errors.AsType[*fault.Error](err)
			if !ok || f.Error() != tt.want || f.Hint != tt.hint {
				t.Errorf("got %v, want %q\nhint %q", err, tt.want, f.Hint)
			}
		})
	}
}

// TestDocumentedHostPermission asks that docs/permissions.md names what is asked for.
func TestDocumentedHostPermission(t *testing.T) {
	text, err := os.ReadFile("../../docs/permissions.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), `"Action": "`+describeInstances+`"`) {
		t.Errorf("docs/permissions.md grants no %s", describeInstances)
	}
}
