package winlog

import (
	"bytes"

	"github.com/valyala/fastjson"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

func nxlogFormat() *decode.Format {
	return &decode.Format{
		Name: "nxlog",
		Doc: `NXLog records in JSON

Flat JSON of NXLog's im_msvistalog, as it is or as Logstash received it. In
older versions ProcessID is that of the logging service, and the event's own
process number survives only in the English message, from which it is taken.
` + events + `
Clock: @timestamp, which is when the record was received, in UTC. Without it,
EventTime, which is local time of an unknown zone, to the second.`,
		Extensions: []string{".json", ".ndjson"},
		Match:      matchJSON(shapeNXLog),
		Open:       openJSON(&jsonShape{fill: fillNXLog, clock: nxlogClock}),
	}
}

// nxlogFields are the fields by NXLog's names. Its ProcessID is none of them.
var nxlogFields = flatFields(map[string]field{
	"EventID":      fieldEventID,
	"Channel":      fieldChannel,
	"SourceName":   fieldProvider,
	"Hostname":     fieldComputer,
	"RecordNumber": fieldRecord,
	"EventTime":    fieldTime,
}, "ProcessID")

// flatFields returns the EventData names and those of the System part in one
// table, but for names that mean something else in the format.
func flatFields(system map[string]field, but ...string) map[string]field {
	all := make(map[string]field, fieldCount)
	for name, f := range dataFields {
		all[name] = f
	}
	for _, name := range but {
		delete(all, name)
	}
	for name, f := range system {
		all[name] = f
	}
	return all
}

func fillNXLog(r *jsonRecord, v *fastjson.Value) {
	r.data(v, nxlogFields)
	r.timestamp = r.get(v, "@timestamp")
	if len(r.fields[fieldProcessID]) == 0 {
		r.fields[fieldProcessID] = inMessage(r.get(v, "Message"), string(r.fields[fieldEventID]))
	}
}

// messageLabels are what stands before the process number in the English
// messages of events: of a 4688, that of the creator.
var messageLabels = map[string]string{
	"1": "\nProcessId: ", "3": "\nProcessId: ", "5": "\nProcessId: ", "22": "\nProcessId: ",
	"4688": "\tCreator Process ID:\t",
	"4689": "\tProcess ID:\t",
	"5156": "\tProcess ID:\t",
}

// inMessage returns the process number in the message of an event, or nil.
func inMessage(message []byte, eventID string) []byte {
	label, ok := messageLabels[eventID]
	if !ok {
		return nil
	}
	i := bytes.Index(message, []byte(label))
	if i < 0 {
		return nil
	}
	number := bytes.TrimLeft(message[i+len(label):], "\t ")
	if end := bytes.IndexAny(number, "\r\n\t "); end >= 0 {
		number = number[:end]
	}
	return number
}

func nxlogClock(r *jsonRecord, t *decode.Tally) (event.Time, string) {
	if at, ok := parseTime(r.timestamp); ok {
		return at, "received (@timestamp)"
	}
	t.Warn("EventTime is local time of an unknown zone, to the second")
	at, _ := parseTime(r.fields[fieldTime])
	return at, "EventTime, local, zone unknown"
}
