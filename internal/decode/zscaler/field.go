package zscaler

import (
	"bytes"
	"net/http"
	"time"

	"github.com/valyala/fastjson"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/gateway"
	"github.com/postern/postern/internal/event"
)

// A slot is a field that is read.
type slot int

// The slots.
const (
	datetime slot = iota
	action
	protocol
	responseSize
	requestSize
	method
	clientIP
	status
	user
	url
	hostname
	duration
	product
	vendor
	slots // how many
)

// keys are those of the templates. This is the one place of them.
var keys = [slots]string{
	datetime: "datetime", action: "action", protocol: "protocol", responseSize: "responsesize", requestSize: "requestsize",
	method: "requestmethod", clientIP: "ClientIP", status: "status", user: "user", url: "url", hostname: "hostname",
	duration: "clienttranstime", product: "product", vendor: "vendor",
}

// fields are those of a log.
type fields [slots][]byte

// ours reports whether the fields are of the web feed.
func (f *fields) ours() bool {
	return string(f[product]) == "NSS" && string(f[vendor]) == "Zscaler"
}

// ofLine reads "2026-11-23 15:39:19", with or without a header of syslog before
// it, and the pairs behind it. The first of two values counts.
func ofLine(line []byte) (f fields, ok bool) {
	first, rest, ok := bytes.Cut(line, []byte("\t"))
	if !ok || len(first) < len(layout) {
		return f, false
	}
	f[datetime] = first[len(first)-len(layout):]
	for len(rest) > 0 {
		var pair []byte
		if i := bytes.IndexByte(rest, '\t'); i >= 0 {
			pair, rest = rest[:i], rest[i+1:]
		} else {
			pair, rest = rest, nil
		}
		key, value, ok := bytes.Cut(pair, []byte("="))
		if s := slotOf(key); ok && s < slots && f[s] == nil {
			f[s] = value
		}
	}
	return f, f.ours()
}

// slotOf returns the slot of a key, or slots.
func slotOf(key []byte) slot {
	for s, name := range keys {
		if string(key) == name {
			return slot(s)
		}
	}
	return slots
}

// ofObject reads {"sourcetype": "zscalernss-web", "event": {…}}.
func ofObject(v *fastjson.Value) (f fields, ok bool) {
	e := v.Get("event")
	if string(v.GetStringBytes("sourcetype")) != "zscalernss-web" || e == nil {
		return f, false
	}
	for s, name := range keys {
		f[s] = gateway.Scalar(e.Get(name))
	}
	return f, true
}

// layout is the time of the templates, and long that of the field %s{time}.
const (
	layout = "2006-01-02 15:04:05"
	long   = "Mon Jan _2 15:04:05 2006"
)

// time reads when the transaction was logged.
func (f *fields) time() (event.Time, bool) {
	b := f[datetime]
	if len(b) == len(layout) && b[10] == ' ' {
		return gateway.DateTime(b[:10], b[11:], time.UTC)
	}
	return gateway.Clock(b, long, time.UTC)
}

// request makes the event of a log.
func (f *fields) request(t *decode.Tally, b *event.Batch) gateway.Verdict {
	q := gateway.Request{
		Sensor: "Zscaler", Method: gateway.Method(f[method]), User: gateway.Name(f[user]),
		Status: gateway.Status(f[status], f[action]),
	}
	var ok [5]bool
	if q.End, ok[0] = f.time(); !ok[0] {
		return gateway.Skip(gateway.NoTime)
	}
	if q.Src, ok[1] = gateway.AddrPort(f[clientIP], nil); !ok[1] {
		return gateway.Skip(gateway.NoClient)
	}
	q.BytesOut, ok[2] = gateway.Count(f[requestSize])
	q.BytesIn, ok[3] = gateway.Count(f[responseSize])
	q.Duration, ok[4] = gateway.Count(f[duration])
	if !ok[2] || !ok[3] || !ok[4] {
		return gateway.Skip(gateway.NoNumber)
	}
	q.Duration = gateway.Times(q.Duration, 1e3)
	scheme, carries := gateway.Scheme(f[protocol])
	if !carries && q.Method != http.MethodConnect {
		return gateway.Ignore("NSS, neither http nor https")
	}
	asked := f[url]
	if !gateway.Said(asked) || asked[0] == '/' {
		asked = f[hostname]
	}
	q.Target = gateway.Asked(q.Method, scheme, asked)
	t.Warn("times have no zone and are taken for UTC")
	return q.Append(b)
}
