package ownertest

import (
	"strings"

	"github.com/postern/postern/internal/event"
)

// emit writes the records of the host and of the wire about it.
func (h *machine) emit() {
	for _, p := range h.procs {
		h.emitProcess(p)
	}
	for i := range h.conns {
		h.emitConn(&h.conns[i])
	}
}

// next returns the number of the next record of a source.
func (h *machine) next(s event.Source) uint64 {
	h.record[s]++
	return h.record[s]
}

func (h *machine) sources() []event.Source {
	var all []event.Source
	if h.sysmon {
		all = append(all, event.Sysmon)
	}
	if h.security {
		all = append(all, event.Security)
	}
	return all
}

func (h *machine) emitProcess(p *instance) {
	for _, s := range h.sources() {
		if p.Start >= h.logFrom && p.Start < h.end {
			h.group.Events.Starts = append(h.group.Events.Starts, h.startRecord(p, s))
		}
		if p.End >= h.logFrom && p.End < h.end {
			h.group.Events.Stops = append(h.group.Events.Stops, event.ProcessStop{
				Host: h.name, Time: p.End, Source: s, Record: h.next(s), PID: p.PID, GUID: guidFor(p, s), Image: p.Image,
			})
		}
	}
}

func (h *machine) startRecord(p *instance, s event.Source) event.ProcessStart {
	e := event.ProcessStart{
		Host: h.name, Time: p.Start, Source: s, Record: h.next(s), PID: p.PID, GUID: guidFor(p, s),
		Image: p.Image, User: user(p),
	}
	if p.parent != nil {
		e.ParentPID, e.ParentGUID, e.ParentImage = p.parent.PID, guidFor(p.parent, s), p.parent.Image
	}
	return e
}

// guidFor returns the process's GUID where the source knows GUIDs.
func guidFor(p *instance, s event.Source) string {
	if s == event.Sysmon {
		return p.GUID
	}
	return ""
}

func user(p *instance) string {
	if p.kind.elevated {
		return `NT AUTHORITY\SYSTEM`
	}
	return `CORP\bob`
}

// emitConn writes what every sensor says of c.
func (h *machine) emitConn(c *conn) {
	h.ask(c)
	uid := h.emitFlow(c)
	if h.security {
		for n := range attempts(c) {
			wire := c.start + micros(8*float64(n))
			h.emitConnect(c, event.Security, wire, wire+micros(h.between(0, 0.003)), uid)
		}
	}
	if c.peer != nil && c.peer.sysmon {
		c.peer.emitAccepted(c, uid)
	}
	if !h.sysmon || c.way == failed {
		return
	}
	c.said, c.instead = h.witness()
	h.emitConnect(c, event.Sysmon, c.start, c.start+micros(h.between(minLag, maxLag)), uid)
	if c.proto != event.UDP || c.way == clock {
		return
	}
	at := c.start // Sysmon repeats a UDP connect while packets pass
	for range 8 {
		if at += micros(h.between(15, 60)); at > c.start+c.lasts {
			return
		}
		h.emitConnect(c, event.Sysmon, at, at+micros(h.between(minLag, maxLag)), uid)
	}
}

// attempts returns how often the host sends a SYN, as 5156 records.
func attempts(c *conn) int {
	if c.way == failed {
		return 3
	}
	return 1
}

func (h *machine) emitConnect(c *conn, s event.Source, wire, at event.Time, uid string) {
	if at < h.logFrom || at >= h.end {
		return
	}
	k := event.Connect{
		Host: h.name, Time: at, Source: s, Record: h.next(s),
		PID: c.proc.PID, GUID: guidFor(c.proc, s), Image: c.proc.Image, User: user(c.proc),
		Proto: c.proto, Src: c.src, Dst: c.dst, Outbound: true,
	}
	r := Report{UID: uid, Process: c.proc.Process, Wire: wire}
	if s == event.Security {
		k.Image, k.User = `\device\harddiskvolume3`+strings.ToLower(strings.TrimPrefix(k.Image, "C:")), ""
	} else {
		r.False = testify(&k, c)
	}
	h.group.Events.Connects = append(h.group.Events.Connects, k)
	h.group.Truth.Connects[k.Key()] = r
}

// emitAccepted writes the word of the host that c reached.
func (h *machine) emitAccepted(c *conn, uid string) {
	at := c.start + micros(h.between(minLag, maxLag))
	if at < h.logFrom || at >= h.end {
		return
	}
	k := event.Connect{
		Host: h.name, Time: at, Source: event.Sysmon, Record: h.next(event.Sysmon), PID: 4, Image: "System",
		Proto: c.proto, Src: c.src, Dst: c.dst,
	}
	h.group.Events.Connects = append(h.group.Events.Connects, k)
	h.group.Truth.Connects[k.Key()] = Report{UID: uid, Process: c.proc.Process, Wire: c.start}
}

// A witness is what Sysmon says of a connection's process.
type witness uint8

const (
	right witness = iota
	wrong         // it names another
	blank         // it names none
)

