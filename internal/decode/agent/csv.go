package agent

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// Bounds on a table. A quote that is never closed must not swallow the rest.
const (
	maxColumns  = 1024
	maxRowLines = 256
	maxRow      = 4 << 20
)

const reasonQuote = "a quote is not closed"

// A row is one record of a table (RFC 4180). Its cells refer to text.
type row struct {
	columns map[string]int
	text    []byte
	cells   [][]byte
}

func (r *row) cell(name string) []byte {
	if i, ok := r.columns[name]; ok && i < len(r.cells) {
		return r.cells[i]
	}
	return nil
}

// A CSV is how a maker writes its records as a table with a header.
type CSV struct {
	Clock string
	New   func() Mapper
}

// Match is a [decode.Format]'s: the header's names decide.
func (c *CSV) Match(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	cells, whole := split(nil, bytes.Clone(bytes.TrimSuffix(line, []byte("\r"))))
	if !whole {
		return false
	}
	columns := header(cells)
	return columns != nil && c.New().Own(&Record{row: &row{columns: columns}})
}

// header returns the places of the columns that cells name, or nil when they
// are no header: no name twice, and no name empty.
func header(cells [][]byte) map[string]int {
	if len(cells) < 2 || len(cells) > maxColumns {
		return nil
	}
	columns := make(map[string]int, len(cells))
	for i, cell := range cells {
		name := strings.ToValidUTF8(string(bytes.TrimSpace(cell)), "\ufffd")
		if _, again := columns[name]; again || name == "" {
			return nil
		}
		columns[name] = i
	}
	return columns
}

// Open is a [decode.Format]'s.
func (c *CSV) Open(r io.Reader, t *decode.Tally) decode.Decoder {
	return &csvDecoder{
		account: account{clock: c.Clock, tally: t, mapper: c.New()},
		lines:   decode.NewLines(r, maxRow),
	}
}

// A csvDecoder decodes rows.
type csvDecoder struct {
	account
	lines   *decode.Lines
	columns map[string]int
	row     row
	first   int64  // line of the row
	held    []byte // a line that was read and begins the next row, or nil
}

var _ decode.Decoder = (*csvDecoder)(nil)

// Decode implements [decode.Decoder].
func (d *csvDecoder) Decode(b *event.Batch) error {
	if d.err != nil {
		return d.err
	}
	before := b.Len()
	defer func() { d.made(b.Len() - before) }()
	for start := d.tally.Records; d.tally.Records-start < batchRecords; {
		reason, err := d.next()
		switch {
		case err != nil:
			return d.end(err, d.lines.Number())
		case reason != "":
			d.skip(d.first, reason)
		case len(d.row.cells) > 0 && d.columns == nil:
			d.begin()
		case len(d.row.cells) > 0:
			d.take(&Record{row: &d.row}, d.first, b)
		}
	}
	return nil
}

// begin takes the row for the header.
func (d *csvDecoder) begin() {
	if d.columns = header(d.row.cells); d.columns == nil {
		d.skip(d.first, "no header")
		return
	}
	d.row.columns = d.columns
}

// next reads a row, or says why it cannot be read. A blank line has no cells.
func (d *csvDecoder) next() (reason string, err error) {
	d.row.text, d.row.cells = d.row.text[:0], d.row.cells[:0]
	for n := 0; ; n++ {
		line, err := d.line()
		if n == 0 {
			d.first = d.lines.Number()
		}
		switch {
		case errors.Is(err, decode.ErrLong):
			return reasonLong, nil
		case err == io.EOF && n > 0:
			return reasonQuote, nil
		case err != nil:
			return "", err
		case n > 0 && d.begins(line):
			d.held = bytes.Clone(line)
			return reasonQuote, nil
		}
		if n > 0 {
			d.row.text = append(d.row.text, '\n')
		}
		d.row.text = append(d.row.text, line...)
		if len(d.row.text) == 0 {
			return "", nil
		}
		if even := bytes.Count(line, []byte{'"'})%2 == 0; even == (n == 0) {
			return d.cells(), nil
		}
		if n == maxRowLines || len(d.row.text) > maxRow {
			return reasonQuote, nil
		}
	}
}

// line returns the line that was held back, or else the next.
func (d *csvDecoder) line() ([]byte, error) {
	if held := d.held; held != nil {
		d.held = nil
		return held, nil
	}
	return d.lines.Next()
}

// minTelling is how many columns a table needs for begins to be sure.
const minTelling = 6

// begins reports whether a line within quotes is a whole row itself, so that
// the quote before it is one too many: it has all the cells.
func (d *csvDecoder) begins(line []byte) bool {
	if len(d.columns) < minTelling || bytes.Count(line, []byte{','}) < len(d.columns)-1 {
		return false
	}
	cells, whole := split(nil, bytes.Clone(line))
	return whole && len(cells) == len(d.columns)
}

// cells splits the row, and says why it cannot.
func (d *csvDecoder) cells() (reason string) {
	var whole bool
	if d.row.cells, whole = split(d.row.cells, d.row.text); !whole {
		return "misplaced quote"
	}
	if d.columns != nil && len(d.row.cells) != len(d.columns) {
		return "not as many cells as columns"
	}
	return ""
}

// split appends the cells of a row to cells, and reports whether its quotes
// are where they belong. Doubled quotes become one within row itself.
func split(cells [][]byte, row []byte) ([][]byte, bool) {
	for {
		if len(row) == 0 || row[0] != '"' {
			i := bytes.IndexByte(row, ',')
			if i < 0 {
				return append(cells, row), true
			}
			cells, row = append(cells, row[:i]), row[i+1:]
			continue
		}
		cell, rest, ok := quoted(row[1:])
		if !ok {
			return cells, false
		}
		cells = append(cells, cell)
		if len(rest) == 0 {
			return cells, true
		}
		if rest[0] != ',' {
			return cells, false
		}
		row = rest[1:]
	}
}

// quoted returns the cell that b begins with, behind its opening quote, and
// what follows the closing one.
func quoted(b []byte) (cell, rest []byte, ok bool) {
	end := 0
	for i := 0; ; {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return nil, nil, false
		}
		end += copy(b[end:], b[i:i+n])
		i += n + 1
		if i == len(b) || b[i] != '"' {
			return b[:end], b[i:], true
		}
		b[end] = '"'
		end++
		i++
	}
}
