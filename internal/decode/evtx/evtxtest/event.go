package evtxtest

import (
	"strings"
	"time"
)

// An Event is one as Windows writes it: a System part and named data.
type Event struct {
	Provider, Channel, Computer string
	ID                          uint16
	Record                      uint64
	Time                        time.Time
	Data                        []Data
}

// A Data is a named value of an event: a string, uint32, uint64 (which is
// shown in hexadecimal), bool, or [16]byte (a GUID).
type Data struct {
	Name  string
	Value any
}

// Log returns a log of events. Those of the same kind share a template, as
// they do in a real one.
func Log(events ...Event) []byte {
	var chunks [][]byte
	c := NewChunk()
	templates := make(map[string]int)
	for i, e := range events {
		if c.Full() {
			chunks = append(chunks, c.Bytes())
			c = NewChunk()
			clear(templates)
		}
		if e.Record == 0 {
			e.Record = uint64(i + 1)
		}
		c.Record(e.Record, e.Time, func(x *XML) {
			kind := e.kind()
			x.Fragment()
			templates[kind] = x.Template(templates[kind], func() { e.define(x) }, e.values()...)
			x.End()
		})
	}
	return File(append(chunks, c.Bytes())...)
}

// kind identifies the template of e.
func (e *Event) kind() string {
	var b strings.Builder
	b.WriteString(e.Provider)
	for _, d := range e.Data {
		b.WriteString("\x00" + d.Name)
	}
	return b.String()
}

// The first values are those of the System part.
const (
	subID = iota
	subRecord
	subTime
	subChannel
	subComputer
	subData
)

func (e *Event) define(x *XML) {
	x.Fragment()
	x.Open("Event", Attr{Name: "xmlns", Value: "http://schemas.microsoft.com/win/2004/08/events/event"})
	x.Open("System")
	x.Empty("Provider", Attr{Name: "Name", Value: e.Provider})
	e.element(x, "EventID", subID, 0x06)
	x.Empty("TimeCreated", Attr{Name: "SystemTime", Sub: subTime})
	e.element(x, "EventRecordID", subRecord, 0x0a)
	e.element(x, "Channel", subChannel, 0x01)
	e.element(x, "Computer", subComputer, 0x01)
	x.Close()
	x.Open("EventData")
	for i, d := range e.Data {
		x.Open("Data", Attr{Name: "Name", Value: d.Name})
		x.Sub(subData+i, value(d.Value).Type)
		x.Close()
	}
	x.Close()
	x.Close()
	x.End()
}

func (e *Event) element(x *XML, name string, sub int, kind byte) {
	x.Open(name)
	x.Sub(sub, kind)
	x.Close()
}

func (e *Event) values() []Value {
	list := []Value{
		subID:       {0x06, le.AppendUint16(nil, e.ID)},
		subRecord:   {0x0a, le.AppendUint64(nil, e.Record)},
		subTime:     {0x11, le.AppendUint64(nil, FileTime(e.Time))},
		subChannel:  {0x01, UTF16(e.Channel)},
		subComputer: {0x01, UTF16(e.Computer)},
	}
	for _, d := range e.Data {
		list = append(list, value(d.Value))
	}
	return list
}

// value returns v in binary form; nothing for a type that it does not know.
func value(v any) Value {
	switch v := v.(type) {
	case string:
		return Value{0x01, UTF16(v)}
	case uint32:
		return Value{0x08, le.AppendUint32(nil, v)}
	case uint64:
		return Value{0x15, le.AppendUint64(nil, v)}
	case bool:
		b := make([]byte, 4)
		if v {
			b[0] = 1
		}
		return Value{0x0d, b}
	case [16]byte:
		return Value{0x0f, v[:]}
	}
	return Value{}
}
