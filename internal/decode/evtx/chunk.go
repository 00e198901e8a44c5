package evtx

import (
	"bytes"
	"hash/crc32"
)

const (
	chunkMagic  = "ElfChnk\x00"
	recordMagic = "**\x00\x00"

	recordsStart = 512 // records follow the chunk's header and its tables
	recordHead   = 24  // magic, size, number, time
	recordTail   = 4   // the size once more
)

// A chunk is a run of records with the names and templates that they share:
// its offsets are its own, so that nothing outlives it.
type chunk struct {
	b     []byte
	off   int // of the next record
	end   int // of the records
	count int // records found so far, whatever became of them

	names     map[uint32]string
	templates map[uint32]*template
	intern    interner
	slots     map[string]int16
	tokens    int // compiled so far
}

// A frame is where a record lies in its chunk.
type frame struct{ off, size int }

type frameState int

const (
	frameOK frameState = iota
	frameBad
	frameEnd
)

func (c *chunk) init(slots map[string]int16) {
	c.slots = slots
	c.names = make(map[uint32]string)
	c.templates = make(map[uint32]*template)
}

// isChunk reports whether b can be read as a chunk.
func isChunk(b []byte) bool {
	return len(b) > recordsStart && string(b[:len(chunkMagic)]) == chunkMagic
}

// unused reports whether b was allocated and not written yet. What remains of
// another file in such space is not told apart from a destroyed chunk.
func unused(b []byte) bool {
	head := b[:min(len(b), recordsStart)]
	return len(bytes.TrimLeft(head, "\x00")) == 0
}

// load makes b, which isChunk accepts, the content of c.
func (c *chunk) load(b []byte) {
	c.b = b
	c.off = recordsStart
	c.count = 0
	c.end = len(b)
	if free := le.Uint32(b[48:]); free >= recordsStart && int64(free) <= int64(len(b)) {
		c.end = int(free)
	}
	c.forget()
}

// forget drops what was learnt from the chunk.
func (c *chunk) forget() {
	clear(c.names)
	clear(c.templates)
	c.tokens = 0
}

// checksumsHold reports whether the checksums of header and records are right.
func (c *chunk) checksumsHold() bool {
	h := crc32.ChecksumIEEE(c.b[:120])
	h = crc32.Update(h, crc32.IEEETable, c.b[128:recordsStart])
	return h == le.Uint32(c.b[124:]) &&
		crc32.ChecksumIEEE(c.b[recordsStart:c.end]) == le.Uint32(c.b[52:])
}

// next returns the next record. After a damaged one, which it reports once, it
// goes on at the next place that looks like a record from both ends.
func (c *chunk) next() (frame, frameState) {
	if c.end-c.off < recordHead+recordTail {
		return frame{}, frameEnd
	}
	if size, ok := c.frameAt(c.off); ok {
		f := frame{c.off, size}
		c.off += size
		c.count++
		return f, frameOK
	}
	if blank(c.b[c.off:c.end]) {
		c.off = c.end
		return frame{}, frameEnd
	}
	c.count++
	c.resync()
	return frame{}, frameBad
}

func blank(b []byte) bool { return len(bytes.TrimLeft(b, "\x00")) == 0 }

// frameAt returns the size of the record at off.
func (c *chunk) frameAt(off int) (int, bool) {
	if c.end-off < recordHead+recordTail || string(c.b[off:off+4]) != recordMagic {
		return 0, false
	}
	size := le.Uint32(c.b[off+4:])
	if size < recordHead+recordTail || int64(size) > int64(c.end-off) {
		return 0, false
	}
	return int(size), true
}

// resync moves to the next record whose size is the same at both its ends, or
// to the end of the records.
func (c *chunk) resync() {
	for off := c.off + 1; off < c.end; off++ {
		i := bytes.Index(c.b[off:c.end], []byte(recordMagic))
		if i < 0 {
			break
		}
		off += i
		if size, ok := c.frameAt(off); ok && le.Uint32(c.b[off+size-recordTail:]) == uint32(size) {
			c.off = off
			return
		}
	}
	c.off = c.end
}

// maxInterned bounds the memory that names of elements take.
const maxInterned = 4096

// An interner gives equal names one memory over all chunks.
type interner map[string]string

func (in *interner) text(b []byte) string {
	if s, ok := (*in)[string(b)]; ok {
		return s
	}
	if *in == nil || len(*in) >= maxInterned {
		*in = make(interner)
	}
	s := string(b)
	(*in)[s] = s
	return s
}
