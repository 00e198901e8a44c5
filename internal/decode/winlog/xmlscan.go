package winlog

import (
	"bytes"
	"errors"
	"strconv"
	"unicode/utf8"
)

// What scan may come to.
var (
	errMore    = errors.New("the text ends within the event")
	errIgnored = errors.New("of no use")
	errCut     = errors.New("another event begins, or the input ends")
	errLong    = errors.New("too long")
	errBadXML  = errors.New("not well-formed")
)

// reasonOf returns the tally's reason for an error of scan, or "".
func reasonOf(err error) string {
	switch {
	case errors.Is(err, errCut):
		return reasonCut
	case errors.Is(err, errLong):
		return reasonLong
	case errors.Is(err, errBadXML):
		return reasonXML
	}
	return ""
}

// A section is a part of an event.
type section int

const (
	otherSection section = iota
	systemSection
	dataSection
	userSection
)

// maxXMLDepth bounds the nesting of elements.
const maxXMLDepth = 64

// A scanner goes through the tags of one event.
type scanner struct {
	b       []byte
	off     int
	depth   int // of the open elements
	section section
	field   field  // of the open element, or −1
	value   []byte // its text so far
	copied  bool   // value is no part of b
}

// scan reads the event that b begins with and returns its kind and size. With
// errIgnored, the event is whole and has been counted as ignored; with errCut
// and errBadXML, the size is how far to go on from.
func (r *xmlRecord) scan(b []byte, m *mapper) (kind, int, error) {
	r.fields = fields{}
	s := scanner{b: b, field: -1}
	var k kind
	decided := false
	for {
		err := s.token(&r.fields)
		if err != nil {
			return k, max(s.off, len(eventStart)), err
		}
		if s.depth == 0 {
			return k, s.off, r.decide(m, &k, decided)
		}
		if !decided && s.depth == 1 && s.section == systemSection {
			s.section = otherSection
			// Only what is whole is counted as ignored; most is.
			if rest, ok := s.plainRest(); ok {
				decided = true
				if err := r.decide(m, &k, false); err != nil {
					return k, s.off + rest, err
				}
			}
		}
	}
}

// decide tells the kind of the record, unless that has been done.
func (r *xmlRecord) decide(m *mapper, k *kind, decided bool) error {
	if decided {
		return nil
	}
	var ok bool
	if *k, ok = m.kind(r); !ok {
		return errIgnored
	}
	return nil
}

// plainRest returns the size of the rest of the event where that can be told
// without reading its tags: nothing in it hides tags, and no other event
// begins before its end.
func (s *scanner) plainRest() (int, bool) {
	rest := s.b[s.off:]
	i := bytes.Index(rest, []byte(eventEnd))
	if i < 0 || bytes.Contains(rest[:i], []byte("<!")) || findEvent(rest[:i]) >= 0 {
		return 0, false
	}
	return i + len(eventEnd), true
}

// token reads text up to the next tag, and the tag.
func (s *scanner) token(f *fields) error {
	i := bytes.IndexByte(s.b[s.off:], '<')
	if i < 0 || s.off+i+1 >= len(s.b) {
		return errMore
	}
	if s.field >= 0 && i > 0 {
		s.add(unescape(s.b[s.off : s.off+i]))
	}
	tag := s.b[s.off+i:]
	switch tag[1] {
	case '/':
		return s.closeTag(tag, i, f)
	case '!':
		return s.declaration(tag, i)
	case '?':
		return s.skipTo(tag, i, "?>")
	}
	return s.openTag(tag, i, f)
}

// skipTo moves behind the end of the tag that stands i bytes on.
func (s *scanner) skipTo(tag []byte, i int, end string) error {
	n := bytes.Index(tag, []byte(end))
	if n < 0 {
		return errMore
	}
	s.off += i + n + len(end)
	return nil
}

// declaration reads a CDATA section, or passes over a comment.
func (s *scanner) declaration(tag []byte, i int) error {
	const cdata, comment = "<![CDATA[", "<!--"
	switch {
	case len(tag) < len(cdata):
		return errMore
	case bytes.HasPrefix(tag, []byte(comment)):
		return s.skipTo(tag, i, "-->")
	case !bytes.HasPrefix(tag, []byte(cdata)):
		return errBadXML
	}
	n := bytes.Index(tag, []byte("]]>"))
	if n < 0 {
		return errMore
	}
	if s.field >= 0 {
		s.add(tag[len(cdata):n])
	}
	s.off += i + n + len("]]>")
	return nil
}

// add adds text to the open element. One that comes in a piece is not copied.
func (s *scanner) add(text []byte) {
	switch {
	case s.value == nil:
		s.value, s.copied = text, false
	case s.copied:
		s.value = append(s.value, text...)
	default:
		s.value, s.copied = append(bytes.Clone(s.value), text...), true
	}
}

func (s *scanner) closeTag(tag []byte, i int, f *fields) error {
	end := bytes.IndexByte(tag, '>')
	if end < 0 {
		return errMore
	}
	if err := s.misplaced(tag[:end], i); err != nil {
		return err
	}
	s.off += i
	isEvent := string(bytes.TrimRight(tag[2:end], " \t\r\n")) == "Event"
	if isEvent != (s.depth == 1) && s.section != userSection {
		return errBadXML
	}
	s.off += end + 1
	s.depth--
	if s.field >= 0 {
		f[s.field] = s.value
		s.field, s.value = -1, nil
	}
	return nil
}

