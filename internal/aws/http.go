package aws

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
)

// httpClient gives up on a network that swallows packets: the SDK's own client
// would wait 30 s for each connection and for ever for an answer.
func httpClient() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = 5 * time.Second }).
		WithTransportOptions(func(t *http.Transport) { t.MaxIdleConnsPerHost = 16 }).
		WithTimeout(time.Minute)
}

// metadata is a client of the instance metadata service that a machine
// outside EC2 does not wait for: in EC2 it answers within milliseconds.
func metadata() *imds.Client { return imds.New(imds.Options{Retryer: sdk.NopRetryer{}}) }

// ownBody gives each request a body that nobody else closes. The SDK closes
// its own as soon as the answer begins; from then on that body fails with
// io.EOF, which net/http, still looking for its end, takes for a broken
// request and cuts the connection in the middle of the answer. It happens to
// large answers that come fast.
//
// https://github.com/aws/aws-sdk-go-v2/issues/2737
type ownBody struct{ sdk.HTTPClient }

// Do sends the request with a copy of its body.
func (c ownBody) Do(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		return c.HTTPClient.Do(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r = r.WithContext(r.Context()) // a shallow copy
	r.Body = io.NopCloser(bytes.NewReader(body))
	return c.HTTPClient.Do(r)
}
