// Package evtx reads Windows event logs: files of chunks of records in binary
// XML. It knows the container and the encoding, and nothing of any event.
//
// The layout is described in [MS-EVEN6] section 2.2.12 and in the libevtx
// project's "Windows XML Event Log (EVTX) format".
package evtx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/postern/postern/internal/decode"
)

const (
	fileMagic   = "ElfFile\x00"
	headerSize  = 128  // the part of the file header that is in use
	headerBlock = 4096 // the space that the file header takes up, unless it says otherwise
	chunkSize   = 64 << 10

	flagNoChecksums = 4
)

var le = binary.LittleEndian

// ErrNotEVTX says that the input does not begin with the header of an event log.
var ErrNotEVTX = errors.New("not a Windows event log")

// Match reports whether head is the beginning of an event log.
func Match(head []byte) bool {
	return len(head) >= len(fileMagic) && string(head[:len(fileMagic)]) == fileMagic
}

// A Reader yields the records of one event log, in the order of the file. It
// reads a chunk of 64 KiB at a time and keeps no other.
//
// A Reader is not safe for concurrent use.
type Reader struct {
	// Select, when set, is asked about each record as soon as the values of
	// its outer template are known, before those of the nested fragments
	// (EventData, UserData) are. A record that it refuses is read no further,
	// and Next passes over it: Select accounts for it.
	Select func(*Record) bool

	r         io.Reader
	tally     *decode.Tally
	slots     map[string]int16 // path → slot; nil when all fields are wanted
	checksums bool
	started   bool
	err       error

	chunks, wrong int64 // chunks with records, and those with a wrong checksum
	position      int64 // of the chunk in the file, counted from 1
	used          int64

	chunk  chunk
	buf    []byte
	record Record
}

// NewReader returns a reader of the event log r. It counts records, and those
// that it cannot read, in t.
//
// The paths name the fields that are wanted: [Record.Text] and its like take
// an index into them. A path is that of the elements below Event, with the
// name of a named Data element for its own: "System/EventID",
// "System/TimeCreated@SystemTime", "EventData/Image"; unnamed Data elements
// are all "EventData/Data". Without paths, [Record.Fields] gives all there is.
func NewReader(r io.Reader, t *decode.Tally, paths ...string) *Reader {
	d := &Reader{r: r, tally: t, buf: make([]byte, chunkSize)}
	if len(paths) > 0 {
		d.slots = make(map[string]int16, len(paths))
		for i, p := range paths {
			d.slots[p] = int16(i)
		}
	}
	d.record.chunk = &d.chunk
	d.record.slots = make([]int32, len(paths))
	d.record.last = make([]int32, len(paths))
	d.chunk.init(d.slots)
	return d
}

// Next returns the next record that can be read, or io.EOF after the last one.
// The record is valid until the next call. Any other error says that the rest
// of the log cannot be read.
func (d *Reader) Next() (*Record, error) {
	for d.err == nil {
		f, state := d.chunk.next()
		switch state {
		case frameEnd:
			d.err = d.nextChunk()
			continue
		case frameBad:
			d.skip(reasonFrame)
			continue
		}
		d.tally.Records++
		switch d.read(f) {
		case kept:
			return &d.record, nil
		case refused:
		}
	}
	return nil, d.err
}

// Used returns the number of bytes that the records of the chunks read so far
// take up. Logs are allocated in advance, so that it can be much less than the
// size of the file.
func (d *Reader) Used() int64 { return d.used }

// The reasons for which records and chunks are skipped.
const (
	reasonChunk = "bad chunk header"
	reasonFrame = "bad record header"
	reasonXML   = "bad binary XML"
	reasonFault = "fault of the decoder"
)

type outcome int

const (
	kept outcome = iota
	refused
	failed
)

// read reads the record in f. A fault in this code, should a record bring one
// about, costs that record and the chunk's cache, and no more.
func (d *Reader) read(f frame) (o outcome) {
	defer func() {
		if recover() != nil {
			d.chunk.forget()
			d.fail(reasonFault)
			o = failed
		}
	}()
	switch err := d.record.read(f, d.Select); {
	case err == nil:
		return kept
	case errors.Is(err, errRefused):
		return refused
	default:
		d.fail(reasonXML)
		return failed
	}
}

// skip counts something in the chunk that is not even a record.
func (d *Reader) skip(reason string) {
	d.tally.Records++
	d.fail(reason)
}

func (d *Reader) fail(reason string) {
	d.tally.Skip(fmt.Sprintf("record %d in chunk %d", d.chunk.count, d.position), reason)
}

// nextChunk reads the next chunk that holds records.
func (d *Reader) nextChunk() error {
	if !d.started {
		if err := d.header(); err != nil {
			return err
		}
		d.started = true
	}
	for {
		n, err := io.ReadFull(d.r, d.buf)
		switch {
		case err == io.EOF:
			d.finish()
			return io.EOF
		case err == io.ErrUnexpectedEOF:
			d.tally.Warn("the last chunk is cut short: the log was copied in part")
		case err != nil:
			return fmt.Errorf("reading chunk %d: %w", d.position+1, err)
		}
		d.position++
		if d.load(d.buf[:n]) {
			return nil
		}
	}
}

// load makes b the current chunk. It reports false for one that holds nothing.
func (d *Reader) load(b []byte) bool {
	if !isChunk(b) {
		if !unused(b) {
			d.tally.Records++
			d.tally.Skip(fmt.Sprintf("chunk %d", d.position), reasonChunk)
		}
		return false
	}
	d.chunks++
	d.chunk.load(b)
	d.used += int64(d.chunk.end)
	if d.checksums && !d.chunk.checksumsHold() {
		d.wrong++
	}
	return true
}

// header reads the header of the file.
func (d *Reader) header() error {
	h := d.buf[:headerSize]
	if _, err := io.ReadFull(d.r, h); err != nil {
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return fmt.Errorf("reading the header: %w: too short", ErrNotEVTX)
		}
		return fmt.Errorf("reading the header: %w", err)
	}
	if !Match(h) {
		return ErrNotEVTX
	}
	d.checksums = le.Uint32(h[120:])&flagNoChecksums == 0
	block := int64(le.Uint16(h[40:]))
	if block < headerSize {
		block = headerBlock
	}
	if _, err := io.CopyN(io.Discard, d.r, block-headerSize); err != nil && err != io.EOF {
		return fmt.Errorf("reading the header: %w", err)
	}
	return nil
}

func (d *Reader) finish() {
	if d.wrong > 0 {
		d.tally.Warn(fmt.Sprintf("%d of %d chunks have a wrong checksum: the log was in use when it was copied, or was changed", d.wrong, d.chunks))
	}
}
