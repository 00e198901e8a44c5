package zeek

import (
	"bytes"
	"errors"
	"io"

	"github.com/valyala/fastjson"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// jsonSet separates the elements of an array in a row. It does not occur in
// what Zeek logs: it writes that byte as an escape.
const jsonSet = 0

// hugeObject is the size from which on the memory that an object took to
// parse is given back.
const hugeObject = 64 << 10

// maxHeadValues is how many values matchJSON looks at for one that parses.
const maxHeadValues = 8

// matchJSON accepts an input whose first object is of Zeek. A value that does
// not parse may stand before it: an input may begin in the middle of one.
func matchJSON(head []byte) bool {
	values := decode.NewValues(bytes.NewReader(head), maxRecord)
	o := newObjects()
	for range maxHeadValues {
		b, err := values.Next()
		if err != nil {
			return false
		}
		if o.parse(b) {
			return o.row.isZeek()
		}
	}
	return false
}

// A jsonDecoder decodes objects.
type jsonDecoder struct {
	recorder
	values  *decode.Values
	objects *objects
}

var _ decode.Decoder = (*jsonDecoder)(nil)

func newJSON(r io.Reader, t *decode.Tally) *jsonDecoder {
	return &jsonDecoder{recorder: newRecorder(t), values: decode.NewValues(r, maxRecord), objects: newObjects()}
}

// Decode implements [decode.Decoder].
func (d *jsonDecoder) Decode(b *event.Batch) error {
	events := 0
	defer func() { d.account(events) }()
	for n := 0; n < batchRows && events < batchEvents; n++ {
		value, err := d.values.Next()
		switch {
		case errors.Is(err, decode.ErrLong):
			d.tally.Records++
			d.tally.SkipLine(d.values.Number(), "object too long")
		case err != nil:
			d.close()
			return readError(err, d.values.Number())
		case d.take(value, b):
			events++
		}
	}
	return nil
}

// take makes an event of an object, and reports whether it has.
func (d *jsonDecoder) take(value []byte, b *event.Batch) bool {
	d.tally.Records++
	if !d.objects.parse(value) {
		d.tally.SkipLine(d.values.Number(), "not a JSON object")
		return false
	}
	r := &d.objects.row
	l, ok := logNames[string(r.col[colPath])]
	if !ok {
		l = infer(r.has())
	}
	if l != otherLog {
		return d.made(d.record(l, r, b), d.values.Number())
	}
	if !r.isZeek() {
		d.tally.SkipLine(d.values.Number(), "not a Zeek record")
		return false
	}
	d.tally.Ignore(d.labels.of(r.col[colPath]))
	return false
}

// has returns the columns that are set.
func (r *row) has() *columnSet {
	var s columnSet
	for c := range r.col {
		s[c] = r.col[c] != nil
	}
	return &s
}

// isZeek reports whether an object is a record of Zeek: it has Zeek's time,
// and names its log or has what only Zeek's logs have.
func (r *row) isZeek() bool {
	_, ok := instant(r.col[colTime])
	if !ok {
		_, ok = instant(r.col[colWriteTime])
	}
	if !ok {
		return false
	}
	has := r.has()
	switch {
	case has[colPath], infer(has) != otherLog:
		return true
	case has[colOrigHost] && has[colRespHost], has[colFile]:
		return true // weird, kerberos, files
	case has[colPeer] && has[colMeasure]:
		return true // stats, capture_loss
	}
	return has[colHost] && has[colPortNumber] // known_certs, known_services
}

// objects turns JSON objects into rows, one at a time.
type objects struct {
	parser *fastjson.Parser
	row    row
	buf    []byte // of numbers and sets; the row refers to it

	// The visitors, made once so that they need no allocation per object.
	visit, visitID, visitCertificate func(key []byte, v *fastjson.Value)
}

func newObjects() *objects {
	o := &objects{parser: new(fastjson.Parser)}
	o.visitID = func(key []byte, v *fastjson.Value) { o.set(idColumns[string(key)], v) }
	o.visitCertificate = func(key []byte, v *fastjson.Value) { o.set(certificateColumns[string(key)], v) }
	o.visit = o.member
	return o
}

// parse makes the row that b holds, and reports whether b is an object. The
// row is valid until the next call.
func (o *objects) parse(b []byte) bool {
	if len(b) > hugeObject {
		o.parser = new(fastjson.Parser)
	}
	o.row = row{set: jsonSet}
	o.buf = o.buf[:0]
	v, err := o.parser.ParseBytes(b)
	if err != nil || v.Type() != fastjson.TypeObject {
		return false
	}
	v.GetObject().Visit(o.visit)
	return true
}

// member takes in a member of the object.
func (o *objects) member(key []byte, v *fastjson.Value) {
	if v.Type() == fastjson.TypeObject {
		switch string(key) {
		case "id":
			v.GetObject().Visit(o.visitID)
		case "certificate":
			v.GetObject().Visit(o.visitCertificate)
		}
		return
	}
	o.set(flatColumns[string(key)], v)
}

// set sets a column. Of names with one meaning, the first counts.
func (o *objects) set(c column, v *fastjson.Value) {
	if c == noColumn || o.row.col[c] != nil {
		return
	}
	o.row.col[c] = o.value(v)
}

// value returns v as a column of a row would hold it.
func (o *objects) value(v *fastjson.Value) []byte {
	switch v.Type() {
	case fastjson.TypeString:
		return text(v)
	case fastjson.TypeNumber:
		from := len(o.buf)
		o.buf = v.MarshalTo(o.buf)
		return o.buf[from:]
	case fastjson.TypeTrue:
		return []byte("T")
	case fastjson.TypeFalse:
		return []byte("F")
	case fastjson.TypeArray:
		return o.join(v.GetArray())
	}
	return nil
}

// text returns a string, not nil where it is empty.
func text(v *fastjson.Value) []byte {
	if b := v.GetStringBytes(); b != nil {
		return b
	}
	return []byte{}
}

// join returns the strings of an array as a set.
func (o *objects) join(elements []*fastjson.Value) []byte {
	from := len(o.buf)
	for i, v := range elements {
		if i > 0 {
			o.buf = append(o.buf, jsonSet)
		}
		o.buf = append(o.buf, v.GetStringBytes()...)
	}
	return o.buf[from:]
}
