// Package crowdstrike reads the events of CrowdStrike Falcon, an endpoint agent,
// as its data replicator delivers them.
package crowdstrike

import (
	"bytes"
	"net/netip"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/agent"
	"github.com/postern/postern/internal/event"
)

// Formats returns the formats of this package.
func Formats() []*decode.Format {
	j := &agent.JSON{
		Clock: "ContextTimeStamp (sensor)",
		New:   func() agent.Mapper { return &mapper{} },
	}
	return []*decode.Format{{
		Name:       "crowdstrike-fdr",
		Doc:        doc,
		Extensions: []string{".json", ".log"},
		Match:      j.Match,
		Open:       j.Open,
	}}
}

const doc = `CrowdStrike Falcon Data Replicator

Events of the sensor in JSON, with or without the _decimal endings of older
exports. Written from the published names of fields, and held against samples of
the replicator that others publish; not yet seen from a live source.

Gives: process starts (ProcessRollup2) and ends (EndOfProcess), connects
(NetworkConnectIP4, IP6), accepted connections (NetworkReceiveAcceptIP4, IP6),
lookups (DnsRequest), and the addresses of hosts (LocalIpAddressIP4, IP6). Connects and lookups name their process by
ContextProcessId; its program is taken from the ProcessRollup2 before it in the
same input, else from ContextBaseFileName, else left to the join.

Lacks: bytes, durations, server names, fingerprints. The sensor reports a connect
when it is asked for: without a flow, and where the wire was watched, it is counted
as an attempt. Where the system had not chosen the local address by then (0.0.0.0,
as on macOS), it is counted and ignored. Most events name the host by aid only. Its ComputerName is used
where a record before the host's first event in the same input has it, such as a
row of aidmaster; else the aid stands for the host. All other events are counted
and ignored.

Clock: ProcessStartTime and ProcessEndTime, else ContextTimeStamp, the sensor's
own; else timestamp, when the cloud received it.`

// A mapper makes events of the sensor's.
type mapper struct {
	values    agent.Values
	hosts     agent.Hosts
	processes processes
}

// Own implements [agent.Mapper]. A row of aidmaster names no event.
func (m *mapper) Own(r *agent.Record) bool {
	if !r.Has("aid") {
		return false
	}
	return r.Has("event_simpleName") || r.Has("#event_simpleName") || r.Has("ComputerName") && r.Has("cid")
}

// An origin is what all events say of where they come from, and of which
// process they tell.
type origin struct {
	aid, host string
	time      event.Time
}

// A reading makes events of one kind of the sensor's.
type reading struct {
	do    func(*mapper, origin, *agent.Record, *event.Batch) agent.Verdict
	times []string // where the time stands, the better first
}

var (
	context = []string{"ContextTimeStamp", "ContextTimeStamp_decimal", "timestamp", "@timestamp"}
	started = append([]string{"ProcessStartTime", "ProcessStartTime_decimal"}, context...)
	created = append([]string{"CreationTimeStamp", "CreationTimeStamp_decimal"}, context...)
	ended   = append([]string{"ProcessEndTime", "ProcessEndTime_decimal"}, context...)
)

// readings are those that give events, by the name of the event.
var readings = map[string]reading{
	"ProcessRollup2":          {(*mapper).start, started},
	"SyntheticProcessRollup2": {(*mapper).start, started},
	"EndOfProcess":            {(*mapper).stop, ended},
	"NetworkConnectIP4":       {(*mapper).connect, context},
	"NetworkConnectIP6":       {(*mapper).connect, context},
	"NetworkReceiveAcceptIP4": {(*mapper).accept, context},
	"NetworkReceiveAcceptIP6": {(*mapper).accept, context},
	"DnsRequest":              {(*mapper).lookup, context},
	"LocalIpAddressIP4":       {(*mapper).lease, created},
	"LocalIpAddressIP6":       {(*mapper).lease, created},
}

// Map implements [agent.Mapper].
func (m *mapper) Map(r *agent.Record, b *event.Batch) agent.Verdict {
	o := origin{aid: m.values.Text(r.Text("aid"))}
	m.hosts.Learn(o.aid, m.values.Host(r.Text("ComputerName")))
	name := r.First("event_simpleName", "#event_simpleName")
	read, ok := readings[string(name)]
	if !ok {
		return agent.Verdict{Ignored: "another event"}
	}
	for _, key := range read.times {
		if o.time == event.Never {
			o.time = agent.Time(r.Text(key))
		}
	}
	switch {
	case o.aid == "":
		return agent.Verdict{Skipped: "no aid"}
	case o.time == event.Never:
		return agent.Verdict{Skipped: "no time"}
	}
	o.host = m.hosts.Of(o.aid)
	return read.do(m, o, r, b)
}

// field returns a field by its name or its older one.
func field(r *agent.Record, name string) []byte {
	if b := r.Text(name); len(b) > 0 {
		return b
	}
	return r.Text(name + "_decimal")
}

func (m *mapper) start(o origin, r *agent.Record, b *event.Batch) agent.Verdict {
	v := &m.values
	e := event.ProcessStart{
		Host: o.host, Time: o.time, Source: event.Agent,
		PID: agent.PID(field(r, "RawProcessId")), GUID: v.ID(field(r, "TargetProcessId")),
		ParentGUID:   v.ID(field(r, "ParentProcessId")),
		Image:        v.Image(r.Text("ImageFileName")),
		CommandLine:  v.Command(r.Text("CommandLine")),
		User:         v.Account(r.Text("LogonDomain"), r.Text("UserName")),
		OriginalName: v.Text(r.Text("OriginalFilename")),
		Hashes: v.Hashes([]byte("MD5"), r.Text("MD5HashData"), []byte("SHA1"), hash(r.Text("SHA1HashData")),
			[]byte("SHA256"), r.Text("SHA256HashData")),
	}
	if e.GUID == "" {
		return agent.Verdict{Skipped: "no process"}
	}
	parent := m.processes.of(o.aid, e.ParentGUID)
	e.ParentPID, e.ParentImage = parent.pid, parent.image
	if e.ParentImage == "" {
		e.ParentImage = v.Image(r.Text("ParentBaseFileName"))
	}
	m.processes.add(o.aid, e.GUID, process{e.PID, e.Image, e.User})
	b.Starts = append(b.Starts, e)
	return agent.Verdict{}
}

