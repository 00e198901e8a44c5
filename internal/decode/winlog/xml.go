package winlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

func xmlFormat() *decode.Format {
	return &decode.Format{
		Name: "winlog-xml",
		Doc: `Windows events as XML

What wevtutil, Get-WinEvent's ToXml, Event Viewer, evtxexport and forwarders
write: Event elements, one or many to a line or over many lines, below an
Events element or not, with any text between them. Document type declarations
are refused.
` + events + `
Clock: System/TimeCreated, which Windows sets when the event is written.`,
		Extensions: []string{".xml"},
		Match:      matchXML,
		Open: func(r io.Reader, t *decode.Tally) decode.Decoder {
			return newDecoder(t, &xmlSource{r: r, line: 1})
		},
	}
}

const (
	eventStart  = "<Event"
	eventEnd    = "</Event>"
	eventSchema = "http://schemas.microsoft.com/win/2004/08/events/event"

	maxEvent = 1 << 20   // bytes of an event
	xmlBlock = 256 << 10 // read at once
)

// errDTD: what a declaration could do to the rest is not worth finding out.
var errDTD = errors.New("document type declarations are refused")

// matchXML reports whether there is an Event element at the beginning of a
// line of head that is one of Windows.
func matchXML(head []byte) bool {
	for rest := head; ; {
		i := findEvent(rest)
		if i < 0 || findDTD(rest[:i]) >= 0 {
			return false
		}
		before := bytes.TrimRight(rest[:i], " \t\r")
		after := rest[i:]
		atStart := len(before) == 0 || before[len(before)-1] == '\n' || before[len(before)-1] == '>'
		if atStart && ofWindows(after) {
			return !jsonLine(before)
		}
		rest = after[len(eventStart):]
	}
}

// jsonLine reports whether the line that before ends with is JSON, which may
// hold XML in its strings.
func jsonLine(before []byte) bool {
	line := before[bytes.LastIndexByte(before, '\n')+1:]
	line = bytes.TrimLeft(line, " \t[,")
	return len(line) > 0 && (line[0] == '{' || line[0] == '"')
}

// ofWindows reports whether b begins with the start tag of a Windows event.
func ofWindows(b []byte) bool {
	end := bytes.IndexByte(b, '>')
	if end < 0 {
		return false
	}
	if bytes.Contains(b[:end], []byte(eventSchema)) {
		return true
	}
	return bytes.HasPrefix(bytes.TrimLeft(b[end+1:], " \t\r\n"), []byte("<System"))
}

// findDTD returns the index of a document type declaration in b, or −1.
func findDTD(b []byte) int {
	if i := bytes.Index(b, []byte("<!DOCTYPE")); i >= 0 {
		return i
	}
	return bytes.Index(b, []byte("<!ENTITY"))
}

// findEvent returns the index of the first start tag of an Event in b, or −1.
func findEvent(b []byte) int {
	for at := 0; ; {
		i := bytes.Index(b[at:], []byte(eventStart))
		if i < 0 {
			return -1
		}
		at += i
		if next := at + len(eventStart); next < len(b) && endsName(b[next]) {
			return at
		}
		at += len(eventStart)
	}
}

func endsName(c byte) bool {
	switch c {
	case ' ', '\t', '\r', '\n', '>', '/':
		return true
	}
	return false
}

// An xmlSource finds the events in a text.
type xmlSource struct {
	r     io.Reader
	buf   []byte
	off   int    // of the unread bytes
	err   error  // of r
	fresh []byte // what was read last, and a little before it
	text  int    // bytes of text between events so far in this line

	started bool // an event has begun; a DTD could stand only before it
	broken  bool // the text is the rest of a broken event

	line int64 // that the unread bytes begin in
	rec  xmlRecord
}

