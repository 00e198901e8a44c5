package decode

import (
	"bytes"
	"errors"
	"io"
)

// Values splits text into its top-level JSON objects, however they are laid
// out: one a line, many a line, over many lines, as elements of an array, or
// below the "Record 12" lines of evtx_dump.
//
// It looks only at braces and strings: whether a value is JSON is for the
// caller to find out. It holds at most about twice the longest allowed value
// in memory. It is not safe for concurrent use.
//
// A broken object costs the objects behind it nothing where the layout shows
// where the next one begins: see restarts. A value that spans lines, the
// second of them further indented, is taken for an object that a person is
// meant to read.
type Values struct {
	w      window
	max    int
	line   int64 // that the unread bytes begin in, counted from 1
	indent int   // blanks before the unread bytes in their line, or -1 with anything else before them
	number int64
}

// NewValues returns the values of r. A value of more than max bytes is not
// returned; DefaultMaxLine holds where max is not positive.
func NewValues(r io.Reader, max int) *Values {
	if max <= 0 {
		max = DefaultMaxLine
	}
	return &Values{w: newWindow(r), max: max, line: 1}
}

// Next returns the next object, or a line, or the rest of one, that stands
// outside of any object and is not mere layout: so the caller can count it as
// unreadable. An object that the layout or the end of the input cuts short is
// returned as far as it goes. The value is valid until the next call.
//
// The error is io.EOF at the end. It is ErrLong for a value over the limit,
// and Next may be called on. Any other error is the reader's: all complete
// values before it have been returned, and it is returned again by every
// further call.
func (v *Values) Next() ([]byte, error) { return v.NextParsed(nil) }

// NextParsed is Next for a caller that parses what it gets. Before the braces of
// a line are counted, parse is asked whether the line is an object as it stands,
// and nothing else; a nil parse says no. It is not asked about every object, nor
// is an object that it refused lost: Next's rules then hold.
func (v *Values) NextParsed(parse func(line []byte) bool) ([]byte, error) {
	for {
		v.skipLayout()
		b := v.w.unread()
		if len(b) == 0 {
			if !v.w.fill() {
				return nil, v.w.err
			}
			continue
		}
		if b[0] == '{' {
			if line := v.whole(parse); line != nil {
				return line, nil
			}
			return v.object()
		}
		text, err := v.text()
		if err != nil || !isRecordLine(text) {
			return text, err
		}
	}
}

// Number returns the line in which the value that Next returned last begins,
// or the one that was too long, counted from 1.
func (v *Values) Number() int64 { return v.number }

// skipLayout consumes what stands between objects: blanks, commas, and
// brackets. A closing brace is left over from an object that was cut short,
// which has been returned.
func (v *Values) skipLayout() {
	b := v.w.unread()
	i := 0
	for ; i < len(b); i++ {
		switch b[i] {
		case '\n':
			v.line++
			v.indent = 0
		case ' ', '\t':
			if v.indent >= 0 {
				v.indent++
			}
		case '\r', ',', '[', ']', '}':
			v.indent = -1
		default:
			v.w.skip(i)
			return
		}
	}
	v.w.skip(i)
}

// text consumes the rest of the line.
func (v *Values) text() ([]byte, error) {
	text, err := v.w.line(v.max)
	if err == nil || errors.Is(err, ErrLong) {
		v.number = v.line
		v.line++
		v.indent = 0
	}
	return text, err
}

// whole consumes and returns the unread line if it is one object, or else does
// nothing. Only the first object of a line is tried: a line of many would be
// parsed anew for each.
func (v *Values) whole(parse func([]byte) bool) []byte {
	if parse == nil || v.indent != 0 {
		return nil
	}
	eol := v.w.eol(0)
	for eol < 0 {
		if len(v.w.unread()) > v.max || !v.w.fill() {
			return nil
		}
		eol = v.w.eol(0)
	}
	line := bytes.TrimRight(v.w.unread()[:eol], " \t\r")
	if len(line) > v.max || line[len(line)-1] != '}' || !parse(line) {
		return nil
	}
	v.number = v.line
	v.indent = -1
	v.w.skip(len(line))
	return line
}

