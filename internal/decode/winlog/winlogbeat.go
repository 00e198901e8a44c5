package winlog

import (
	"bytes"

	"github.com/valyala/fastjson"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

func winlogbeatFormat() *decode.Format {
	return &decode.Format{
		Name: "winlogbeat",
		Doc: `Winlogbeat documents

JSON as Winlogbeat and the Elastic Agent write it: 6 with event_id and
event_data at the top, 7 and later with them below winlog. Documents of the
Sysmon and Security modules, which move event_data to ECS fields, are read too;
so is the network.community_id that the Sysmon module adds.
host.name is the collector's; the host is computer_name.
` + events + `
Clock: @timestamp, which is the record's time, unless the Sysmon module has put
Sysmon's UtcTime there. Then it is winlog.time_created, which newer versions
have, or event.created, when Winlogbeat read the record, or else, with a
warning, Sysmon's UtcTime: for Sysmon 3 that can be off by days.`,
		Extensions: []string{".json", ".ndjson"},
		Match:      matchJSON(shapeWinlogbeat),
		Open:       openJSON(&jsonShape{fill: fillWinlogbeat, clock: winlogbeatClock}),
	}
}

func fillWinlogbeat(r *jsonRecord, v *fastjson.Value) {
	r.timestamp = r.get(v, "@timestamp")
	w := v.Get("winlog")
	if w == nil {
		r.fields[fieldEventID] = r.get(v, "event_id")
		r.fields[fieldChannel] = r.get(v, "log_name")
		r.fields[fieldProvider] = r.get(v, "source_name")
		r.fields[fieldComputer] = r.get(v, "computer_name")
		r.fields[fieldRecord] = r.get(v, "record_number")
		r.data(v.Get("event_data"), dataFields)
		return
	}
	r.fields[fieldEventID] = r.get(w, "event_id")
	r.fields[fieldChannel] = r.get(w, "channel")
	r.fields[fieldProvider] = r.get(w, "provider_name")
	r.fields[fieldComputer] = r.get(w, "computer_name")
	r.fields[fieldRecord] = r.get(w, "record_id")
	r.fields[fieldTime] = r.get(w, "time_created")
	r.fields[fieldCleared] = r.get(w, "user_data", "Channel")
	r.created = r.get(v, "event", "created")
	r.data(w.Get("event_data"), dataFields)
	r.replaced = string(r.get(v, "event", "module")) == "sysmon" || sameMillisecond(r.timestamp, r.fields[fieldUTCTime])
	r.ecs(v)
}

// ecs takes what a module moved out of event_data from where it put it.
func (r *jsonRecord) ecs(v *fastjson.Value) {
	p := v.Get("process")
	if p != nil {
		// Of a 4688, ProcessId is the creator's and NewProcessId the process's.
		pid, image := fieldProcessID, fieldImage
		switch string(r.fields[fieldEventID]) {
		case "4688":
			r.or(fieldProcessID, r.get(p, "parent", "pid"))
			r.or(fieldParentProcessName, r.get(p, "parent", "executable"))
			pid, image = fieldNewProcessID, fieldNewProcessName
		case "4689":
			image = fieldProcessName
		case "5156":
			pid, image = fieldApplicationID, fieldApplication
		}
		r.or(pid, r.get(p, "pid"))
		r.or(image, r.get(p, "executable"))
		r.or(fieldProcessGUID, r.get(p, "entity_id"))
		r.or(fieldCommandLine, r.get(p, "command_line"))
		r.or(fieldParentID, r.get(p, "parent", "pid"))
		r.or(fieldParentGUID, r.get(p, "parent", "entity_id"))
		r.or(fieldParentImage, r.get(p, "parent", "executable"))
		r.or(fieldParentCommandLine, r.get(p, "parent", "command_line"))
		r.or(fieldOriginalName, r.get(p, "pe", "original_file_name"))
		r.or(fieldProduct, r.get(p, "pe", "product"))
		r.or(fieldCompany, r.get(p, "pe", "company"))
		r.or(fieldHashes, r.hashes(p))
	}
	r.or(fieldUser, r.user(v.Get("user")))
	r.ecsNetwork(v)
	if d := v.Get("dns"); d != nil {
		r.or(fieldQueryName, r.get(d, "question", "name"))
		r.or(fieldQueryResults, r.list(d.GetArray("resolved_ip")))
		r.or(fieldQueryResults, r.list(d.GetArray("grouped", "ip")))
	}
}

func (r *jsonRecord) ecsNetwork(v *fastjson.Value) {
	n := v.Get("network")
	if n == nil {
		return
	}
	r.or(fieldProtocol, r.get(n, "transport"))
	r.or(fieldProtocol, r.get(n, "iana_number"))
	for _, end := range []struct {
		key      string
		ip, port [2]field
	}{
		{"source", [2]field{fieldSourceIP, fieldSourceAddress}, [2]field{fieldSourcePort, fieldSourcePort}},
		{"destination", [2]field{fieldDestinationIP, fieldDestAddress}, [2]field{fieldDestinationPort, fieldDestPort}},
	} {
		ip, port := r.get(v, end.key, "ip"), r.get(v, end.key, "port")
		for i := range end.ip {
			r.or(end.ip[i], ip)
			r.or(end.port[i], port)
		}
	}
	r.or(fieldDestinationName, r.get(v, "destination", "domain"))
	r.or(fieldCommunityID, r.get(n, "community_id"))
	switch string(r.get(n, "direction")) {
	case "egress", "outbound":
		r.or(fieldInitiated, []byte("true"))
		r.or(fieldDirection, []byte(directionOut))
	case "ingress", "inbound":
		r.or(fieldInitiated, []byte("false"))
		r.or(fieldDirection, []byte(directionIn))
	}
}

// user returns DOMAIN\name.
func (r *jsonRecord) user(v *fastjson.Value) []byte {
	name, domain := r.get(v, "name"), r.get(v, "domain")
	if len(name) == 0 || len(domain) == 0 {
		return name
	}
	return r.joined(domain, []byte(`\`), name)
}

// joined returns the parts in one.
func (r *jsonRecord) joined(parts ...[]byte) []byte {
	start := len(r.scratch)
	for _, p := range parts {
		r.scratch = append(r.scratch, p...)
	}
	return r.scratch[start:len(r.scratch):len(r.scratch)]
}

// list returns texts in the way of Sysmon's QueryResults.
func (r *jsonRecord) list(values []*fastjson.Value) []byte {
	var list []byte
	for _, v := range values {
		list = append(append(list, r.bytes(v)...), ';')
	}
	return list
}

// hashes returns hashes in the way of Sysmon's Hashes.
func (r *jsonRecord) hashes(process *fastjson.Value) []byte {
	var list []byte
	for _, h := range []struct {
		name string
		at   []string
	}{
		{"SHA1", []string{"hash", "sha1"}},
		{"MD5", []string{"hash", "md5"}},
		{"SHA256", []string{"hash", "sha256"}},
		{"IMPHASH", []string{"pe", "imphash"}},
	} {
		if b := r.get(process, h.at...); len(b) > 0 {
			list = append(append(append(list, h.name...), '='), bytes.ToUpper(b)...)
			list = append(list, ',')
		}
	}
	return bytes.TrimSuffix(list, []byte(","))
}

// sameMillisecond reports whether both are times, and the same.
func sameMillisecond(a, b []byte) bool {
	t, ok := parseTime(a)
	u, also := parseTime(b)
	return ok && also && t/1000 == u/1000
}

const (
	timestampClock = "@timestamp"
	utcClock       = "Sysmon UtcTime"
)

func winlogbeatClock(r *jsonRecord, t *decode.Tally) (event.Time, string) {
	if at, ok := parseTime(r.fields[fieldTime]); ok {
		return at, "winlog.time_created"
	}
	if r.replaced {
		if at, ok := parseTime(r.created); ok {
			t.Warn("the Sysmon module replaced the record's time: event.created, when Winlogbeat read the record, is used")
			return at, "event.created"
		}
		t.Warn("the Sysmon module replaced the record's time: Sysmon's UtcTime is used, which can be off by days for connections")
		at, _ := parseTime(r.timestamp)
		return at, utcClock
	}
	at, _ := parseTime(r.timestamp)
	return at, timestampClock
}
