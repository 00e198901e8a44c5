package ocsf

import (
	"math"
	"net/netip"
	"strings"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/agent"
	"github.com/postern/postern/internal/event"
)

// http reads HTTP activity: only CONNECT asks a proxy for another's TLS.
func (m *mapper) http(o *origin, r *agent.Record, b *event.Batch) agent.Verdict {
	q := r.At("http_request")
	if !strings.EqualFold(string(q.Text("http_method")), "CONNECT") {
		return agent.Verdict{Ignored: "HTTP request other than CONNECT"}
	}
	src := m.values.End(r.Text("src_endpoint", "ip"), r.Text("src_endpoint", "port"))
	proxy := "dst_endpoint"
	if r.Has("proxy_endpoint") {
		proxy = "proxy_endpoint"
	}
	target := decode.AuthorityTarget(q.Text("url", "url_string"))
	if u, ok := decode.URITarget(q.Text("url", "url_string")); ok {
		target = u
	}
	if name := q.Text("url", "hostname"); len(name) > 0 {
		target.Host = m.values.Name(name)
		if n, ok := agent.Number(q.Text("url", "port")); ok && n <= math.MaxUint16 {
			target.Port = uint16(n)
		}
	}
	switch {
	case !src.Addr().IsValid():
		return agent.Verdict{Skipped: "no address"}
	case target.Host == "":
		return agent.Verdict{Skipped: "CONNECT without a host"}
	}
	status, _ := agent.Number(r.Text("http_response", "code"))
	e := event.Request{
		Sensor: o.sensor, Time: o.began, Src: src, Dst: m.values.End(r.Text(proxy, "ip"), r.Text(proxy, "port")),
		Method: "CONNECT", Host: target.Host, Port: target.Port, User: m.user(&agent.Record{}, r), Status: int(min(status, math.MaxInt16)),
		Volume: event.Volume{
			Duration: millis(r.Text("duration")),
			BytesOut: agent.Count(r.Text("traffic", "bytes_out")), BytesIn: agent.Count(r.Text("traffic", "bytes_in")),
		},
	}
	e.Volume.Counted = e.Volume.BytesOut.Known() || e.Volume.BytesIn.Known()
	if !e.Volume.Counted {
		e.Volume = event.Volume{}
	}
	if e.Time == event.Never {
		e.Time = o.time
	}
	b.Requests = append(b.Requests, e)
	return agent.Verdict{}
}

// dns reads DNS activity: of the process that asked, or of an address.
func (m *mapper) dns(o *origin, r *agent.Record, b *event.Batch) agent.Verdict {
	e := event.Lookup{Time: o.time, Name: m.values.Name(r.Text("query", "hostname"))}
	if e.Name == "" {
		return agent.Verdict{Skipped: "no name in the query"}
	}
	if o.byEndpoint() {
		e.Host, e.Source, e.Record = o.host, event.Agent, o.record
		e.PID, e.GUID = m.who(o.process)
		e.Image = m.image(o.process)
	} else {
		e.Sensor, e.Client = o.sensor, m.values.Addr(r.Text("src_endpoint", "ip"))
		if !e.Client.IsValid() {
			return agent.Verdict{Skipped: "no address"}
		}
	}
	e.Answers = m.answers(r)
	b.Lookups = append(b.Lookups, e)
	return agent.Verdict{}
}

// maxAnswers bounds the answers of one lookup.
const maxAnswers = 256

func (m *mapper) answers(r *agent.Record) (addrs []netip.Addr) {
	r.List(func(a *agent.Record) {
		if addr := m.values.Addr(a.Text("rdata")); addr.IsValid() && len(addrs) < maxAnswers {
			addrs = append(addrs, addr)
		}
	}, "answers")
	return addrs
}
