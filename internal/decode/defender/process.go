package defender

import (
	"bytes"
	"strings"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/agent"
	"github.com/postern/postern/internal/event"
)

func (m *mapper) start(o origin, r *agent.Record, b *event.Batch) agent.Verdict {
	v := &m.values
	e := event.ProcessStart{
		Host: o.host, Time: o.time, Source: event.Agent,
		PID: agent.PID(r.Text("ProcessId")), GUID: v.ID(r.Text("ProcessUniqueId")),
		ParentPID: agent.PID(r.Text("InitiatingProcessId")), ParentGUID: v.ID(r.Text("InitiatingProcessUniqueId")),
		ParentImage:       m.image(r, "InitiatingProcessFolderPath", "InitiatingProcessFileName"),
		ParentCommandLine: v.Command(r.Text("InitiatingProcessCommandLine")),
		Image:             m.image(r, "FolderPath", "FileName"),
		CommandLine:       v.Command(r.Text("ProcessCommandLine")),
		User:              v.Account(r.Text("AccountDomain"), r.Text("AccountName")),
		OriginalName:      v.Text(r.Text("ProcessVersionInfoOriginalFileName")),
		Product:           v.Text(r.Text("ProcessVersionInfoProductName")),
		Company:           v.Text(r.Text("ProcessVersionInfoCompanyName")),
		Hashes: v.Hashes([]byte("MD5"), r.Text("MD5"), []byte("SHA1"), r.Text("SHA1"),
			[]byte("SHA256"), r.Text("SHA256")),
	}
	if e.PID == 0 {
		return agent.Verdict{Skipped: "no process"}
	}
	if t := agent.Time(r.Text("ProcessCreationTime")); t != event.Never {
		e.Time = t
	}
	b.Starts = append(b.Starts, e)
	return agent.Verdict{}
}

// image returns the path of a program. The folder mostly ends in the file's
// name, or in the name that the file had; where it does not, the name is put
// behind it.
func (m *mapper) image(r *agent.Record, folder, file string) string {
	path, name := m.values.Image(r.Text(folder)), m.values.Image(r.Text(file))
	switch {
	case path == "":
		return name
	case name == "" || endsFold(path, name) || endsFold(path, ".exe"):
		return path
	}
	sep := `\`
	if strings.HasPrefix(path, "/") {
		sep = "/"
	}
	return strings.TrimSuffix(path, sep) + sep + name
}

// endsFold reports whether s ends in suffix, whatever its case.
func endsFold(s, suffix string) bool {
	return len(s) >= len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}

func (m *mapper) opened(o origin, r *agent.Record, b *event.Batch) agent.Verdict {
	return m.connect(o, r, true, b)
}

func (m *mapper) accepted(o origin, r *agent.Record, b *event.Batch) agent.Verdict {
	return m.connect(o, r, false, b)
}

func (m *mapper) connect(o origin, r *agent.Record, outbound bool, b *event.Batch) agent.Verdict {
	v := &m.values
	e := event.Connect{
		Host: o.host, Time: o.time, Source: event.Agent,
		PID: agent.PID(r.Text("InitiatingProcessId")), GUID: v.ID(r.Text("InitiatingProcessUniqueId")),
		Image: m.image(r, "InitiatingProcessFolderPath", "InitiatingProcessFileName"),
		User:  v.Account(r.Text("InitiatingProcessAccountDomain"), r.Text("InitiatingProcessAccountName")),
		Proto: agent.Proto(r.Text("Protocol")), Outbound: outbound, DstName: m.host(r.Text("RemoteUrl")),
	}
	var ok bool
	if e.Src, e.Dst, ok = m.ends(r, !outbound); !ok {
		return agent.Verdict{Skipped: "no address"}
	}
	if e.Proto == 0 {
		return agent.Verdict{Skipped: "no transport"}
	}
	b.Connects = append(b.Connects, e)
	return agent.Verdict{}
}

// host returns the host in RemoteUrl, which is a URL or a name.
func (m *mapper) host(url []byte) string {
	target, ok := decode.URITarget(url)
	if !ok {
		if i := bytes.IndexAny(url, "/?#"); i >= 0 {
			url = url[:i]
		}
		target = decode.AuthorityTarget(url)
	}
	return m.values.Text([]byte(target.Host))
}
