package winlog

import (
	"fmt"
	"strconv"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// The reasons for which records are skipped.
const (
	reasonComputer  = "no computer name"
	reasonEventID   = "no event number"
	reasonTime      = "no time"
	reasonProcess   = "no process"
	reasonAddress   = "no destination address"
	reasonDirection = "neither inbound nor outbound"
	reasonQuery     = "no name in the query"
	reasonJSON      = "invalid JSON"
	reasonXML       = "invalid XML"
	reasonCut       = "cut short"
	reasonLong      = "too long"
)

// Bounds on what the tally names one by one.
const (
	maxChannels  = 32
	maxEventKeys = 512
)

// A mapper makes events of records, whatever format they come in.
type mapper struct {
	tally *decode.Tally
	texts texts
	drift drift
	late  lateness

	noPID int64 // Sysmon events of a process without its number

	ignored  map[kind]string // names in the tally
	channels map[string]string
}

func newMapper(t *decode.Tally) *mapper {
	return &mapper{tally: t, ignored: make(map[kind]string), channels: make(map[string]string)}
}

// A kind is a sensor's event by its number.
type kind struct {
	source event.Source
	id     uint16
}

// wanted reports whether events of that kind are made of the record.
func (k kind) wanted() bool {
	switch k.source {
	case event.Sysmon:
		return k.id == 1 || k.id == 3 || k.id == 4 || k.id == 5 || k.id == 16 || k.id == 22
	case event.Security:
		return k.id == 4688 || k.id == 4689 || k.id == 5156 || k.id == securityCleared
	}
	return k == systemCleared
}

// The records that Windows writes when somebody clears a log: the Security log
// tells of itself, the System log of all others.
const securityCleared = 1102

var systemCleared = kind{event.NoSource, 104}

// kind returns the kind of a record, and false when the record is done with:
// it is of no use, or cannot be read, and has been counted.
func (m *mapper) kind(r record) (kind, bool) {
	source := sensor(r.text(fieldChannel), r.text(fieldProvider))
	if source == event.NoSource && !ofSystem(r) {
		m.tally.Ignore(m.channel(r.text(fieldChannel)))
		return kind{}, false
	}
	id, err := strconv.ParseUint(string(r.text(fieldEventID)), 10, 16)
	if err != nil {
		m.tally.Skip(r.where(), reasonEventID)
		return kind{}, false
	}
	k := kind{source, uint16(id)}
	switch {
	case source != event.NoSource:
		m.number(k, r)
	case k != systemCleared:
		m.tally.Ignore(m.channel(r.text(fieldChannel)))
		return k, false
	}
	if !k.wanted() {
		m.ignore(k)
		return k, false
	}
	return k, true
}

// number notes that the record is there.
func (m *mapper) number(k kind, r record) {
	record, _ := strconv.ParseUint(string(r.text(fieldRecord)), 10, 64)
	host := m.texts.host(r.text(fieldComputer))
	if record > 0 && host != "" {
		m.tally.Number(decode.Log{Host: host, Source: k.source}, record, !k.wanted())
	}
}

// ofSystem reports whether the event log itself wrote the record to the System
// log.
func ofSystem(r record) bool {
	return equalFold(r.text(fieldChannel), "system") && equalFold(r.text(fieldProvider), "microsoft-windows-eventlog")
}

const (
	sysmonChannel    = "microsoft-windows-sysmon/operational"
	sysmonProvider   = "microsoft-windows-sysmon"
	securityChannel  = "security"
	securityProvider = "microsoft-windows-security-auditing"
)

// sensor tells a record's sensor by its channel, or by its provider where the
// channel is missing.
func sensor(channel, provider []byte) event.Source {
	switch {
	case equalFold(channel, sysmonChannel):
		return event.Sysmon
	case equalFold(channel, securityChannel):
		return event.Security
	case len(channel) > 0:
		return event.NoSource
	case equalFold(provider, sysmonProvider):
		return event.Sysmon
	case equalFold(provider, securityProvider):
		return event.Security
	}
	return event.NoSource
}

// equalFold reports whether b is lower, which is in lower case, but for the
// case of ASCII letters.
func equalFold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// ignore counts a record of a kind that is of no use.
func (m *mapper) ignore(k kind) {
	name, ok := m.ignored[k]
	if !ok {
		name = "Sysmon "
		if k.source == event.Security {
			name = "Security "
		}
		if len(m.ignored) < maxEventKeys {
			name += strconv.Itoa(int(k.id))
			m.ignored[k] = name
		} else {
			name += "events of other numbers"
		}
	}
	m.tally.Ignore(name)
}

// channel returns the name by which the tally counts records of a channel.
func (m *mapper) channel(b []byte) string {
	b = cutShort(b)
	if name, ok := m.channels[string(b)]; ok {
		return name
	}
	if len(m.channels) >= maxChannels {
		return "other channels"
	}
	name := m.texts.short(b)
	if name == "" {
		name = "no channel"
	}
	m.channels[string(b)] = name
	return name
}

// An origin is what all events say of where they come from.
type origin struct {
	host   string
	time   event.Time
	source event.Source
	record uint64
}

// add makes an event of r and adds it to b.
func (m *mapper) add(b *event.Batch, k kind, r record) {
	o := origin{source: k.source, host: m.texts.host(r.text(fieldComputer))}
	var clock string
	o.time, clock = r.time()
	o.record, _ = strconv.ParseUint(string(r.text(fieldRecord)), 10, 64)
	var reason string
	switch {
	case o.host == "":
		reason = reasonComputer
	case o.time == event.Never:
		reason = reasonTime
	case k == systemCleared, k == kind{event.Security, securityCleared}:
		b.Notices = append(b.Notices, o.notice("log-cleared", m.cleared(k, r)))
	case k.source == event.Sysmon:
		reason = m.sysmon(b, k.id, o, r)
	default:
		reason = m.security(b, k.id, o, r)
	}
	if reason != "" {
		m.tally.Skip(r.where(), reason)
		return
	}
	if k.source == event.Sysmon && k.id != 4 && k.id != 16 && len(r.text(fieldProcessID)) == 0 {
		m.noPID++
	}
	m.tally.Events++
	m.tally.Clock(clock, 1)
}

// cleared returns the name of the log that was cleared, "" when the record does
// not say it, or its form hides that.
func (m *mapper) cleared(k kind, r record) string {
	if k.source == event.Security {
		return "Security"
	}
	return m.texts.short(r.text(fieldCleared))
}

// finish says what could only be said at the end of the input.
func (m *mapper) finish() {
	if w := m.late.warning(m.drift.median()); w != "" {
		m.tally.Warn(w)
	}
	if w := m.drift.warning(); w != "" {
		m.tally.Warn(w)
	}
	if m.noPID > 0 {
		m.tally.Warn(fmt.Sprintf("%d Sysmon events lack the number of their process: the export lost it", m.noPID))
	}
	if m.texts.cutCommands {
		m.tally.Warn("a command line was cut to 64 KiB")
	}
	if m.texts.cutTexts {
		m.tally.Warn("a text other than a command line was cut to 4 KiB")
	}
}
