package pcap

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// maxText bounds text that leaves the decoder, in bytes.
const maxText = 4096

// valid makes a string of b, in valid UTF-8.
func valid(b []byte) string {
	b = b[:min(len(b), maxText)]
	if utf8.Valid(b) {
		return string(b)
	}
	return strings.ToValidUTF8(string(b), "\uFFFD")
}

// hostName makes a host name of b: lower case, without the final dot.
func hostName(b []byte) string {
	return strings.ToLower(valid(bytes.TrimSuffix(b, []byte("."))))
}
