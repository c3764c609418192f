package gateway

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/postern-dev/postern/internal/catalog"
	"github.com/postern-dev/postern/internal/wire"
)

const registry = "arn:aws:ecr:" + region + ":" + account + ":repository/"

func ecrScenarios() []scenario {
	denied := []wire.Call{
		{Action: "ecr:PutImage", Resource: registry + "web"},
		{Action: "ecr:PutImage", Resource: registry + "shop2"},
		{Action: "ecr:PutImage", Resource: registry + "shop/sub"},
		{Action: "ecr:BatchDeleteImage", Resource: registry + "shop"},
		{Action: "ecr:DeleteRepository", Resource: registry + "shop"},
		{Action: "ecr:CreateRepository", Resource: registry + "shop"},
		{Action: "ecr:SetRepositoryPolicy", Resource: registry + "shop"},
		{Action: "ecr:PutImageTagMutability", Resource: registry + "shop"},
	}
	return []scenario{
		{
			name: "an image layout is pushed to ECR", grant: "ecr-docker-push", args: catalog.Args{"repositories": {"shop"}},
			prepare: prepareECR, run: pushImage, denied: append(denied,
				wire.Call{Action: "ecr:ListImages", Resource: registry + "shop"},
				wire.Call{Action: "ecr:GetDownloadUrlForLayer", Resource: registry + "shop"}),
		},
		{
			name: "an image layout is pushed to ECR and looked at", grant: "ecr-docker-push",
			args:    catalog.Args{"repositories": {"shop"}, "pull": {"true"}, "list": {"true"}, "scan": {"true"}},
			answers: []string{"ecr:GetDownloadUrlForLayer", "ecr:DescribeImageScanFindings"},
			prepare: prepareECR, run: func(s *stage) error {
				if err := pushImage(s); err != nil {
					return err
				}
				for _, c := range []ecrCall{
					{"GetDownloadUrlForLayer", map[string]any{"repositoryName": "shop", "layerDigest": "sha256:" + hash(nil)}},
					{"ListImages", map[string]any{"repositoryName": "shop"}},
					{"DescribeImageScanFindings", map[string]any{"repositoryName": "shop", "imageId": map[string]string{"imageTag": "v1"}}},
				} {
					if err := s.ecr(c, nil); err != nil {
						return err
					}
				}
				return nil
			}, denied: denied,
		},
		{
			name: "an image is pulled from ECR", grant: "ecr-docker-pull", args: catalog.Args{"repositories": {"shop"}},
			answers: []string{"ecr:GetDownloadUrlForLayer"},
			prepare: prepareECR, run: func(s *stage) error {
				image := map[string]any{"repositoryName": "shop", "imageIds": []any{map[string]string{"imageTag": "v1"}}}
				layer := map[string]any{"repositoryName": "shop", "layerDigest": "sha256:" + hash(nil)}
				for _, c := range []ecrCall{{"GetAuthorizationToken", map[string]any{}}, {"BatchGetImage", image}, {"GetDownloadUrlForLayer", layer}} {
					if err := s.ecr(c, nil); err != nil {
						return err
					}
				}
				return nil
			},
			denied: append([]wire.Call{
				{Action: "ecr:InitiateLayerUpload", Resource: registry + "shop"},
				{Action: "ecr:PutImage", Resource: registry + "shop"},
				{Action: "ecr:BatchGetImage", Resource: registry + "web"},
				{Action: "ecr:ListImages", Resource: registry + "shop"},
			}, denied...),
		},
	}
}

func prepareECR(s *stage) {
	const target = "AmazonEC2ContainerRegistry_V20150921."
	var there struct{ Repositories []any }
	if err := json.Unmarshal([]byte(s.json("ecr", target+"DescribeRepositories", "{}")), &there); err != nil {
		s.Fatal(err)
	}
	if len(there.Repositories) == 0 {
		s.json("ecr", target+"CreateRepository", `{"repositoryName":"shop"}`)
	}
}

// descriptor points at a blob of an image layout.
//
// https://github.com/opencontainers/image-spec/blob/main/descriptor.md
type descriptor struct {
	MediaType string `json:"mediaType"`
	Digest    string `json:"digest"`
	Size      int    `json:"size"`
}

type manifest struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Config        descriptor   `json:"config"`
	Layers        []descriptor `json:"layers"`
}

const ociManifest = "application/vnd.oci.image.manifest.v1+json"

