package zeek

import (
	"bytes"
	"strings"
)

// maxColumns bounds the columns that a header may declare.
const maxColumns = 1024

// The reasons why rows below a header cannot be read.
const (
	noHeader     = "row before #fields"
	badSeparator = "unusable #separator"
	badFields    = "unusable #fields"
)

// A header is what the # lines above rows say of them.
type header struct {
	sep, set     byte
	unset, empty string
	path         []byte
	fields       []column // by position
	bad          string   // why rows cannot be read, or ""

	log   log
	ready bool // log is set
}

func newHeader() header {
	return header{sep: '\t', set: ',', unset: "-", empty: "(empty)", bad: noHeader}
}

// line takes in a line that begins with #. Those that do not matter here,
// #types, #open and #close, are passed over.
func (h *header) line(b []byte) {
	keyword, value := directive(b)
	switch string(keyword) {
	case "separator": // is the first line of each log
		*h = newHeader()
		sep := unescape(value)
		if len(sep) != 1 {
			h.bad = badSeparator
			return
		}
		h.sep = sep[0]
	case "set_separator":
		if set := unescape(value); len(set) > 0 {
			h.set = set[0]
		}
	case "empty_field":
		h.empty = string(unescape(value))
	case "unset_field":
		h.unset = string(unescape(value))
	case "path":
		h.path = bytes.Clone(unescape(value))
	case "fields":
		h.declare(b[len("#fields"):])
	default:
		return
	}
	h.ready = false
}

// directive splits a line into its keyword and what stands behind the one
// separator that follows.
func directive(b []byte) (keyword, value []byte) {
	b = b[1:]
	n := 0
	for n < len(b) && ('a' <= b[n] && b[n] <= 'z' || b[n] == '_') {
		n++
	}
	return b[:n], b[min(n+1, len(b)):]
}

// declare takes in the names of the columns, each behind a separator. Of
// columns with one meaning, the first counts.
func (h *header) declare(names []byte) {
	h.fields = h.fields[:0]
	if h.bad == badSeparator {
		return
	}
	if len(names) < 2 || names[0] != h.sep || bytes.Count(names, []byte{h.sep}) > maxColumns {
		h.bad = badFields
		return
	}
	h.bad = ""
	var taken columnSet
	for name := range strings.SplitSeq(string(names[1:]), string([]byte{h.sep})) {
		c := columns[name]
		if taken[c] {
			c = noColumn
		}
		taken[c] = c != noColumn
		h.fields = append(h.fields, c)
	}
}

// resolve finds the log that the rows below are of.
func (h *header) resolve() {
	h.ready = true
	l, ok := logNames[string(h.path)]
	if !ok {
		l = infer(h.has())
	}
	h.log = l
}

// has returns the declared columns.
func (h *header) has() *columnSet {
	var s columnSet
	for _, c := range h.fields {
		s[c] = c != noColumn
	}
	return &s
}

// split sets the columns of r that h declares, and returns the reason where
// the line does not fit.
func (h *header) split(line []byte, r *row) (reason string) {
	r.escaped = bytes.IndexByte(line, '\\') >= 0
	for n, c := range h.fields {
		field := line
		if i := bytes.IndexByte(line, h.sep); i >= 0 {
			if n == len(h.fields)-1 {
				return "too many columns"
			}
			field, line = line[:i], line[i+1:]
		} else if n < len(h.fields)-1 {
			return "too few columns"
		}
		if c != noColumn {
			r.col[c] = h.value(field)
		}
	}
	return ""
}

// value returns nil for an unset field, and nothing for an empty one.
func (h *header) value(field []byte) []byte {
	switch string(field) {
	case h.unset:
		return nil
	case h.empty:
		return field[:0]
	}
	return field
}
