package duckdb

import (
	"strings"
	"unicode/utf8"
	"unsafe"

	duck "github.com/duckdb/duckdb-go-bindings"
)

// This file is the only one that touches memory of DuckDB's. A data chunk holds
// up to chunkRows rows, column by column; each column is a vector: an array of
// fixed-size values and a bit mask of those that are not NULL. Filling and
// reading the arrays directly, instead of a call into C for each value, is what
// makes appending and reading fast enough (three and more times the driver's
// AppendRow and Rows.Next).
//
// The layouts relied upon are those of duckdb.h: values of the column's C type,
// validity as uint64 words, and duckdb_string_t as in stringValue.

// chunkRows is DuckDB's vector size (STANDARD_VECTOR_SIZE); openEngine checks it.
const chunkRows = 2048

// stringValue is duckdb_string_t: 4 bytes of length, then either up to
// inlineBytes of text, or its first 4 bytes and a pointer to all of it.
type stringValue struct {
	length uint32
	prefix [4]byte
	rest   uint64 // 8 more bytes of text, or the pointer
}

const inlineBytes = 12

// A vector is one column of a chunk. It is valid as long as its chunk.
type vector struct {
	handle duck.Vector
	data   unsafe.Pointer
	mask   *[chunkRows / 64]uint64 // nil: no row is NULL
}

func vectorOf(chunk duck.DataChunk, column int) vector {
	h := duck.DataChunkGetVector(chunk, duck.IdxT(column))
	return vector{
		handle: h,
		data:   duck.VectorGetData(h),
		mask:   (*[chunkRows / 64]uint64)(duck.VectorGetValidity(h)),
	}
}

// values returns the array of v. T must be the C type of the column.
func values[T ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~int64 | ~float64 | ~bool | stringValue](v *vector) *[chunkRows]T {
	return (*[chunkRows]T)(v.data)
}

// null reports whether row i is NULL.
func (v *vector) null(i int) bool {
	return v.mask != nil && v.mask[i/64]&(1<<(i%64)) == 0
}

// setNull makes row i NULL.
func (v *vector) setNull(i int) {
	if v.mask == nil {
		duck.VectorEnsureValidityWritable(v.handle)
		v.mask = (*[chunkRows / 64]uint64)(duck.VectorGetValidity(v.handle))
	}
	v.mask[i/64] &^= 1 << (i % 64)
}

// text returns the text of row i without copying it: it is valid as long as the
// chunk.
func (v *vector) text(i int) string {
	s := &values[stringValue](v)[i]
	if s.length <= inlineBytes {
		return unsafe.String((*byte)(unsafe.Pointer(&s.prefix)), s.length)
	}
	return unsafe.String(*(**byte)(unsafe.Pointer(&s.rest)), s.length)
}

// setText makes s the text of row i. DuckDB would take text that is not UTF-8
// for NULL; it is mended here instead. Long text is put into a, which must stay
// as it is until the chunk was appended.
func (v *vector) setText(i int, s string, a *arena) {
	s = valid(s)
	if len(s) > blockBytes/4 {
		duck.VectorAssignStringElement(v.handle, duck.IdxT(i), s)
		return
	}
	to := &values[stringValue](v)[i]
	if len(s) <= inlineBytes {
		*to = stringValue{length: uint32(len(s))}
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&to.prefix)), inlineBytes), s)
		return
	}
	p := a.copy(s)
	to.length = uint32(len(s))
	copy(to.prefix[:], s)
	*(*unsafe.Pointer)(unsafe.Pointer(&to.rest)) = p
}

// valid returns s with what is not UTF-8 replaced.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// An arena is memory of DuckDB's for the long texts of one chunk. (Memory of
// Go's must not be reached from C.)
type arena struct {
	blocks []duck.Vector // of blockBytes each; a vector is how the C API gives memory
	next   int           // the block after the one in use
	base   unsafe.Pointer
	used   int // bytes of the block in use
}

const blockBytes = 256 << 10

// copy returns a copy of s, which must be shorter than a block.
func (a *arena) copy(s string) unsafe.Pointer {
	if a.base == nil || a.used+len(s) > blockBytes {
		a.grow()
	}
	p := unsafe.Add(a.base, a.used)
	copy(unsafe.Slice((*byte)(p), len(s)), s)
	a.used += len(s)
	return p
}

// grow puts an empty block to use.
func (a *arena) grow() {
	if a.next == len(a.blocks) {
		t := duck.CreateLogicalType(duck.TypeBigInt)
		a.blocks = append(a.blocks, duck.CreateVector(t, blockBytes/8))
		duck.DestroyLogicalType(&t)
	}
	a.base, a.used = duck.VectorGetData(a.blocks[a.next]), 0
	a.next++
}

// reset makes the arena empty. It keeps a few blocks for the next chunk.
func (a *arena) reset() {
	const keep = 8
	for i := keep; i < len(a.blocks); i++ {
		duck.DestroyVector(&a.blocks[i])
	}
	a.blocks = a.blocks[:min(keep, len(a.blocks))]
	a.next, a.base, a.used = 0, nil, 0
}

func (a *arena) free() {
	for i := range a.blocks {
		duck.DestroyVector(&a.blocks[i])
	}
	*a = arena{}
}

// setBytes is setText for text in a buffer.
func (v *vector) setBytes(i int, b []byte, a *arena) {
	v.setText(i, unsafe.String(unsafe.SliceData(b), len(b)), a)
}