// object consumes an object, from its opening brace to the closing one or to
// where another begins.
func (v *Values) object() ([]byte, error) {
	v.number = v.line
	first := layout{indent: v.indent}
	v.indent = -1
	var s braces
	long := false // too long: bytes are dropped as they are scanned
	for i := 0; ; {
		eol := v.w.eol(i)
		b := v.w.unread()
		end := eol
		if eol < 0 {
			end = len(b)
		}
		if n := s.scan(b[i:end]); n >= 0 {
			v.w.skip(i + n)
			return v.value(b[:i+n], long)
		}
		i = end
		if eol >= 0 {
			i++
			v.line++
			s.odd = false
			if v.restarts(&first, i) {
				b = v.w.unread()[:i]
				v.w.skip(i)
				v.indent = 0
				return v.value(b, long)
			}
		}
		if long = long || i > v.max; long {
			v.w.skip(i)
			i = 0
		}
		if eol < 0 && !v.w.fill() {
			return v.rest(long)
		}
	}
}

// value returns b unless it is too long. The object may have been cut short,
// so blanks may follow it.
func (v *Values) value(b []byte, long bool) ([]byte, error) {
	b = bytes.TrimRight(b, " \t\r\n")
	if long {
		return nil, ErrLong
	}
	return within(b, v.max)
}

// rest ends an object that the reader does not.
func (v *Values) rest(long bool) ([]byte, error) {
	b := v.w.unread()
	switch {
	case long:
		return nil, ErrLong
	case v.w.err == io.EOF:
		v.w.skip(len(b))
		return v.value(b, false)
	}
	return nil, v.w.err
}

// A layout is what is known of how an object is written.
type layout struct {
	indent int  // of its first line, or -1
	known  bool // its second line has been seen
	pretty bool // and is further indented than the first
}

// maxIndent is the deepest indent by which restarts tells objects apart.
const maxIndent = 64

// restarts reports whether the line that begins at the unread byte i, inside
// an object by the count of its braces, begins another object: so the one
// before it is broken. In no layout that programs write does a line inside an
// object begin, without indent, with an object and its first name; or with a
// "Record 12"; or, where objects are indented, with a brace that is indented
// no further than the object's own. Such a line may follow a comma.
func (v *Values) restarts(l *layout, i int) bool {
	p := v.w.peek(i, maxIndent+8)
	rest := bytes.TrimLeft(p, " \t")
	indent := len(p) - len(rest)
	if !l.known {
		l.known = true
		l.pretty = l.indent >= 0 && indent > l.indent
	}
	if indent == 0 && isRecordLine(rest[:lineEnd(rest)]) {
		return true
	}
	rest = bytes.TrimPrefix(rest, []byte(","))
	rest = bytes.TrimLeft(rest, " \t")
	inner, ok := bytes.CutPrefix(rest, []byte("{"))
	if !ok {
		return false
	}
	if l.pretty && indent <= l.indent {
		return true
	}
	return indent == 0 && bytes.HasPrefix(bytes.TrimLeft(inner, " \t"), []byte(`"`))
}

func lineEnd(p []byte) int {
	if i := bytes.IndexByte(p, '\n'); i >= 0 {
		return i
	}
	return len(p)
}

// isRecordLine reports whether line is one of those that evtx_dump prints
// before each object.
func isRecordLine(line []byte) bool {
	number, ok := bytes.CutPrefix(bytes.TrimRight(line, " \t\r"), []byte("Record "))
	if !ok || len(number) == 0 {
		return false
	}
	for _, c := range number {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// braces counts the braces of an object that stand outside of its strings.
type braces struct {
	depth    int
	inString bool
	odd      bool // in a string, and an odd number of backslashes came last
}

// scan goes on with p and returns the index behind the brace that closes the
// object, or -1 when p does not.
func (s *braces) scan(p []byte) int {
	for i := 0; i < len(p); i++ {
		if s.inString {
			n := s.skipString(p[i:])
			if n < 0 {
				return -1
			}
			i += n
		}
		// Few bytes lie between strings, so each is looked at.
		for ; i < len(p) && p[i] != '"'; i++ {
			switch p[i] {
			case '{':
				s.depth++
			case '}':
				s.depth--
				if s.depth == 0 {
					return i + 1
				}
			}
		}
		s.inString = i < len(p)
	}
	return -1
}

// skipString returns the index behind the quote that closes the string, or -1
// when p does not.
func (s *braces) skipString(p []byte) int {
	for from := 0; ; {
		n := bytes.IndexByte(p[from:], '"')
		end := from + n
		if n < 0 {
			end = len(p)
		}
		run := 0
		for end-run > from && p[end-run-1] == '\\' {
			run++
		}
		odd := run%2 == 1
		if s.odd && end-run == from {
			odd = !odd
		}
		if n < 0 {
			s.odd = odd
			return -1
		}
		s.odd = false
		from = end + 1
		if !odd {
			s.inString = false
			return from
		}
	}
}
