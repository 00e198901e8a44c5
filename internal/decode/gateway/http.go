package gateway

import (
	"bytes"
	"net/http"
)

// maxScheme is the length of the longest name that Scheme knows, and more.
const maxScheme = 16

// Scheme returns "http" or "https" for an application protocol, "" for one that
// is unsaid, and false for one that carries no HTTP. Some logs name what they
// see in a tunnel.
func Scheme(b []byte) (string, bool) {
	if len(b) > maxScheme {
		return "", false
	}
	var upper [maxScheme]byte
	for i, c := range b {
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		upper[i] = c
	}
	switch string(upper[:len(b)]) {
	case "", "-", "NA":
		return "", true
	case "HTTP", "HTTP_PROXY", "WEBSOCKET":
		return "http", true
	case "HTTPS", "SSL", "TLS", "TUNNEL_SSL", "WEBSOCKET_SSL", "DNSOVERHTTPS", "HTTP2":
		return "https", true
	}
	return "", false
}

// Refused is the status of a request that was blocked without one.
const Refused = http.StatusForbidden

// Status returns the status of HTTP that a field begins with, as "200" and
// "200 - OK" do; Refused where there is none and the action says that the
// request was blocked; and else 0.
func Status(b, action []byte) int {
	code, _, _ := bytes.Cut(b, []byte(" "))
	if n, ok := Number(code); ok && n < 1000 {
		return int(n)
	}
	for _, word := range [...]string{"block", "den", "drop", "reject"} {
		if len(action) >= len(word) && bytes.EqualFold(action[:len(word)], []byte(word)) {
			return Refused
		}
	}
	return 0
}
