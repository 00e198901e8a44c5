package duckdb

import (
	"net/netip"
	"strings"

	duck "github.com/duckdb/duckdb-go-bindings"

	"github.com/postern/postern/internal/event"
)

// A table keeps values of E, one a row.
type table[E any] struct {
	name    string
	columns []column[E]

	// near says where a row belongs; nil for rows that are kept as they come.
	near func(*E) locality
}

// ddl returns the statement that makes t.
func (t *table[E]) ddl() string {
	defs := make([]string, len(t.columns))
	for i := range t.columns {
		defs[i] = t.columns[i].ddl()
	}
	return "CREATE TABLE " + t.name + " (" + strings.Join(defs, ", ") + ")"
}

// read returns the columns that are read back.
func (t *table[E]) read() []column[E] {
	var cs []column[E]
	for _, c := range t.columns {
		if c.get != nil {
			cs = append(cs, c)
		}
	}
	return cs
}

// list returns the names of columns for SELECT.
func list[E any](columns []column[E]) string {
	names := make([]string, len(columns))
	for i := range columns {
		names[i] = columns[i].name
	}
	return strings.Join(names, ", ")
}

func starts() *table[event.ProcessStart] {
	type E = event.ProcessStart
	return &table[E]{name: "process_start", columns: []column[E]{
		key((*E).Key),
		label("host", func(e *E) *string { return &e.Host }),
		moment("time", func(e *E) *event.Time { return &e.Time }),
		name("source", func(e *E) *event.Source { return &e.Source }),
		number("record", duck.TypeUBigInt, func(e *E) *uint64 { return &e.Record }),
		number("pid", duck.TypeUInteger, func(e *E) *uint32 { return &e.PID }),
		text("guid", func(e *E) *string { return &e.GUID }),
		number("parent_pid", duck.TypeUInteger, func(e *E) *uint32 { return &e.ParentPID }),
		text("parent_guid", func(e *E) *string { return &e.ParentGUID }),
		label("parent_image", func(e *E) *string { return &e.ParentImage }),
		text("parent_command_line", func(e *E) *string { return &e.ParentCommandLine }),
		label("image", func(e *E) *string { return &e.Image }),
		text("command_line", func(e *E) *string { return &e.CommandLine }),
		label("user_name", func(e *E) *string { return &e.User }),
		label("original_name", func(e *E) *string { return &e.OriginalName }),
		label("product", func(e *E) *string { return &e.Product }),
		label("company", func(e *E) *string { return &e.Company }),
		label("hashes", func(e *E) *string { return &e.Hashes }),
	}, near: func(e *E) locality { return ofHost(e.Host) }}
}

func stops() *table[event.ProcessStop] {
	type E = event.ProcessStop
	return &table[E]{name: "process_stop", columns: []column[E]{
		key((*E).Key),
		label("host", func(e *E) *string { return &e.Host }),
		moment("time", func(e *E) *event.Time { return &e.Time }),
		name("source", func(e *E) *event.Source { return &e.Source }),
		number("record", duck.TypeUBigInt, func(e *E) *uint64 { return &e.Record }),
		number("pid", duck.TypeUInteger, func(e *E) *uint32 { return &e.PID }),
		text("guid", func(e *E) *string { return &e.GUID }),
		label("image", func(e *E) *string { return &e.Image }),
	}, near: func(e *E) locality { return ofHost(e.Host) }}
}

func connects() *table[event.Connect] {
	type E = event.Connect
	src := func(e *E) *netip.AddrPort { return &e.Src }
	dst := func(e *E) *netip.AddrPort { return &e.Dst }
	return &table[E]{name: "connect", columns: append([]column[E]{
		key((*E).Key),
		label("host", func(e *E) *string { return &e.Host }),
		moment("time", func(e *E) *event.Time { return &e.Time }),
		name("source", func(e *E) *event.Source { return &e.Source }),
		number("record", duck.TypeUBigInt, func(e *E) *uint64 { return &e.Record }),
		number("pid", duck.TypeUInteger, func(e *E) *uint32 { return &e.PID }),
		text("guid", func(e *E) *string { return &e.GUID }),
		label("image", func(e *E) *string { return &e.Image }),
		label("user_name", func(e *E) *string { return &e.User }),
		proto(func(e *E) *event.Proto { return &e.Proto }),
		endAddr("src_addr", src), endPort("src_port", src),
		endAddr("dst_addr", dst), endPort("dst_port", dst),
		flag("outbound", func(e *E) *bool { return &e.Outbound }),
		label("dst_name", func(e *E) *string { return &e.DstName }),
		text("community_id", func(e *E) *string { return &e.CommunityID }),
	}, volume(func(e *E) *event.Volume { return &e.Volume })...), near: localEnd}
}

