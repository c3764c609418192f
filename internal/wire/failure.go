package wire

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"strconv"
)

const xmlHead = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

// Failure is an error response, still without a protocol.
type Failure struct {
	Status    int    // HTTP
	Code      string // "AccessDenied"
	Message   string
	RequestID string
	Namespace string // of the XML; Query only
}

// Refusal is a cause of failure that each protocol has its own code for.
type Refusal uint8

// The refusals that every service shares.
const (
	NoCredentials Refusal = iota // nothing signed
	Incomplete                   // the signature lacks a part
	UnknownKey                   // no such access key, or it is inactive
	WrongToken                   // the session token does not belong to the key
	BadSignature                 // includes clock skew in Query
	ExpiredToken                 // temporary credentials past their end
	Denied                       // authorisation
	Throttled                    // too many requests
	UnknownCall                  // an operation that is not served
	BadParameter                 // a request that names no resource
	InternalFailure
)

type code struct {
	name   string
	status int
}

// refusals gives the codes in the order of the protocols.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
//
// REST services with XML answer as those of Query do; with JSON, as those of
// JSON, but with the status 403.
var refusals = map[Refusal][4]code{
	NoCredentials:   {{"MissingAuthenticationToken", 403}, {"MissingAuthenticationToken", 403}, {"MissingAuthenticationTokenException", 400}, {"AccessDenied", 403}},
	Incomplete:      {{"IncompleteSignature", 400}, {"AuthFailure", 401}, {"IncompleteSignatureException", 400}, {"AuthorizationHeaderMalformed", 400}},
	UnknownKey:      {{"InvalidClientTokenId", 403}, {"AuthFailure", 401}, {"UnrecognizedClientException", 400}, {"InvalidAccessKeyId", 403}},
	WrongToken:      {{"InvalidClientTokenId", 403}, {"AuthFailure", 401}, {"UnrecognizedClientException", 400}, {"InvalidToken", 400}},
	BadSignature:    {{"SignatureDoesNotMatch", 403}, {"AuthFailure", 401}, {"InvalidSignatureException", 400}, {"SignatureDoesNotMatch", 403}},
	ExpiredToken:    {{"ExpiredToken", 403}, {"RequestExpired", 400}, {"ExpiredTokenException", 400}, {"ExpiredToken", 400}},
	Denied:          {{"AccessDenied", 403}, {"UnauthorizedOperation", 403}, {"AccessDeniedException", 400}, {"AccessDenied", 403}},
	Throttled:       {{"Throttling", 400}, {"RequestLimitExceeded", 503}, {"ThrottlingException", 400}, {"SlowDown", 503}},
	UnknownCall:     {{"InvalidAction", 400}, {"InvalidAction", 400}, {"UnknownOperationException", 400}, {"NotImplemented", 501}},
	BadParameter:    {{"ValidationError", 400}, {"MissingParameter", 400}, {"ValidationException", 400}, {"InvalidRequest", 400}},
	InternalFailure: {{"ServiceFailure", 500}, {"InternalError", 500}, {"InternalFailure", 500}, {"InternalError", 500}},
}

// codes gives the row's code for a protocol.
func codes(why Refusal, p Protocol) code {
	row := refusals[why]
	switch p {
	case RESTJSON:
		c := row[JSON]
		if why <= Denied {
			c.status = http.StatusForbidden
		}
		return c
	case RESTXML:
		return row[Query]
	default:
		return row[p]
	}
}

// Refuse gives the failure that a service of this protocol answers with.
func (p Protocol) Refuse(why Refusal, message string) Failure {
	c := codes(why, p)
	if p == EC2 && why == Denied {
		message = "You are not authorized to perform this operation. " + message
	}
	return Failure{Status: c.status, Code: c.name, Message: message}
}

// Encode gives a failure's response body and its content type.
func (p Protocol) Encode(f Failure) (contentType string, body []byte) {
	switch p {
	case JSON, RESTJSON:
		body, err := json.Marshal(map[string]string{"__type": f.Code, "message": f.Message})
		if err != nil { // two strings: cannot happen
			body = []byte(`{"__type":"InternalFailure"}`)
		}
		return "application/x-amz-json-1.1", body
	case EC2:
		return "text/xml;charset=UTF-8", []byte(xmlHead + "<Response><Errors><Error><Code>" + escape(f.Code) + "</Code><Message>" +
			escape(f.Message) + "</Message></Error></Errors><RequestID>" + escape(f.RequestID) + "</RequestID></Response>")
	case RESTS3:
		return "application/xml", []byte(xmlHead + "<Error><Code>" + escape(f.Code) + "</Code><Message>" + escape(f.Message) +
			"</Message><RequestId>" + escape(f.RequestID) + "</RequestId></Error>")
	default:
		side := "Sender"
		if f.Status >= http.StatusInternalServerError {
			side = "Receiver"
		}
		return "text/xml", []byte("<ErrorResponse xmlns=" + strconv.Quote(f.Namespace) + ">\n  <Error>\n    <Type>" + side +
			"</Type>\n    <Code>" + escape(f.Code) + "</Code>\n    <Message>" + escape(f.Message) +
			"</Message>\n  </Error>\n  <RequestId>" + escape(f.RequestID) + "</RequestId>\n</ErrorResponse>\n")
	}
}

func escape(s string) string {
	var b bytes.Buffer
	// A bytes.Buffer takes every write.
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}
