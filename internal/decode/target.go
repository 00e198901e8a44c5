package decode

import (
	"bytes"
	"math"
	"strings"
)

// A Target is what a request asks a proxy for. Its text comes from the client:
// it may be no name at all.
type Target struct {
	Scheme string // of an absolute URI, "http" or "https"; else ""
	Host   string // lower case, without the final dot; "" when unsaid
	Port   uint16 // the scheme's own where it names none; 0 when unsaid
}

// URITarget returns the target of an absolute URI. It is false for every
// other, and for the schemes that carry no HTTP.
func URITarget(uri []byte) (Target, bool) {
	for _, s := range [...]struct {
		name string
		port uint16
	}{{"http", 80}, {"https", 443}} {
		rest, ok := cutFold(uri, s.name)
		if rest, found := bytes.CutPrefix(rest, []byte("://")); ok && found {
			t := AuthorityTarget(beforePath(rest))
			t.Scheme = s.name
			if t.Port == 0 {
				t.Port = s.port
			}
			return t, true
		}
	}
	return Target{}, false
}

// AuthorityTarget returns the target of "user@host:port" or "[::1]:443", as
// CONNECT and the Host header have it. A port that is none is unsaid.
func AuthorityTarget(b []byte) Target {
	b = b[bytes.LastIndexByte(b, '@')+1:]
	if inner, ok := bytes.CutPrefix(b, []byte("[")); ok {
		host, rest, _ := bytes.Cut(inner, []byte("]"))
		return Target{Host: hostName(host), Port: portAfter(rest)}
	}
	i := bytes.LastIndexByte(b, ':')
	if i < 0 || bytes.IndexByte(b[:i], ':') >= 0 {
		return Target{Host: hostName(b)} // a bare address of IPv6 has no port
	}
	return Target{Host: hostName(b[:i]), Port: portAfter(b[i:])}
}

// cutFold cuts a prefix of ASCII, whatever its case.
func cutFold(b []byte, prefix string) ([]byte, bool) {
	if len(b) < len(prefix) || !strings.EqualFold(string(b[:len(prefix)]), prefix) {
		return nil, false
	}
	return b[len(prefix):], true
}

// beforePath cuts a URI behind its authority.
func beforePath(b []byte) []byte {
	if i := bytes.IndexAny(b, "/?#"); i >= 0 {
		return b[:i]
	}
	return b
}

// hostName makes a name of b, in valid UTF-8.
func hostName(b []byte) string {
	return strings.ToLower(strings.ToValidUTF8(string(bytes.TrimSuffix(b, []byte("."))), "\uFFFD"))
}

// portAfter reads ":443", and is 0 for what is no port.
func portAfter(b []byte) uint16 {
	digits, ok := bytes.CutPrefix(b, []byte(":"))
	if !ok {
		return 0
	}
	port := 0
	for _, c := range digits {
		port = port*10 + int(c-'0')
		if c < '0' || '9' < c || port > math.MaxUint16 {
			return 0
		}
	}
	return uint16(port)
}