func lookups() *table[event.Lookup] {
	type E = event.Lookup
	return &table[E]{name: "lookup", columns: []column[E]{
		key((*E).Key),
		label("host", func(e *E) *string { return &e.Host }),
		label("sensor", func(e *E) *string { return &e.Sensor }),
		moment("time", func(e *E) *event.Time { return &e.Time }),
		name("source", func(e *E) *event.Source { return &e.Source }),
		number("record", duck.TypeUBigInt, func(e *E) *uint64 { return &e.Record }),
		number("pid", duck.TypeUInteger, func(e *E) *uint32 { return &e.PID }),
		text("guid", func(e *E) *string { return &e.GUID }),
		label("image", func(e *E) *string { return &e.Image }),
		addr("client", func(e *E) *netip.Addr { return &e.Client }),
		label("name", func(e *E) *string { return &e.Name }),
		addrs("answers", func(e *E) *[]netip.Addr { return &e.Answers }),
	}, near: func(e *E) locality { return locality{e.Client, e.Host} }}
}

func flows() *table[event.Flow] {
	type E = event.Flow
	src := func(e *E) *netip.AddrPort { return &e.Src }
	dst := func(e *E) *netip.AddrPort { return &e.Dst }
	return &table[E]{name: "flow", columns: []column[E]{
		key((*E).Key),
		label("sensor", func(e *E) *string { return &e.Sensor }),
		moment("time", func(e *E) *event.Time { return &e.Time }),
		text("uid", func(e *E) *string { return &e.UID }),
		proto(func(e *E) *event.Proto { return &e.Proto }),
		endAddr("src_addr", src), endPort("src_port", src),
		endAddr("dst_addr", dst), endPort("dst_port", dst),
		count("duration", func(e *E) *event.Count { return &e.Duration }),
		count("bytes_out", func(e *E) *event.Count { return &e.BytesOut }),
		count("bytes_in", func(e *E) *event.Count { return &e.BytesIn }),
		count("packets_out", func(e *E) *event.Count { return &e.PacketsOut }),
		count("packets_in", func(e *E) *event.Count { return &e.PacketsIn }),
		label("state", func(e *E) *string { return &e.State }),
		label("history", func(e *E) *string { return &e.History }),
		label("service", func(e *E) *string { return &e.Service }),
		flag("open", func(e *E) *bool { return &e.Open }),
		text("community_id", func(e *E) *string { return &e.CommunityID }),
	}, near: func(e *E) locality { return ofAddr(e.Src) }}
}

func handshakes() *table[event.Handshake] {
	type E = event.Handshake
	src := func(e *E) *netip.AddrPort { return &e.Src }
	dst := func(e *E) *netip.AddrPort { return &e.Dst }
	return &table[E]{name: "handshake", columns: []column[E]{
		key((*E).Key),
		label("sensor", func(e *E) *string { return &e.Sensor }),
		moment("time", func(e *E) *event.Time { return &e.Time }),
		text("uid", func(e *E) *string { return &e.UID }),
		proto(func(e *E) *event.Proto { return &e.Proto }),
		endAddr("src_addr", src), endPort("src_port", src),
		endAddr("dst_addr", dst), endPort("dst_port", dst),
		label("sni", func(e *E) *string { return &e.SNI }),
		label("version", func(e *E) *string { return &e.Version }),
		label("alpn", func(e *E) *string { return &e.ALPN }),
		label("ja3", func(e *E) *string { return &e.JA3 }),
		label("ja3s", func(e *E) *string { return &e.JA3S }),
		label("ja4", func(e *E) *string { return &e.JA4 }),
		label("subject", func(e *E) *string { return &e.Subject }),
		label("issuer", func(e *E) *string { return &e.Issuer }),
		text("cert_id", func(e *E) *string { return &e.CertID }),
		tri("established", func(e *E) *event.Tri { return &e.Established }),
	}, near: func(e *E) locality { return ofAddr(e.Src) }}
}

func certificates() *table[event.Certificate] {
	type E = event.Certificate
	return &table[E]{name: "certificate", columns: []column[E]{
		key((*E).Key),
		label("sensor", func(e *E) *string { return &e.Sensor }),
		moment("time", func(e *E) *event.Time { return &e.Time }),
		text("id", func(e *E) *string { return &e.ID }),
		label("subject", func(e *E) *string { return &e.Subject }),
		label("issuer", func(e *E) *string { return &e.Issuer }),
		moment("not_before", func(e *E) *event.Time { return &e.NotBefore }),
		moment("not_after", func(e *E) *event.Time { return &e.NotAfter }),
	}}
}

