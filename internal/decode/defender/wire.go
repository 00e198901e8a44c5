package defender

import (
	"math"
	"net/netip"
	"strings"
	"time"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/agent"
	"github.com/postern/postern/internal/event"
)

// sensor is the name of what the devices saw of the wire.
const sensor = "defender"

// ends returns the two ends, the originator's first: the remote one's where
// the connection is inbound.
func (m *mapper) ends(r *agent.Record, inbound bool) (src, dst netip.AddrPort, ok bool) {
	src = m.values.End(r.Text("LocalIP"), r.Text("LocalPort"))
	dst = m.values.End(r.Text("RemoteIP"), r.Text("RemotePort"))
	ok = src.Addr().IsValid() && dst.Addr().IsValid()
	if inbound {
		src, dst = dst, src
	}
	return src, dst, ok
}

// An inspection is what a device saw of one connection on the wire.
type inspection struct {
	fields   *agent.Record // AdditionalFields
	time     event.Time
	uid      string
	src, dst netip.AddrPort
}

func (m *mapper) inspect(o origin, r *agent.Record) (inspection, bool) {
	i := inspection{fields: m.inner.Read(r, "AdditionalFields")}
	i.time = inspected(o.time, i.fields.Text("ts"))
	i.uid = m.values.Text(i.fields.Text("uid"))
	var ok bool
	i.src, i.dst, ok = m.ends(r, string(i.fields.Text("direction")) == "In")
	return i, ok
}

// fileTimeEpoch is the Unix epoch in the 100 ns since 1601 that Windows counts.
const fileTimeEpoch = 116_444_736_000_000_000

// maxApart is how far ts may lie from the row's own time and be believed.
const maxApart = time.Hour

// inspected returns when a connection was seen: ts, a FILETIME, where it is
// near the time of the row, which is written later.
func inspected(row event.Time, ts []byte) event.Time {
	n, ok := agent.Number(ts)
	if !ok || n < fileTimeEpoch {
		return row
	}
	t := event.Time((n - fileTimeEpoch) / 10)
	if row.Sub(t).Abs() > maxApart {
		return row
	}
	return t
}

func (m *mapper) handshake(o origin, r *agent.Record, b *event.Batch) agent.Verdict {
	i, ok := m.inspect(o, r)
	if !ok {
		return agent.Verdict{Skipped: "no address"}
	}
	v := &m.values
	b.Handshakes = append(b.Handshakes, event.Handshake{
		Sensor: sensor, Time: i.time, UID: i.uid, Proto: event.TCP, Src: i.src, Dst: i.dst,
		SNI: v.Name(i.fields.Text("server_name")), Version: v.Text(i.fields.Text("version")),
		ALPN:    v.Text(i.fields.Text("next_protocol")),
		Subject: v.Text(i.fields.Text("subject")), Issuer: v.Text(i.fields.Text("issuer")),
		Established: tri(i.fields.Text("established")),
	})
	return agent.Verdict{}
}

func tri(b []byte) event.Tri {
	switch strings.ToLower(string(b)) {
	case "true":
		return event.Yes
	case "false":
		return event.No
	}
	return event.Unsaid
}

// signature reads a NetworkSignatureInspected, which older sensors write for
// TLS too.
func (m *mapper) signature(o origin, r *agent.Record, b *event.Batch) agent.Verdict {
	if f := m.inner.Read(r, "AdditionalFields"); len(f.Text("server_name")) == 0 {
		return agent.Verdict{Ignored: "network signature"}
	}
	return m.handshake(o, r, b)
}

// lookup reads a DnsConnectionInspected. The device asks by a service of its
// own, so no process is named: it is the wire's word.
func (m *mapper) lookup(o origin, r *agent.Record, b *event.Batch) agent.Verdict {
	i, ok := m.inspect(o, r)
	if !ok {
		return agent.Verdict{Skipped: "no address"}
	}
	e := event.Lookup{Sensor: sensor, Time: i.time, Client: i.src.Addr(), Name: m.values.Name(i.fields.Text("query"))}
	if e.Name == "" {
		return agent.Verdict{Ignored: "DNS without a question"}
	}
	e.Answers = m.answers(i.fields)
	b.Lookups = append(b.Lookups, e)
	return agent.Verdict{}
}

// maxAnswers bounds the answers of one lookup.
const maxAnswers = 256

// answers reads `["192.0.2.1","alias.example"]`, as text or as a list.
func (m *mapper) answers(f *agent.Record) (addrs []netip.Addr) {
	f.Texts(func(b []byte) {
		for _, part := range strings.FieldsFunc(string(b), func(c rune) bool { return strings.ContainsRune(`[]", `, c) }) {
			if a := m.values.Addr([]byte(part)); a.IsValid() && len(addrs) < maxAnswers {
				addrs = append(addrs, a)
			}
		}
	}, "answers")
	return addrs
}

// request reads an HttpConnectionInspected: only CONNECT asks for another's
// TLS.
func (m *mapper) request(o origin, r *agent.Record, b *event.Batch) agent.Verdict {
	i, ok := m.inspect(o, r)
	if !ok {
		return agent.Verdict{Skipped: "no address"}
	}
	if string(i.fields.Text("method")) != "CONNECT" {
		return agent.Verdict{Ignored: "HTTP request other than CONNECT"}
	}
	target := decode.AuthorityTarget(i.fields.Text("uri"))
	if target.Host == "" {
		return agent.Verdict{Skipped: "CONNECT without a host"}
	}
	status, _ := agent.Number(i.fields.Text("status_code"))
	b.Requests = append(b.Requests, event.Request{
		Sensor: sensor, Time: i.time, UID: i.uid, Src: i.src, Dst: i.dst,
		Method: "CONNECT", Host: m.values.Name([]byte(target.Host)), Port: target.Port, Status: int(min(status, math.MaxInt16)),
	})
	return agent.Verdict{}
}

// leases reads a row of DeviceNetworkInfo: the addresses of one adapter.
func (m *mapper) leases(o origin, r *agent.Record, b *event.Batch) agent.Verdict {
	if status := r.Text("NetworkAdapterStatus"); len(status) > 0 && string(status) != "Up" {
		return agent.Verdict{Ignored: "adapter that is not up"}
	}
	mac := mac(r.Text("MacAddress"))
	before := len(b.Leases)
	m.inner.ReadList(r, "IPAddresses", func(a *agent.Record) {
		addr := m.values.Addr(a.Text("IPAddress"))
		if !addr.IsValid() || addr.IsLoopback() || addr.IsLinkLocalUnicast() || addr.IsUnspecified() {
			return
		}
		b.Leases = append(b.Leases, event.Lease{
			Sensor: sensor, Time: o.time, Host: o.host, Addr: addr, MAC: mac, Duration: event.Unknown,
		})
	})
	if len(b.Leases) == before {
		return agent.Verdict{Ignored: "adapter without an address"}
	}
	return agent.Verdict{}
}

// mac writes "000D3A9EC781" with colons, in lower case; "" for what is none.
func mac(b []byte) string {
	if len(b) != 12 {
		return ""
	}
	out := make([]byte, 0, 17)
	for i, c := range b {
		if 'A' <= c && c <= 'F' {
			c += 'a' - 'A'
		}
		if (c < '0' || '9' < c) && (c < 'a' || 'f' < c) {
			return ""
		}
		if i > 0 && i%2 == 0 {
			out = append(out, ':')
		}
		out = append(out, c)
	}
	return string(out)
}
