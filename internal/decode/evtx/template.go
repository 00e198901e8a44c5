package evtx

import (
	"errors"
	"fmt"
	"strings"
)

// The tokens of binary XML. The bit tokenMore says that more of the kind
// follow, or that an element has attributes.
const (
	tokenEnd        = 0x00
	tokenElement    = 0x01
	tokenCloseStart = 0x02
	tokenCloseEmpty = 0x03
	tokenEndElement = 0x04
	tokenValue      = 0x05
	tokenAttribute  = 0x06
	tokenCDATA      = 0x07
	tokenCharRef    = 0x08
	tokenEntityRef  = 0x09
	tokenPITarget   = 0x0a
	tokenPIData     = 0x0b
	tokenInstance   = 0x0c
	tokenSub        = 0x0d
	tokenOptional   = 0x0e
	tokenFragment   = 0x0f
	tokenMore       = 0x40
)

// Bounds on what a chunk can make of its 64 KiB. Real ones stay far below.
const (
	maxDepth  = 64      // of elements
	maxName   = 256     // UTF-16 units
	maxPath   = 512     // bytes
	maxTokens = 1 << 17 // compiled in a chunk
)

var (
	errShort   = errors.New("evtx: ends within a token")
	errDepth   = errors.New("evtx: nested too deeply")
	errTooMuch = errors.New("evtx: expands to too much")
	errPath    = errors.New("evtx: name or path too long")
	errEntity  = errors.New("evtx: undefined entity")
)

func errToken(t byte) error { return fmt.Errorf("evtx: unexpected token %#02x", t) }

// A template is an XML fragment with holes, compiled to the list of its
// values. Most records of a chunk share a few.
type template struct {
	prefix string // path of the element that holds it
	end    int    // of its definition in the chunk
	ops    []op
	err    error // why it cannot be used
}

// An op is one value of a template: of an element or of an attribute.
type op struct {
	path  string
	slot  int16 // −1 when not asked for
	parts []part
}

// A part is a piece of a value: a literal, or the record's value of number sub.
type part struct {
	lit string
	sub int // −1 for a literal
}

// compiler reads a fragment. Its methods do nothing once err is set.
type compiler struct {
	c     *chunk
	off   int
	end   int
	depth int
	err   error
	ops   []op
}

// compile reads the fragment at b[off:end], which prefix holds.
func (c *chunk) compile(off, end int, prefix string) *template {
	k := compiler{c: c, off: off, end: end}
	k.fragment(prefix)
	return &template{prefix, end, k.ops, k.err}
}

func (k *compiler) fail(err error) {
	if k.err == nil {
		k.err = err
	}
}

// need reports whether n more bytes are there.
func (k *compiler) need(n int) bool {
	if k.err == nil && k.end-k.off < n {
		k.err = errShort
	}
	return k.err == nil
}

// peek returns the next token without the bit tokenMore.
func (k *compiler) peek() byte {
	if !k.need(1) {
		return tokenEnd
	}
	return k.c.b[k.off] &^ tokenMore
}

func (k *compiler) u16() int {
	if !k.need(2) {
		return 0
	}
	v := le.Uint16(k.c.b[k.off:])
	k.off += 2
	return int(v)
}

func (k *compiler) u32() uint32 {
	if !k.need(4) {
		return 0
	}
	v := le.Uint32(k.c.b[k.off:])
	k.off += 4
	return v
}

// utf16 returns the next n UTF-16 units.
func (k *compiler) utf16(n int) string {
	if !k.need(2 * n) {
		return ""
	}
	s := string(appendUTF16(nil, k.c.b[k.off:k.off+2*n]))
	k.off += 2 * n
	return s
}

// token counts a token against the chunk's bound.
func (k *compiler) token() {
	if k.c.tokens++; k.c.tokens > maxTokens {
		k.fail(errTooMuch)
	}
}

func (k *compiler) fragment(prefix string) {
	for k.err == nil && k.off < k.end {
		switch t := k.peek(); t {
		case tokenFragment:
			k.token()
			k.off += 4
		case tokenElement:
			k.element(prefix)
		case tokenPITarget, tokenPIData:
			k.instruction()
		case tokenEnd:
			return
		default:
			k.fail(errToken(t))
		}
	}
}

// name reads a reference to a name, and the name when it follows.
func (k *compiler) name() string {
	at := k.u32()
	if k.err != nil {
		return ""
	}
	inline := int64(at) == int64(k.off)
	s, size := k.nameAt(at)
	if inline {
		k.off += size
	}
	return s
}

// nameAt returns the name at that offset of the chunk, and the size of its
// definition in bytes.
func (k *compiler) nameAt(at uint32) (string, int) {
	b := k.c.b
	if int64(at)+8 > int64(len(b)) {
		k.fail(errShort)
		return "", 0
	}
	off := int(at) + 8
	n := 2 * int(le.Uint16(b[off-2:]))
	if off+n+2 > len(b) {
		k.fail(errShort)
		return "", 0
	}
	if n > 2*maxName {
		k.fail(errPath)
		return "", 0
	}
	s, ok := k.c.names[at]
	if !ok {
		var buf [64]byte
		s = k.c.intern.text(appendUTF16(buf[:0], b[off:off+n]))
		k.c.names[at] = s
	}
	return s, 8 + n + 2
}

// join returns the path of an element in the one at prefix. The root element
// has no part in it.
func (k *compiler) join(prefix, name string) string {
	switch {
	case prefix == "" && name == "Event":
		return ""
	case prefix == "" && len(name) <= maxPath:
		return name
	}
	return k.joined(prefix, "/", name)
}

