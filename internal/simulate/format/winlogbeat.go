package format

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/postern/postern/internal/event"
)

const winlogbeatVersion = "8.15.3"

// Winlogbeat writes events of one computer as Winlogbeat 8 publishes them:
// a JSON object in a line, without the rendered message, which large estates
// drop at the agent as they do the metadata of the host. Every value of the event's data is text.
type Winlogbeat struct {
	values winlogbeatValues
	head   string // from the level to the event: the same in every line
	name   string
}

// NewWinlogbeat returns a writer for the events of m.
func NewWinlogbeat(m *Machine) *Winlogbeat {
	short, _, _ := strings.Cut(m.Name, ".")
	b := []byte(`,"host":{"name":`)
	b = appendQuoted(b, strings.ToLower(m.Name))
	b = append(b, `},"ecs":{"version":"8.0.0"},"agent":{"version":"`+winlogbeatVersion+`","ephemeral_id":`...)
	b = appendQuoted(b, m.Run)
	b = append(b, `,"id":`...)
	b = appendQuoted(b, m.AgentID)
	b = append(b, `,"name":`...)
	b = appendQuoted(b, short)
	b = append(b, `,"type":"winlogbeat"}`...)
	return &Winlogbeat{head: string(b), name: m.Name}
}

// Append appends e as a line.
func (w *Winlogbeat) Append(b []byte, m *Machine, e *Event) []byte {
	s := schemaOf(e)
	b = append(b, `{"@timestamp":"`...)
	b = appendStamp(b, e.Time, 'T', 3)
	b = append(b, `Z","@metadata":{"beat":"winlogbeat","type":"_doc","version":"`+winlogbeatVersion+`"},"log":{"level":"information"}`...)
	b = append(b, w.head...)
	b = append(b, `,"event":{"code":"`...)
	b = strconv.AppendUint(b, s.id, 10)
	if e.Source == event.Security {
		b = append(b, `","kind":"event","outcome":"success","provider":"Microsoft-Windows-Security-Auditing","action":"`...)
	} else {
		b = append(b, `","kind":"event","provider":"Microsoft-Windows-Sysmon","action":"`...)
	}
	b = append(b, s.name...)
	b = append(b, `","created":"`...)
	b = appendStamp(b, readAt(e.Time), 'T', 3)
	b = append(b, `Z"},"winlog":{"api":"wineventlog","computer_name":`...)
	b = appendQuoted(b, w.name)
	b = append(b, `,"record_id":`...)
	b = strconv.AppendUint(b, e.Record, 10)
	b = append(b, `,"event_id":"`...)
	b = strconv.AppendUint(b, s.id, 10)
	b = append(b, `","event_data":{`...)
	w.values.b, w.values.empty = b, true
	s.write(&w.values, e)
	b = w.values.b
	b = append(b, `},"opcode":"Info","task":"`...)
	b = append(b, s.name...)
	b = append(b, `","version":`...)
	b = strconv.AppendUint(b, s.version, 10)
	b = appendProvider(b, m, e)
	return append(b, "}}\n"...)
}

// readAt returns when the agent read a record of time t: it asks for new
// records about once a second and publishes what it got together.
func readAt(t event.Time) event.Time { return t - t%1_000_000 + 1_214_000 }

func appendProvider(b []byte, m *Machine, e *Event) []byte {
	if e.Source == event.Security {
		return append(b, `,"keywords":["Audit Success"],"process":{"pid":4,"thread":{"id":312}},"channel":"Security","provider_name":"Microsoft-Windows-Security-Auditing","provider_guid":"{54849625-5478-4994-a5ba-3e3b0328c30d}"`...)
	}
	b = append(b, `,"process":{"pid":`...)
	b = strconv.AppendUint(b, uint64(m.Sysmon), 10)
	b = append(b, `,"thread":{"id":`...)
	b = strconv.AppendUint(b, uint64(m.Thread), 10)
	return append(b, `}},"channel":"Microsoft-Windows-Sysmon/Operational","provider_name":"Microsoft-Windows-Sysmon","provider_guid":"{5770385f-c22a-43e0-bf4c-06f5698ffbd9}","user":{"identifier":"S-1-5-18","domain":"NT AUTHORITY","name":"SYSTEM","type":"User"}`...)
}

// winlogbeatValues writes every value as text.
type winlogbeatValues struct {
	b     []byte
	empty bool
}

var _ values = (*winlogbeatValues)(nil)

func (v *winlogbeatValues) key(name string) {
	if !v.empty {
		v.b = append(v.b, ',')
	}
	v.empty = false
	v.b = append(append(append(v.b, '"'), name...), `":"`...)
}

func (v *winlogbeatValues) end() { v.b = append(v.b, '"') }

func (v *winlogbeatValues) text(name, s string) {
	v.key(name)
	v.b = appendEscaped(v.b, s)
	v.end()
}

func (v *winlogbeatValues) clock(name string, t event.Time) {
	v.key(name)
	v.b = appendStamp(v.b, t, ' ', 3)
	v.end()
}

func (v *winlogbeatValues) guid(name string, g GUID) {
	v.key(name)
	v.b = append(g.append(append(v.b, '{')), '}')
	v.end()
}

func (v *winlogbeatValues) num(name string, n uint64) {
	v.key(name)
	v.b = strconv.AppendUint(v.b, n, 10)
	v.end()
}

func (v *winlogbeatValues) digits(name string, n uint64) { v.num(name, n) }

func (v *winlogbeatValues) hex(name string, n uint64) {
	v.key(name)
	v.b = strconv.AppendUint(append(v.b, "0x"...), n, 16)
	v.end()
}

func (v *winlogbeatValues) flag(name string, f bool) {
	v.key(name)
	v.b = strconv.AppendBool(v.b, f)
	v.end()
}

func (v *winlogbeatValues) addr(name string, a netip.Addr) {
	v.key(name)
	v.b = a.AppendTo(v.b)
	v.end()
}

func (v *winlogbeatValues) user(name string, p *Process) {
	v.key(name)
	v.b = appendUser(v.b, p)
	v.end()
}

func (v *winlogbeatValues) device(name, img string) {
	v.key(name)
	v.b = appendDevice(v.b, img)
	v.end()
}

// appendUser appends DOMAIN\name as the inside of a JSON string.
func appendUser(b []byte, p *Process) []byte {
	b = append(appendEscaped(b, p.Domain), `\\`...)
	return appendEscaped(b, p.User)
}

// appendDevice appends an image as the filtering platform names it, by device
// and in lower case, as the inside of a JSON string.
func appendDevice(b []byte, img string) []byte {
	path, ok := strings.CutPrefix(img, `C:`)
	if !ok {
		return appendEscaped(b, img)
	}
	return appendEscaped(b, `\device\harddiskvolume3`+strings.ToLower(path))
}