func requests() *table[event.Request] {
	type E = event.Request
	src := func(e *E) *netip.AddrPort { return &e.Src }
	dst := func(e *E) *netip.AddrPort { return &e.Dst }
	return &table[E]{name: "request", columns: append([]column[E]{
		key((*E).Key),
		label("sensor", func(e *E) *string { return &e.Sensor }),
		moment("time", func(e *E) *event.Time { return &e.Time }),
		text("uid", func(e *E) *string { return &e.UID }),
		endAddr("src_addr", src), endPort("src_port", src),
		endAddr("dst_addr", dst), endPort("dst_port", dst),
		label("method", func(e *E) *string { return &e.Method }),
		label("scheme", func(e *E) *string { return &e.Scheme }),
		label("host", func(e *E) *string { return &e.Host }),
		number("port", duck.TypeUSmallInt, func(e *E) *uint16 { return &e.Port }),
		label("user_name", func(e *E) *string { return &e.User }),
		whole("status", func(e *E) *int { return &e.Status }),
	}, volume(func(e *E) *event.Volume { return &e.Volume })...), near: func(e *E) locality { return ofAddr(e.Src) }}
}

// volume is what a source that is no network sensor counted.
func volume[E any](at func(*E) *event.Volume) []column[E] {
	return []column[E]{
		flag("counted", func(e *E) *bool { return &at(e).Counted }),
		count("duration", func(e *E) *event.Count { return &at(e).Duration }),
		count("bytes_out", func(e *E) *event.Count { return &at(e).BytesOut }),
		count("bytes_in", func(e *E) *event.Count { return &at(e).BytesIn }),
	}
}

func leases() *table[event.Lease] {
	type E = event.Lease
	return &table[E]{name: "lease", columns: []column[E]{
		key((*E).Key),
		label("sensor", func(e *E) *string { return &e.Sensor }),
		moment("time", func(e *E) *event.Time { return &e.Time }),
		label("host", func(e *E) *string { return &e.Host }),
		addr("addr", func(e *E) *netip.Addr { return &e.Addr }),
		label("mac", func(e *E) *string { return &e.MAC }),
		count("duration", func(e *E) *event.Count { return &e.Duration }),
	}, near: func(e *E) locality { return locality{addr: e.Addr} }}
}

func notices() *table[event.Notice] {
	type E = event.Notice
	return &table[E]{name: "notice", columns: []column[E]{
		key((*E).Key),
		label("host", func(e *E) *string { return &e.Host }),
		moment("time", func(e *E) *event.Time { return &e.Time }),
		name("source", func(e *E) *event.Source { return &e.Source }),
		number("record", duck.TypeUBigInt, func(e *E) *uint64 { return &e.Record }),
		label("kind", func(e *E) *string { return &e.Kind }),
		text("text", func(e *E) *string { return &e.Text }),
	}, near: func(e *E) locality { return ofHost(e.Host) }}
}

func sessions() *table[event.Session] {
	type E = event.Session
	dst := func(e *E) *netip.AddrPort { return &e.Dst }
	return &table[E]{name: "session", columns: []column[E]{
		number("key", duck.TypeUBigInt, func(e *E) *event.Key { return &e.Key }),
		label("host", func(e *E) *string { return &e.Host }),
		addr("client", func(e *E) *netip.Addr { return &e.Client }),
		label("sensor", func(e *E) *string { return &e.Sensor }),
		name("rung", func(e *E) *event.Rung { return &e.Rung }),
		label("program", func(e *E) *string { return &e.Program }),
		number("pid", duck.TypeUInteger, func(e *E) *uint32 { return &e.PID }),
		text("guid", func(e *E) *string { return &e.GUID }),
		label("image", func(e *E) *string { return &e.Image }),
		label("user_name", func(e *E) *string { return &e.User }),
		label("original_name", func(e *E) *string { return &e.OriginalName }),
		label("other_image", func(e *E) *string { return &e.OtherImage }),
		label("name", func(e *E) *string { return &e.Name }),
		name("name_source", func(e *E) *event.NameSource { return &e.NameSource }),
		label("domain", func(e *E) *string { return &e.Domain }),
		endAddr("dst_addr", dst), endPort("dst_port", dst),
		proto(func(e *E) *event.Proto { return &e.Proto }),
		moment("time", func(e *E) *event.Time { return &e.Start }),
		count("duration", func(e *E) *event.Count { return &e.Duration }),
		count("bytes_out", func(e *E) *event.Count { return &e.BytesOut }),
		count("bytes_in", func(e *E) *event.Count { return &e.BytesIn }),
		flag("open", func(e *E) *bool { return &e.Open }),
		name("evidence", func(e *E) *event.TLSEvidence { return &e.Evidence }),
		label("sni", func(e *E) *string { return &e.SNI }),
		label("ja3", func(e *E) *string { return &e.JA3 }),
		label("ja4", func(e *E) *string { return &e.JA4 }),
		label("issuer", func(e *E) *string { return &e.Issuer }),
		label("subject", func(e *E) *string { return &e.Subject }),
		tri("established", func(e *E) *event.Tri { return &e.Established }),
		text("uid", func(e *E) *string { return &e.UID }),
	}}
}
