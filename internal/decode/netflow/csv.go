package netflow

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// maxLine bounds a line. nfdump's have some hundred bytes.
const maxLine = 1 << 16

// maxHeadLines is how many lines matchCSV looks at for the header.
const maxHeadLines = 8

// A column is one of nfdump's that a record is made of.
type column uint8

const (
	noColumn column = iota
	colStart
	colEnd
	colDuration
	colSrc
	colDst
	colSrcPort
	colDstPort
	colProto
	colFlags
	colPackets
	colBytes
	colBackPackets
	colBackBytes
	colRouter

	numColumns
)

// columns has the columns by the names of nfdump 1.6 and 1.7.
var columns = map[string]column{
	"ts": colStart, "firstSeen": colStart, "te": colEnd, "lastSeen": colEnd, "td": colDuration, "duration": colDuration,
	"sa": colSrc, "srcAddr": colSrc, "da": colDst, "dstAddr": colDst,
	"sp": colSrcPort, "srcPort": colSrcPort, "dp": colDstPort, "dstPort": colDstPort,
	"pr": colProto, "proto": colProto, "flg": colFlags, "flags": colFlags,
	"ipkt": colPackets, "packets": colPackets, "ibyt": colBytes, "bytes": colBytes,
	"opkt": colBackPackets, "outPackets": colBackPackets, "obyt": colBackBytes, "outBytes": colBackBytes,
	"ra": colRouter, "router": colRouter,
}

// A layout says which column stands where.
type layout []column

// layoutOf returns the layout that a header names, or nil for another line.
func layoutOf(line []byte) layout {
	var l layout
	var has [numColumns]bool
	for name := range bytes.SplitSeq(line, []byte(",")) {
		c := columns[string(bytes.TrimSpace(name))]
		l = append(l, c)
		has[c] = true
	}
	if !has[colStart] || !has[colSrc] || !has[colDst] || !has[colSrcPort] || !has[colDstPort] || !has[colProto] || !has[colBytes] {
		return nil
	}
	return l
}

func matchCSV(head []byte) bool {
	n := 0
	for line := range bytes.Lines(head) {
		if len(line) < maxLine && layoutOf(line) != nil {
			return true
		}
		if n++; n == maxHeadLines {
			break
		}
	}
	return false
}

// A csv decodes lines.
type csv struct {
	lines     *decode.Lines
	tally     *decode.Tally
	assembler *assembler
	names     names
	layout    layout
	summary   bool // the lines that follow are sums
}

func newCSV(r io.Reader, t *decode.Tally) *file {
	c := &csv{lines: decode.NewLines(r, maxLine), tally: t, assembler: newAssembler(t, nfdumpClock), names: make(names)}
	return &file{step: c.step, close: c.assembler.close}
}

func (c *csv) where() string { return fmt.Sprintf("line %d", c.lines.Number()) }

// step reads a line.
func (c *csv) step(out *event.Batch) error {
	line, err := c.lines.Next()
	switch {
	case errors.Is(err, decode.ErrLong):
		c.refuse(verdict{skipped: "line too long"})
	case err == io.EOF:
		return err
	case err != nil:
		return fmt.Errorf("read on after line %d: %w", c.lines.Number(), err)
	case len(line) > 0:
		c.line(line, out)
	}
	return nil
}

func (c *csv) refuse(v verdict) {
	c.tally.Records++
	c.assembler.refuse(v, c.where)
}

// line reads a header, a record, or a line of the summary behind them.
func (c *csv) line(line []byte, out *event.Batch) {
	if l := c.header(line); l != nil {
		c.layout, c.summary = l, false
		return
	}
	if string(line) == "Summary" {
		c.summary = true
	}
	switch {
	case c.summary:
		c.refuse(verdict{ignored: "nfdump summary"})
	case c.layout == nil:
		c.refuse(verdict{skipped: "no header before it"})
	default:
		r, v := c.record(line)
		if !v.fine() {
			c.refuse(v)
			return
		}
		c.tally.Warn(zoneWarning)
		c.assembler.take(&r, c.where, out)
	}
}

// header is layoutOf for a line that could be a header: it begins with a
// letter, and records with a digit.
func (c *csv) header(line []byte) layout {
	if first := line[0] | 0x20; first < 'a' || 'z' < first {
		return nil
	}
	return layoutOf(line)
}

// record reads a record.
func (c *csv) record(line []byte) (r record, v verdict) {
	var col [numColumns][]byte
	n := 0
	for rest := line; rest != nil && n < len(c.layout); n++ {
		value := rest
		if i := bytes.IndexByte(rest, ','); i >= 0 {
			value, rest = rest[:i], rest[i+1:]
		} else {
			rest = nil
		}
		if at := c.layout[n]; at != noColumn {
			col[at] = bytes.TrimSpace(value)
		}
	}
	if n < len(c.layout) {
		return r, verdict{skipped: "too few columns"}
	}
	r = record{
		sensor: c.names.of(col[colRouter], "nfdump"),
		proto:  transport(col[colProto]), flags: flagsOf(col[colFlags]), rate: 1,
	}
	if r.proto == 0 {
		return r, verdict{ignored: ignoreTransport}
	}
	var reason string
	if r.src, reason = endpoint(col[colSrc], col[colSrcPort]); reason != "" {
		return r, verdict{skipped: reason}
	}
	if r.dst, reason = endpoint(col[colDst], col[colDstPort]); reason != "" {
		return r, verdict{skipped: reason}
	}
	if !times(&r, &col) {
		return r, verdict{skipped: badTime}
	}
	if !volumes(&r, &col) {
		return r, verdict{skipped: badCount}
	}
	return r, verdict{}
}

// times reads when a flow began, and how long it was: ts and te are in whole
// seconds, td is exact.
func times(r *record, col *[numColumns][]byte) (ok bool) {
	if r.start, ok = printed(col[colStart]); !ok {
		return false
	}
	if len(col[colDuration]) > 0 {
		whole, rest, _ := bytes.Cut(col[colDuration], []byte("."))
		seconds, ok := decimal(whole)
		micros, _ := fraction(rest)
		if seconds > maxDuration/1e6 { // nfdump prints one below zero so
			seconds, r.untimed = 0, true
		}
		r.end = r.start + event.Time(seconds*1e6) + event.Time(micros)
		return ok
	}
	if len(col[colEnd]) == 0 {
		r.end, r.untimed = r.start, true
		return true
	}
	r.end, ok = printed(col[colEnd])
	return ok
}

// volumes reads the counts of both directions. A column that is not there
// counts nothing.
func volumes(r *record, col *[numColumns][]byte) bool {
	fine := true
	read := func(c column) event.Count {
		if len(col[c]) == 0 {
			return event.Unknown
		}
		n, ok := decimal(col[c])
		fine = fine && ok
		return event.Count(n)
	}
	r.forth = volume{read(colBytes), read(colPackets)}
	r.back = bothWays(volume{read(colBackBytes), read(colBackPackets)})
	return fine
}
