package winlog

import (
	"net/netip"

	"github.com/postern/postern/internal/event"
)

// sysmon adds an event of Sysmon to b. It returns the reason when it cannot.
func (m *mapper) sysmon(b *event.Batch, id uint16, o origin, r record) string {
	switch id {
	case 1:
		return m.sysmonStart(b, o, r)
	case 3:
		return m.sysmonConnect(b, o, r)
	case 5:
		return m.sysmonStop(b, o, r)
	case 22:
		return m.sysmonLookup(b, o, r)
	case 4:
		b.Notices = append(b.Notices, o.notice("service-state", m.texts.short(r.text(fieldState))))
	case 16:
		text := m.texts.short(r.text(fieldConfiguration))
		if hash := m.texts.short(r.text(fieldConfigurationHash)); hash != "" {
			text += " " + hash
		}
		b.Notices = append(b.Notices, o.notice("config-change", text))
	}
	return ""
}

func (o origin) notice(kind, text string) event.Notice {
	return event.Notice{Host: o.host, Time: o.time, Source: o.source, Record: o.record, Kind: kind, Text: text}
}

func (m *mapper) sysmonStart(b *event.Batch, o origin, r record) string {
	// UtcTime of this event, unlike that of event 3, is right.
	m.drift.add(o.time, r.text(fieldUTCTime))
	t := &m.texts
	e := event.ProcessStart{
		Host: o.host, Time: o.time, Source: o.source, Record: o.record,
		PID:               number(r.text(fieldProcessID)),
		GUID:              t.guid(r.text(fieldProcessGUID)),
		ParentPID:         number(r.text(fieldParentID)),
		ParentGUID:        t.guid(r.text(fieldParentGUID)),
		ParentImage:       t.image(r.text(fieldParentImage)),
		ParentCommandLine: t.command(r.text(fieldParentCommandLine)),
		Image:             t.image(r.text(fieldImage)),
		CommandLine:       t.command(r.text(fieldCommandLine)),
		User:              t.short(r.text(fieldUser)),
		OriginalName:      t.short(r.text(fieldOriginalName)),
		Product:           t.short(r.text(fieldProduct)),
		Company:           t.short(r.text(fieldCompany)),
		Hashes:            t.short(r.text(fieldHashes)),
	}
	if e.PID == 0 && e.GUID == "" && e.Image == "" {
		return reasonProcess
	}
	b.Starts = append(b.Starts, e)
	return ""
}

func (m *mapper) sysmonStop(b *event.Batch, o origin, r record) string {
	e := event.ProcessStop{
		Host: o.host, Time: o.time, Source: o.source, Record: o.record,
		PID:   number(r.text(fieldProcessID)),
		GUID:  m.texts.guid(r.text(fieldProcessGUID)),
		Image: m.texts.image(r.text(fieldImage)),
	}
	if e.PID == 0 && e.GUID == "" {
		return reasonProcess
	}
	b.Stops = append(b.Stops, e)
	return ""
}

func (m *mapper) sysmonConnect(b *event.Batch, o origin, r record) string {
	t := &m.texts
	e := event.Connect{
		Host: o.host, Time: o.time, Source: o.source, Record: o.record,
		PID:     number(r.text(fieldProcessID)),
		GUID:    t.guid(r.text(fieldProcessGUID)),
		Image:   t.image(r.text(fieldImage)),
		User:    t.short(r.text(fieldUser)),
		Proto:   proto(r.text(fieldProtocol)),
		Src:     t.endpoint(r.text(fieldSourceIP), r.text(fieldSourcePort)),
		Dst:     t.endpoint(r.text(fieldDestinationIP), r.text(fieldDestinationPort)),
		DstName: t.name(r.text(fieldDestinationName)),

		CommunityID: t.once(r.text(fieldCommunityID)),
	}
	switch initiated := r.text(fieldInitiated); {
	case equalFold(initiated, "true"):
		e.Outbound = true
	case !equalFold(initiated, "false"):
		return reasonDirection
	}
	if !e.Dst.Addr().IsValid() {
		return reasonAddress
	}
	m.late.add(o.host, o.time, r.text(fieldUTCTime))
	b.Connects = append(b.Connects, e)
	return ""
}

func (m *mapper) sysmonLookup(b *event.Batch, o origin, r record) string {
	t := &m.texts
	e := event.Lookup{
		Host: o.host, Time: o.time, Source: o.source, Record: o.record,
		PID:     number(r.text(fieldProcessID)),
		GUID:    t.guid(r.text(fieldProcessGUID)),
		Image:   t.image(r.text(fieldImage)),
		Name:    t.name(r.text(fieldQueryName)),
		Answers: t.answers(r.text(fieldQueryResults)),
	}
	if e.Name == "" {
		return reasonQuery
	}
	b.Lookups = append(b.Lookups, e)
	return ""
}

// maxAnswers bounds the answers of a lookup; DNS over TCP could have more.
const maxAnswers = 256

// answers returns the addresses in the QueryResults of Sysmon 22, which look
// like "type:  5 a.example;::ffff:192.0.2.1;2001:db8::1;".
func (t *texts) answers(b []byte) []netip.Addr {
	var list []netip.Addr
	for len(b) > 0 && len(list) < maxAnswers {
		var item []byte
		item, b = cut(b, ';')
		if a := t.address(item); a.IsValid() {
			list = append(list, a)
		}
	}
	return list
}
