package schema

import (
	"net/netip"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/store"
)

// Starts is the table of process starts.
func Starts[C any](m Maker[event.ProcessStart, C]) Table[C] {
	type E = event.ProcessStart
	return Table[C]{Name: "process_start", Columns: []C{
		m.Key((*E).Key),
		m.Label("host", func(e *E) *string { return &e.Host }),
		m.Time("time", func(e *E) *event.Time { return &e.Time }),
		m.Source("source", func(e *E) *event.Source { return &e.Source }),
		m.Uint64("record", func(e *E) *uint64 { return &e.Record }),
		m.Uint32("pid", func(e *E) *uint32 { return &e.PID }),
		m.Text("guid", func(e *E) *string { return &e.GUID }),
		m.Uint32("parent_pid", func(e *E) *uint32 { return &e.ParentPID }),
		m.Text("parent_guid", func(e *E) *string { return &e.ParentGUID }),
		m.Label("parent_image", func(e *E) *string { return &e.ParentImage }),
		m.Text("parent_command_line", func(e *E) *string { return &e.ParentCommandLine }),
		m.Label("image", func(e *E) *string { return &e.Image }),
		m.Text("command_line", func(e *E) *string { return &e.CommandLine }),
		m.Label("user_name", func(e *E) *string { return &e.User }),
		m.Label("original_name", func(e *E) *string { return &e.OriginalName }),
		m.Label("product", func(e *E) *string { return &e.Product }),
		m.Label("company", func(e *E) *string { return &e.Company }),
		m.Label("hashes", func(e *E) *string { return &e.Hashes }),
	}}
}

// Stops is the table of process stops.
func Stops[C any](m Maker[event.ProcessStop, C]) Table[C] {
	type E = event.ProcessStop
	return Table[C]{Name: "process_stop", Columns: []C{
		m.Key((*E).Key),
		m.Label("host", func(e *E) *string { return &e.Host }),
		m.Time("time", func(e *E) *event.Time { return &e.Time }),
		m.Source("source", func(e *E) *event.Source { return &e.Source }),
		m.Uint64("record", func(e *E) *uint64 { return &e.Record }),
		m.Uint32("pid", func(e *E) *uint32 { return &e.PID }),
		m.Text("guid", func(e *E) *string { return &e.GUID }),
		m.Label("image", func(e *E) *string { return &e.Image }),
	}}
}

// Connects is the table of connects.
func Connects[C any](m Maker[event.Connect, C]) Table[C] {
	type E = event.Connect
	src := func(e *E) *netip.AddrPort { return &e.Src }
	dst := func(e *E) *netip.AddrPort { return &e.Dst }
	return Table[C]{Name: "connect", Columns: append([]C{
		m.Key((*E).Key),
		m.Label("host", func(e *E) *string { return &e.Host }),
		m.Time("time", func(e *E) *event.Time { return &e.Time }),
		m.Source("source", func(e *E) *event.Source { return &e.Source }),
		m.Uint64("record", func(e *E) *uint64 { return &e.Record }),
		m.Uint32("pid", func(e *E) *uint32 { return &e.PID }),
		m.Text("guid", func(e *E) *string { return &e.GUID }),
		m.Label("image", func(e *E) *string { return &e.Image }),
		m.Label("user_name", func(e *E) *string { return &e.User }),
		m.Proto("proto", func(e *E) *event.Proto { return &e.Proto }),
		m.EndAddr("src_addr", src), m.EndPort("src_port", src),
		m.EndAddr("dst_addr", dst), m.EndPort("dst_port", dst),
		m.Flag("outbound", func(e *E) *bool { return &e.Outbound }),
		m.Label("dst_name", func(e *E) *string { return &e.DstName }),
		m.Text("community_id", func(e *E) *string { return &e.CommunityID }),
		m.Flag("attempt", func(e *E) *bool { return &e.Attempt }),
	}, volume(m, func(e *E) *event.Volume { return &e.Volume })...)}
}

