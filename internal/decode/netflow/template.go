package netflow

// The bounds of templates.
const (
	maxTemplates = 1 << 14 // of a decoder
	maxFields    = 512     // of one
)

// variable is the length of a field whose length stands before each value.
const variable = 65535

// A field is one that the records of a template have.
type field struct {
	element  element
	length   uint16
	reversed bool // of the other direction: RFC 5103
}

// A template says how records are laid out.
type template struct {
	fields  []field
	least   int  // the shortest that a record can be
	options bool // its records tell of the exporter, and not of flows
}

// version9 reads a datagram of NetFlow v9 (RFC 3954).
func (d *Decoder) version9(m *message, b []byte) {
	m.uptime = be.Uint32(b[4:])
	m.time = int64(be.Uint32(b[8:])) * 1000
	m.state = d.source(m, be.Uint32(b[16:]))
	d.sequence(m.state, be.Uint32(b[12:]))
	m.state.next++
	d.sets(m, b[header9:])
}

// ipfix reads a message of IPFIX (RFC 7011).
func (d *Decoder) ipfix(m *message, b []byte) {
	m.time = int64(be.Uint32(b[4:])) * 1000
	m.state = d.source(m, be.Uint32(b[12:]))
	d.sequence(m.state, be.Uint32(b[8:]))
	length := int(be.Uint16(b[2:]))
	if length < headerIPFIX || length > len(b) {
		d.skip(skipCut)
		length = len(b)
	}
	d.sets(m, b[headerIPFIX:length])
}

// The numbers of sets. A higher one is that of the template of its data.
const (
	setTemplates9     = 0
	setOptions9       = 1
	setTemplatesIPFIX = 2
	setOptionsIPFIX   = 3
	setData           = 256
)

// sets reads the sets of a message.
func (d *Decoder) sets(m *message, b []byte) {
	for len(b) >= 4 {
		id, length := be.Uint16(b), int(be.Uint16(b[2:]))
		if length < 4 || length > len(b) {
			d.skip(skipCut)
			return
		}
		d.set(m, id, b[4:length])
		b = b[length:]
	}
}

func (d *Decoder) set(m *message, id uint16, b []byte) {
	ipfix := m.version == versionIPFIX
	switch {
	case id >= setData:
		d.data(m, id, b)
	case !ipfix && id == setTemplates9, ipfix && id == setTemplatesIPFIX:
		d.define(m, b, header{length: 4, read: plainHeader})
	case !ipfix && id == setOptions9:
		d.define(m, b, header{length: 6, read: optionsHeader9})
	case ipfix && id == setOptionsIPFIX:
		d.define(m, b, header{length: 6, read: optionsHeaderIPFIX})
	}
}

// A header is how the definition of a template begins: behind its number, with
// how many fields it has.
type header struct {
	length int
	read   func(b []byte) (fields int, options bool)
}

func plainHeader(b []byte) (int, bool) { return int(be.Uint16(b[2:])), false }

// optionsHeader9 has the lengths of the two lists of fields in bytes.
func optionsHeader9(b []byte) (int, bool) {
	return int(be.Uint16(b[2:])/4) + int(be.Uint16(b[4:])/4), true
}

func optionsHeaderIPFIX(b []byte) (int, bool) { return int(be.Uint16(b[2:])), true }

// define reads a set of templates. What is left of it is padding.
func (d *Decoder) define(m *message, b []byte, h header) {
	for len(b) >= h.length {
		id := be.Uint16(b)
		n, options := h.read(b)
		if id < setData {
			return // padding
		}
		if n == 0 { // a template is withdrawn
			d.forget(m.state, id)
			b = b[min(4, len(b)):]
			continue
		}
		t := &template{options: options}
		if b = t.read(b[h.length:], n, m.version == versionIPFIX); b == nil {
			d.skip(skipTemplate)
			return
		}
		d.learn(m.state, id, t)
	}
}

// read reads the fields of a template, and returns what follows, or nil where
// the template cannot be right.
func (t *template) read(b []byte, n int, ipfix bool) []byte {
	if n > maxFields || len(b) < 4*n {
		return nil
	}
	t.fields = make([]field, 0, n)
	for range n {
		if len(b) < 4 {
			return nil
		}
		id, length := be.Uint16(b), be.Uint16(b[2:])
		b = b[4:]
		f := field{element: elementOf(id), length: length}
		if ipfix && id&0x8000 != 0 {
			if len(b) < 4 {
				return nil
			}
			f.element, f.reversed = enterprise(be.Uint32(b), id&0x7fff)
			b = b[4:]
		}
		if ipfix && length == variable {
			t.least++
		} else {
			t.least += int(length)
		}
		t.fields = append(t.fields, f)
	}
	if t.least == 0 {
		return nil
	}
	return b
}

// learn keeps a template.
func (d *Decoder) learn(s *state, id uint16, t *template) {
	if s.templates[id] == nil {
		if d.templates >= maxTemplates {
			d.skip(skipTemplates)
			return
		}
		d.templates++
	}
	s.templates[id] = t
}

func (d *Decoder) forget(s *state, id uint16) {
	if s.templates[id] != nil {
		delete(s.templates, id)
		d.templates--
	}
}

// data reads a set of records. What is left of it is padding.
func (d *Decoder) data(m *message, id uint16, b []byte) {
	t := m.state.templates[id]
	if t == nil {
		d.skip(skipUntold)
		return
	}
	for len(b) >= t.least {
		var v values
		rest, ok := v.read(t, b, m.version == versionIPFIX)
		if !ok {
			d.skip(skipData)
			return
		}
		b = rest
		if m.version == versionIPFIX {
			m.state.next++
		}
		if t.options {
			m.state.option(&v)
			continue
		}
		d.flow(m, &v)
	}
}

// flow takes a record of a flow.
func (d *Decoder) flow(m *message, v *values) {
	d.records++
	r, verdict := v.record(m)
	if !verdict.fine() {
		d.tally.Records++
		d.assembler.refuse(verdict, d.where)
		return
	}
	d.assembler.take(&r, d.where, d.out)
}
