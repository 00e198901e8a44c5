package ocsf

import (
	"net/netip"

	"github.com/postern/postern/internal/decode/agent"
	"github.com/postern/postern/internal/event"
)

// The activities of a connection.
const (
	opened  = 1
	closed  = 2
	reset   = 3
	traffic = 6
)

// A connection is what an event says of one, whoever says it.
type connection struct {
	proto    event.Proto
	src, dst netip.AddrPort
	began    event.Time // or Never
	volume   event.Volume
}

func (m *mapper) network(o *origin, r *agent.Record, b *event.Batch) agent.Verdict {
	c, v := m.connection(o, r)
	switch {
	case refused(r):
		return agent.Verdict{Ignored: "blocked or denied"}
	case o.activity != opened && o.activity != closed && o.activity != reset && o.activity != traffic:
		return agent.Verdict{Ignored: "another network activity"}
	case v != (agent.Verdict{}):
		return v
	}
	if o.byEndpoint() {
		v = m.connect(o, r, &c, b)
	} else {
		v = m.flow(o, r, &c, b)
	}
	if v == (agent.Verdict{}) {
		m.handshake(o, r, &c, b)
	}
	return v
}

func (m *mapper) connection(o *origin, r *agent.Record) (c connection, v agent.Verdict) {
	end := func(key string) netip.AddrPort { return m.values.End(r.Text(key, "ip"), r.Text(key, "port")) }
	c.src, c.dst = end("src_endpoint"), end("dst_endpoint")
	c.proto = agent.Proto(r.Text("connection_info", "protocol_num"))
	if c.proto == 0 {
		c.proto = agent.Proto(r.Text("connection_info", "protocol_name"))
	}
	switch {
	case !c.src.Addr().IsValid() || !c.dst.Addr().IsValid():
		return c, agent.Verdict{Skipped: "no address"}
	case c.proto == 0:
		return c, agent.Verdict{Skipped: "no transport"}
	}
	c.count(o, r)
	return c, v
}

// count notes when the connection began and what was counted of it.
func (c *connection) count(o *origin, r *agent.Record) {
	c.volume = event.Volume{
		Duration: millis(r.Text("duration")),
		BytesOut: agent.Count(r.Text("traffic", "bytes_out")), BytesIn: agent.Count(r.Text("traffic", "bytes_in")),
	}
	c.volume.Counted = c.volume.BytesOut.Known() || c.volume.BytesIn.Known()
	c.began = o.began
	switch {
	case c.began == event.Never && o.activity == opened:
		c.began = o.time
	case c.began == event.Never && c.volume.Duration.Known():
		if t := o.time - event.Time(c.volume.Duration); t > event.Never {
			c.began = t
		}
	}
	if !c.volume.Duration.Known() {
		c.volume.Duration = agent.Between(c.began, agent.Time(r.Text("end_time")))
	}
}

// maxMillis keeps a duration below a thousand years.
const maxMillis = 32_000_000_000_000

// millis reads a duration.
func millis(b []byte) event.Count {
	n, ok := agent.Number(b)
	if !ok || n > maxMillis {
		return event.Unknown
	}
	return event.Count(n * 1000)
}

// connect adds what an endpoint says its process did.
func (m *mapper) connect(o *origin, r *agent.Record, c *connection, b *event.Batch) agent.Verdict {
	switch {
	case o.activity != opened && !c.volume.Counted:
		return agent.Verdict{Ignored: "end of a connection without its bytes"}
	case c.began == event.Never:
		return agent.Verdict{Ignored: "end of a connection whose begin is not known"}
	}
	e := event.Connect{
		Host: o.host, Time: c.began, Source: event.Agent, Record: o.record, Image: m.image(o.process), User: m.user(o.process, r),
		Proto: c.proto, Src: c.src, Dst: c.dst, Outbound: string(r.Text("connection_info", "direction_id")) != "1",
		DstName: m.values.Name(r.Text("dst_endpoint", "hostname")), CommunityID: m.values.Text(r.Text("connection_info", "community_uid")),
	}
	e.PID, e.GUID = m.who(o.process)
	if c.volume.Counted {
		e.Volume = c.volume
	}
	b.Connects = append(b.Connects, e)
	return agent.Verdict{}
}

// flow adds what a network sensor saw.
func (m *mapper) flow(o *origin, r *agent.Record, c *connection, b *event.Batch) agent.Verdict {
	if o.activity == opened && !c.volume.Counted {
		return agent.Verdict{Ignored: "begin of a flow without its bytes"}
	}
	if c.began == event.Never {
		c.began = o.time
	}
	b.Flows = append(b.Flows, event.Flow{
		Sensor: o.sensor, Time: c.began, UID: m.uid(r), Proto: c.proto, Src: c.src, Dst: c.dst,
		Duration: c.volume.Duration, BytesOut: c.volume.BytesOut, BytesIn: c.volume.BytesIn,
		PacketsOut: agent.Count(r.Text("traffic", "packets_out")), PacketsIn: agent.Count(r.Text("traffic", "packets_in")),
		Service: m.values.Host(r.Text("app_name")), CommunityID: m.values.Text(r.Text("connection_info", "community_uid")),
		Open: o.activity == opened || o.activity == traffic && !r.Has("end_time"),
	})
	return agent.Verdict{}
}

// uid returns the sensor's identity of a connection, or else of the event,
// which binds flow and handshake together as well.
func (m *mapper) uid(r *agent.Record) string {
	if id := m.values.Text(r.Text("connection_info", "uid")); id != "" {
		return id
	}
	return m.values.Text(r.Text("metadata", "uid"))
}

// handshake adds what the event says of TLS. That of a flow without any
// identity is left out: it could not be told from another flow.
func (m *mapper) handshake(o *origin, r *agent.Record, c *connection, b *event.Batch) {
	t := r.At("tls")
	v, uid := &m.values, m.uid(r)
	e := event.Handshake{
		Sensor: o.sensor, Time: c.began, UID: uid, Proto: c.proto, Src: c.src, Dst: c.dst,
		SNI: v.Name(t.Text("sni")), Version: v.Text(t.Text("version")),
		JA3: m.fingerprint(t, "ja3_hash", "ja3_fingerprint"), JA3S: m.fingerprint(t, "ja3s_hash", "ja3s_fingerprint"), JA4: m.ja4(r),
		Subject: v.Text(t.Text("certificate", "subject")), Issuer: v.Text(t.Text("certificate", "issuer")),
	}
	if uid == "" && !o.byEndpoint() || e.SNI == "" && e.JA3 == "" && e.JA4 == "" && e.Subject == "" {
		return
	}
	b.Handshakes = append(b.Handshakes, e)
}

// fingerprint returns the first that is there of names that the schema has had.
func (m *mapper) fingerprint(t *agent.Record, names ...string) string {
	for _, name := range names {
		if b := t.Text(name, "value"); len(b) > 0 {
			return m.values.Text(b)
		}
	}
	return ""
}

// ja4 returns the client's fingerprint among those listed: its type is 1.
func (m *mapper) ja4(r *agent.Record) (ja4 string) {
	r.List(func(f *agent.Record) {
		if ja4 == "" && string(f.Text("type_id")) == "1" {
			ja4 = m.values.Text(f.Text("value"))
		}
	}, "ja4_fingerprint_list")
	return ja4
}
