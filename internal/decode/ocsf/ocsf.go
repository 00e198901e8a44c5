// Package ocsf reads events in the Open Cybersecurity Schema Framework, into
// which collectors translate those of many products.
package ocsf

import (
	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/agent"
	"github.com/postern/postern/internal/event"
)

// Formats returns the formats of this package.
func Formats() []*decode.Format {
	j := &agent.JSON{
		Clock: "time (as translated)",
		New:   func() agent.Mapper { return &mapper{} },
		Marks: []string{`"class_uid"`, `"metadata"`, `"severity_id"`},
	}
	return []*decode.Format{{
		Name:       "ocsf",
		Doc:        doc,
		Extensions: []string{".json", ".ndjson"},
		Match:      j.Match,
		Open:       j.Open,
	}}
}

const doc = `Open Cybersecurity Schema Framework (OCSF)

Events of the schema 1.x in JSON, from whatever product. Written from the published
schema; not yet seen from a live source. Parquet, as security lakes keep it, is not
read.

Gives:
  1007 process activity  Launch: process starts; Terminate: process ends
  4001 network activity  with actor.process and device, the word of an endpoint:
                         Open is a connect, and Close, Reset or Traffic with
                         traffic.bytes_out or bytes_in counts it (rung native);
                         without, the word of the wire: a flow. tls gives a
                         handshake with server name, JA3, JA3S and JA4
  4002 HTTP activity     CONNECT: a request to a proxy
  4003 DNS activity      lookups, of the process where actor names it

Lacks what the product or the translation left out: bytes that only traffic.bytes
has, the sum, are unknown each way. A flow that says neither start_time nor duration
is given the time of its report. What was failed, refused, blocked or denied is
counted and ignored, as are listening ports, all other classes, and the end of an
endpoint's connection that does not say when that began (start_time, or duration).

Clock: start_time, else time; in milliseconds, as the schema has it.`

// A mapper makes events of the schema's.
type mapper struct {
	values agent.Values
}

// Own implements [agent.Mapper].
func (m *mapper) Own(r *agent.Record) bool {
	return r.Has("class_uid") && (r.Has("activity_id") || r.Has("type_uid")) && (r.Has("time") || r.Has("start_time"))
}

// An origin is what all events say of where they come from.
type origin struct {
	host     string // "" when a wire saw it
	sensor   string
	record   uint64
	time     event.Time // of the report
	began    event.Time // or Never
	activity int64
	process  *agent.Record // that acted; nil when none is named
}

// classes are the readers of the classes in use, by class_uid.
var classes = map[string]func(*mapper, *origin, *agent.Record, *event.Batch) agent.Verdict{
	"1007": (*mapper).process,
	"4001": (*mapper).network,
	"4002": (*mapper).http,
	"4003": (*mapper).dns,
}

// Map implements [agent.Mapper].
func (m *mapper) Map(r *agent.Record, b *event.Batch) agent.Verdict {
	read, ok := classes[string(r.Text("class_uid"))]
	if !ok {
		return agent.Verdict{Ignored: "another class"}
	}
	o := m.origin(r)
	if o.time == event.Never {
		return agent.Verdict{Skipped: "no time"}
	}
	return read(m, o, r, b)
}

func (m *mapper) origin(r *agent.Record) *origin {
	o := &origin{
		sensor: m.values.Text(r.Text("metadata", "product", "name")),
		record: agent.Serial(r.Text("metadata", "sequence")),
		time:   agent.Time(r.Text("time")), began: agent.Time(r.Text("start_time")),
	}
	o.activity, _ = agent.Number(r.Text("activity_id"))
	for _, key := range [...]string{"hostname", "name"} {
		if o.host == "" {
			o.host = m.values.Host(r.Text("device", key))
		}
	}
	if o.time == event.Never {
		o.time = o.began
	}
	if o.sensor == "" {
		o.sensor = "ocsf"
	}
	if p := r.At("actor", "process"); p.Has("pid") || p.Has("uid") || p.Has("name") || p.Has("file") {
		o.process = p
	}
	return o
}

// byEndpoint reports whether an endpoint says what its process did.
func (o *origin) byEndpoint() bool { return o.host != "" && o.process != nil }

// refused reports whether a control kept the activity from happening: action
// and disposition of the security control profile.
func refused(r *agent.Record) bool {
	return string(r.Text("action_id")) == "2" || string(r.Text("disposition_id")) == "2"
}

// Close implements [agent.Mapper].
func (m *mapper) Close(t *decode.Tally) { m.values.Close(t) }