// Lookups is the table of DNS lookups.
func Lookups[C any](m Maker[event.Lookup, C]) Table[C] {
	type E = event.Lookup
	return Table[C]{Name: "lookup", Columns: []C{
		m.Key((*E).Key),
		m.Label("host", func(e *E) *string { return &e.Host }),
		m.Label("sensor", func(e *E) *string { return &e.Sensor }),
		m.Time("time", func(e *E) *event.Time { return &e.Time }),
		m.Source("source", func(e *E) *event.Source { return &e.Source }),
		m.Uint64("record", func(e *E) *uint64 { return &e.Record }),
		m.Uint32("pid", func(e *E) *uint32 { return &e.PID }),
		m.Text("guid", func(e *E) *string { return &e.GUID }),
		m.Label("image", func(e *E) *string { return &e.Image }),
		m.Addr("client", func(e *E) *netip.Addr { return &e.Client }),
		m.Label("name", func(e *E) *string { return &e.Name }),
		m.Addrs("answers", func(e *E) *[]netip.Addr { return &e.Answers }),
	}}
}

// Flows is the table of flows.
func Flows[C any](m Maker[event.Flow, C]) Table[C] {
	type E = event.Flow
	src := func(e *E) *netip.AddrPort { return &e.Src }
	dst := func(e *E) *netip.AddrPort { return &e.Dst }
	return Table[C]{Name: "flow", Columns: []C{
		m.Key((*E).Key),
		m.Label("sensor", func(e *E) *string { return &e.Sensor }),
		m.Time("time", func(e *E) *event.Time { return &e.Time }),
		m.Text("uid", func(e *E) *string { return &e.UID }),
		m.Proto("proto", func(e *E) *event.Proto { return &e.Proto }),
		m.EndAddr("src_addr", src), m.EndPort("src_port", src),
		m.EndAddr("dst_addr", dst), m.EndPort("dst_port", dst),
		m.Count("duration", func(e *E) *event.Count { return &e.Duration }),
		m.Count("bytes_out", func(e *E) *event.Count { return &e.BytesOut }),
		m.Count("bytes_in", func(e *E) *event.Count { return &e.BytesIn }),
		m.Count("packets_out", func(e *E) *event.Count { return &e.PacketsOut }),
		m.Count("packets_in", func(e *E) *event.Count { return &e.PacketsIn }),
		m.Label("state", func(e *E) *string { return &e.State }),
		m.Label("history", func(e *E) *string { return &e.History }),
		m.Label("service", func(e *E) *string { return &e.Service }),
		m.Flag("open", func(e *E) *bool { return &e.Open }),
		m.Text("community_id", func(e *E) *string { return &e.CommunityID }),
	}}
}

// Handshakes is the table of TLS handshakes.
func Handshakes[C any](m Maker[event.Handshake, C]) Table[C] {
	type E = event.Handshake
	src := func(e *E) *netip.AddrPort { return &e.Src }
	dst := func(e *E) *netip.AddrPort { return &e.Dst }
	return Table[C]{Name: "handshake", Columns: []C{
		m.Key((*E).Key),
		m.Label("sensor", func(e *E) *string { return &e.Sensor }),
		m.Time("time", func(e *E) *event.Time { return &e.Time }),
		m.Text("uid", func(e *E) *string { return &e.UID }),
		m.Proto("proto", func(e *E) *event.Proto { return &e.Proto }),
		m.EndAddr("src_addr", src), m.EndPort("src_port", src),
		m.EndAddr("dst_addr", dst), m.EndPort("dst_port", dst),
		m.Label("sni", func(e *E) *string { return &e.SNI }),
		m.Label("version", func(e *E) *string { return &e.Version }),
		m.Label("alpn", func(e *E) *string { return &e.ALPN }),
		m.Label("ja3", func(e *E) *string { return &e.JA3 }),
		m.Label("ja3s", func(e *E) *string { return &e.JA3S }),
		m.Label("ja4", func(e *E) *string { return &e.JA4 }),
		m.Label("subject", func(e *E) *string { return &e.Subject }),
		m.Label("issuer", func(e *E) *string { return &e.Issuer }),
		m.Text("cert_id", func(e *E) *string { return &e.CertID }),
		m.Tri("established", func(e *E) *event.Tri { return &e.Established }),
	}}
}

