package winlog

import (
	"strings"

	"github.com/valyala/fastjson"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

func wazuhFormat() *decode.Format {
	return &decode.Format{
		Name: "wazuh",
		Doc: `Wazuh alerts and archives

JSON lines of alerts.json and archives.json, and documents of the indexer, whose
data.win holds an event of Windows' event channels. Alerts are those events only
that a rule matched, which by default leaves out most connections and process
starts: archives (logall_json) have all. Written from the decoder's published
names; not yet seen from a live source. Others than events of Windows are counted
and ignored.
` + events + `
Clock: data.win.system.systemTime, which Windows sets when the event is written.`,
		Extensions: []string{".json"},
		Match:      matchJSON(shapeWazuh),
		Open:       openJSON(&jsonShape{fill: fillWazuh, clock: wazuhClock}),
	}
}

// wazuhFields finds the field of an EventData name as Wazuh writes it: its
// decoder puts the first letter in lower case.
var wazuhFields = lowerFirst(dataFields)

func lowerFirst(names map[string]field) map[string]field {
	lowered := make(map[string]field, len(names))
	for name, f := range names {
		lowered[strings.ToLower(name[:1])+name[1:]] = f
	}
	return lowered
}

func fillWazuh(r *jsonRecord, v *fastjson.Value) {
	s := v.Get("data", "win", "system")
	r.fields[fieldEventID] = r.get(s, "eventID")
	r.fields[fieldChannel] = r.get(s, "channel")
	r.fields[fieldProvider] = r.get(s, "providerName")
	r.fields[fieldComputer] = r.get(s, "computer")
	r.fields[fieldRecord] = r.get(s, "eventRecordID")
	r.fields[fieldTime] = r.get(s, "systemTime")
	o := v.GetObject("data", "win", "eventdata")
	if o == nil {
		return
	}
	o.Visit(func(key []byte, v *fastjson.Value) {
		if f, ok := wazuhFields[string(key)]; ok {
			r.fields[f] = r.unescaped(r.bytes(v))
		}
	})
}

// unescaped takes away the escapes of a text that Wazuh has escaped twice: there
// each backslash stands before another, or before a quote. A text that has any
// other backslash was not.
func (r *jsonRecord) unescaped(b []byte) []byte {
	pairs := 0
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' {
			continue
		}
		if i++; i == len(b) || b[i] != '\\' && b[i] != '"' {
			return b
		}
		pairs++
	}
	if pairs == 0 {
		return b
	}
	start := len(r.scratch)
	for i := 0; i < len(b); i++ {
		if b[i] == '\\' {
			i++
		}
		r.scratch = append(r.scratch, b[i])
	}
	return r.scratch[start:len(r.scratch):len(r.scratch)]
}

func wazuhClock(r *jsonRecord, _ *decode.Tally) (event.Time, string) {
	at, _ := parseTime(r.fields[fieldTime])
	return at, recordClock
}
