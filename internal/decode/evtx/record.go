package evtx

import (
	"errors"

	"github.com/postern/postern/internal/event"
)

const (
	maxNested = 8       // fragments in fragments
	maxValues = 1 << 15 // that one record may expand to
	maxText   = 1 << 20 // bytes that one record may expand to
)

// errRefused says that Select did not want the record.
var errRefused = errors.New("evtx: record refused")

// A Record is one event. The methods that give a field take the index of its
// path as NewReader was given it, and give the first value where there are
// several.
type Record struct {
	ID      uint64     // number of the record in its log
	Written event.Time // when the log took it, which can be later than the event

	chunk  *chunk
	refs   []ref
	slots  []int32 // index of a slot's first ref, plus one
	last   []int32 // index of a slot's last ref, plus one
	values [][]value
	holes  []hole
	budget int // of values
	size   int // bytes of values noted
	buf    []byte
}

// A value is one of a record's, in the chunk. Joined text has no place there:
// it is in text.
type value struct {
	off, size int
	kind      byte
}

// A ref says where the value of a field is, and which is the next of the same
// field.
type ref struct {
	path string
	text string // literal or joined text, when value.kind is typeNull
	value
	next int32
}

// A hole is where a nested fragment belongs.
type hole struct {
	value
	path  string
	depth int
}

// A Field is a field of a record. A path that comes several times is a list.
type Field struct{ Path, Value string }

// read reads the record in f.
func (r *Record) read(f frame, sel func(*Record) bool) error {
	b := r.chunk.b
	r.ID = le.Uint64(b[f.off+8:])
	r.Written = fileTime(le.Uint64(b[f.off+16:]))
	r.refs = r.refs[:0]
	r.holes = r.holes[:0]
	r.buf = r.buf[:0]
	clear(r.slots)
	r.budget, r.size = maxValues, 0
	body := value{f.off + recordHead, f.size - recordHead - recordTail, typeXML}
	if err := r.fragment(hole{value: body}); err != nil {
		return err
	}
	if sel != nil && !sel(r) {
		return errRefused
	}
	for i := 0; i < len(r.holes); i++ {
		if err := r.fragment(r.holes[i]); err != nil {
			return err
		}
	}
	return nil
}

// fragment reads a fragment of binary XML and notes those nested in it.
func (r *Record) fragment(h hole) error {
	if h.depth >= maxNested {
		return errDepth
	}
	b := r.chunk.b
	for off, end := h.off, h.off+h.size; off < end; {
		switch b[off] &^ tokenMore {
		case tokenFragment:
			if r.budget--; r.budget < 0 {
				return errTooMuch
			}
			off += 4
		case tokenEnd:
			return nil
		case tokenInstance:
			return r.instance(off, end, h)
		case tokenElement:
			t := r.chunk.compile(off, end, h.path)
			if t.err != nil {
				return t.err
			}
			return r.expand(t, nil, h.depth)
		default:
			return errToken(b[off])
		}
	}
	return nil
}

// instance reads an instance of a template: a reference to it, its definition
// when this is the first use, and the values.
func (r *Record) instance(off, end int, h hole) error {
	b := r.chunk.b
	if end-off < 10 {
		return errShort
	}
	def := le.Uint32(b[off+6:]) // after the token, a version and the template's number
	off += 10
	t, err := r.chunk.template(def, h.path)
	if err != nil {
		return err
	}
	if int64(def) == int64(off) {
		off = t.end
	}
	values, err := r.instanceValues(off, end)
	if err != nil {
		return err
	}
	return r.expand(t, values, h.depth)
}

// template returns the template that is defined at def, for use at prefix.
func (c *chunk) template(def uint32, prefix string) (*template, error) {
	if t := c.templates[def]; t != nil && t.prefix == prefix {
		return t, t.err
	}
	const head = 24 // offset of the next definition, GUID, size
	if int64(def)+head > int64(len(c.b)) {
		return nil, errShort
	}
	body := int(def) + head
	size := le.Uint32(c.b[body-4:])
	if int64(size) > int64(len(c.b)-body) {
		return nil, errShort
	}
	t := c.compile(body, body+int(size), prefix)
	c.templates[def] = t
	return t, t.err
}

// instanceValues reads the values of an instance: their number, then size and
// type of each, then the values themselves.
func (r *Record) instanceValues(off, end int) ([]value, error) {
	b := r.chunk.b
	if end-off < 4 {
		return nil, errShort
	}
	n := le.Uint32(b[off:])
	off += 4
	if int64(n)*4 > int64(end-off) {
		return nil, errShort
	}
	data := off + 4*int(n)
	values := r.take(int(n))
	for i := range values {
		d := b[off+4*i:]
		size := int(le.Uint16(d))
		if size > end-data {
			return nil, errShort
		}
		values[i] = value{data, size, d[2]}
		data += size
	}
	return values, nil
}

