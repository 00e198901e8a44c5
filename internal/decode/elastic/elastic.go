// Package elastic reads the events of Elastic Defend, an endpoint agent, as
// Elasticsearch has them.
package elastic

import (
	"bytes"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/agent"
)

// Formats returns the formats of this package.
func Formats() []*decode.Format {
	j := &agent.JSON{
		Clock: "@timestamp (endpoint)",
		New:   func() agent.Mapper { return &mapper{} },
		Marks: []string{`"endpoint.events.`, `"_source"`},
	}
	return []*decode.Format{{
		Name:       "elastic-defend",
		Doc:        doc,
		Extensions: []string{".ndjson", ".json"},
		Match:      j.Match,
		Open:       j.Open,
	}}
}

const doc = `Elastic Defend events

Documents of the data streams logs-endpoint.events.process and .network, in the
Elastic Common Schema: one a line, in an array, below _source of the hits of a
search, or a whole answer of a search of up to 16 MiB. Written from the schema
that Elastic publishes; not yet seen from a live source.

Gives: process starts (start, exec, fork) and ends; connects, of
connection_attempted and connection_accepted; the bytes that the endpoint itself
counted, of disconnect_received, as a connect of its own from the begin of the
connection: the rung native; lookups, of lookup_result.

Lacks: server names, fingerprints. An attempt is no success: without a flow, and
where the wire was watched, it is counted as one. The begin of a connection is
event.start, else the end less event.duration, else the attempt in the same
input, of the same process and addresses. An end of which none of them is known
is counted and ignored, as its time is not that of the connection. Other streams
(file, registry, library, alerts) are counted and ignored.

Clock: @timestamp, the endpoint's own.`

// A mapper makes events of documents.
type mapper struct {
	values agent.Values
	opened opened
	late   int64 // disconnects whose begin is not known
}

// Own implements [agent.Mapper].
func (m *mapper) Own(r *agent.Record) bool {
	if string(r.Text("agent", "type")) == "endpoint" && r.Has("event") {
		return true
	}
	return string(r.Text("event", "module")) == "endpoint" ||
		bytes.HasPrefix(r.Text("event", "dataset"), []byte("endpoint.events."))
}