// hash returns a hash, and nil for the zeros that stand for one that the sensor
// did not compute.
func hash(b []byte) []byte {
	for _, c := range b {
		if c != '0' {
			return b
		}
	}
	return nil
}

func (m *mapper) stop(o origin, r *agent.Record, b *event.Batch) agent.Verdict {
	e := event.ProcessStop{
		Host: o.host, Time: o.time, Source: event.Agent,
		PID: agent.PID(field(r, "RawProcessId")), GUID: m.values.ID(field(r, "TargetProcessId")),
	}
	if e.GUID == "" {
		return agent.Verdict{Skipped: "no process"}
	}
	e.Image = m.processes.of(o.aid, e.GUID).image
	b.Stops = append(b.Stops, e)
	return agent.Verdict{}
}

// actor returns the process that an event is of, and what is known of it.
func (m *mapper) actor(o origin, r *agent.Record) (guid string, p process) {
	guid = m.values.ID(field(r, "ContextProcessId"))
	p = m.processes.of(o.aid, guid)
	if p.image == "" {
		p.image = m.values.Image(r.Text("ContextBaseFileName"))
	}
	return guid, p
}

func (m *mapper) connect(o origin, r *agent.Record, b *event.Batch) agent.Verdict {
	return m.connection(o, r, string(field(r, "ConnectionDirection")) != "1", b)
}

func (m *mapper) accept(o origin, r *agent.Record, b *event.Batch) agent.Verdict {
	return m.connection(o, r, false, b)
}

func (m *mapper) connection(o origin, r *agent.Record, outbound bool, b *event.Batch) agent.Verdict {
	guid, p := m.actor(o, r)
	e := event.Connect{
		Host: o.host, Time: o.time, Source: event.Agent, PID: p.pid, GUID: guid, Image: p.image, User: p.user,
		Proto:    agent.Proto(field(r, "Protocol")),
		Src:      m.values.End(r.First("LocalAddressIP4", "LocalAddressIP6"), field(r, "LocalPort")),
		Dst:      m.values.End(r.First("RemoteAddressIP4", "RemoteAddressIP6"), field(r, "RemotePort")),
		Outbound: outbound, Attempt: outbound,
	}
	if !outbound {
		e.Src, e.Dst = e.Dst, e.Src
	}
	switch {
	case e.Src.Addr().IsUnspecified() || e.Dst.Addr().IsUnspecified():
		return agent.Verdict{Ignored: "connection without its local address"}
	case !e.Src.Addr().IsValid() || !e.Dst.Addr().IsValid():
		return agent.Verdict{Skipped: "no address"}
	case e.Proto == 0:
		return agent.Verdict{Skipped: "no transport"}
	}
	b.Connects = append(b.Connects, e)
	return agent.Verdict{}
}

func (m *mapper) lookup(o origin, r *agent.Record, b *event.Batch) agent.Verdict {
	guid, p := m.actor(o, r)
	e := event.Lookup{
		Host: o.host, Time: o.time, Source: event.Agent, PID: p.pid, GUID: guid, Image: p.image,
		Name: m.values.Name(r.Text("DomainName")),
	}
	if e.Name == "" {
		return agent.Verdict{Skipped: "no name in the query"}
	}
	e.Answers = m.answers(r)
	b.Lookups = append(b.Lookups, e)
	return agent.Verdict{}
}

// maxAnswers bounds the answers of one lookup.
const maxAnswers = 256

// answers reads "192.0.2.1;192.0.2.2;".
func (m *mapper) answers(r *agent.Record) (addrs []netip.Addr) {
	for _, key := range [...]string{"IP4Records", "IP6Records"} {
		for rest := r.Text(key); len(rest) > 0 && len(addrs) < maxAnswers; {
			var one []byte
			one, rest, _ = bytes.Cut(rest, []byte(";"))
			if a := m.values.Addr(one); a.IsValid() {
				addrs = append(addrs, a)
			}
		}
	}
	return addrs
}

// lease reads the address that an interface of a host has from then on.
func (m *mapper) lease(o origin, r *agent.Record, b *event.Batch) agent.Verdict {
	addr := m.values.Addr(r.First("LocalAddressIP4", "LocalAddressIP6"))
	switch {
	case !addr.IsValid():
		return agent.Verdict{Skipped: "no address"}
	case addr.IsUnspecified() || addr.IsLoopback() || addr.IsLinkLocalUnicast():
		return agent.Verdict{Ignored: "address that tells no host"}
	}
	b.Leases = append(b.Leases, event.Lease{
		Sensor: "crowdstrike", Time: o.time, Host: o.host, Addr: addr,
		MAC: m.values.Host(bytes.ReplaceAll(r.Text("PhysicalAddress"), []byte("-"), []byte(":"))), Duration: event.Unknown,
	})
	return agent.Verdict{}
}

// Close implements [agent.Mapper].
func (m *mapper) Close(t *decode.Tally) {
	m.values.Close(t)
	m.hosts.Close(t)
}