// take returns a slice of n values that is good until the next fragment is read.
func (r *Record) take(n int) []value {
	if len(r.values) == 0 {
		r.values = append(r.values, nil)
	}
	if cap(r.values[0]) < n {
		r.values[0] = make([]value, n, n+16)
	}
	return r.values[0][:n]
}

// expand fills the holes of t with values and notes what is wanted of them.
func (r *Record) expand(t *template, values []value, depth int) error {
	if r.budget -= len(t.ops) + len(values); r.budget < 0 {
		return errTooMuch
	}
	for i := range t.ops {
		o := &t.ops[i]
		if len(o.parts) > 1 {
			r.joined(o, values, depth)
			continue
		}
		p := &o.parts[0]
		if p.sub < 0 {
			r.add(o, ref{text: p.lit})
			continue
		}
		if p.sub >= len(values) {
			continue
		}
		r.substitute(o, values[p.sub], depth)
	}
	if r.size > maxText || r.budget < 0 {
		return errTooMuch
	}
	return nil
}

func (r *Record) substitute(o *op, v value, depth int) {
	switch {
	case v.kind == typeXML:
		r.holes = append(r.holes, hole{v, o.path, depth + 1})
	case v.kind == typeNull || (o.slot < 0 && r.chunk.slots != nil):
	case v.kind&typeArray != 0:
		for _, item := range r.chunk.items(v, &r.budget) {
			r.add(o, ref{value: item})
		}
	default:
		r.add(o, ref{value: v})
	}
}

// joined makes the text of a value that has several parts.
func (r *Record) joined(o *op, values []value, depth int) {
	wanted := o.slot >= 0 || r.chunk.slots == nil
	start := len(r.buf)
	for i := range o.parts {
		p := &o.parts[i]
		switch {
		case p.sub >= len(values) || len(r.buf) > maxText:
		case p.sub >= 0 && values[p.sub].kind == typeXML:
			r.holes = append(r.holes, hole{values[p.sub], o.path, depth + 1})
		case !wanted:
		case p.sub < 0:
			r.buf = append(r.buf, p.lit...)
		default:
			r.buf = r.chunk.appendValue(r.buf, values[p.sub])
		}
	}
	if len(r.buf) > start {
		r.add(o, ref{text: string(r.buf[start:])})
	}
}

// add notes a value of o.
func (r *Record) add(o *op, v ref) {
	r.size += v.size + len(v.text)
	if o.slot < 0 {
		v.path = o.path
		r.refs = append(r.refs, v)
		return
	}
	r.refs = append(r.refs, v)
	at := int32(len(r.refs))
	if r.slots[o.slot] == 0 {
		r.slots[o.slot] = at
	} else {
		r.refs[r.last[o.slot]-1].next = at
	}
	r.last[o.slot] = at
}

// ref returns the first value of the field, or nil.
func (r *Record) ref(slot int) *ref {
	if slot < 0 || slot >= len(r.slots) || r.slots[slot] == 0 {
		return nil
	}
	return &r.refs[r.slots[slot]-1]
}

// Text returns the field as Windows renders it, or nil when the record has no
// such field. It is UTF-8, and valid until the next record.
func (r *Record) Text(slot int) []byte {
	v := r.ref(slot)
	if v == nil {
		return nil
	}
	return r.render(v)
}

func (r *Record) render(v *ref) []byte {
	start := len(r.buf)
	if v.kind == typeNull {
		r.buf = append(r.buf, v.text...)
	} else {
		r.buf = r.chunk.appendValue(r.buf, v.value)
	}
	return r.buf[start:len(r.buf):len(r.buf)]
}

// Texts returns all values of a field that is a list.
func (r *Record) Texts(slot int) []string {
	var list []string
	for v := r.ref(slot); v != nil; v = &r.refs[v.next-1] {
		list = append(list, string(r.render(v)))
		if v.next == 0 {
			break
		}
	}
	return list
}

// Uint returns the field when it is an unsigned number, without making text of
// it. Numbers in text are not looked for.
func (r *Record) Uint(slot int) (uint64, bool) {
	v := r.ref(slot)
	if v == nil {
		return 0, false
	}
	return r.chunk.uint(v.value)
}

// Time returns the field when it is a time in binary form.
func (r *Record) Time(slot int) (event.Time, bool) {
	v := r.ref(slot)
	if v == nil {
		return event.Never, false
	}
	return r.chunk.time(v.value)
}

// Fields returns all fields in their order, when NewReader was given no paths.
func (r *Record) Fields() []Field {
	fields := make([]Field, len(r.refs))
	for i := range r.refs {
		v := &r.refs[i]
		fields[i] = Field{v.path, string(r.render(v))}
	}
	return fields
}
