package sandbox

import (
	"bytes"
	"encoding/xml"
	"fmt"
)

// queryVersion is what the query protocol says about a service.
type queryVersion struct{ version, namespace string }

var (
	iamVersion = queryVersion{"2010-05-08", "https://iam.amazonaws.com/doc/2010-05-08/"}
	stsVersion = queryVersion{"2011-06-15", "https://sts.amazonaws.com/doc/2011-06-15/"}
)

// encodeAnswer writes the success of a query-protocol operation:
//
//	<NAMEResponse xmlns=…><NAMEResult>…</NAMEResult><ResponseMetadata>…
func encodeAnswer(v queryVersion, name string, result any, requestID string) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "<%sResponse xmlns=%q>\n", name, v.namespace)
	if result != nil {
		enc := xml.NewEncoder(&b)
		enc.Indent("  ", "  ")
		start := xml.StartElement{Name: xml.Name{Local: name + "Result"}}
		if err := enc.EncodeElement(result, start); err != nil {
			return nil, fmt.Errorf("encode the answer to %s: %w", name, err)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "  <ResponseMetadata>\n    <RequestId>%s</RequestId>\n  </ResponseMetadata>\n</%sResponse>\n", requestID, name)
	return b.Bytes(), nil
}
