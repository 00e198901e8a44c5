package source

import (
	"bytes"
	"strconv"
)

// headSize is how much of an input its kind is told by: one block of tar.
const headSize = 512

// A kind is what an input is packed in.
type kind uint8

const (
	plain kind = iota
	gzipped
	zstandard
	zipped
	tarred
	unsupported
)

// magics are the first bytes of what is packed.
var magics = []struct {
	magic string
	kind  kind
	name  string
}{
	{"\x1f\x8b\x08", gzipped, "gzip"},
	{"\x28\xb5\x2f\xfd", zstandard, "zstd"},
	{"PK\x03\x04", zipped, "zip"},
	{"PK\x05\x06", zipped, "zip"}, // without members
	{"\xfd7zXZ\x00", unsupported, "xz"},
	{"7z\xbc\xaf\x27\x1c", unsupported, "7z"},
	{"Rar!\x1a\x07", unsupported, "rar"},
	{"\x04\x22\x4d\x18", unsupported, "lz4"},
}

// kindOf returns what an input that begins with head is packed in, and the
// name of that.
func kindOf(head []byte) (kind, string) {
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.kind, m.name
		}
	}
	switch {
	case isSkippable(head):
		return zstandard, "zstd"
	case isTar(head):
		return tarred, "tar"
	case isBzip2(head):
		return unsupported, "bzip2"
	}
	return plain, ""
}

// isSkippable looks for the frame that pzstd writes before others (RFC 8878,
// section 3.1.2).
func isSkippable(head []byte) bool {
	return len(head) >= 4 && head[0]&0xf0 == 0x50 && string(head[1:4]) == "\x2a\x4d\x18"
}

// isBzip2 looks at the first block too, since the magic itself is text.
func isBzip2(head []byte) bool {
	return len(head) >= 10 && string(head[:3]) == "BZh" && string(head[4:10]) == "1AY&SY"
}

// isTar looks for the magic of POSIX, and for the checksum that older archives
// have too (POSIX.1-2001, ustar interchange format).
func isTar(head []byte) bool {
	if len(head) < headSize {
		return false
	}
	if string(head[257:262]) == "ustar" {
		return true
	}
	field := bytes.Trim(head[148:156], " \x00")
	want, err := strconv.ParseInt(string(field), 8, 32)
	if err != nil || head[0] == 0 {
		return false
	}
	sum := int64(8 * ' ') // the field itself counts as blanks
	for i, c := range head[:headSize] {
		if i < 148 || i >= 156 {
			sum += int64(c)
		}
	}
	return sum == want
}
