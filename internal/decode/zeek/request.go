package zeek

import (
	"bytes"

	"github.com/postern/postern/internal/decode"
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
	if to.Host == "" {
		return verdict{skipped: noHost}
	}
	status, _ := leadingDigits(r.col[colStatus])
	b.Requests = append(b.Requests, event.Request{
		Sensor: o.sensor, Time: o.time, UID: o.uid, Src: o.src, Dst: o.dst,
		Method: rc.words.of(r.text(colMethod)),
		Scheme: to.Scheme, Host: to.Host, Port: to.Port,
		User:   valid(r.text(colUser)),
		Status: int(status),
	})
	return verdict{}
}

// targetOf returns what a request asks a proxy for. It is false for a request
// to the server itself, and for one that a proxy has sent on.
func targetOf(r *row) (decode.Target, bool) {
	if string(r.col[colMethod]) == "CONNECT" {
		authority := r.text(colURI)
		if len(authority) == 0 {
			authority = r.text(colHost)
		}
		return decode.AuthorityTarget(authority), true
	}
	if t, ok := decode.URITarget(r.text(colURI)); ok {
		return t, true
	}
	if hasProxyConnection(r.col[colProxied], r.set) {
		return decode.AuthorityTarget(r.text(colHost)), true
	}
	return decode.Target{}, false
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
