package aws

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/postern-dev/postern/internal/fault"
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

// instanceMetadata reads a path of the instance's metadata; nil: there is
// nothing at it.
func instanceMetadata(ctx context.Context, endpoint, path string) (*string, error) {
	client := imds.New(imds.Options{Retryer: sdk.NopRetryer{}, Endpoint: endpoint})
	out, err := client.GetMetadata(ctx, &imds.GetMetadataInput{Path: path})
	if answer, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && answer.HTTPStatusCode() == http.StatusNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, &fault.Error{What: "read instance metadata " + path, Cause: err, Hint: "this works on EC2 only; with a lockdown, for users that it allows"}
	}
	text, err := io.ReadAll(io.LimitReader(out.Content, 1<<20))
	if err := errors.Join(err, out.Content.Close()); err != nil {
		return nil, fmt.Errorf("read instance metadata %s: %w", path, err)
	}
	return sdk.String(string(text)), nil
}
