package aws

import (
	"context"
	"encoding/xml"
	"net/http"
	"net/url"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/smithy-go"

	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/wire"
)

// Instance is the EC2 instance that the program runs on.
type Instance struct {
	ID     string // "i-0123456789abcdef0"
	Region string
	domain string // of AWS in this partition: "amazonaws.com"
}

// ThisInstance reads from the instance's metadata which one it is. metadata is
// the URL of that service; empty: the instance's own.
//
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-categories.html
func ThisInstance(ctx context.Context, metadata string) (Instance, error) {
	client := imds.New(imds.Options{Retryer: sdk.NopRetryer{}, Endpoint: metadata})
	document, err := client.GetInstanceIdentityDocument(ctx, nil)
	if err != nil {
		return Instance{}, &fault.Error{What: "read which instance this is", Cause: err, Hint: "this works on EC2 only; with a lockdown, for users that it allows"}
	}
	domain, err := instanceMetadata(ctx, metadata, "services/domain")
	if err != nil {
		return Instance{}, err
	}
	i := Instance{ID: document.InstanceID, Region: document.Region, domain: "amazonaws.com"}
	if domain != nil {
		i.domain = *domain
	}
	return i, nil
}

// MetadataOptions are what EC2 says of an instance's metadata service.
//
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceMetadataOptionsResponse.html
type MetadataOptions struct {
	State    string `xml:"state" json:"state"`                              // pending: EC2 is about to apply them; applied
	Tokens   string `xml:"httpTokens" json:"http_tokens"`                   // required: IMDSv2 alone; optional
	HopLimit int    `xml:"httpPutResponseHopLimit" json:"hop_limit"`        // of the answer that carries a token, 1 to 64
	Endpoint string `xml:"httpEndpoint" json:"http_endpoint"`               // enabled, disabled
	IPv6     string `xml:"httpProtocolIpv6" json:"http_protocol_ipv6"`      // enabled, disabled
	Tags     string `xml:"instanceMetadataTags" json:"instance_tags_shown"` // enabled, disabled
}

// describeInstances is the action that MetadataOptions needs. IAM cannot
// confine it to an instance.
const describeInstances = "ec2:DescribeInstances"

// MetadataOptions asks EC2 for the instance's metadata options, once and with
// the credentials of Options. A refusal is a *Denied in the tree of the error.
//
// The SDK's client of EC2 would take a minute and a half to compile, for this
// one call.
func (i Instance) MetadataOptions(ctx context.Context, o Options) (MetadataOptions, error) {
	o.Region = i.Region
	cfg, err := load(ctx, o)
	if err != nil {
		return MetadataOptions{}, err
	}
	if cfg.BaseEndpoint == nil {
		cfg.BaseEndpoint = sdk.String("https://ec2." + i.Region + "." + i.domain)
	}
	creds, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return MetadataOptions{}, explainCredentials(err)
	}
	form := url.Values{"Action": {"DescribeInstances"}, "Version": {"2016-11-15"}, "InstanceId.1": {i.ID}}
	reply, body, err := (&Cloud{cfg: cfg}).exchange(ctx, Session{creds: &creds}, wire.Request{
		Service: "ec2", Method: http.MethodPost, Path: "/", Type: "application/x-www-form-urlencoded", Body: []byte(form.Encode()),
	})
	switch {
	case err != nil:
		return MetadataOptions{}, err
	case reply.Status >= http.StatusBadRequest:
		return MetadataOptions{}, explain(&smithy.GenericAPIError{Code: reply.Code, Message: reply.Message}, i.ID, describeInstances)
	}
	return i.parse(body)
}

// parse finds the instance in the answer to DescribeInstances.
func (i Instance) parse(body []byte) (MetadataOptions, error) {
	var answer struct {
		Instances []struct {
			ID      string           `xml:"instanceId"`
			Options *MetadataOptions `xml:"metadataOptions"`
		} `xml:"reservationSet>item>instancesSet>item"`
	}
	if err := xml.Unmarshal(body, &answer); err != nil {
		return MetadataOptions{}, explain(&smithy.DeserializationError{Err: err}, i.ID, describeInstances)
	}
	for _, found := range answer.Instances {
		if found.ID == i.ID && found.Options != nil {
			return *found.Options, nil
		}
	}
	return MetadataOptions{}, &fault.Error{Where: i.ID, What: "EC2 tells no metadata options of this instance"}
}
