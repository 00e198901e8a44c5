package osquery

import (
	"net/netip"

	"github.com/postern/postern/internal/decode/agent"
	"github.com/postern/postern/internal/event"
)

// socket returns what both tables of sockets say.
func (m *mapper) socket(q run, r *agent.Record) (event.Connect, agent.Verdict) {
	v := &m.values
	e := event.Connect{
		Host: q.host, Time: q.time, Source: event.Agent,
		PID: agent.PID(r.Text("pid")), Image: v.Image(r.First("process_path", "path", "process_name", "name")),
		User: v.Text(r.Text("username")), Proto: agent.Proto(r.Text("protocol")),
		Src: v.End(r.Text("local_address"), r.Text("local_port")), Dst: v.End(r.Text("remote_address"), r.Text("remote_port")),
		Outbound: true,
	}
	switch {
	case !e.Dst.Addr().IsValid() || e.Dst.Addr().IsUnspecified() || e.Dst.Port() == 0:
		return e, agent.Verdict{Ignored: "socket without a far end"}
	case !e.Src.Addr().IsValid() || e.Src.Addr().IsUnspecified():
		return e, agent.Verdict{Ignored: "connection without its local address"}
	case e.Dst.Addr().IsLoopback():
		return e, agent.Verdict{Ignored: "connection within the host"}
	case e.PID == 0 || e.Proto == 0:
		return e, agent.Verdict{Ignored: "socket without process or transport"}
	}
	return e, agent.Verdict{}
}

// socketEvent reads a row of socket_events.
func (m *mapper) socketEvent(q run, r *agent.Record, b *event.Batch) agent.Verdict {
	e, v := m.socket(q, r)
	e.Time = timeOf(q, r.Text("time"))
	switch string(r.Text("action")) {
	case "connect":
		e.Attempt = string(r.Text("status")) == "in_progress"
	case "accept", "accept4":
		e.Outbound = false
		e.Src, e.Dst = e.Dst, e.Src
	default:
		return agent.Verdict{Ignored: "another socket event"}
	}
	switch status := string(r.Text("status")); {
	case v != (agent.Verdict{}):
		return v
	case status == "failed" || string(r.Text("success")) == "0":
		return agent.Verdict{Ignored: "failed connect"}
	}
	b.Connects = append(b.Connects, e)
	return agent.Verdict{}
}

// openSocket reads a row of process_open_sockets.
func (m *mapper) openSocket(q run, r *agent.Record, b *event.Batch) agent.Verdict {
	e, v := m.socket(q, r)
	local := port{q.host, e.Proto, e.Src.Port()}
	state := string(r.Text("state"))
	if state == "LISTEN" {
		m.sighting.listen(local)
	}
	switch {
	case v != (agent.Verdict{}):
		return v
	case state == "SYN_SENT" || state == "SYN_RECV":
		return agent.Verdict{Ignored: "attempt"}
	case m.sighting.again(q, seen{q.host, q.query, e.PID, e.Proto, e.Src, e.Dst}):
		return agent.Verdict{Ignored: "connection that is open still"}
	case m.sighting.listening[local]:
		e.Outbound = false
		e.Src, e.Dst = e.Dst, e.Src
	}
	b.Connects = append(b.Connects, e)
	return agent.Verdict{}
}

// A seen is a connection that a query found open.
type seen struct {
	host, query string
	pid         uint32
	proto       event.Proto
	src, dst    netip.AddrPort
}

// A port is one of a host's own.
type port struct {
	host   string
	proto  event.Proto
	number uint16
}

// Bounds on what is remembered.
const (
	maxSeen      = 1 << 18
	maxListening = 1 << 16
)

// sightings remember what was found open, and by which run, so that a
// connection that run after run finds is told of once.
type sightings struct {
	open      map[seen]event.Time // the last run that found it
	runs      map[[2]string]rounds
	listening map[port]bool
}

// rounds are the last two runs of a query on a host.
type rounds struct{ last, before event.Time }

// again reports whether the run before had found the connection too, and notes
// that this one has.
func (s *sightings) again(q run, k seen) bool {
	if s.open == nil || len(s.open) >= maxSeen {
		s.open, s.runs = make(map[seen]event.Time), make(map[[2]string]rounds)
	}
	who := [2]string{q.host, q.query}
	r := s.runs[who]
	if r.last != q.time {
		r = rounds{q.time, r.last}
		s.runs[who] = r
	}
	found, ok := s.open[k]
	s.open[k] = q.time
	return ok && (found == r.last || found == r.before)
}

func (s *sightings) listen(p port) {
	if s.listening == nil || len(s.listening) >= maxListening {
		s.listening = make(map[port]bool)
	}
	s.listening[p] = true
}
