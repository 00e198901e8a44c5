package netflow

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/valyala/fastjson"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// maxObject bounds a record as JSON. They have some hundred bytes.
const maxObject = 1 << 20

// maxHeadValues is how many values match looks at for one that parses: an
// input may begin in the middle of one.
const maxHeadValues = 8

// A jsonShape is how a collector writes a record in JSON.
type jsonShape struct {
	clock   string
	warning string // what a reader of any such input must know, or ""

	// is reports whether the object is a record of the collector.
	is func(o *object) bool

	// fill reads a record.
	fill func(o *object) (record, verdict)
}

// match accepts an input whose first object is a record.
func (s *jsonShape) match(head []byte) bool {
	values := decode.NewValues(bytes.NewReader(head), maxObject)
	o := object{names: make(names)}
	for range maxHeadValues {
		b, err := values.Next()
		if err != nil {
			return false
		}
		if o.parse(b) {
			return s.is(&o)
		}
	}
	return false
}

func (s *jsonShape) open(r io.Reader, t *decode.Tally) decode.Decoder {
	d := &jsonDecoder{
		shape: s, values: decode.NewValues(r, maxObject), tally: t,
		assembler: newAssembler(t, s.clock), object: object{names: make(names), tally: t},
	}
	return &file{step: d.step, close: d.assembler.close}
}

// A jsonDecoder decodes objects.
type jsonDecoder struct {
	shape     *jsonShape
	values    *decode.Values
	tally     *decode.Tally
	assembler *assembler
	object    object
}

func (d *jsonDecoder) where() string { return fmt.Sprintf("line %d", d.values.Number()) }

func (d *jsonDecoder) skip(reason string) {
	d.tally.Records++
	d.tally.Skip(d.where(), reason)
}

// step reads an object.
func (d *jsonDecoder) step(out *event.Batch) error {
	o := &d.object
	o.value = nil
	b, err := d.values.NextParsed(o.parse)
	switch {
	case errors.Is(err, decode.ErrLong):
		d.skip("object too long")
		return nil
	case err == io.EOF:
		return err
	case err != nil:
		return fmt.Errorf("read on after line %d: %w", d.values.Number(), err)
	case o.value == nil && !o.parse(b):
		d.skip("not a JSON object")
		return nil
	case !d.shape.is(o):
		d.skip("not a flow record")
		return nil
	}
	r, v := d.shape.fill(o)
	if !v.fine() {
		d.tally.Records++
		d.assembler.refuse(v, d.where)
		return nil
	}
	if d.shape.warning != "" {
		d.tally.Warn(d.shape.warning)
	}
	d.assembler.take(&r, d.where, out)
	return nil
}

// An object is a record as JSON.
type object struct {
	parser fastjson.Parser
	value  *fastjson.Value
	names  names
	tally  *decode.Tally
	buf    []byte
}

// parse reports whether b is an object, and keeps it.
func (o *object) parse(b []byte) bool {
	o.buf = o.buf[:0]
	v, err := o.parser.ParseBytes(b)
	if err != nil || v.Type() != fastjson.TypeObject {
		return false
	}
	o.value = v
	return true
}

// text returns a member's text, or that of its number, or nil.
func (o *object) text(name string) []byte {
	v := o.value.Get(name)
	if v == nil {
		return nil
	}
	switch v.Type() {
	case fastjson.TypeString:
		return v.GetStringBytes()
	case fastjson.TypeNumber:
		from := len(o.buf)
		o.buf = v.MarshalTo(o.buf)
		return o.buf[from:len(o.buf):len(o.buf)]
	}
	return nil
}

// first is text for the first member that is there.
func (o *object) first(names ...string) []byte {
	for _, n := range names {
		if b := o.text(n); len(b) > 0 {
			return b
		}
	}
	return nil
}

// count reads a count, which is unknown where there is none.
func (o *object) count(name string) (event.Count, bool) {
	b := o.text(name)
	if len(b) == 0 {
		return event.Unknown, true
	}
	n, ok := decimal(b)
	return event.Count(n), ok
}

// volume reads what went one way.
func (o *object) volume(bytes, packets string) (volume, bool) {
	b, ok1 := o.count(bytes)
	p, ok2 := o.count(packets)
	return volume{b, p}, ok1 && ok2
}

// ends reads the ends of a flow.
func (o *object) ends(r *record, src, dst []byte) (reason string) {
	if r.src, reason = endpoint(src, o.text("src_port")); reason != "" {
		return reason
	}
	r.dst, reason = endpoint(dst, o.text("dst_port"))
	return reason
}