// witness decides what Sysmon says of the process of c, in all of its records
// of c alike: it errs by tuple.
func (h *machine) witness() (witness, *instance) {
	switch what := h.rand.Float64(); {
	case what < noWitness:
		return blank, nil
	case what < noWitness+falseWitness:
		return wrong, h.procs[h.rand.IntN(len(h.procs))]
	}
	return right, nil
}

// testify makes k say what Sysmon says of c, and reports whether it is false.
func testify(k *event.Connect, c *conn) bool {
	q := c.instead
	switch {
	case c.said == blank:
		k.GUID, k.Image, k.User = "", "", ""
	case c.said == wrong && q.Start < c.start && q.PID != c.proc.PID:
		k.PID, k.GUID, k.Image, k.User = q.PID, q.GUID, q.Image, user(q)
		return true
	}
	return false
}

// ask writes the lookup before c, if the process asked in a way that is seen.
func (h *machine) ask(c *conn) {
	if c.far.name == "" || c.proc.private || c.again != 0 || c.way == local || !h.chance(shareAsked) {
		return
	}
	at := c.start - micros(h.between(0.005, 0.3))
	l := event.Lookup{Name: c.far.name, Answers: c.far.addrs}
	if h.sysmon && at >= h.logFrom && at < h.end {
		e := l
		e.Host, e.Time, e.Source, e.Record = h.name, at, event.Sysmon, h.next(event.Sysmon)
		e.PID, e.GUID, e.Image = c.proc.PID, c.proc.GUID, c.proc.Image
		h.group.Events.Lookups = append(h.group.Events.Lookups, e)
	}
	if !c.unseen {
		l.Sensor, l.Time, l.Client = h.sensor(), at, c.src.Addr()
		h.group.Events.Lookups = append(h.group.Events.Lookups, l)
	}
}

func (h *machine) sensor() string { return [...]string{"zeek-a", secondSensor}[h.site] }

const secondSensor = "zeek-b"

// emitFlow writes what the wire says of c and returns the flow's UID, or "".
func (h *machine) emitFlow(c *conn) string {
	if c.unseen || c.way == failed && h.chance(0.5) {
		return ""
	}
	f := event.Flow{
		Sensor: h.sensor(), Time: c.start, UID: h.uid(), Proto: c.proto, Src: c.src, Dst: c.dst,
		Duration: event.Count(c.lasts), State: "SF", History: "ShADadFf", Service: "ssl",
		BytesOut: event.Count(500 + h.rand.IntN(20_000)), BytesIn: event.Count(2000 + h.rand.IntN(200_000)),
		PacketsOut: event.Count(8 + h.rand.IntN(100)), PacketsIn: event.Count(8 + h.rand.IntN(200)),
	}
	switch {
	case c.way == failed:
		f.State, f.History, f.Service = "S0", "S", ""
		f.Duration, f.BytesOut, f.BytesIn, f.PacketsOut, f.PacketsIn = event.Count(micros(16)), 0, 0, 3, 0
	case c.way == plain:
		f.Service = "http"
	case c.way == clock:
		f.Service, f.History = "ntp", "Dd"
	case c.way == local:
		f.Service = ""
	case c.proto == event.UDP:
		f.Service, f.History = "quic,ssl", "Dd"
	}
	h.group.Events.Flows = append(h.group.Events.Flows, f)
	h.group.Truth.Flows[f.UID] = &Flow{
		UID: f.UID, Process: c.proc.Process, Start: c.start, Proto: c.proto, Dst: c.dst,
		Name: c.far.name, TLS: c.way == secure,
	}
	if c.way == secure {
		h.emitHandshake(c, &f)
		h.emitScrap(c, &f)
	}
	return f.UID
}

func (h *machine) emitHandshake(c *conn, f *event.Flow) {
	if h.chance(0.02) {
		return // the sensor missed it
	}
	e := event.Handshake{
		Sensor: f.Sensor, Time: f.Time + micros(h.between(0.005, 0.1)), UID: f.UID, Proto: f.Proto, Src: f.Src, Dst: f.Dst,
		Version: "TLSv13", JA4: c.proc.kind.ja4, Established: event.Yes,
	}
	if h.chance(shareSNI) {
		e.SNI = c.far.name
	}
	h.group.Events.Handshakes = append(h.group.Events.Handshakes, e)
}

// emitScrap writes the empty flow that a sensor makes of a late packet.
func (h *machine) emitScrap(c *conn, f *event.Flow) {
	if c.proto != event.TCP || !h.chance(shareScrap) {
		return
	}
	s := *f
	s.UID, s.Time = h.uid(), f.Time+event.Time(f.Duration)+micros(h.between(5.5, 20))
	s.State, s.History, s.Service = "OTH", "^f", ""
	s.Duration, s.BytesOut, s.BytesIn, s.PacketsOut, s.PacketsIn = 0, 0, 0, 1, 0
	h.group.Events.Flows = append(h.group.Events.Flows, s)
	h.group.Truth.Flows[s.UID] = &Flow{UID: s.UID, Process: c.proc.Process, Start: s.Time, Proto: c.proto, Dst: c.dst}
}