func (k *compiler) joined(prefix, sep, name string) string {
	if len(prefix)+len(sep)+len(name) > maxPath {
		k.fail(errPath)
		return ""
	}
	var buf [maxPath]byte
	b := append(buf[:0], prefix...)
	b = append(b, sep...)
	return k.c.intern.text(append(b, name...))
}

// An attribute is one that stands in an element's start tag.
type attribute struct {
	name  string
	parts []part
}

func (k *compiler) element(prefix string) {
	if k.depth++; k.depth > maxDepth {
		k.fail(errDepth)
		return
	}
	defer func() { k.depth-- }()
	k.token()
	if !k.need(7) {
		return
	}
	more := k.c.b[k.off]&tokenMore != 0
	k.off += 1 + 2 + 4 // token, dependency, size
	name := k.name()
	var attributes []attribute
	if more {
		attributes = k.attributes()
	}
	path := k.elementPath(prefix, name, attributes)
	switch t := k.peek(); {
	case k.err != nil:
	case t == tokenCloseEmpty:
		k.off++
	case t == tokenCloseStart:
		k.off++
		k.content(path)
	default:
		k.fail(errToken(t))
	}
}

// elementPath returns the path of an element, and takes up its attributes. The
// Name of a Data element stands for the element.
func (k *compiler) elementPath(prefix, name string, attributes []attribute) string {
	path := k.join(prefix, name)
	if name == "Data" || name == "ComplexData" {
		for i, a := range attributes {
			if lit, ok := literal(a.parts); ok && a.name == "Name" {
				path = k.join(prefix, lit)
				attributes = append(attributes[:i:i], attributes[i+1:]...)
				break
			}
		}
	}
	for _, a := range attributes {
		if !strings.HasPrefix(a.name, "xmlns") {
			k.emit(k.joined(path, "@", a.name), a.parts)
		}
	}
	return path
}

func literal(parts []part) (string, bool) {
	if len(parts) != 1 || parts[0].sub >= 0 {
		return "", false
	}
	return parts[0].lit, true
}

func (k *compiler) attributes() []attribute {
	var list []attribute
	k.u32() // their size
	for k.peek() == tokenAttribute && k.err == nil {
		k.token()
		k.off++
		a := attribute{name: k.name()}
		for k.err == nil && isText(k.peek()) {
			a.parts = k.text(a.parts)
		}
		list = append(list, a)
	}
	return list
}

// content reads what stands between an element's tags.
func (k *compiler) content(path string) {
	var parts []part
	for k.err == nil {
		switch t := k.peek(); {
		case k.err != nil:
		case t == tokenEndElement:
			k.off++
			k.emit(path, parts)
			return
		case t == tokenElement:
			k.emit(path, parts)
			parts = nil
			k.element(path)
		case t == tokenPITarget || t == tokenPIData:
			k.instruction()
		case isText(t):
			parts = k.text(parts)
		default:
			k.fail(errToken(t))
		}
	}
}

// instruction passes over a processing instruction: no event says anything by one.
func (k *compiler) instruction() {
	k.token()
	target := k.peek() == tokenPITarget
	k.off++
	if target {
		k.name()
		return
	}
	if n := 2 * k.u16(); k.need(n) {
		k.off += n
	}
}

func isText(t byte) bool {
	switch t {
	case tokenValue, tokenCDATA, tokenCharRef, tokenEntityRef, tokenSub, tokenOptional:
		return true
	}
	return false
}

// text reads one token of text and adds it to parts.
func (k *compiler) text(parts []part) []part {
	k.token()
	t := k.peek()
	k.off++
	switch t {
	case tokenSub, tokenOptional:
		sub := k.u16()
		if k.need(1) {
			k.off++ // the type, which the value itself states again
		}
		return append(parts, part{sub: sub})
	case tokenValue:
		if k.need(1) && k.c.b[k.off] != typeString {
			k.fail(fmt.Errorf("evtx: literal of type %#02x", k.c.b[k.off]))
		}
		k.off++
		return k.lit(parts, k.utf16(k.u16()))
	case tokenCDATA:
		return k.lit(parts, k.utf16(k.u16()))
	case tokenCharRef:
		return k.lit(parts, string(rune(k.u16())))
	default:
		return k.lit(parts, k.entity(k.name()))
	}
}

// lit adds literal text to parts, to the literal before it if there is one.
func (k *compiler) lit(parts []part, s string) []part {
	if n := len(parts); n > 0 && parts[n-1].sub < 0 {
		parts[n-1].lit += s
		return parts
	}
	return append(parts, part{s, -1})
}

// entity returns the text of a named entity: XML knows five without a DTD.
func (k *compiler) entity(name string) string {
	switch name {
	case "amp":
		return "&"
	case "lt":
		return "<"
	case "gt":
		return ">"
	case "quot":
		return `"`
	case "apos":
		return "'"
	}
	k.fail(errEntity)
	return ""
}

// emit adds an op for the value at path, unless nobody can want it: white
// space between elements. One that is not asked for is kept when it can hold
// a nested fragment.
func (k *compiler) emit(path string, parts []part) {
	if k.err != nil || len(parts) == 0 {
		return
	}
	if lit, ok := literal(parts); ok && strings.TrimSpace(lit) == "" {
		return
	}
	slot, wanted := k.c.slots[path]
	if !wanted {
		slot = -1
		if _, ok := literal(parts); ok && k.c.slots != nil {
			return
		}
	}
	k.ops = append(k.ops, op{path, slot, parts})
}