// imageLayout writes an image of one layer to a folder.
//
// https://github.com/opencontainers/image-spec/blob/main/image-layout.md
func (s *stage) imageLayout() (folder string) {
	var layer bytes.Buffer
	z := gzip.NewWriter(&layer)
	w := tar.NewWriter(z)
	content := []byte("postern\n")
	for _, err := range []error{
		w.WriteHeader(&tar.Header{Name: "hello", Mode: 0o644, Size: int64(len(content))}),
		second(w.Write(content)), w.Close(), z.Close(),
	} {
		if err != nil {
			s.Fatal(err)
		}
	}
	blob := func(mediaType, content string) descriptor {
		s.file("image/blobs/sha256/"+hash([]byte(content)), content)
		return descriptor{mediaType, "sha256:" + hash([]byte(content)), len(content)}
	}
	m := manifest{
		SchemaVersion: 2, MediaType: ociManifest,
		Config: blob("application/vnd.oci.image.config.v1+json", `{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}`),
		Layers: []descriptor{blob("application/vnd.oci.image.layer.v1.tar+gzip", layer.String())},
	}
	index := map[string]any{"schemaVersion": 2, "manifests": []descriptor{blob(ociManifest, s.encode(m))}}
	s.file("image/oci-layout", `{"imageLayoutVersion":"1.0.0"}`)
	s.file("image/index.json", s.encode(index))
	return filepath.Join(s.dir, "image")
}

func second(_ int, err error) error { return err }

func (s *stage) encode(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		s.Fatal(err)
	}
	return string(text)
}

// pushImage pushes an image layout as docker push has ECR do it: ECR turns each
// request of the registry protocol into one of these calls.
//
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
func pushImage(s *stage) error {
	folder := s.imageLayout()
	var index struct{ Manifests []descriptor }
	if err := readLayout(folder, "index.json", &index); err != nil {
		return err
	}
	digest := index.Manifests[0].Digest
	var m manifest
	if err := readLayout(folder, blobPath(digest), &m); err != nil {
		return err
	}
	if err := s.ecr(ecrCall{"GetAuthorizationToken", map[string]any{}}, nil); err != nil {
		return err
	}
	// Scripts ask first whether the tag is there; that it is not is no failure.
	err := s.ecr(ecrCall{"DescribeImages", map[string]any{"repositoryName": "shop", "imageIds": []any{map[string]string{"imageTag": "v1"}}}}, nil)
	if err != nil && !strings.Contains(err.Error(), "ImageNotFoundException") {
		return err
	}
	for _, blob := range append(m.Layers, m.Config) {
		if err := s.pushBlob(folder, blob); err != nil {
			return err
		}
	}
	text, err := os.ReadFile(filepath.Join(folder, blobPath(digest)))
	if err != nil {
		return err
	}
	image := map[string]any{"repositoryName": "shop", "imageIds": []any{map[string]string{"imageTag": "v1"}}}
	if err := s.ecr(ecrCall{"BatchGetImage", image}, nil); err != nil {
		return err
	}
	err = s.ecr(ecrCall{"PutImage", map[string]any{"repositoryName": "shop", "imageManifest": string(text), "imageManifestMediaType": ociManifest, "imageTag": "v1"}}, nil)
	if err != nil && strings.Contains(err.Error(), "ImageAlreadyExistsException") { // an earlier scenario pushed the same
		return nil
	}
	return err
}

func blobPath(digest string) string { return "blobs/" + strings.Replace(digest, ":", "/", 1) }

func readLayout(folder, name string, into any) error {
	text, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// pushBlob uploads a blob.
func (s *stage) pushBlob(folder string, d descriptor) error {
	in := func(more map[string]any) map[string]any {
		more["repositoryName"] = "shop"
		return more
	}
	if err := s.ecr(ecrCall{"BatchCheckLayerAvailability", in(map[string]any{"layerDigests": []string{d.Digest}})}, nil); err != nil {
		return err
	}
	content, err := os.ReadFile(filepath.Join(folder, blobPath(d.Digest)))
	if err != nil {
		return err
	}
	var upload struct{ UploadID string }
	if err := s.ecr(ecrCall{"InitiateLayerUpload", in(map[string]any{})}, &upload); err != nil {
		return err
	}
	part := in(map[string]any{"uploadId": upload.UploadID, "partFirstByte": 0, "partLastByte": len(content) - 1, "layerPartBlob": content})
	if err := s.ecr(ecrCall{"UploadLayerPart", part}, nil); err != nil {
		return err
	}
	err = s.ecr(ecrCall{"CompleteLayerUpload", in(map[string]any{"uploadId": upload.UploadID, "layerDigests": []string{d.Digest}})}, nil)
	if err != nil && strings.Contains(err.Error(), "LayerAlreadyExistsException") {
		return nil
	}
	return err
}

// ecrCall is one call of ECR.
type ecrCall struct {
	operation string
	input     map[string]any
}

// ecr makes a call of ECR through the gateway.
func (s *stage) ecr(c ecrCall, into any) error {
	r := s.signed(wire.Request{
		Service: "ecr", Method: http.MethodPost, Path: "/", Target: "AmazonEC2ContainerRegistry_V20150921." + c.operation,
		Type: "application/x-amz-json-1.1", Body: []byte(s.encode(c.input)),
	})
	answer, err := direct.RoundTrip(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %d: %s", c.operation, answer.StatusCode, text)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(text, into)
}
