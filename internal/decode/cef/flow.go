package cef

import (
	"github.com/postern/postern/internal/decode/gateway"
	"github.com/postern/postern/internal/event"
)

// flow makes the event of a connection.
func (p *parser) flow(r *record, b *event.Batch) gateway.Verdict {
	f := event.Flow{
		Sensor: r.sensor(), Time: r.begin, Src: r.src, Duration: r.lasted,
		PacketsOut: event.Unknown, PacketsIn: event.Unknown,
	}
	var ok bool
	if f.Dst, ok = gateway.AddrPort(r.values[dst], r.values[dpt]); !ok {
		return gateway.Skip(gateway.NoEnd)
	}
	if f.Proto, ok = gateway.Proto(r.values[proto]); !ok {
		return gateway.Skip("no transport protocol")
	}
	if f.BytesOut, f.BytesIn, ok = p.bytes(r); !ok {
		return gateway.Skip(gateway.NoNumber)
	}
	f.UID = r.uid(f.Sensor)
	b.Flows = append(b.Flows, f)
	return gateway.Done
}

// uid returns the identity of the session.
func (r *record) uid(sensor string) string {
	if !r.session {
		return ""
	}
	return gateway.SessionUID(sensor, r.values[session], r.src)
}

// handshake makes the event of a URL that a firewall logged of a TLS session.
func (p *parser) handshake(r *record, b *event.Batch) gateway.Verdict {
	end, ok := gateway.AddrPort(r.values[dst], r.values[dpt])
	if !ok {
		return gateway.Skip(gateway.NoEnd)
	}
	t, _ := r.target("")
	switch {
	case t.Scheme != "https" && (t.Scheme != "" || end.Port() != 443):
		return gateway.Ignore(p.envelope.name + ", a firewall's URL without TLS")
	case !gateway.ServerName(t.Host):
		return gateway.Ignore(p.envelope.name + ", a firewall's URL without a name")
	}
	h := event.Handshake{
		Sensor: r.sensor(), Time: r.begin, Proto: event.TCP, Src: r.src, Dst: end, SNI: t.Host,
	}
	if proto, ok := gateway.Proto(r.values[proto]); ok {
		h.Proto = proto
	}
	if h.UID = r.uid(h.Sensor); h.UID == "" {
		return gateway.Ignore(p.envelope.name + ", a firewall's URL without its session")
	}
	b.Handshakes = append(b.Handshakes, h)
	return gateway.Done
}
