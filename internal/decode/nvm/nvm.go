// Package nvm reads what Cisco's Network Visibility Module, an endpoint agent,
// counts of each connection.
package nvm

import (
	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/agent"
	"github.com/postern/postern/internal/event"
)

// Formats returns the formats of this package.
func Formats() []*decode.Format {
	j := &agent.JSON{
		Clock: "flow start (endpoint)",
		New:   func() agent.Mapper { return &mapper{} },
	}
	return []*decode.Format{{
		Name:       "cisco-nvm",
		Doc:        doc,
		Extensions: []string{".json", ".ndjson"},
		Match:      j.Match,
		Open:       j.Open,
	}}
}

const doc = `Cisco Network Visibility Module (nvzFlow)

Flow and endpoint records of AnyConnect and Secure Client in JSON, with the short
names of the nvzFlow collector and of Splunk (pn, pa, da, dp, ibc, obc, fss, fes),
one a line, in an array, or as Splunk exports results. Written from the names that
Cisco publishes; not yet seen from a live source. The collector's key="value" text
and IPFIX itself are not read.

Gives: connects with the bytes that the endpoint itself counted, above TCP and
UDP: the rung native; program (its path where ppath is there, else its name),
account, and the name that the program asked for (dh).

Lacks: process starts, so lineage; a stable identity of processes; server names
and fingerprints. The direction is not told: sa is taken for the endpoint, and the
connection for outbound. A connection that is reported while it goes on
(periodic flow reports) is one connect for each report that begins anew, and one
in all where they keep the begin. Flow records name the host by udid; its computer
name (vsn) is taken from the record, or from the endpoint record before it in the
same input, or else the udid stands for the host, in all of the input. Interface records are counted
and ignored.

Clock: fsms, else fss, the endpoint's own; fss is to the second.`

// columns are the names of what a flow record says, the better first. Cisco's
// collectors have renamed some.
var columns = struct{ begin, end, out, in, image, user, name, pid []string }{
	begin: []string{"fsms", "fss", "fst"},
	end:   []string{"fems", "fes", "fet"},
	out:   []string{"obc", "ob"},
	in:    []string{"ibc", "ib"},
	image: []string{"ppath", "pn"},
	user:  []string{"pa", "liuid"},
	name:  []string{"dh"},
	pid:   []string{"pid"},
}

// A mapper makes events of records.
type mapper struct {
	values agent.Values
	hosts  agent.Hosts
}

// isFlow reports whether a record is of a flow, by what every such has.
func isFlow(r *agent.Record) bool {
	return r.Has("sa") && r.Has("da") && r.Has("dp") && r.Has("pn") && has(r, columns.begin) && has(r, columns.out)
}

func has(r *agent.Record, keys []string) bool {
	for _, key := range keys {
		if r.Has(key) {
			return true
		}
	}
	return false
}

// Own implements [agent.Mapper].
func (m *mapper) Own(r *agent.Record) bool {
	return isFlow(r) || r.Has("udid") && (r.Has("vsn") || r.Has("iid"))
}

// Map implements [agent.Mapper].
func (m *mapper) Map(r *agent.Record, b *event.Batch) agent.Verdict {
	id := m.values.Text(r.Text("udid"))
	name := m.values.Host(r.Text("vsn"))
	m.hosts.Learn(id, name)
	if !isFlow(r) {
		return agent.Verdict{Ignored: "endpoint or interface record"}
	}
	if id != "" {
		name = m.hosts.Of(id)
	}
	v := &m.values
	e := event.Connect{
		Host: name, Time: agent.Time(r.First(columns.begin...)), Source: event.Agent,
		PID: agent.PID(r.First(columns.pid...)), Image: v.Image(r.First(columns.image...)), User: v.Text(r.First(columns.user...)),
		Proto: agent.Proto(r.Text("pr")), Src: v.End(r.Text("sa"), r.Text("sp")), Dst: v.End(r.Text("da"), r.Text("dp")),
		Outbound: true, DstName: v.Name(r.First(columns.name...)),
	}
	switch {
	case e.Host == "":
		return agent.Verdict{Skipped: "no host name"}
	case e.Time == event.Never:
		return agent.Verdict{Skipped: "no time"}
	case !e.Src.Addr().IsValid() || !e.Dst.Addr().IsValid():
		return agent.Verdict{Skipped: "no address"}
	case e.Proto == 0:
		return agent.Verdict{Skipped: "no transport"}
	}
	e.Volume = event.Volume{
		Counted: true, Duration: agent.Between(e.Time, agent.Time(r.First(columns.end...))),
		BytesOut: agent.Count(r.First(columns.out...)), BytesIn: agent.Count(r.First(columns.in...)),
	}
	b.Connects = append(b.Connects, e)
	return agent.Verdict{}
}

// Close implements [agent.Mapper].
func (m *mapper) Close(t *decode.Tally) {
	m.values.Close(t)
	m.hosts.Close(t)
}
