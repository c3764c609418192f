package sigv4

import (
	"bytes"
	"strconv"
	"strings"
)

// maxChunks bounds the chunks of one body. Clients send 64 KiB or more in each.
const maxChunks = 1 << 16

// chunks takes the chunks of a streamed body apart and holds each one's
// signature against what went before it. A payload that is not streamed is
// returned as it is.
//
//	HEX-SIZE[;chunk-signature=SIGNATURE]\r\n DATA \r\n … 0[;chunk-signature=SIGNATURE]\r\n
//	[NAME:VALUE\r\n … [x-amz-trailer-signature:SIGNATURE\r\n]] \r\n
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
func (s Signature) chunks(payload string, body []byte, secret string) (data []byte, ok bool) {
	if payload != streamed && payload != streamedTrailer && payload != unsignedTrailer {
		return body, true
	}
	before := s.Signature
	for range maxChunks {
		line, rest, found := bytes.Cut(body, []byte("\r\n"))
		if !found {
			return nil, false
		}
		size, signature, ok := chunkHead(string(line))
		if !ok || size > len(rest) {
			return nil, false
		}
		chunk := rest[:size]
		if payload != unsignedTrailer {
			if !equal(s.seal(secret, algorithm+"-PAYLOAD", before, hash(nil), hash(chunk)), signature) {
				return nil, false
			}
			before = signature
		}
		if size == 0 {
			return data, s.trailer(payload, rest, before, secret)
		}
		data = append(data, chunk...)
		if body, ok = bytes.CutPrefix(rest[size:], []byte("\r\n")); !ok {
			return nil, false
		}
	}
	return nil, false
}

// chunkHead reads the line before a chunk.
func chunkHead(line string) (size int, signature string, ok bool) {
	digits, extension, _ := strings.Cut(line, ";")
	n, err := strconv.ParseUint(digits, 16, 31)
	if err != nil {
		return 0, "", false
	}
	return int(n), strings.TrimPrefix(extension, "chunk-signature="), true
}

// trailer checks what follows the last chunk.
func (s Signature) trailer(payload string, rest []byte, before, secret string) bool {
	if payload == streamed {
		return len(bytes.TrimSpace(rest)) == 0
	}
	var covered strings.Builder
	for line := range strings.Lines(string(rest)) {
		line = strings.TrimRight(line, "\r\n")
		name, v, _ := strings.Cut(line, ":")
		switch {
		case line == "":
		case strings.EqualFold(name, "x-amz-trailer-signature"):
			return payload == unsignedTrailer || equal(s.seal(secret, algorithm+"-TRAILER", before, hash([]byte(covered.String()))), strings.TrimSpace(v))
		default:
			covered.WriteString(strings.ToLower(name) + ":" + strings.TrimSpace(v) + "\n")
		}
	}
	return payload == unsignedTrailer
}
