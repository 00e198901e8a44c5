package suricata

import (
	"math"

	"github.com/valyala/fastjson"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// request reads an event of the type http. Only a request to a proxy gives an
// event.
func (d *decoder) request(v *fastjson.Value, b *event.Batch) verdict {
	inner := v.Get("http")
	to, ok := targetOf(inner)
	if !ok {
		return verdict{ignored: "suricata http, not proxied"}
	}
	o, reason := d.observe(v)
	if reason != "" {
		return verdict{skipped: reason}
	}
	if to.Host == "" {
		return verdict{skipped: noHost}
	}
	status := inner.GetInt("status")
	b.Requests = append(b.Requests, event.Request{
		Sensor: o.sensor, Time: o.time, UID: o.uid, Src: o.src, Dst: o.dst,
		Method: d.words.of(inner.GetStringBytes("http_method")),
		Scheme: to.Scheme, Host: to.Host, Port: to.Port,
		Status: status,
	})
	return verdict{}
}

// targetOf returns what a request asks a proxy for. It is false for a request
// to the server itself.
func targetOf(inner *fastjson.Value) (decode.Target, bool) {
	url := inner.GetStringBytes("url")
	if string(inner.GetStringBytes("http_method")) != "CONNECT" {
		return decode.URITarget(url)
	}
	to := decode.AuthorityTarget(url)
	if to.Host == "" {
		to = decode.AuthorityTarget(inner.GetStringBytes("hostname"))
	}
	if port := inner.GetInt("http_port"); to.Port == 0 && 0 < port && port <= math.MaxUint16 {
		to.Port = uint16(port)
	}
	return to, true
}
