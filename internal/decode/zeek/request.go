package zeek

import (
	"bytes"
	"strings"

	"github.com/postern/postern/internal/event"
)

// request reads a row of http.log. Only a request to a proxy gives an event.
func (rc *recorder) request(r *row, b *event.Batch) verdict {
	to, ok := targetOf(r)
	if !ok {
		return verdict{ignored: "zeek http, not proxied"}
	}
	o, reason := rc.observe(r)
	if reason != "" {
		return verdict{skipped: reason}
	}
	authority, number := splitAuthority(to.authority, to.port)
	host := name(authority)
	if host == "" {
		return verdict{skipped: noHost}
	}
	status, _ := leadingDigits(r.col[colStatus])
	b.Requests = append(b.Requests, event.Request{
		Sensor: o.sensor, Time: o.time, UID: o.uid, Src: o.src, Dst: o.dst,
		Method: rc.words.of(r.text(colMethod)),
		Scheme: to.scheme, Host: host, Port: number,
		User:   valid(r.text(colUser)),
		Status: int(status),
	})
	return verdict{}
}

// A target is what a request asks a proxy for.
type target struct {
	scheme    string // of an absolute URI, or ""
	authority []byte // host, perhaps with user and port
	port      uint16 // where the authority names none
}

// targetOf returns the target of a request. It is false for a request to the
// server itself, and for one that a proxy has sent on.
func targetOf(r *row) (target, bool) {
	if string(r.col[colMethod]) == "CONNECT" {
		authority := r.text(colURI)
		if len(authority) == 0 {
			authority = r.text(colHost)
		}
		return target{authority: authority}, true
	}
	uri := r.text(colURI)
	if rest, ok := cutFold(uri, "http://"); ok {
		return target{"http", beforePath(rest), 80}, true
	}
	if rest, ok := cutFold(uri, "https://"); ok {
		return target{"https", beforePath(rest), 443}, true
	}
	if hasProxyConnection(r.col[colProxied], r.set) {
		return target{authority: r.text(colHost)}, true
	}
	return target{}, false
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

// hasProxyConnection looks for a header that only a proxy's client sends,
// among those that Zeek notes as "VIA -> 1.1 proxy".
func hasProxyConnection(proxied []byte, sep byte) bool {
	for len(proxied) > 0 {
		header := first(proxied, sep)
		proxied = proxied[min(len(header)+1, len(proxied)):]
		if bytes.HasPrefix(header, []byte("PROXY-CONNECTION ")) || bytes.HasPrefix(header, []byte("XROXY-CONNECTION ")) {
			return true
		}
	}
	return false
}

// splitAuthority returns the host and the port of "user@host:port" or
// "[::1]:443".
func splitAuthority(b []byte, fallback uint16) (host []byte, number uint16) {
	b = b[bytes.LastIndexByte(b, '@')+1:]
	if inner, ok := bytes.CutPrefix(b, []byte("[")); ok {
		host, rest, _ := bytes.Cut(inner, []byte("]"))
		return host, portAfter(rest, fallback)
	}
	i := bytes.LastIndexByte(b, ':')
	if i < 0 || bytes.IndexByte(b[:i], ':') >= 0 {
		return b, fallback
	}
	return b[:i], portAfter(b[i:], fallback)
}

// portAfter reads ":443".
func portAfter(b []byte, fallback uint16) uint16 {
	if digits, ok := bytes.CutPrefix(b, []byte(":")); ok {
		if n, ok := port(digits); ok {
			return n
		}
	}
	return fallback
}
