package pcap

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// maxText bounds text that leaves the decoder, and maxName a host's name, in
// bytes. A name that DNS can carry has up to 253.
const (
	maxText = 2048
	maxName = 512
)

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
	b = bytes.TrimSuffix(b, []byte("."))
	return strings.ToLower(valid(b[:min(len(b), maxName)]))
}