func (s *scanner) openTag(tag []byte, i int, f *fields) error {
	end := tagEnd(tag)
	if end < 0 {
		return errMore
	}
	if err := s.misplaced(tag[:end], i); err != nil {
		return err
	}
	name := tag[1:end]
	for n, c := range name {
		if endsName(c) {
			name = name[:n]
			break
		}
	}
	if s.depth > 0 && s.section != userSection && string(name) == "Event" {
		s.off += i
		return errCut
	}
	s.off += i + end + 1
	attributes := tag[1+len(name) : end]
	if n := len(attributes); n > 0 && attributes[n-1] == '/' {
		s.attributes(name, attributes[:n-1], s.depth+1, f)
		return s.emptied()
	}
	s.depth++
	if s.depth > maxXMLDepth {
		return errBadXML
	}
	s.field, s.value = -1, nil
	s.enter(name, attributes, f)
	return nil
}

// misplaced returns the error for a tag that another begins in, and moves
// there: so the first was cut short.
func (s *scanner) misplaced(tag []byte, i int) error {
	n := bytes.IndexByte(tag[1:], '<')
	if n < 0 {
		return nil
	}
	s.off += i + 1 + n
	if bytes.HasPrefix(s.b[s.off:], []byte(eventStart)) {
		return errCut
	}
	return errBadXML
}

// emptied accounts for an element without content.
func (s *scanner) emptied() error {
	if s.depth == 0 { // <Event/>
		return errBadXML
	}
	return nil
}

// tagEnd returns the index of the > that ends a tag, or −1.
func tagEnd(tag []byte) int {
	end := bytes.IndexByte(tag, '>')
	if end < 0 || bytes.IndexByte(tag[:end], '"') < 0 && bytes.IndexByte(tag[:end], '\'') < 0 {
		return end
	}
	var quote byte
	for i, c := range tag {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return i
		}
	}
	return -1
}

// enter notes which element has been opened.
func (s *scanner) enter(name, attributes []byte, f *fields) {
	switch s.depth {
	case 2:
		s.section = sectionOf(name)
	case 3:
		s.attributes(name, attributes, 3, f)
		s.field = s.fieldOf(name, attributes)
	}
}

func sectionOf(name []byte) section {
	switch string(name) {
	case "System":
		return systemSection
	case "EventData":
		return dataSection
	case "UserData":
		return userSection
	}
	return otherSection
}

// fieldOf returns the field that an element's text is, or −1.
func (s *scanner) fieldOf(name, attributes []byte) field {
	switch s.section {
	case systemSection:
		switch string(name) {
		case "EventID":
			return fieldEventID
		case "EventRecordID":
			return fieldRecord
		case "Channel":
			return fieldChannel
		case "Computer":
			return fieldComputer
		}
	case dataSection:
		if string(name) == "Data" {
			if f, ok := dataFields[string(attribute(attributes, "Name"))]; ok {
				return f
			}
		}
	}
	return -1
}

// attributes notes the fields that are attributes.
func (s *scanner) attributes(name, attributes []byte, depth int, f *fields) {
	if depth != 3 || s.section != systemSection {
		return
	}
	switch string(name) {
	case "Provider":
		f[fieldProvider] = attribute(attributes, "Name")
	case "TimeCreated":
		f[fieldTime] = attribute(attributes, "SystemTime")
	}
}

// attribute returns the value of the attribute of that name, or nil.
func attribute(b []byte, name string) []byte {
	for {
		b = bytes.TrimLeft(b, " \t\r\n")
		i := bytes.IndexByte(b, '=')
		if i < 0 {
			return nil
		}
		key := bytes.TrimRight(b[:i], " \t\r\n")
		b = bytes.TrimLeft(b[i+1:], " \t\r\n")
		if len(b) == 0 || b[0] != '"' && b[0] != '\'' {
			return nil
		}
		end := bytes.IndexByte(b[1:], b[0])
		if end < 0 {
			return nil
		}
		if string(key) == name {
			return unescape(b[1 : 1+end])
		}
		b = b[end+2:]
	}
}

// unescape returns text with its references resolved. Without any it is b
// itself. Those that XML does not know without a DTD stay as they are.
func unescape(b []byte) []byte {
	i := bytes.IndexByte(b, '&')
	if i < 0 {
		return b
	}
	out := make([]byte, 0, len(b))
	for i >= 0 {
		out = append(out, b[:i]...)
		b = b[i:]
		n := reference(b)
		if c, ok := character(b[:n]); ok {
			out = utf8.AppendRune(out, c)
		} else {
			out = append(out, b[:n]...)
		}
		b = b[n:]
		i = bytes.IndexByte(b, '&')
	}
	return append(out, b...)
}

// reference returns the size of the reference that b begins with; of the
// ampersand when it is none.
func reference(b []byte) int {
	const longest = 12
	if i := bytes.IndexByte(b[:min(len(b), longest)], ';'); i > 0 {
		return i + 1
	}
	return 1
}

// character returns the character that a reference stands for.
func character(ref []byte) (rune, bool) {
	switch string(ref) {
	case "&lt;":
		return '<', true
	case "&gt;":
		return '>', true
	case "&amp;":
		return '&', true
	case "&quot;":
		return '"', true
	case "&apos;":
		return '\'', true
	}
	if len(ref) < 4 || ref[1] != '#' {
		return 0, false
	}
	digits, base := ref[2:len(ref)-1], 10
	if digits[0] == 'x' || digits[0] == 'X' {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseUint(string(digits), base, 32)
	if err != nil || n > utf8.MaxRune {
		return 0, false
	}
	return rune(n), true
}