func (s *xmlSource) next(m *mapper) (record, kind, error) {
	if err := s.seek(m); err != nil {
		return nil, kind{}, err
	}
	m.tally.Records++
	s.rec.line = s.line
	for {
		b := s.buf[s.off:]
		k, n, err := s.rec.scan(b[:min(len(b), maxEvent)], m)
		switch {
		case errors.Is(err, errMore) && len(b) >= maxEvent:
			n, err = len(eventStart), errLong
		case errors.Is(err, errMore) && s.fillEvent():
			continue
		case errors.Is(err, errMore):
			n, err = len(eventStart), errCut
		}
		// The record refers to the buffer, which consume leaves as it is.
		s.consume(n)
		if reason := reasonOf(err); reason != "" {
			s.broken = true
			m.tally.Skip(s.rec.where(), reason)
			return nil, kind{}, nil
		}
		if errors.Is(err, errIgnored) {
			return nil, kind{}, nil
		}
		return &s.rec, k, nil
	}
}

// seek moves to the next event, past whatever stands before it.
func (s *xmlSource) seek(m *mapper) error {
	for {
		b := s.buf[s.off:]
		i := findEvent(b)
		if i >= 0 {
			b = b[:i]
		}
		if n := findDTD(b); n >= 0 && !s.started {
			s.pass(n, m)
			return fmt.Errorf("line %d: %w", s.line, errDTD)
		}
		if i >= 0 {
			s.pass(i, m)
			s.endText(m)
			s.started, s.broken = true, false
			return nil
		}
		const keep = 16 // a tag may begin in the last bytes
		s.pass(max(0, len(b)-keep), m)
		if !s.fill() {
			s.pass(len(s.buf)-s.off, m)
			s.endText(m)
			return s.err
		}
	}
}

// pass consumes text between events. Tools print all sorts of lines there,
// which are not counted unless they are too long to be meant for people. The
// rest of a broken event has been counted with its beginning.
func (s *xmlSource) pass(n int, m *mapper) {
	for b := s.buf[s.off : s.off+n]; len(b) > 0; {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			s.text += len(b)
			break
		}
		s.text += i
		s.endText(m)
		s.line++
		b = b[i+1:]
	}
	s.off += n
}

// endText ends a stretch of text in a line.
func (s *xmlSource) endText(m *mapper) {
	if s.text > maxEvent && !s.broken {
		m.tally.Records++
		m.tally.SkipLine(s.line, reasonLong)
	}
	s.text = 0
}

// consume consumes an event.
func (s *xmlSource) consume(n int) {
	s.line += int64(bytes.Count(s.buf[s.off:s.off+n], []byte("\n")))
	s.off += n
}

// fillEvent reads on to what may be the end of the event, so that one is not
// scanned anew for every few bytes. It reports whether there was more.
func (s *xmlSource) fillEvent() bool {
	more := false
	for s.fill() {
		more = true
		b := s.buf[s.off:]
		if len(b) >= maxEvent || bytes.Contains(s.fresh, []byte(eventEnd)) {
			break
		}
	}
	return more
}

// fill reads more behind the unread bytes, and reports whether there was more.
func (s *xmlSource) fill() bool {
	if s.err != nil {
		return false
	}
	s.room()
	for range 100 {
		old := len(s.buf)
		n, err := s.r.Read(s.buf[old:cap(s.buf)])
		s.buf = s.buf[:old+n]
		s.fresh = s.buf[max(0, old-len(eventEnd)):]
		s.err = err
		if n > 0 {
			return true
		}
		if err != nil {
			return false
		}
	}
	s.err = io.ErrNoProgress
	return false
}

// room makes space to read into: by moving the unread bytes to the front, or
// by doubling the buffer when they fill more than half of it.
func (s *xmlSource) room() {
	if len(s.buf) < cap(s.buf) {
		return
	}
	unread := s.buf[s.off:]
	if 2*len(unread) < cap(s.buf) {
		s.buf = s.buf[:copy(s.buf, unread)]
	} else {
		s.buf = append(make([]byte, 0, max(xmlBlock, 2*cap(s.buf))), unread...)
	}
	s.off = 0
}

// An xmlRecord is an event in XML.
type xmlRecord struct {
	fields
	line int64
}

func (r *xmlRecord) where() string { return fmt.Sprintf("line %d", r.line) }

func (r *xmlRecord) time() (event.Time, string) {
	t, _ := parseTime(r.fields[fieldTime])
	return t, recordClock
}