// Certificates is the table of certificates.
func Certificates[C any](m Maker[event.Certificate, C]) Table[C] {
	type E = event.Certificate
	return Table[C]{Name: "certificate", Columns: []C{
		m.Key((*E).Key),
		m.Label("sensor", func(e *E) *string { return &e.Sensor }),
		m.Time("time", func(e *E) *event.Time { return &e.Time }),
		m.Text("id", func(e *E) *string { return &e.ID }),
		m.Label("subject", func(e *E) *string { return &e.Subject }),
		m.Label("issuer", func(e *E) *string { return &e.Issuer }),
		m.Time("not_before", func(e *E) *event.Time { return &e.NotBefore }),
		m.Time("not_after", func(e *E) *event.Time { return &e.NotAfter }),
	}}
}

// Requests is the table of proxied requests.
func Requests[C any](m Maker[event.Request, C]) Table[C] {
	type E = event.Request
	src := func(e *E) *netip.AddrPort { return &e.Src }
	dst := func(e *E) *netip.AddrPort { return &e.Dst }
	return Table[C]{Name: "request", Columns: append([]C{
		m.Key((*E).Key),
		m.Label("sensor", func(e *E) *string { return &e.Sensor }),
		m.Time("time", func(e *E) *event.Time { return &e.Time }),
		m.Text("uid", func(e *E) *string { return &e.UID }),
		m.EndAddr("src_addr", src), m.EndPort("src_port", src),
		m.EndAddr("dst_addr", dst), m.EndPort("dst_port", dst),
		m.Label("method", func(e *E) *string { return &e.Method }),
		m.Label("scheme", func(e *E) *string { return &e.Scheme }),
		m.Label("host", func(e *E) *string { return &e.Host }),
		m.Uint16("port", func(e *E) *uint16 { return &e.Port }),
		m.Label("user_name", func(e *E) *string { return &e.User }),
		m.Int("status", func(e *E) *int { return &e.Status }),
	}, volume(m, func(e *E) *event.Volume { return &e.Volume })...)}
}

// volume is what a source that is no network sensor counted.
func volume[E, C any](m Maker[E, C], at func(*E) *event.Volume) []C {
	return []C{
		m.Flag("counted", func(e *E) *bool { return &at(e).Counted }),
		m.Count("duration", func(e *E) *event.Count { return &at(e).Duration }),
		m.Count("bytes_out", func(e *E) *event.Count { return &at(e).BytesOut }),
		m.Count("bytes_in", func(e *E) *event.Count { return &at(e).BytesIn }),
	}
}

// Leases is the table of leases.
func Leases[C any](m Maker[event.Lease, C]) Table[C] {
	type E = event.Lease
	return Table[C]{Name: "lease", Columns: []C{
		m.Key((*E).Key),
		m.Label("sensor", func(e *E) *string { return &e.Sensor }),
		m.Time("time", func(e *E) *event.Time { return &e.Time }),
		m.Label("host", func(e *E) *string { return &e.Host }),
		m.Addr("addr", func(e *E) *netip.Addr { return &e.Addr }),
		m.Label("mac", func(e *E) *string { return &e.MAC }),
		m.Count("duration", func(e *E) *event.Count { return &e.Duration }),
	}}
}

// Notices is the table of notices.
func Notices[C any](m Maker[event.Notice, C]) Table[C] {
	type E = event.Notice
	return Table[C]{Name: "notice", Columns: []C{
		m.Key((*E).Key),
		m.Label("host", func(e *E) *string { return &e.Host }),
		m.Time("time", func(e *E) *event.Time { return &e.Time }),
		m.Source("source", func(e *E) *event.Source { return &e.Source }),
		m.Uint64("record", func(e *E) *uint64 { return &e.Record }),
		m.Label("kind", func(e *E) *string { return &e.Kind }),
		m.Text("text", func(e *E) *string { return &e.Text }),
	}}
}

