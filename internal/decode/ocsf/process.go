package ocsf

import (
	"github.com/postern/postern/internal/decode/agent"
	"github.com/postern/postern/internal/event"
)

// The activities of a process.
const (
	launch    = 1
	terminate = 2
)

func (m *mapper) process(o *origin, r *agent.Record, b *event.Batch) agent.Verdict {
	p := r.At("process")
	pid, guid := m.who(p)
	switch {
	case o.host == "":
		return agent.Verdict{Skipped: "no host name"}
	case pid == 0 && guid == "":
		return agent.Verdict{Skipped: "no process"}
	case o.activity == terminate:
		b.Stops = append(b.Stops, event.ProcessStop{
			Host: o.host, Time: o.time, Source: event.Agent, Record: o.record, PID: pid, GUID: guid, Image: m.image(p),
		})
		return agent.Verdict{}
	case o.activity != launch:
		return agent.Verdict{Ignored: "another process activity"}
	}
	parent := p.At("parent_process")
	if !p.Has("parent_process") && o.process != nil {
		parent = o.process
	}
	e := event.ProcessStart{
		Host: o.host, Time: o.time, Source: event.Agent, Record: o.record, PID: pid, GUID: guid,
		ParentImage: m.image(parent), ParentCommandLine: m.values.Command(parent.Text("cmd_line")),
		Image: m.image(p), CommandLine: m.values.Command(p.Text("cmd_line")), User: m.user(p, r), Hashes: m.hashes(p),
	}
	e.ParentPID, e.ParentGUID = m.who(parent)
	if t := agent.Time(p.Text("created_time")); t != event.Never {
		e.Time = t
	}
	b.Starts = append(b.Starts, e)
	return agent.Verdict{}
}

// who returns the number and the stable identity of a process.
func (m *mapper) who(p *agent.Record) (pid uint32, guid string) {
	return agent.PID(p.Text("pid")), m.values.ID(p.Text("uid"))
}

// image returns the path of a process's program, or its name.
func (m *mapper) image(p *agent.Record) string {
	for _, keys := range [...][]string{{"file", "path"}, {"path"}, {"name"}, {"file", "name"}} {
		if s := m.values.Image(p.Text(keys...)); s != "" {
			return s
		}
	}
	return ""
}

// user returns whose a process is, or else who acts.
func (m *mapper) user(p, r *agent.Record) string {
	u := p.At("user")
	if !u.Has("name") {
		u = r.At("actor", "user")
	}
	return m.values.Account(u.Text("domain"), u.Text("name"))
}

// maxHashes bounds the hashes of one file.
const maxHashes = 8

// algorithms are those of Sysmon, by their ids in the schema.
var algorithms = map[string]string{"1": "MD5", "2": "SHA1", "3": "SHA256"}

func (m *mapper) hashes(p *agent.Record) string {
	var pairs [][]byte
	p.List(func(h *agent.Record) {
		if name := algorithms[string(h.Text("algorithm_id"))]; name != "" && len(pairs) < 2*maxHashes {
			pairs = append(pairs, []byte(name), h.Text("value"))
		}
	}, "file", "hashes")
	return m.values.Hashes(pairs...)
}
