// Package evtxtest makes small Windows event logs for tests that have no real
// one: enough of the format for a reader, and no more.
package evtxtest

import (
	"encoding/binary"
	"hash/crc32"
	"time"
	"unicode/utf16"
)

const (
	chunkSize    = 64 << 10
	recordsStart = 512
)

var le = binary.LittleEndian

// A Chunk is a chunk under construction.
type Chunk struct {
	b     []byte
	names map[string]uint32
	first uint64
	last  uint64
	start int // of the last record
}

// NewChunk returns an empty chunk.
func NewChunk() *Chunk {
	return &Chunk{b: make([]byte, recordsStart), names: make(map[string]uint32)}
}

// Record adds a record whose content body writes.
func (c *Chunk) Record(id uint64, t time.Time, body func(*XML)) {
	start := len(c.b)
	c.b = append(c.b, "**\x00\x00\x00\x00\x00\x00"...)
	c.b = le.AppendUint64(c.b, id)
	c.b = le.AppendUint64(c.b, FileTime(t))
	body(&XML{c: c})
	for (len(c.b)+4)%8 != 0 {
		c.b = append(c.b, 0)
	}
	size := uint32(len(c.b) + 4 - start)
	c.b = le.AppendUint32(c.b, size)
	le.PutUint32(c.b[start+4:], size)
	if c.first == 0 {
		c.first = id
	}
	c.last, c.start = id, start
}

// Full reports whether a record of usual size might not fit any more.
func (c *Chunk) Full() bool { return len(c.b) > chunkSize-8<<10 }

// Bytes returns the chunk, with its checksums.
func (c *Chunk) Bytes() []byte {
	b := make([]byte, chunkSize)
	used := copy(b, c.b)
	copy(b, "ElfChnk\x00")
	for i, n := range []uint64{c.first, c.last, c.first, c.last} {
		le.PutUint64(b[8+8*i:], n)
	}
	le.PutUint32(b[40:], 128)
	le.PutUint32(b[44:], uint32(c.start))
	le.PutUint32(b[48:], uint32(used))
	Seal(b)
	return b
}

// Seal sets the checksums of the chunk b, of which anything may have been changed.
func Seal(b []byte) {
	le.PutUint32(b[52:], crc32.ChecksumIEEE(b[recordsStart:le.Uint32(b[48:])]))
	sum := crc32.ChecksumIEEE(b[:120])
	le.PutUint32(b[124:], crc32.Update(sum, crc32.IEEETable, b[128:recordsStart]))
}

// File returns a log of those chunks.
func File(chunks ...[]byte) []byte {
	b := make([]byte, 4096)
	copy(b, "ElfFile\x00")
	le.PutUint64(b[16:], uint64(max(len(chunks)-1, 0)))
	le.PutUint32(b[32:], 128)
	le.PutUint16(b[36:], 1) // version 3.1
	le.PutUint16(b[38:], 3)
	le.PutUint16(b[40:], 4096)
	le.PutUint16(b[42:], uint16(len(chunks)))
	le.PutUint32(b[124:], crc32.ChecksumIEEE(b[:120]))
	for _, c := range chunks {
		b = append(b, c...)
	}
	return b
}

// FileTime returns t as a FILETIME: in 100 ns since 1601.
func FileTime(t time.Time) uint64 {
	return uint64(t.UnixMicro()*10 + 116444736000000000)
}

// UTF16 returns s as UTF-16LE.
func UTF16(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = le.AppendUint16(b, u)
	}
	return b
}
