package winlog

import (
	"errors"
	"fmt"
	"io"

	"github.com/valyala/fastjson"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// A jsonShape is how a collector arranges a record in JSON.
type jsonShape struct {
	// fill finds the fields of the record v and notes them in r.
	fill func(r *jsonRecord, v *fastjson.Value)

	// clock returns the record's time, and may warn of what that means.
	clock func(r *jsonRecord, t *decode.Tally) (event.Time, string)
}

// openJSON returns what a format's Open is.
func openJSON(shape *jsonShape) func(io.Reader, *decode.Tally) decode.Decoder {
	return func(r io.Reader, t *decode.Tally) decode.Decoder {
		return newDecoder(t, &jsonSource{
			values: decode.NewValues(r, 0),
			r:      jsonRecord{shape: shape, tally: t},
		})
	}
}

type jsonSource struct {
	values *decode.Values
	parser fastjson.Parser
	value  *fastjson.Value // of the line that parse took
	r      jsonRecord
}

// parse reports whether b is an object, and keeps it.
func (s *jsonSource) parse(b []byte) bool {
	v, err := s.parser.ParseBytes(b)
	if err != nil || v.Type() != fastjson.TypeObject {
		return false
	}
	s.value = v
	return true
}

func (s *jsonSource) next(m *mapper) (record, kind, error) {
	s.value = nil
	b, err := s.values.NextParsed(s.parse)
	if err != nil && !errors.Is(err, decode.ErrLong) {
		return nil, kind{}, err
	}
	m.tally.Records++
	s.r.line = s.values.Number()
	if err != nil {
		m.tally.Skip(s.r.where(), reasonLong)
		return nil, kind{}, nil
	}
	if s.value == nil && !s.parse(b) {
		m.tally.Skip(s.r.where(), reasonJSON)
		return nil, kind{}, nil
	}
	s.r.fill(s.value)
	k, ok := m.kind(&s.r)
	if !ok {
		return nil, kind{}, nil
	}
	return &s.r, k, nil
}

// A jsonRecord is a record that was parsed and filled.
type jsonRecord struct {
	fields
	shape   *jsonShape
	tally   *decode.Tally
	line    int64
	scratch []byte

	// What shapes note for their clocks.
	timestamp, created []byte
	replaced           bool // the Sysmon module has put UtcTime in the place of the time
}

func (r *jsonRecord) where() string { return fmt.Sprintf("line %d", r.line) }

func (r *jsonRecord) time() (event.Time, string) { return r.shape.clock(r, r.tally) }

func (r *jsonRecord) fill(v *fastjson.Value) {
	r.fields = fields{}
	r.scratch = r.scratch[:0]
	r.timestamp, r.created, r.replaced = nil, nil, false
	if inner := v.GetObject("_source"); inner != nil { // a hit of Elasticsearch
		v = v.Get("_source")
	}
	r.shape.fill(r, v)
}

// bytes returns a string, or the text of a number or boolean, or nil.
func (r *jsonRecord) bytes(v *fastjson.Value) []byte {
	if v == nil {
		return nil
	}
	switch v.Type() {
	case fastjson.TypeString:
		b, _ := v.StringBytes()
		return b
	case fastjson.TypeNumber, fastjson.TypeTrue, fastjson.TypeFalse:
		start := len(r.scratch)
		r.scratch = v.MarshalTo(r.scratch)
		return r.scratch[start:len(r.scratch):len(r.scratch)]
	}
	return nil
}

// get is bytes for the value below v at those keys.
func (r *jsonRecord) get(v *fastjson.Value, keys ...string) []byte {
	return r.bytes(v.Get(keys...))
}

// data notes the members of v that are fields by that table.
func (r *jsonRecord) data(v *fastjson.Value, names map[string]field) {
	o := v.GetObject()
	if o == nil {
		return
	}
	o.Visit(func(key []byte, v *fastjson.Value) {
		if f, ok := names[string(key)]; ok {
			r.fields[f] = r.bytes(v)
		}
	})
}

// or sets a field that the record does not have yet.
func (r *jsonRecord) or(f field, b []byte) {
	if len(r.fields[f]) == 0 {
		r.fields[f] = b
	}
}
