// Package defender reads the advanced hunting tables of Microsoft Defender XDR,
// whose sensor is an endpoint agent.
package defender

import (
	"bytes"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/agent"
	"github.com/postern/postern/internal/event"
)

// clock is what the tally calls the times.
const clock = "Timestamp (device)"

// Formats returns the formats of this package.
func Formats() []*decode.Format {
	j := &agent.JSON{Clock: clock, New: newMapper, Marks: []string{`"InitiatingProcess`, `"DeviceName"`, `"ActionType"`}}
	c := &agent.CSV{Clock: clock, New: newMapper}
	return []*decode.Format{
		{Name: "defender-json", Doc: jsonDoc + tablesDoc, Extensions: []string{".json"}, Match: j.Match, Open: j.Open},
		{Name: "defender-csv", Doc: csvDoc + tablesDoc, Extensions: []string{".csv"}, Match: c.Match, Open: c.Open},
	}
}

const jsonDoc = `Microsoft Defender XDR, JSON

Rows of advanced hunting one a line, in an array, or as Results of the API in an
object of up to 16 MiB; and what the streaming API writes to an event hub or a
storage account, by itself or in records.
`

const csvDoc = `Microsoft Defender XDR, CSV

What the portal exports of an advanced hunting query, with the columns in any
order and as many as the query left.
`

const tablesDoc = `
Written from the published schema, and held against samples of the streaming API
that others publish; not yet seen from a live source.

Gives:
  DeviceNetworkEvents  ConnectionSuccess and InboundConnectionAccepted: connects
                       SslConnectionInspected: handshakes, with the server name
                       DnsConnectionInspected: lookups, without the process
                       HttpConnectionInspected: requests to a proxy by CONNECT
  DeviceProcessEvents  ProcessCreated: process starts
  DeviceNetworkInfo    which addresses a device had: leases

The actions that end in Inspected are of the wire, as the device saw it: they name
no process. They stand for a flow without bytes, which a connect of the same
addresses and ports owns; the device then counts as watched, so that a Security
5156 without such a flow is taken for an attempt.

Lacks: bytes, durations and process ends. DeviceNetworkEvents are censored: the
sensor reports one event in 24 hours for each set of the same fields, and so many
in a day, so that how often, how regularly and how much cannot be told from it.
ConnectionFailed, ConnectionAttempt and ConnectionRequest are attempts, and
ConnectionFound does not say when the connection began: both are counted and
ignored. Times must be ISO 8601 in UTC, as the product writes them.

Clock: Timestamp, the device's own; ProcessCreationTime for process starts; ts of
what was inspected, where it lies within an hour of Timestamp.`

const capWarning = "DeviceNetworkEvents are capped (one event a day for each set of fields, and so many a day): how often a program connected is a lower bound"

// A mapper makes events of rows.
type mapper struct {
	values agent.Values
	inner  agent.Inner
	capped bool // rows of DeviceNetworkEvents were seen
}

func newMapper() agent.Mapper { return &mapper{} }

// properties returns the row that the streaming API wraps, or r itself.
func properties(r *agent.Record) *agent.Record {
	if r.Has("category") && r.Has("properties") {
		return r.At("properties")
	}
	return r
}

// Own implements [agent.Mapper].
func (m *mapper) Own(r *agent.Record) bool {
	if bytes.HasPrefix(r.Text("category"), []byte("AdvancedHunting-")) {
		return true
	}
	r = properties(r)
	if !r.Has("DeviceName") || !r.Has("Timestamp") && !r.Has("TimeGenerated") {
		return false
	}
	return r.Has("ActionType") && (r.Has("RemoteIP") || r.Has("ProcessId") || r.Has("InitiatingProcessFileName")) ||
		r.Has("IPAddresses")
}

// An origin is what all events say of where they come from.
type origin struct {
	host string
	time event.Time
}

// actions are those that give events.
var actions = map[string]func(*mapper, origin, *agent.Record, *event.Batch) agent.Verdict{
	"ConnectionSuccess":         (*mapper).opened,
	"InboundConnectionAccepted": (*mapper).accepted,
	"SslConnectionInspected":    (*mapper).handshake,
	"NetworkSignatureInspected": (*mapper).signature,
	"DnsConnectionInspected":    (*mapper).lookup,
	"HttpConnectionInspected":   (*mapper).request,
	"ProcessCreated":            (*mapper).start,
}

// reasons say why other actions of the tables in use give none.
var reasons = map[string]string{
	"ConnectionFailed":           "attempt (ConnectionFailed)",
	"ConnectionAttempt":          "attempt (ConnectionAttempt)",
	"ConnectionRequest":          "attempt (ConnectionRequest)",
	"ConnectionFound":            "connection of an unknown begin (ConnectionFound)",
	"ListeningConnectionCreated": "listening port",
}

// Map implements [agent.Mapper].
func (m *mapper) Map(r *agent.Record, b *event.Batch) agent.Verdict {
	r = properties(r)
	o := origin{host: m.values.Host(r.Text("DeviceName")), time: agent.Time(r.First("Timestamp", "TimeGenerated"))}
	action := r.Text("ActionType")
	do, ok := actions[string(action)]
	m.capped = m.capped || r.Has("RemoteIP") && len(r.Text("RemoteIP")) > 0
	switch {
	case !ok && len(action) == 0 && r.Has("IPAddresses"):
		do = (*mapper).leases
	case !ok && reasons[string(action)] != "":
		return agent.Verdict{Ignored: reasons[string(action)]}
	case !ok:
		return agent.Verdict{Ignored: "another table or action"}
	}
	switch {
	case o.host == "":
		return agent.Verdict{Skipped: "no device name"}
	case o.time == event.Never:
		return agent.Verdict{Skipped: "no time"}
	}
	return do(m, o, r, b)
}

// Close implements [agent.Mapper].
func (m *mapper) Close(t *decode.Tally) {
	m.values.Close(t)
	if m.capped {
		t.Warn(capWarning)
	}
}
