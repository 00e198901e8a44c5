package format

import (
	"bytes"
	"net/netip"
	"strconv"

	"github.com/postern/postern/internal/event"
)

// EvtxDump writes events of one computer as `evtx_dump -o jsonl` prints a
// saved event log: attributes under "#attributes", numbers and booleans by
// the types that the event declares, GUIDs in capitals without braces.
type EvtxDump struct{ values evtxDumpValues }

// NewEvtxDump returns a writer.
func NewEvtxDump() *EvtxDump { return new(EvtxDump) }

// Append appends e as a line.
func (w *EvtxDump) Append(b []byte, m *Machine, e *Event) []byte {
	s := schemaOf(e)
	provider, guid, channel := "Microsoft-Windows-Sysmon", "5770385F-C22A-43E0-BF4C-06F5698FFBD9", "Microsoft-Windows-Sysmon/Operational"
	level, keywords, pid, thread, sid := uint64(4), "0x8000000000000000", m.Sysmon, m.Thread, `{"#attributes":{"UserID":"S-1-5-18"}}`
	if e.Source == event.Security {
		provider, guid, channel = "Microsoft-Windows-Security-Auditing", "54849625-5478-4994-A5BA-3E3B0328C30D", "Security"
		level, keywords, pid, thread, sid = 0, "0x8020000000000000", 4, 312, "null"
	}
	b = append(b, `{"Event":{"#attributes":{"xmlns":"http://schemas.microsoft.com/win/2004/08/events/event"},"System":{"Provider":{"#attributes":{"Name":"`...)
	b = append(b, provider...)
	b = append(b, `","Guid":"`...)
	b = append(b, guid...)
	b = append(b, `"}},"EventID":`...)
	b = strconv.AppendUint(b, s.id, 10)
	b = append(b, `,"Version":`...)
	b = strconv.AppendUint(b, s.version, 10)
	b = append(b, `,"Level":`...)
	b = strconv.AppendUint(b, level, 10)
	b = append(b, `,"Task":`...)
	b = strconv.AppendUint(b, s.task, 10)
	b = append(b, `,"Opcode":0,"Keywords":"`...)
	b = append(b, keywords...)
	b = append(b, `","TimeCreated":{"#attributes":{"SystemTime":"`...)
	b = appendStamp(b, e.Time, 'T', 6)
	b = append(b, `Z"}},"EventRecordID":`...)
	b = strconv.AppendUint(b, e.Record, 10)
	b = append(b, `,"Correlation":null,"Execution":{"#attributes":{"ProcessID":`...)
	b = strconv.AppendUint(b, uint64(pid), 10)
	b = append(b, `,"ThreadID":`...)
	b = strconv.AppendUint(b, uint64(thread), 10)
	b = append(b, `}},"Channel":"`...)
	b = append(b, channel...)
	b = append(b, `","Computer":`...)
	b = appendQuoted(b, m.Name)
	b = append(b, `,"Security":`...)
	b = append(b, sid...)
	b = append(b, `},"EventData":{`...)
	w.values.b, w.values.empty = b, true
	s.write(&w.values, e)
	return append(w.values.b, "}}}\n"...)
}

// evtxDumpValues writes values by the types that the event declares.
type evtxDumpValues struct {
	b     []byte
	empty bool
}

var _ values = (*evtxDumpValues)(nil)

func (v *evtxDumpValues) key(name string) {
	if !v.empty {
		v.b = append(v.b, ',')
	}
	v.empty = false
	v.b = append(append(append(v.b, '"'), name...), `":`...)
}

func (v *evtxDumpValues) text(name, s string) {
	v.key(name)
	v.b = appendQuoted(v.b, s)
}

func (v *evtxDumpValues) clock(name string, t event.Time) {
	v.key(name)
	v.b = append(appendStamp(append(v.b, '"'), t, ' ', 3), '"')
}

func (v *evtxDumpValues) guid(name string, g GUID) {
	v.key(name)
	v.b = append(v.b, '"')
	v.b = append(v.b, bytes.ToUpper(g.append(nil))...)
	v.b = append(v.b, '"')
}

func (v *evtxDumpValues) num(name string, n uint64) {
	v.key(name)
	v.b = strconv.AppendUint(v.b, n, 10)
}

func (v *evtxDumpValues) digits(name string, n uint64) {
	v.key(name)
	v.b = append(strconv.AppendUint(append(v.b, '"'), n, 10), '"')
}

func (v *evtxDumpValues) hex(name string, n uint64) {
	v.key(name)
	v.b = append(strconv.AppendUint(append(v.b, `"0x`...), n, 16), '"')
}

func (v *evtxDumpValues) flag(name string, f bool) {
	v.key(name)
	v.b = strconv.AppendBool(v.b, f)
}

func (v *evtxDumpValues) addr(name string, a netip.Addr) {
	v.key(name)
	v.b = append(a.AppendTo(append(v.b, '"')), '"')
}

func (v *evtxDumpValues) user(name string, p *Process) {
	v.key(name)
	v.b = append(appendUser(append(v.b, '"'), p), '"')
}

func (v *evtxDumpValues) device(name, img string) {
	v.key(name)
	v.b = append(appendDevice(append(v.b, '"'), img), '"')
}
