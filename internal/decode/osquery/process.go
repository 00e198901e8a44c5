package osquery

import (
	"bytes"

	"github.com/postern/postern/internal/decode/agent"
	"github.com/postern/postern/internal/event"
)

// timeOf returns an event's own time, or that of the run that reported it.
func timeOf(q run, b []byte) event.Time {
	if t := agent.Time(b); t != event.Never {
		return t
	}
	return q.time
}

// start reads a row of process_events or es_process_events.
func (m *mapper) start(q run, r *agent.Record, b *event.Batch) agent.Verdict {
	if kind := r.Text("event_type"); len(kind) > 0 && string(kind) != "exec" && string(kind) != "fork" {
		return agent.Verdict{Ignored: "another process event"}
	}
	return m.started(event.ProcessStart{Time: timeOf(q, r.Text("time")), ParentPID: agent.PID(r.Text("parent"))}, q, r, b)
}

// etw reads a row of process_etw_events.
func (m *mapper) etw(q run, r *agent.Record, b *event.Batch) agent.Verdict {
	v := &m.values
	at, guid := timeOf(q, r.Text("datetime")), sequence(v, r.Text("process_sequence_number"))
	switch string(bytes.ToLower(r.Text("type"))) {
	case "processstart":
		return m.started(event.ProcessStart{
			Time: at, GUID: guid, ParentGUID: sequence(v, r.Text("parent_process_sequence_number")),
			ParentPID: agent.PID(r.Text("ppid")), User: v.Text(r.Text("username")),
		}, q, r, b)
	case "processstop":
		e := event.ProcessStop{
			Host: q.host, Time: at, Source: event.Agent, PID: agent.PID(r.Text("pid")), GUID: guid, Image: v.Image(r.Text("path")),
		}
		if e.PID == 0 {
			return agent.Verdict{Skipped: "no process"}
		}
		b.Stops = append(b.Stops, e)
		return agent.Verdict{}
	}
	return agent.Verdict{Ignored: "another process event"}
}

// sequence returns Windows' number of a process, which is not used again before
// the host starts anew; "" for none.
func sequence(v *agent.Values, b []byte) string {
	if n, ok := agent.Number(b); !ok || n == 0 {
		return ""
	}
	return v.ID(b)
}

func (m *mapper) started(e event.ProcessStart, q run, r *agent.Record, b *event.Batch) agent.Verdict {
	e.Host, e.Source = q.host, event.Agent
	e.PID = agent.PID(r.Text("pid"))
	e.Image, e.CommandLine = m.values.Image(r.Text("path")), m.values.Command(r.Text("cmdline"))
	if e.PID == 0 {
		return agent.Verdict{Skipped: "no process"}
	}
	b.Starts = append(b.Starts, e)
	return agent.Verdict{}
}
