package columns

import (
	"bytes"
	"net/http"
	"net/netip"
	"time"

	"github.com/valyala/fastjson"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/gateway"
	"github.com/postern/postern/internal/event"
)

// A column is where a field stands.
type column struct {
	field field
	name  string
}

// A table is a Map, prepared for reading.
type table struct {
	columns   []column
	constants row
	event     func(r *row, b *event.Batch) gateway.Verdict
	name      string
	separator byte
	layout    string
	zone      *time.Location
	unit      int64 // of durations, in microseconds
}

func newTable(m *Map) *table {
	t := &table{name: m.Name, separator: m.separator(), layout: m.layout(), unit: unit(m.Durations)}
	t.zone, _ = zoneOf(m.Zone) // the map is valid
	for f, name := range m.Columns.all() {
		if name != "" {
			t.columns = append(t.columns, column{field(f), name})
		}
	}
	for f, value := range m.Constants.all() {
		if value != "" {
			t.constants[f] = []byte(value)
		}
	}
	if t.event = t.request; m.Event == eventFlow {
		t.event = t.flow
	}
	return t
}

// A row is the fields of one record.
type row [fields][]byte

// header returns which column each field of a line is in, and the name of a
// column that the line lacks.
func (t *table) header(line []byte) (places [][]field, missing string) {
	at := make(map[string]int)
	for more := true; more; {
		var name []byte
		name, line, more = gateway.Field(line, t.separator)
		at[string(bytes.TrimSpace(unquoted(name)))] = len(places)
		places = append(places, nil)
		if len(places) > maxColumns {
			return nil, "a bound"
		}
	}
	for _, c := range t.columns {
		i, ok := at[c.name]
		if !ok {
			return nil, c.name
		}
		places[i] = append(places[i], c.field)
	}
	return places, ""
}

// maxColumns bounds the columns of a file.
const maxColumns = 1024

// unquoted undoubles quotes.
func unquoted(b []byte) []byte {
	if bytes.Contains(b, []byte(`""`)) {
		return bytes.ReplaceAll(b, []byte(`""`), []byte(`"`))
	}
	return b
}

// rows reads the rows of one file.
type rows struct {
	table  *table
	first  []byte // the header, which may come again
	places [][]field
	row    row // of the line
}

// line reads the header or a row.
func (r *rows) line(line []byte, b *event.Batch) gateway.Verdict {
	switch {
	case r.places == nil:
		places, missing := r.table.header(line)
		if missing != "" {
			return gateway.Skip("no line with all names of columns before it")
		}
		r.places, r.first = places, bytes.Clone(line)
		return gateway.Verdict{Layout: true}
	case bytes.Equal(line, r.first):
		return gateway.Verdict{Layout: true}
	}
	r.row = r.table.constants
	for i, places := range r.places {
		value, rest, more := gateway.Field(line, r.table.separator)
		if more == (i == len(r.places)-1) {
			return gateway.Skip("not as many fields as names of columns")
		}
		for _, f := range places {
			r.row[f] = bytes.TrimSpace(unquoted(value))
		}
		line = rest
	}
	return r.table.event(&r.row, b)
}

// object reads a row of JSON.
func (r *rows) object(v *fastjson.Value, b *event.Batch) gateway.Verdict {
	r.row = r.table.constants
	for _, c := range r.table.columns {
		r.row[c.field] = gateway.Scalar(find(v, c.name))
	}
	return r.table.event(&r.row, b)
}

// at reads a time, Never where there is none.
func (t *table) at(r *row, f field) (event.Time, bool) {
	b := r[f]
	if !gateway.Said(b) {
		return event.Never, true
	}
	if gateway.Said(r[date]) {
		b = append(append(bytes.Clone(r[date]), ' '), b...)
	}
	if t.layout == epoch {
		return gateway.Epoch(b)
	}
	return gateway.Clock(b, t.layout, t.zone)
}

