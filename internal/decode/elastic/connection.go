package elastic

import (
	"time"

	"github.com/postern/postern/internal/decode/agent"
	"github.com/postern/postern/internal/event"
)

// connect returns what all documents of a connection have.
func (m *mapper) connect(o origin, r *agent.Record) (event.Connect, agent.Verdict) {
	v, p := &m.values, r.At("process")
	e := event.Connect{
		Host: o.host, Time: o.time, Source: event.Agent, Record: o.record,
		PID: agent.PID(p.Text("pid")), GUID: v.ID(p.Text("entity_id")), Image: m.image(p),
		User:        v.Account(r.Text("user", "domain"), r.Text("user", "name")),
		Proto:       agent.Proto(r.Text("network", "transport")),
		Src:         v.End(r.Text("source", "ip"), r.Text("source", "port")),
		Dst:         v.End(r.Text("destination", "ip"), r.Text("destination", "port")),
		DstName:     v.Name(r.Text("destination", "domain")),
		CommunityID: v.Text(r.Text("network", "community_id")),
	}
	if e.Proto == 0 {
		e.Proto = agent.Proto(r.Text("network", "iana_number"))
	}
	switch {
	case !e.Src.Addr().IsValid() || !e.Dst.Addr().IsValid():
		return e, agent.Verdict{Skipped: "no address"}
	case e.Proto == 0:
		return e, agent.Verdict{Skipped: "no transport"}
	}
	return e, agent.Verdict{}
}

func (m *mapper) attempt(o origin, r *agent.Record, b *event.Batch) agent.Verdict {
	e, v := m.connect(o, r)
	if v == (agent.Verdict{}) {
		e.Outbound, e.Attempt = true, true
		m.opened.add(keyOf(&e), opening{o.time, true})
		b.Connects = append(b.Connects, e)
	}
	return v
}

func (m *mapper) accept(o origin, r *agent.Record, b *event.Batch) agent.Verdict {
	e, v := m.connect(o, r)
	if v == (agent.Verdict{}) {
		m.opened.add(keyOf(&e), opening{o.time, false})
		b.Connects = append(b.Connects, e)
	}
	return v
}

// disconnect gives the connection that ended once more, with what the endpoint
// counted, from its begin.
func (m *mapper) disconnect(o origin, r *agent.Record, b *event.Batch) agent.Verdict {
	e, v := m.connect(o, r)
	if v != (agent.Verdict{}) {
		return v
	}
	was, known := m.opened.take(keyOf(&e))
	switch string(r.Text("network", "direction")) {
	case "egress", "outgoing", "outbound":
		e.Outbound = true
	case "ingress", "incoming", "inbound":
	default:
		e.Outbound = known && was.outbound
		if !known {
			return agent.Verdict{Skipped: "neither inbound nor outbound"}
		}
	}
	e.Time = begin(o.time, r, was.time)
	if e.Time == event.Never {
		m.late++
		return agent.Verdict{Ignored: "end of a connection whose begin is not known"}
	}
	e.Volume = event.Volume{
		Counted: true, Duration: agent.Between(e.Time, o.time),
		BytesOut: agent.Count(r.Text("source", "bytes")), BytesIn: agent.Count(r.Text("destination", "bytes")),
	}
	b.Connects = append(b.Connects, e)
	return agent.Verdict{}
}

// begin returns when a connection began that ended at end, or [event.Never].
func begin(end event.Time, r *agent.Record, opened event.Time) event.Time {
	if t := agent.Time(r.Text("event", "start")); t != event.Never && t <= end {
		return t
	}
	if lasted, ok := agent.Number(r.Text("event", "duration")); ok {
		if t := end.Add(-time.Duration(lasted)); t > event.Never {
			return t
		}
	}
	if opened > end {
		return event.Never
	}
	return opened
}
