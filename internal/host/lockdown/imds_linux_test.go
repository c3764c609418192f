package lockdown

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
)

// imdsToken is what the test's metadata service gives out.
const imdsToken = "AQAEAtoken=="

// metadata answers as version 2 of the instance metadata service does.
//
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
func metadata() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /latest/api/token", func(w http.ResponseWriter, r *http.Request) {
		ttl := r.Header.Get("X-aws-ec2-metadata-token-ttl-seconds")
		n, err := strconv.Atoi(ttl)
		switch {
		case r.Header.Get("X-Forwarded-For") != "":
			w.WriteHeader(http.StatusForbidden)
		case err != nil || n < 1 || n > 21600:
			w.WriteHeader(http.StatusBadRequest)
		default:
			w.Header().Set("X-aws-ec2-metadata-token-ttl-seconds", ttl)
			fmt.Fprint(w, imdsToken)
		}
	})
	documents := map[string]string{
		"/latest/meta-data/instance-id":               "i-0123456789abcdef0",
		"/latest/meta-data/iam/security-credentials/": "app",
		"/latest/meta-data/iam/security-credentials/app": `{"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"ASIAEXAMPLE",` +
			`"SecretAccessKey":"c2VjcmV0","Token":"dG9rZW4=","LastUpdated":"2026-01-01T00:00:00Z","Expiration":"2099-01-01T00:00:00Z"}`,
	}
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		text, ok := documents[r.URL.Path]
		switch {
		case r.Header.Get("X-aws-ec2-metadata-token") != imdsToken:
			w.WriteHeader(http.StatusUnauthorized)
		case !ok:
			w.WriteHeader(http.StatusNotFound)
		default:
			fmt.Fprint(w, text)
		}
	})
	return mux
}

// serveIMDS answers on each address until the standard input ends, which it
// does when the tests do.
func serveIMDS(addresses []string) error {
	for _, a := range addresses {
		l, err := net.Listen("tcp", a)
		if err != nil {
			return err
		}
		go http.Serve(l, metadata()) //nolint:errcheck // ends with the process
		// What other protocols send is taken and not answered.
		if _, err := net.ListenPacket("udp", a); err != nil {
			return err
		}
	}
	fmt.Println("ready")
	return pause(nil)
}

func pause([]string) error {
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// askSDK asks for the instance's id as the SDK for Go does.
func askSDK(args []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	client := imds.New(imds.Options{Endpoint: args[0], Retryer: aws.NopRetryer{}})
	out, err := client.GetMetadata(ctx, &imds.GetMetadataInput{Path: "instance-id"})
	if err != nil {
		return err
	}
	id, err := io.ReadAll(out.Content)
	if err == nil && string(id) != "i-0123456789abcdef0" {
		err = errors.New("an unknown instance: " + string(id))
	}
	return err
}
