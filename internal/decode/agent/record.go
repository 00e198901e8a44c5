package agent

import (
	"github.com/valyala/fastjson"
)

// A Record is one JSON object, or one row of a table. It is valid until the
// next one is read. The zero Record has no fields.
type Record struct {
	value   *fastjson.Value
	row     *row
	scratch []byte
}

// Text returns the string, or the text of the number or boolean, below those
// keys; nil when there is none, and for null. A row has one key only.
func (r *Record) Text(keys ...string) []byte {
	if r.row != nil {
		return r.row.cell(keys[0])
	}
	return r.text(r.value.Get(keys...))
}

func (r *Record) text(v *fastjson.Value) []byte {
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

// First returns the first of the fields at the top that has a text.
func (r *Record) First(keys ...string) []byte {
	for _, key := range keys {
		if b := r.Text(key); len(b) > 0 {
			return b
		}
	}
	return nil
}

// Has reports whether something is below those keys, whatever it is.
func (r *Record) Has(keys ...string) bool {
	if r.row != nil {
		_, ok := r.row.columns[keys[0]]
		return ok
	}
	return r.value.Exists(keys...)
}

// At returns the object below those keys, or a Record without fields.
func (r *Record) At(keys ...string) *Record {
	v := r.value.Get(keys...)
	if v == nil || v.Type() != fastjson.TypeObject {
		return &Record{}
	}
	return &Record{value: v}
}

// Texts calls do with the texts in the list below those keys, or with the text
// itself where it stands alone.
func (r *Record) Texts(do func([]byte), keys ...string) {
	if b := r.Text(keys...); len(b) > 0 {
		do(b)
		return
	}
	for _, v := range r.value.GetArray(keys...) {
		if b := r.text(v); len(b) > 0 {
			do(b)
		}
	}
}

// List calls do with the objects in the list below those keys.
func (r *Record) List(do func(*Record), keys ...string) {
	for _, v := range r.value.GetArray(keys...) {
		if v.Type() == fastjson.TypeObject {
			do(&Record{value: v})
		}
	}
}

// maxInner bounds JSON that is the text of a field.
const maxInner = 1 << 20

// An Inner reads the JSON that some fields hold as text. What it returns is
// valid until it reads the next.
type Inner struct{ parser fastjson.Parser }

// Read returns the object at a key, whether it stands there itself or as text.
func (n *Inner) Read(r *Record, key string) *Record {
	b := r.Text(key)
	if len(b) == 0 || len(b) > maxInner {
		return r.At(key)
	}
	v, err := n.parser.ParseBytes(b)
	if err != nil || v.Type() != fastjson.TypeObject {
		return &Record{}
	}
	return &Record{value: v}
}

// ReadList calls do with the objects of the array at a key, whether it stands
// there itself or as text.
func (n *Inner) ReadList(r *Record, key string, do func(*Record)) {
	b := r.Text(key)
	if len(b) == 0 || len(b) > maxInner {
		r.List(do, key)
		return
	}
	if v, err := n.parser.ParseBytes(b); err == nil {
		(&Record{value: v}).List(do)
	}
}
