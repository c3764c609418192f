// Package lockdowntest is the other side of the firewall for tests: a metadata
// service that answers as EC2's does. It knows nothing of the firewall.
package lockdowntest

import (
	"fmt"
	"net/http"
	"strconv"
)

// token is what the service gives out and asks for.
const token = "AQAEAtoken=="

// Instance is the id of the instance that Metadata tells of.
const Instance = "i-0123456789abcdef0"

// Metadata answers as version 2 of the instance metadata service does.
//
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
func Metadata() http.Handler { return MetadataOf(func() string { return Instance }) }

// MetadataOf is Metadata of the instance, in eu-west-1, that is asked for with
// each request.
func MetadataOf(instance func() string) http.Handler {
	return MetadataWith(func() map[string]string { return documents(instance()) })
}

// MetadataWith is Metadata of the documents, by path, that are asked for with
// each request.
func MetadataWith(documents func() map[string]string) http.Handler {
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
			fmt.Fprint(w, token)
		}
	})
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		text, ok := documents()[r.URL.Path]
		switch {
		case r.Header.Get("X-aws-ec2-metadata-token") != token:
			w.WriteHeader(http.StatusUnauthorized)
		case !ok:
			w.WriteHeader(http.StatusNotFound)
		default:
			fmt.Fprint(w, text)
		}
	})
	return mux
}

func documents(instance string) map[string]string {
	return map[string]string{
		"/latest/meta-data/instance-id":               instance,
		"/latest/meta-data/services/domain":           "amazonaws.com",
		"/latest/meta-data/iam/security-credentials/": "app",
		"/latest/meta-data/iam/security-credentials/app": `{"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"ASIAEXAMPLE",` +
			`"SecretAccessKey":"c2VjcmV0","Token":"dG9rZW4=","LastUpdated":"2026-01-01T00:00:00Z","Expiration":"2099-01-01T00:00:00Z"}`,
		"/latest/dynamic/instance-identity/document": `{"accountId":"123456789012","instanceId":"` + instance + `","region":"eu-west-1","version":"2017-09-30"}`,
	}
}