// span is when a row's event began, and how long it lasted.
type span struct {
	begin  event.Time
	lasted event.Count
}

// span reads that of a row. It is false where no time can be read.
func (t *table) span(r *row) (span, bool) {
	first, ok := t.at(r, begin)
	last, ok2 := t.at(r, end)
	lasted, ok3 := gateway.Count(r[duration])
	s := span{first, gateway.Times(lasted, max(t.unit, 1))}
	if !s.lasted.Known() && first != event.Never && last >= first {
		s.lasted = event.Count(last - first)
	}
	if first == event.Never {
		if s.begin = last; s.lasted.Known() {
			s.begin -= event.Time(s.lasted)
		}
	}
	return s, ok && ok2 && ok3 && s.begin > 0
}

// ends reads both ends and the bytes of a row.
func (t *table) ends(r *row) (f event.Flow, v gateway.Verdict) {
	var ok, ok2 bool
	if f.Src, ok = gateway.AddrPort(r[client], r[clientPort]); !ok {
		return f, gateway.Skip(gateway.NoClient)
	}
	if gateway.Said(r[server]) {
		if f.Dst, ok = gateway.AddrPort(r[server], r[serverPort]); !ok {
			return f, gateway.Skip(gateway.NoEnd)
		}
	}
	f.BytesOut, ok = gateway.Count(r[bytesOut])
	if f.BytesIn, ok2 = gateway.Count(r[bytesIn]); !ok || !ok2 {
		return f, gateway.Skip(gateway.NoNumber)
	}
	s, ok := t.span(r)
	if !ok {
		return f, gateway.Skip(gateway.NoTime)
	}
	f.Time, f.Duration = s.begin, s.lasted
	if f.Sensor = gateway.Name(r[sensor]); f.Sensor == "" {
		f.Sensor = t.name
	}
	return f, gateway.Done
}

// flow makes the event of a connection.
func (t *table) flow(r *row, b *event.Batch) gateway.Verdict {
	f, v := t.ends(r)
	if v != gateway.Done {
		return v
	}
	var ok bool
	if f.Proto, ok = gateway.Proto(r[protocol]); !ok {
		return gateway.Skip("no transport protocol")
	}
	if f.Dst == (netip.AddrPort{}) {
		return gateway.Skip(gateway.NoEnd)
	}
	f.UID = gateway.SessionUID(f.Sensor, r[session], f.Src)
	f.Service = gateway.Name(r[service])
	f.PacketsOut, f.PacketsIn = event.Unknown, event.Unknown
	b.Flows = append(b.Flows, f)
	return gateway.Done
}

// request makes the event of a request to a proxy.
func (t *table) request(r *row, b *event.Batch) gateway.Verdict {
	f, v := t.ends(r)
	if v != gateway.Done {
		return v
	}
	q := gateway.Request{
		Sensor: f.Sensor, End: f.Time, Src: f.Src, Dst: f.Dst, Method: gateway.Method(r[method]),
		User: gateway.Name(r[user]), Status: gateway.Status(r[status], r[action]),
		Duration: f.Duration, BytesOut: f.BytesOut, BytesIn: f.BytesIn,
	}
	if f.Duration.Known() {
		q.End += event.Time(f.Duration)
	}
	var ok bool
	if q.Target, ok = target(r, q.Method); !ok {
		return gateway.Ignore("neither http nor https")
	}
	return q.Append(b)
}

// target returns what was asked for. It is false for what carries no HTTP.
func target(r *row, method string) (decode.Target, bool) {
	scheme, carries := gateway.Scheme(r[scheme])
	asked := r[url]
	if !gateway.Said(asked) || asked[0] == '/' {
		asked = r[host]
	}
	t := gateway.Asked(method, scheme, asked)
	if n, ok := gateway.Port(r[port]); ok && n != 0 {
		t.Port = n
	}
	return t, carries || method == http.MethodConnect || t.Scheme != ""
}
