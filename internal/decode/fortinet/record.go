package fortinet

import (
	"bytes"
	"time"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/gateway"
	"github.com/postern/postern/internal/event"
)

// A parser reads logs.
type parser struct {
	tally *decode.Tally
}

// line reads a log.
func (p *parser) line(line []byte, b *event.Batch) gateway.Verdict {
	var f fields
	if !f.read(line) {
		return gateway.Skip("no log of FortiOS")
	}
	switch string(f[kind]) + " " + string(f[subtype]) {
	case "traffic forward", "traffic local", "traffic sniffer":
		return p.traffic(&f, b)
	case "traffic http-transaction":
		return gateway.Ignore("FortiOS http-transaction")
	case "utm webfilter", "utm app-ctrl":
		return p.named(&f, b)
	case "utm ssl":
		return p.ssl(&f, b)
	}
	switch string(f[kind]) {
	case "traffic", "utm", "event":
		return gateway.Ignore("FortiOS " + string(f[kind]) + ", of no use here")
	}
	return gateway.Ignore("FortiOS, of no use here")
}

// at returns when the log was written.
func (p *parser) at(f *fields) (event.Time, bool) {
	if t, ok := gateway.Epoch(f[eventtime]); ok {
		return t, true
	}
	t, ok := gateway.DateTime(f[date], f[clock], time.UTC)
	if !ok {
		return event.Never, false
	}
	ahead, ok := offset(f[tz])
	if !ok {
		p.tally.Warn("times have no zone and are taken for UTC")
	}
	return t.Add(-ahead), true
}

// offset reads "+0200".
func offset(b []byte) (time.Duration, bool) {
	if len(b) != len("+0200") || b[0] != '+' && b[0] != '-' {
		return 0, false
	}
	n, ok := gateway.Number(b[1:])
	d := time.Duration(n/100)*time.Hour + time.Duration(n%100)*time.Minute
	if b[0] == '-' {
		d = -d
	}
	return d, ok && n < 2400
}

// ends returns what a flow and its handshake share, with the time of the log.
func (p *parser) ends(f *fields) (h event.Handshake, v gateway.Verdict) {
	var ok bool
	if h.Time, ok = p.at(f); !ok {
		return h, gateway.Skip(gateway.NoTime)
	}
	if h.Src, ok = gateway.AddrPort(f[srcip], f[srcport]); !ok {
		return h, gateway.Skip(gateway.NoClient)
	}
	if h.Dst, ok = gateway.AddrPort(f[dstip], f[dstport]); !ok {
		return h, gateway.Skip(gateway.NoEnd)
	}
	if h.Proto, ok = gateway.Proto(f[proto]); !ok {
		return h, gateway.Skip("no transport protocol")
	}
	if h.Sensor = gateway.Name(f[devid]); h.Sensor == "" {
		h.Sensor = gateway.Name(f[devname])
	}
	h.UID = gateway.SessionUID(h.Sensor, f[sessionid], h.Src)
	return h, gateway.Done
}

// interim is the log ID of a report on a session that goes on.
const interim = 20

// traffic makes the flow of a session.
func (p *parser) traffic(f *fields, b *event.Batch) gateway.Verdict {
	e, v := p.ends(f)
	if v != gateway.Done {
		return v
	}
	flow := event.Flow{Sensor: e.Sensor, UID: e.UID, Proto: e.Proto, Src: e.Src, Dst: e.Dst, Service: protocolOf(f[app])}
	begun := string(f[action]) == "start"
	for _, c := range [...]struct {
		slot
		to *event.Count
	}{{duration, &flow.Duration}, {sentbyte, &flow.BytesOut}, {rcvdbyte, &flow.BytesIn}, {sentpkt, &flow.PacketsOut}, {rcvdpkt, &flow.PacketsIn}} {
		var ok bool
		if *c.to, ok = gateway.Count(f[c.slot]); !ok {
			return gateway.Skip(gateway.NoNumber)
		}
		if begun {
			*c.to = event.Unknown
		}
	}
	id, _ := gateway.Number(f[logid])
	flow.Open = begun || id%1e6 == interim
	flow.Duration = gateway.Times(flow.Duration, 1e6)
	flow.BytesOut, flow.BytesIn = gateway.Payload(flow.Proto, flow.BytesOut, flow.BytesIn)
	if flow.Time = e.Time; flow.Duration.Known() {
		flow.Time -= event.Time(flow.Duration)
	}
	if flow.Time <= 0 {
		return gateway.Skip(gateway.NoTime)
	}
	b.Flows = append(b.Flows, flow)
	return gateway.Done
}

// protocolOf returns what an application says about the protocol: FortiOS names
// the port where it has looked no further, and services on top of TLS.
func protocolOf(app []byte) string {
	switch string(app) {
	case "SSL", "HTTPS.BROWSER", "SSL_TLSv1.0", "SSL_TLSv1.1", "SSL_TLSv1.2", "SSL_TLSv1.3":
		return "ssl"
	case "QUIC":
		return "quic"
	case "HTTP.BROWSER":
		return "http"
	}
	return ""
}

// named makes the handshake of a session whose host was logged.
func (p *parser) named(f *fields, b *event.Batch) gateway.Verdict {
	h, v := p.ends(f)
	if v != gateway.Done {
		return v
	}
	h.SNI = gateway.Asked("", "", f[hostname]).Host
	switch {
	case !overTLS(f, h.Dst.Port()):
		return gateway.Ignore("FortiOS URL without TLS")
	case !gateway.ServerName(h.SNI):
		return gateway.Ignore("FortiOS URL without a name")
	}
	b.Handshakes = append(b.Handshakes, h)
	return gateway.Done
}

// overTLS reports whether the session of a URL was TLS.
func overTLS(f *fields, port uint16) bool {
	switch {
	case bytes.HasPrefix(f[url], []byte("https://")):
		return true
	case bytes.HasPrefix(f[url], []byte("http://")):
		return false
	}
	s := string(f[service])
	return s == "SSL" || s == "HTTPS" || port == 443 && s != "HTTP"
}

// ssl makes a handshake.
func (p *parser) ssl(f *fields, b *event.Batch) gateway.Verdict {
	h, v := p.ends(f)
	if v != gateway.Done {
		return v
	}
	for _, s := range [...]slot{sni, hostname} {
		if h.SNI = gateway.Asked("", "", f[s]).Host; gateway.ServerName(h.SNI) {
			break
		}
		h.SNI = ""
	}
	h.Version = gateway.Name(f[tlsver])
	h.Issuer = gateway.Name(f[issuer])
	if name := gateway.Name(f[cn]); name != "" {
		h.Subject = "CN=" + name
	}
	b.Handshakes = append(b.Handshakes, h)
	return gateway.Done
}
