package cef

import (
	"net/http"
	"net/netip"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/gateway"
	"github.com/postern/postern/internal/event"
)

// A parser reads messages of one envelope.
type parser struct {
	envelope *envelope
	tally    *decode.Tally
	layout   string // of the last time that was no number
}

// A record is a message with its values.
type record struct {
	*dialect
	vendor []byte
	values [slots][]byte

	begin, end event.Time // Never where unsaid
	lasted     event.Count
	src        netip.AddrPort
}

// line reads a message.
func (p *parser) line(line []byte, b *event.Batch) gateway.Verdict {
	m, ok := p.envelope.open(line)
	if !ok {
		return gateway.Skip("no message of " + p.envelope.name)
	}
	r := record{dialect: dialectOf(&m), vendor: m.vendor}
	if r.ignored != "" {
		return gateway.Ignore(p.envelope.name + ", " + r.ignored)
	}
	// The first of two values counts: what a client chooses comes later.
	p.envelope.pairs(&m, func(key, value []byte) {
		if s := p.envelope.slot(key); s != unused && r.values[s] == nil {
			r.values[s] = p.envelope.plain(value)
		}
	})
	return p.take(&r, b)
}

// take makes the event of a record.
func (p *parser) take(r *record, b *event.Batch) gateway.Verdict {
	request := r.said(url) || r.said(method) && r.said(dhost)
	flow := r.said(dst) && r.said(dpt) && (r.said(in) || r.said(out))
	if !r.said(src) || !request && !flow {
		return gateway.Ignore(p.envelope.name + ", neither a request nor a connection")
	}
	var ok bool
	if r.src, ok = gateway.AddrPort(r.values[src], r.values[spt]); !ok {
		return gateway.Skip(gateway.NoClient)
	}
	if !p.times(r) {
		return gateway.Skip(gateway.NoTime)
	}
	switch {
	case request && r.firewall:
		return p.handshake(r, b)
	case request:
		return p.request(r, b)
	}
	return p.flow(r, b)
}

func (r *record) said(s slot) bool { return gateway.Said(r.values[s]) }

// times reads when a record began, ended, and how long it lasted.
func (p *parser) times(r *record) bool {
	format := r.values[timeFormat]
	r.lasted = event.Unknown
	for _, s := range [...]slot{end, received} {
		if r.said(s) && r.end == event.Never {
			r.end = p.at(r.values[s], format)
		}
	}
	if r.said(start) {
		r.begin = p.at(r.values[start], format)
	}
	seconds, ok := gateway.Count(r.values[duration])
	switch {
	case ok && seconds.Known():
		r.lasted = gateway.Times(seconds, 1e6)
	case r.begin != event.Never && r.said(end) && r.end >= r.begin:
		r.lasted = event.Count(r.end - r.begin)
	}
	if r.begin == event.Never {
		r.begin = r.end
		if r.lasted.Known() {
			r.begin -= event.Time(r.lasted)
		}
	}
	return r.begin > 0
}

// bytes returns what the client sent and received.
func (p *parser) bytes(r *record) (sent, got event.Count, ok bool) {
	sent, ok = gateway.Count(r.values[out])
	got, ok2 := gateway.Count(r.values[in])
	if p.envelope == commonEvent && !r.outIsSent && (sent.Known() || got.Known()) {
		p.tally.Warn("it is not known which way this vendor counts in and out: bytes are unknown")
		sent, got = event.Unknown, event.Unknown
	}
	return sent, got, ok && ok2
}

// sensor names the device.
func (r *record) sensor() string {
	for _, s := range [...]slot{device, device2} {
		if name := gateway.Name(r.values[s]); name != "" {
			return name
		}
	}
	return gateway.Text(r.vendor)
}

// request makes the event of a request to a proxy.
func (p *parser) request(r *record, b *event.Batch) gateway.Verdict {
	q := gateway.Request{
		Sensor: r.sensor(), End: r.begin, Src: r.src, Method: gateway.Method(r.values[method]),
		User: gateway.Name(r.values[user]), Status: r.status(),
	}
	var ok bool
	if q.BytesOut, q.BytesIn, ok = p.bytes(r); !ok {
		return gateway.Skip(gateway.NoNumber)
	}
	var carries bool
	if q.Target, carries = r.target(q.Method); !carries {
		return gateway.Ignore(p.envelope.name + ", neither http nor https")
	}
	q.Duration = r.lasted
	if r.lasted.Known() {
		q.End = r.begin + event.Time(r.lasted)
	}
	return q.Append(b)
}

// target returns what was asked for. It is false for what carries no HTTP.
func (r *record) target(method string) (decode.Target, bool) {
	asked := r.values[url]
	if !gateway.Said(asked) || asked[0] == '/' {
		asked = r.values[dhost]
	}
	scheme, ok := gateway.Scheme(r.values[app])
	t := gateway.Asked(method, scheme, asked)
	if t.Port == 0 {
		t.Port, _ = gateway.Port(r.values[dpt])
	}
	return t, ok || method == http.MethodConnect || t.Scheme != ""
}

// status returns that of HTTP, 0 where it is unsaid.
func (r *record) status() int { return gateway.Status(r.values[status], r.values[action]) }
