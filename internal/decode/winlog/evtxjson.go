package winlog

import (
	"github.com/valyala/fastjson"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

func evtxJSONFormat() *decode.Format {
	return &decode.Format{
		Name: "evtx-json",
		Doc: `EVTX records in JSON

JSON that keeps the structure of the event, System and EventData, with or
without Event around them: of evtx_dump, Chainsaw, python-evtx and
Velociraptor, on lines, in an array, or laid out for people.
` + events + `
Clock: System/TimeCreated, which Windows sets when the event is written.`,
		Extensions: []string{".json", ".jsonl"},
		Match:      matchJSON(shapeEVTX),
		Open:       openJSON(&jsonShape{fill: fillEVTXJSON, clock: evtxJSONClock}),
	}
}

func fillEVTXJSON(r *jsonRecord, v *fastjson.Value) {
	if e := v.Get("Event"); e != nil {
		v = e
	}
	s := v.Get("System")
	r.fields[fieldEventID] = r.content(s.Get("EventID"))
	r.fields[fieldChannel] = r.content(s.Get("Channel"))
	r.fields[fieldComputer] = r.content(s.Get("Computer"))
	r.fields[fieldRecord] = r.content(s.Get("EventRecordID"))
	r.fields[fieldProvider] = r.attribute(s.Get("Provider"), "Name")
	r.fields[fieldTime] = r.attribute(s.Get("TimeCreated"), "SystemTime")
	r.fields[fieldCleared] = r.content(v.Get("UserData", "LogFileCleared", "Channel"))
	d := v.Get("EventData")
	r.data(d, dataFields)
	if list := d.Get("Data"); list != nil {
		r.named(list)
	}
}

// named notes the fields in a list of Data elements that bear their names as
// attributes; a single one stands for itself.
func (r *jsonRecord) named(list *fastjson.Value) {
	items, err := list.Array()
	if err != nil {
		items = []*fastjson.Value{list}
	}
	for _, item := range items {
		if f, ok := dataFields[string(r.attribute(item, "Name"))]; ok {
			r.fields[f] = r.content(item)
		}
	}
}

// content returns the text of an element: its own, or, beside attributes, that
// which the writers call by various names.
func (r *jsonRecord) content(v *fastjson.Value) []byte {
	if v == nil || v.Type() != fastjson.TypeObject {
		return r.bytes(v)
	}
	for _, key := range []string{"#text", "Value", "$text"} {
		if inner := v.Get(key); inner != nil {
			return r.bytes(inner)
		}
	}
	return nil
}

// attribute returns an attribute of an element.
func (r *jsonRecord) attribute(v *fastjson.Value, name string) []byte {
	for _, keys := range [][]string{{"#attributes", name}, {"@" + name}, {"@attributes", name}, {name}} {
		if a := v.Get(keys...); a != nil {
			return r.bytes(a)
		}
	}
	return nil
}

func evtxJSONClock(r *jsonRecord, _ *decode.Tally) (event.Time, string) {
	at, ok := parseTime(r.fields[fieldTime])
	if !ok {
		at = parseUnix(r.fields[fieldTime])
	}
	return at, recordClock
}
