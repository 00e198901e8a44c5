package evtxtest

// An XML writes binary XML into a chunk. Calls follow each other as the tokens
// do; nothing checks that they make a document.
type XML struct {
	c    *Chunk
	open []int // where the sizes of the open elements are
}

// An Attr is an attribute: a literal, or the value of number Sub when Value is
// empty.
type Attr struct {
	Name, Value string
	Sub         int
}

// A Value is one that a template's instance is filled with.
type Value struct {
	Type byte
	Data []byte
}

// Raw writes bytes as they are.
func (x *XML) Raw(b ...byte) { x.c.b = append(x.c.b, b...) }

func (x *XML) u16(v int) { x.c.b = le.AppendUint16(x.c.b, uint16(v)) }
func (x *XML) u32(v int) { x.c.b = le.AppendUint32(x.c.b, uint32(v)) }

// chars writes a string with its length before it.
func (x *XML) chars(s string) {
	b := UTF16(s)
	x.u16(len(b) / 2)
	x.Raw(b...)
}

// Fragment writes the header of a fragment.
func (x *XML) Fragment() { x.Raw(0x0f, 1, 1, 0) }

// name writes a reference to a name, and the name when it is new.
func (x *XML) name(s string) {
	if at, ok := x.c.names[s]; ok {
		x.u32(int(at))
		return
	}
	at := len(x.c.b) + 4
	x.c.names[s] = uint32(at)
	x.u32(at)
	x.u32(0) // the next name with the same hash
	hash := 0
	for _, u := range UTF16(s) {
		if u != 0 {
			hash = hash*65599 + int(u)
		}
	}
	x.u16(hash)
	x.chars(s)
	x.u16(0)
}

// Open writes the start of an element that has content.
func (x *XML) Open(name string, attrs ...Attr) {
	x.start(name, attrs)
	x.Raw(0x02)
}

// Empty writes an element without content.
func (x *XML) Empty(name string, attrs ...Attr) {
	x.start(name, attrs)
	x.Raw(0x03)
	x.size()
}

func (x *XML) start(name string, attrs []Attr) {
	token := byte(0x01)
	if len(attrs) > 0 {
		token |= 0x40
	}
	x.Raw(token, 0xff, 0xff)
	x.open = append(x.open, len(x.c.b))
	x.u32(0)
	x.name(name)
	if len(attrs) == 0 {
		return
	}
	at := len(x.c.b)
	x.u32(0)
	for i, a := range attrs {
		token := byte(0x46)
		if i == len(attrs)-1 {
			token = 0x06
		}
		x.Raw(token)
		x.name(a.Name)
		if a.Value != "" {
			x.Text(a.Value)
		} else {
			x.Sub(a.Sub, 0)
		}
	}
	le.PutUint32(x.c.b[at:], uint32(len(x.c.b)-at-4))
}

// size states the size of the last open element, which ends here.
func (x *XML) size() {
	at := x.open[len(x.open)-1]
	x.open = x.open[:len(x.open)-1]
	le.PutUint32(x.c.b[at:], uint32(len(x.c.b)-at-4))
}

// Close writes the end of the last open element.
func (x *XML) Close() {
	x.Raw(0x04)
	x.size()
}

// End writes the end of the fragment.
func (x *XML) End() { x.Raw(0x00) }

// Text writes literal text.
func (x *XML) Text(s string) {
	x.Raw(0x05, 0x01)
	x.chars(s)
}

// CDATA writes a CDATA section.
func (x *XML) CDATA(s string) {
	x.Raw(0x07)
	x.chars(s)
}

// CharRef writes a character reference.
func (x *XML) CharRef(unit uint16) {
	x.Raw(0x08)
	x.u16(int(unit))
}

// EntityRef writes a reference to a named entity.
func (x *XML) EntityRef(name string) {
	x.Raw(0x09)
	x.name(name)
}

// Instruction writes a processing instruction.
func (x *XML) Instruction(target, data string) {
	x.Raw(0x0a)
	x.name(target)
	x.Raw(0x0b)
	x.chars(data)
}

// Sub writes the place of the value of that number.
func (x *XML) Sub(n int, kind byte) {
	x.Raw(0x0e)
	x.u16(n)
	x.Raw(kind)
}

// Template writes an instance of a template. Define writes the definition,
// unless at says where in the chunk an earlier instance has it. It returns
// that place.
func (x *XML) Template(at int, define func(), values ...Value) int {
	x.Raw(0x0c, 0x01)
	x.u32(0x7e57)
	if at == 0 {
		at = len(x.c.b) + 4
		x.u32(at)
		x.u32(0)
		x.Raw(make([]byte, 16)...)
		size := len(x.c.b)
		x.u32(0)
		define()
		le.PutUint32(x.c.b[size:], uint32(len(x.c.b)-size-4))
	} else {
		x.u32(at)
	}
	x.u32(len(values))
	for _, v := range values {
		x.u16(len(v.Data))
		x.Raw(v.Type, 0)
	}
	for _, v := range values {
		x.Raw(v.Data...)
	}
	return at
}

// Nested returns what body writes, as a value of the template whose instance
// is written next. Offsets in binary XML are the chunk's, so that it must be
// the first of the values, and there must be n of them.
func (x *XML) Nested(n int, body func(*XML)) Value {
	// The place: token, version, number and offset of the template, the
	// number of the values, then their descriptions.
	start := len(x.c.b) + 10 + 4 + 4*n
	saved := len(x.c.b)
	x.Raw(make([]byte, start-saved)...)
	body(&XML{c: x.c})
	data := append([]byte(nil), x.c.b[start:]...)
	x.c.b = x.c.b[:saved]
	return Value{0x21, data}
}
