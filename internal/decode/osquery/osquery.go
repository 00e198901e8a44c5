// Package osquery reads the result logs of osquery, an endpoint agent that is
// asked by queries.
package osquery

import (
	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/agent"
	"github.com/postern/postern/internal/event"
)

// Formats returns the formats of this package.
func Formats() []*decode.Format {
	j := &agent.JSON{
		Clock: "unixTime (host)",
		New:   func() agent.Mapper { return &mapper{} },
		Marks: []string{`"hostIdentifier"`, `"unixTime"`},
	}
	return []*decode.Format{{
		Name:       "osquery",
		Doc:        doc,
		Extensions: []string{".log", ".json"},
		Match:      j.Match,
		Open:       j.Open,
	}}
}

const doc = `osquery results

The lines of osqueryd.results.log and osqueryd.snapshots.log: differential results
(columns), batches of them (diffResults) and snapshots. A query may have any name:
what a row is shows in its columns, which must bear the names of the tables.
Written from the published schema; not yet seen from a live source.

Gives: process starts of process_events, es_process_events and
process_etw_events, and ends of the last; connects of socket_events; connections
that process_open_sockets finds open, once each as long as each run finds them.
Their program is process_path, path, process_name or name, where the query has
joined them.

Lacks: bytes, durations, names, fingerprints. process_open_sockets sees what is
open when it is asked: short connections are missed, and a connect is given the
time of the run that found it first. Found longer than a minute after the begin, it
names no flow's owner. It does not tell who opened a connection either: one from a
port on which the host listens, as far as the input shows it, is inbound, every
other outbound. Failed connects, and sockets without a far end, are counted and
ignored.

Clock: unixTime, the host's own, when the query ran; for events their own time. The
host is hostname of the decorations, else hostIdentifier.`

// A mapper makes events of results.
type mapper struct {
	values   agent.Values
	sighting sightings
	rest     map[agent.Verdict]int64 // rows beside others of the same result
}

// Own implements [agent.Mapper].
func (m *mapper) Own(r *agent.Record) bool {
	return r.Has("hostIdentifier") && r.Has("name") && r.Has("unixTime") &&
		(r.Has("columns") || r.Has("snapshot") || r.Has("diffResults"))
}

// A run is one run of a query on a host.
type run struct {
	host  string
	query string
	time  event.Time
}

// Map implements [agent.Mapper]. What gives nothing beside other rows of the
// same result is counted at the end.
func (m *mapper) Map(r *agent.Record, b *event.Batch) agent.Verdict {
	q := run{
		host:  m.values.Host(r.Text("decorations", "hostname")),
		query: m.values.Text(r.Text("name")),
		time:  agent.Time(r.Text("unixTime")),
	}
	if q.host == "" {
		q.host = m.values.Host(r.Text("hostIdentifier"))
	}
	switch {
	case q.host == "":
		return agent.Verdict{Skipped: "no host name"}
	case q.time == event.Never:
		return agent.Verdict{Skipped: "no time"}
	case string(r.Text("action")) == "removed":
		return agent.Verdict{Ignored: "removed row"}
	}
	rows, before := 0, b.Len()
	last := agent.Verdict{Ignored: "result without rows"}
	each := func(row *agent.Record) {
		v := m.row(q, row, b)
		if rows++; rows > 1 {
			m.beside(last)
		}
		last = v
	}
	if r.Has("columns") {
		each(r.At("columns"))
	}
	r.List(each, "snapshot")
	r.List(each, "diffResults", "added")
	if b.Len() > before {
		m.beside(last)
		return agent.Verdict{}
	}
	return last
}

// beside counts what became of a row, unless it gave an event.
func (m *mapper) beside(v agent.Verdict) {
	if v == (agent.Verdict{}) {
		return
	}
	if m.rest == nil {
		m.rest = make(map[agent.Verdict]int64)
	}
	m.rest[v]++
}

// row makes an event of a row, by its columns.
func (m *mapper) row(q run, r *agent.Record, b *event.Batch) agent.Verdict {
	switch {
	case r.Has("remote_address") && r.Has("remote_port") && r.Has("pid"):
		if r.Has("action") {
			return m.socketEvent(q, r, b)
		}
		return m.openSocket(q, r, b)
	case r.Has("type") && r.Has("process_sequence_number"):
		return m.etw(q, r, b)
	case r.Has("cmdline") && r.Has("path") && r.Has("parent") && r.Has("time"):
		return m.start(q, r, b)
	}
	return agent.Verdict{Ignored: "another query"}
}

// Close implements [agent.Mapper].
func (m *mapper) Close(t *decode.Tally) {
	m.values.Close(t)
	for v, n := range m.rest {
		t.Records += n
		for range n {
			if v.Skipped != "" {
				t.Skip("a record among others of a result", v.Skipped)
			} else {
				t.Ignore(v.Ignored)
			}
		}
	}
}
