package paloalto

import (
	"bytes"
	"strconv"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/gateway"
	"github.com/postern/postern/internal/event"
)

// A parser reads logs.
type parser struct {
	tally  *decode.Tally
	fields fields // of the line
}

// line reads a log.
func (p *parser) line(line []byte, b *event.Batch) gateway.Verdict {
	f := &p.fields
	switch {
	case f.split(line) && string(f.at[receiveTime]) == "Receive Time":
		return gateway.Verdict{Layout: true} // the header of an export
	case f.n < leastFields || !f.ours():
		return gateway.Skip("no log of PAN-OS")
	}
	switch kind := string(f.at[logType]); {
	case kind == "TRAFFIC":
		return p.traffic(f, b)
	case kind == "THREAT" && string(f.at[subtype]) == "url", kind == "URL":
		return p.address(f, b)
	case kind == "THREAT":
		return gateway.Ignore("PAN-OS THREAT, no url")
	case kind == "DECRYPTION":
		return p.decryption(f, b)
	default:
		return gateway.Ignore("PAN-OS " + kind)
	}
}

// utc turns the firewall's time into UTC.
func (p *parser) utc(f *fields, b []byte) (event.Time, bool) {
	t, ok := wall(b)
	ahead, known := f.zone()
	if !known {
		p.tally.Warn("times have no zone and are taken for UTC")
	}
	return t.Add(-ahead), ok
}

// traffic makes the flow of a session.
func (p *parser) traffic(f *fields, b *event.Batch) gateway.Verdict {
	e, v := p.ends(f)
	if v != gateway.Done {
		return v
	}
	flow := event.Flow{Sensor: e.Sensor, UID: e.UID, Proto: e.Proto, Src: e.Src, Dst: e.Dst, Service: service(f.at[application])}
	var ok bool
	if flow.Time, ok = p.utc(f, f.at[startTime]); !ok {
		return gateway.Skip(gateway.NoTime)
	}
	counts := [...]struct {
		at int
		to *event.Count
	}{{elapsed, &flow.Duration}, {bytesSent, &flow.BytesOut}, {bytesReceived, &flow.BytesIn}, {packetsSent, &flow.PacketsOut}, {packetsGot, &flow.PacketsIn}}
	open := string(f.at[subtype]) == "start"
	for _, c := range counts {
		if *c.to, ok = gateway.Count(f.at[c.at]); !ok {
			return gateway.Skip(gateway.NoNumber)
		}
		if open {
			*c.to = event.Unknown
		}
	}
	flow.Open = open
	flow.Duration = gateway.Times(flow.Duration, 1e6)
	flow.BytesOut, flow.BytesIn = gateway.Payload(flow.Proto, flow.BytesOut, flow.BytesIn)
	if string(f.at[application]) == "incomplete" && !open {
		flow.BytesOut, flow.BytesIn = 0, 0 // no handshake of TCP, or nothing after it
	}
	b.Flows = append(b.Flows, flow)
	return gateway.Done
}

// ends returns what a flow and its handshake share, but for the time.
func (p *parser) ends(f *fields) (h event.Handshake, v gateway.Verdict) {
	var ok bool
	if h.Src, ok = gateway.AddrPort(f.at[srcAddr], f.at[srcPort]); !ok {
		return h, gateway.Skip(gateway.NoClient)
	}
	if h.Dst, ok = gateway.AddrPort(f.at[dstAddr], f.at[dstPort]); !ok {
		return h, gateway.Skip(gateway.NoEnd)
	}
	if h.Proto, ok = gateway.Proto(f.at[protocol]); !ok {
		return h, gateway.Skip("no transport protocol")
	}
	h.Sensor = gateway.Text(f.at[serial])
	h.UID = gateway.SessionUID(h.Sensor, f.at[sessionID], h.Src)
	return h, gateway.Done
}

// service returns what an application says about the protocol. PAN-OS names
// what it can, most often a service on top of TLS: that says nothing here.
func service(app []byte) string {
	switch string(app) {
	case "ssl":
		return "ssl"
	case "quic", "quic-base":
		return "quic"
	case "dns", "dns-base":
		return "dns"
	case "ssh", "ftp", "ntp", "ldap", "kerberos", "ms-rdp", "snmp", "syslog", "icmp", "ping":
		return string(app)
	}
	return ""
}

// decrypted is the flag of a session that the firewall decrypted.
const decrypted = 0x01000000

// overTLS reports whether the session of a URL was TLS.
func overTLS(f *fields, port uint16) bool {
	n, err := strconv.ParseUint(string(bytes.TrimPrefix(f.at[flags], []byte("0x"))), 16, 64)
	switch app := service(f.at[application]); {
	case err == nil && n&decrypted != 0, app == "ssl", app == "quic":
		return true
	default:
		return port == 443 && string(f.at[application]) != "web-browsing"
	}
}

// address makes the handshake that a URL stands for.
func (p *parser) address(f *fields, b *event.Batch) gateway.Verdict {
	h, v := p.ends(f)
	if v != gateway.Done {
		return v
	}
	h.SNI = gateway.Asked("", "", f.at[url]).Host
	switch {
	case !overTLS(f, h.Dst.Port()):
		return gateway.Ignore("PAN-OS URL without TLS")
	case !gateway.ServerName(h.SNI):
		return gateway.Ignore("PAN-OS URL without a name")
	}
	return p.shake(f, h, b)
}

// decryption makes a handshake.
func (p *parser) decryption(f *fields, b *event.Batch) gateway.Verdict {
	h, v := p.ends(f)
	if v != gateway.Done {
		return v
	}
	version := f.at[tlsVersion]
	if f.n <= failure || gateway.Said(version) && !bytes.HasPrefix(version, []byte("TLS")) && !bytes.HasPrefix(version, []byte("SSL")) && string(version) != "Unknown" {
		return gateway.Skip("DECRYPTION in another order of fields")
	}
	if h.SNI = gateway.Asked("", "", f.at[serverName]).Host; !gateway.ServerName(h.SNI) {
		h.SNI = ""
	}
	h.Version = gateway.Name(version)
	h.Subject, h.Issuer = commonName(f.at[subjectCN]), commonName(f.at[issuerCN])
	h.Established = event.Yes
	if gateway.Said(f.at[failure]) {
		h.Established = event.No
	}
	return p.shake(f, h, b)
}

// shake adds a handshake.
func (p *parser) shake(f *fields, h event.Handshake, b *event.Batch) gateway.Verdict {
	var ok bool
	if h.Time, ok = p.utc(f, f.at[generatedTime]); !ok {
		return gateway.Skip(gateway.NoTime)
	}
	b.Handshakes = append(b.Handshakes, h)
	return gateway.Done
}

func commonName(b []byte) string {
	if name := gateway.Name(b); name != "" {
		return "CN=" + name
	}
	return ""
}