// Sessions is the table of sessions.
func Sessions[C any](m Maker[event.Session, C]) Table[C] {
	type E = event.Session
	dst := func(e *E) *netip.AddrPort { return &e.Dst }
	return Table[C]{Name: "session", Columns: []C{
		m.Stored("key", func(e *E) *event.Key { return &e.Key }),
		m.Label("host", func(e *E) *string { return &e.Host }),
		m.Addr("client", func(e *E) *netip.Addr { return &e.Client }),
		m.Label("sensor", func(e *E) *string { return &e.Sensor }),
		m.Rung("rung", func(e *E) *event.Rung { return &e.Rung }),
		m.Label("program", func(e *E) *string { return &e.Program }),
		m.Uint32("pid", func(e *E) *uint32 { return &e.PID }),
		m.Text("guid", func(e *E) *string { return &e.GUID }),
		m.Label("image", func(e *E) *string { return &e.Image }),
		m.Label("user_name", func(e *E) *string { return &e.User }),
		m.Label("original_name", func(e *E) *string { return &e.OriginalName }),
		m.Label("other_image", func(e *E) *string { return &e.OtherImage }),
		m.Label("name", func(e *E) *string { return &e.Name }),
		m.NameSource("name_source", func(e *E) *event.NameSource { return &e.NameSource }),
		m.Label("domain", func(e *E) *string { return &e.Domain }),
		m.EndAddr("dst_addr", dst), m.EndPort("dst_port", dst),
		m.Proto("proto", func(e *E) *event.Proto { return &e.Proto }),
		m.Time("time", func(e *E) *event.Time { return &e.Start }),
		m.Count("duration", func(e *E) *event.Count { return &e.Duration }),
		m.Count("bytes_out", func(e *E) *event.Count { return &e.BytesOut }),
		m.Count("bytes_in", func(e *E) *event.Count { return &e.BytesIn }),
		m.Flag("open", func(e *E) *bool { return &e.Open }),
		m.Evidence("evidence", func(e *E) *event.TLSEvidence { return &e.Evidence }),
		m.Label("sni", func(e *E) *string { return &e.SNI }),
		m.Label("ja3", func(e *E) *string { return &e.JA3 }),
		m.Label("ja4", func(e *E) *string { return &e.JA4 }),
		m.Label("issuer", func(e *E) *string { return &e.Issuer }),
		m.Label("subject", func(e *E) *string { return &e.Subject }),
		m.Tri("established", func(e *E) *event.Tri { return &e.Established }),
		m.Text("uid", func(e *E) *string { return &e.UID }),
	}}
}

// Inputs is the table of the inputs that were read.
func Inputs[C any](m Maker[store.Input, C]) Table[C] {
	type E = store.Input
	return Table[C]{Name: "input", Columns: []C{
		m.Text("fingerprint", func(e *E) *string { return &e.Fingerprint }),
		m.Text("path", func(e *E) *string { return &e.Path }),
		m.Text("format", func(e *E) *string { return &e.Format }),
		m.Int64("records", func(e *E) *int64 { return &e.Records }),
		m.Int64("events", func(e *E) *int64 { return &e.Events }),
		m.Int64("skipped", func(e *E) *int64 { return &e.Skipped }),
		m.Text("clock", func(e *E) *string { return &e.Clock }),
		m.Time("read_at", func(e *E) *event.Time { return &e.ReadAt }),
	}}
}

// Tellings is the table of the findings that were told.
func Tellings[C any](m Maker[store.Told, C]) Table[C] {
	type E = store.Told
	return Table[C]{Name: "told", Columns: []C{
		m.Text("id", func(e *E) *string { return &e.ID }),
		m.Time("time", func(e *E) *event.Time { return &e.Time }),
		m.Float64("score", func(e *E) *float64 { return &e.Score }),
		m.Int("hosts", func(e *E) *int { return &e.Hosts }),
		m.Count("bytes_out", func(e *E) *event.Count { return &e.BytesOut }),
		m.Label("tier", func(e *E) *string { return &e.Tier }),
	}}
}
