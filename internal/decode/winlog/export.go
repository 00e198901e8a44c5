package winlog

import (
	"github.com/valyala/fastjson"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

func exportFormat() *decode.Format {
	return &decode.Format{
		Name: "export-winevents",
		Doc: `Export-WinEvents records in JSON

Flat JSON of OTRF's Export-WinEvents, as most public captures of attacks have
it. It does not keep the numbers of records.
` + events + `
Clock: TimeCreated as exported. The script writes local time, in versions that
mark it as UTC or count to 12 hours only: a warning says so, and by how much it
differs from Sysmon's where that can be told.`,
		Extensions: []string{".json"},
		Match:      matchJSON(shapeExport),
		Open:       openJSON(&jsonShape{fill: fillExport, clock: exportClock}),
	}
}

var exportFields = flatFields(map[string]field{
	"EventID":       fieldEventID,
	"Channel":       fieldChannel,
	"SourceName":    fieldProvider,
	"Hostname":      fieldComputer,
	"RecordNumber":  fieldRecord,
	"EventRecordID": fieldRecord,
	"TimeCreated":   fieldTime,
})

func fillExport(r *jsonRecord, v *fastjson.Value) {
	r.data(v, exportFields)
}

func exportClock(r *jsonRecord, t *decode.Tally) (event.Time, string) {
	t.Warn("TimeCreated is as Export-WinEvents wrote it: local time of an unknown zone, even where it is marked as UTC")
	at, _ := parseTime(r.fields[fieldTime])
	return at, "TimeCreated as exported (zone unknown)"
}
