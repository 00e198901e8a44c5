package elastic

import (
	"fmt"
	"net/netip"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/agent"
	"github.com/postern/postern/internal/event"
)

// An origin is what all events say of where they come from.
type origin struct {
	host   string
	time   event.Time
	record uint64
}

// actions are the documents that give events, by event.action.
var actions = map[string]func(*mapper, origin, *agent.Record, *event.Batch) agent.Verdict{
	"start":                (*mapper).start,
	"exec":                 (*mapper).start,
	"fork":                 (*mapper).start,
	"end":                  (*mapper).stop,
	"connection_attempted": (*mapper).attempt,
	"connection_accepted":  (*mapper).accept,
	"disconnect_received":  (*mapper).disconnect,
	"lookup_result":        (*mapper).lookup,
}

// streams are those that have the actions above. Others use the same words.
var streams = map[string]bool{"endpoint.events.process": true, "endpoint.events.network": true}

// Map implements [agent.Mapper].
func (m *mapper) Map(r *agent.Record, b *event.Batch) agent.Verdict {
	stream := r.Text("event", "dataset")
	if len(stream) == 0 {
		stream = r.Text("data_stream", "dataset")
	}
	if !streams[string(stream)] {
		return agent.Verdict{Ignored: "another data stream"}
	}
	do, ok := actions[string(action(r))]
	if !ok {
		return agent.Verdict{Ignored: "another action"}
	}
	o := origin{time: agent.Time(r.Text("@timestamp")), record: agent.Serial(r.Text("event", "sequence"))}
	for _, key := range [...]string{"hostname", "name"} {
		if o.host == "" {
			o.host = m.values.Host(r.Text("host", key))
		}
	}
	switch {
	case o.host == "":
		return agent.Verdict{Skipped: "no host name"}
	case o.time == event.Never:
		return agent.Verdict{Skipped: "no time"}
	}
	return do(m, o, r, b)
}

// action returns event.action, which a search may have as a list.
func action(r *agent.Record) (first []byte) {
	r.Texts(func(b []byte) {
		if first == nil {
			first = b
		}
	}, "event", "action")
	return first
}

func (m *mapper) start(o origin, r *agent.Record, b *event.Batch) agent.Verdict {
	v, p := &m.values, r.At("process")
	e := event.ProcessStart{
		Host: o.host, Time: o.time, Source: event.Agent, Record: o.record,
		PID: agent.PID(p.Text("pid")), GUID: v.ID(p.Text("entity_id")),
		ParentPID: agent.PID(p.Text("parent", "pid")), ParentGUID: v.ID(p.Text("parent", "entity_id")),
		ParentImage:       v.Image(p.Text("parent", "executable")),
		ParentCommandLine: v.Command(p.Text("parent", "command_line")),
		Image:             m.image(p),
		CommandLine:       v.Command(p.Text("command_line")),
		User:              v.Account(r.Text("user", "domain"), r.Text("user", "name")),
		OriginalName:      v.Text(p.Text("pe", "original_file_name")),
		Product:           v.Text(p.Text("pe", "product")),
		Company:           v.Text(p.Text("pe", "company")),
		Hashes: v.Hashes([]byte("MD5"), p.Text("hash", "md5"), []byte("SHA1"), p.Text("hash", "sha1"),
			[]byte("SHA256"), p.Text("hash", "sha256"), []byte("IMPHASH"), p.Text("pe", "imphash")),
	}
	if e.PID == 0 && e.GUID == "" {
		return agent.Verdict{Skipped: "no process"}
	}
	b.Starts = append(b.Starts, e)
	return agent.Verdict{}
}

// image returns the path of a process's program, or its name.
func (m *mapper) image(p *agent.Record) string {
	if path := m.values.Image(p.Text("executable")); path != "" {
		return path
	}
	return m.values.Image(p.Text("name"))
}

func (m *mapper) stop(o origin, r *agent.Record, b *event.Batch) agent.Verdict {
	p := r.At("process")
	e := event.ProcessStop{
		Host: o.host, Time: o.time, Source: event.Agent, Record: o.record,
		PID: agent.PID(p.Text("pid")), GUID: m.values.ID(p.Text("entity_id")), Image: m.image(p),
	}
	if e.PID == 0 && e.GUID == "" {
		return agent.Verdict{Skipped: "no process"}
	}
	b.Stops = append(b.Stops, e)
	return agent.Verdict{}
}

func (m *mapper) lookup(o origin, r *agent.Record, b *event.Batch) agent.Verdict {
	p := r.At("process")
	e := event.Lookup{
		Host: o.host, Time: o.time, Source: event.Agent, Record: o.record,
		PID: agent.PID(p.Text("pid")), GUID: m.values.ID(p.Text("entity_id")), Image: m.image(p),
		Name: m.values.Name(r.Text("dns", "question", "name")),
	}
	if e.Name == "" {
		return agent.Verdict{Skipped: "no name in the query"}
	}
	e.Answers = m.answers(r)
	b.Lookups = append(b.Lookups, e)
	return agent.Verdict{}
}

func (m *mapper) answers(r *agent.Record) (addrs []netip.Addr) {
	r.Texts(func(b []byte) {
		if a := m.values.Addr(b); a.IsValid() {
			addrs = append(addrs, a)
		}
	}, "dns", "resolved_ip")
	return addrs
}

// Close implements [agent.Mapper].
func (m *mapper) Close(t *decode.Tally) {
	m.values.Close(t)
	if m.late > 0 {
		t.Warn(fmt.Sprintf("%d connections ended whose begin this input does not have: their bytes are not counted", m.late))
	}
}
