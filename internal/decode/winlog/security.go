package winlog

import (
	"github.com/postern/postern/internal/event"
)

// security adds an event of the Security log to b. It returns the reason when
// it cannot.
func (m *mapper) security(b *event.Batch, id uint16, o origin, r record) string {
	switch id {
	case 4688:
		return m.securityStart(b, o, r)
	case 4689:
		return m.securityStop(b, o, r)
	case 5156:
		return m.securityConnect(b, o, r)
	}
	return ""
}

// securityStart reads a 4688. Its ProcessId is the creator's.
func (m *mapper) securityStart(b *event.Batch, o origin, r record) string {
	t := &m.texts
	e := event.ProcessStart{
		Host: o.host, Time: o.time, Source: o.source, Record: o.record,
		PID:         number(r.text(fieldNewProcessID)),
		ParentPID:   number(r.text(fieldProcessID)),
		ParentImage: t.image(r.text(fieldParentProcessName)),
		Image:       t.image(r.text(fieldNewProcessName)),
		CommandLine: t.command(r.text(fieldCommandLine)),
		User:        t.account(r.text(fieldTargetDomain), r.text(fieldTargetUser)),
	}
	if e.User == "" {
		e.User = t.account(r.text(fieldSubjectDomain), r.text(fieldSubjectUser))
	}
	if e.PID == 0 && e.Image == "" {
		return reasonProcess
	}
	b.Starts = append(b.Starts, e)
	return ""
}

func (m *mapper) securityStop(b *event.Batch, o origin, r record) string {
	e := event.ProcessStop{
		Host: o.host, Time: o.time, Source: o.source, Record: o.record,
		PID:   number(r.text(fieldProcessID)),
		Image: m.texts.image(r.text(fieldProcessName)),
	}
	if e.PID == 0 {
		return reasonProcess
	}
	b.Stops = append(b.Stops, e)
	return ""
}

// The Direction of a 5156, as the numbers of messages that Windows writes, and
// as exports that look those up show it.
const (
	directionIn  = "%%14592"
	directionOut = "%%14593"
)

func (m *mapper) securityConnect(b *event.Batch, o origin, r record) string {
	t := &m.texts
	pid := r.text(fieldApplicationID)
	if len(pid) == 0 {
		pid = r.text(fieldProcessID) // some exports spell it as other events do
	}
	e := event.Connect{
		Host: o.host, Time: o.time, Source: o.source, Record: o.record,
		PID:   number(pid),
		Image: t.image(r.text(fieldApplication)),
		Proto: proto(r.text(fieldProtocol)),
		Src:   t.endpoint(r.text(fieldSourceAddress), r.text(fieldSourcePort)),
		Dst:   t.endpoint(r.text(fieldDestAddress), r.text(fieldDestPort)),
	}
	switch direction := r.text(fieldDirection); {
	case string(direction) == directionOut, equalFold(direction, "outbound"):
		e.Outbound = true
	case string(direction) != directionIn && !equalFold(direction, "inbound"):
		return reasonDirection
	}
	if !e.Dst.Addr().IsValid() {
		return reasonAddress
	}
	b.Connects = append(b.Connects, e)
	return ""
}
