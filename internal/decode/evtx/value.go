package evtx

import (
	"math"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/postern/postern/internal/event"
)

// The types of a value. The bit typeArray says that it is a list of such.
const (
	typeNull       = 0x00
	typeString     = 0x01
	typeANSI       = 0x02
	typeInt8       = 0x03
	typeUint8      = 0x04
	typeInt16      = 0x05
	typeUint16     = 0x06
	typeInt32      = 0x07
	typeUint32     = 0x08
	typeInt64      = 0x09
	typeUint64     = 0x0a
	typeFloat32    = 0x0b
	typeFloat64    = 0x0c
	typeBool       = 0x0d
	typeBinary     = 0x0e
	typeGUID       = 0x0f
	typeSize       = 0x10
	typeFileTime   = 0x11
	typeSystemTime = 0x12
	typeSID        = 0x13
	typeHex32      = 0x14
	typeHex64      = 0x15
	typeXML        = 0x21
	typeArray      = 0x80
)

// widths are the sizes of the types that have but one, in bytes.
var widths = [...]int{
	typeInt8: 1, typeUint8: 1, typeInt16: 2, typeUint16: 2, typeInt32: 4, typeUint32: 4,
	typeInt64: 8, typeUint64: 8, typeFloat32: 4, typeFloat64: 8, typeBool: 4, typeGUID: 16,
	typeFileTime: 8, typeSystemTime: 16, typeHex32: 4, typeHex64: 8, typeXML: 0,
}

func width(kind byte) int {
	if int(kind) < len(widths) {
		return widths[kind]
	}
	return 0
}

func (c *chunk) bytes(v value) []byte { return c.b[v.off : v.off+v.size] }

// items returns the elements of the array v, at most as many as the budget
// has, which it draws on.
func (c *chunk) items(v value, budget *int) []value {
	kind := v.kind &^ typeArray
	var list []value
	for off, end := v.off, v.off+v.size; off < end && *budget > 0; *budget-- {
		size, skip := c.item(kind, off, end)
		list = append(list, value{off, size, kind})
		off += size + skip
	}
	return list
}

// item returns the size of the array element at off, and that of the
// terminator behind it.
func (c *chunk) item(kind byte, off, end int) (size, skip int) {
	rest := c.b[off:end]
	switch kind {
	case typeString:
		for i := 0; i+2 <= len(rest); i += 2 {
			if rest[i] == 0 && rest[i+1] == 0 {
				return i, 2
			}
		}
	case typeANSI:
		for i, x := range rest {
			if x == 0 {
				return i, 1
			}
		}
	case typeSID:
		if len(rest) >= 2 {
			return min(8+4*int(rest[1]), len(rest)), 0
		}
	default:
		if w := width(kind); w > 0 {
			return min(w, len(rest)), 0
		}
	}
	return len(rest), 0
}

// uint returns the value of an unsigned or hexadecimal number.
func (c *chunk) uint(v value) (uint64, bool) {
	b := c.bytes(v)
	switch v.kind {
	case typeUint8, typeUint16, typeUint32, typeUint64, typeHex32, typeHex64, typeSize:
	default:
		return 0, false
	}
	switch len(b) {
	case 1:
		return uint64(b[0]), true
	case 2:
		return uint64(le.Uint16(b)), true
	case 4:
		return uint64(le.Uint32(b)), true
	case 8:
		return le.Uint64(b), true
	}
	return 0, false
}

// time returns the value of a time.
func (c *chunk) time(v value) (event.Time, bool) {
	b := c.bytes(v)
	switch {
	case v.kind == typeFileTime && len(b) == 8:
		return fileTime(le.Uint64(b)), true
	case v.kind == typeSystemTime && len(b) == 16:
		return event.At(systemTime(b)), true
	}
	return event.Never, false
}

// unixEpoch is the Unix epoch as a FILETIME: in 100 ns since 1601.
const unixEpoch = 116444736000000000

func fileTime(t uint64) event.Time {
	if t == 0 || t > math.MaxInt64 {
		return event.Never
	}
	return event.Time((int64(t) - unixEpoch) / 10)
}

// systemTime reads a SYSTEMTIME: year, month, day of the week, day, hour,
// minute, second, millisecond, of 16 bits each.
func systemTime(b []byte) time.Time {
	f := func(i int) int { return int(le.Uint16(b[2*i:])) }
	return time.Date(f(0), time.Month(f(1)), f(3), f(4), f(5), f(6), f(7)*int(time.Millisecond), time.UTC)
}

// appendValue appends v as Windows renders it. A value whose size does not
// suit its type is shown as the bytes that it has.
func (c *chunk) appendValue(d []byte, v value) []byte {
	b := c.bytes(v)
	if w := width(v.kind); w > 0 && len(b) != w && (v.kind != typeBool || len(b) != 1) {
		return appendHex(d, b)
	}
	switch v.kind {
	case typeNull:
		return d
	case typeString:
		return appendUTF16(d, trimUnits(b))
	case typeANSI:
		return appendLatin(d, b)
	case typeFloat32:
		return strconv.AppendFloat(d, float64(math.Float32frombits(le.Uint32(b))), 'g', -1, 32)
	case typeFloat64:
		return strconv.AppendFloat(d, math.Float64frombits(le.Uint64(b)), 'g', -1, 64)
	case typeBool:
		return strconv.AppendBool(d, b[0] != 0)
	case typeGUID:
		return appendGUID(d, b)
	case typeSID:
		return appendSID(d, b)
	case typeFileTime:
		t := int64(le.Uint64(b)) - unixEpoch
		return appendTime(d, time.Unix(t/1e7, t%1e7*100))
	case typeSystemTime:
		return appendTime(d, systemTime(b))
	case typeSize, typeHex32, typeHex64:
		if n, ok := c.uint(v); ok {
			return strconv.AppendUint(append(d, "0x"...), n, 16)
		}
	case typeInt8:
		return strconv.AppendInt(d, int64(int8(b[0])), 10)
	case typeInt16:
		return strconv.AppendInt(d, int64(int16(le.Uint16(b))), 10)
	case typeInt32:
		return strconv.AppendInt(d, int64(int32(le.Uint32(b))), 10)
	case typeInt64:
		return strconv.AppendInt(d, int64(le.Uint64(b)), 10)
	default:
		if n, ok := c.uint(v); ok {
			return strconv.AppendUint(d, n, 10)
		}
	}
	return appendHex(d, b)
}

// trimUnits drops the NUL characters at the end of a string.
func trimUnits(b []byte) []byte {
	for len(b) >= 2 && b[len(b)-1] == 0 && b[len(b)-2] == 0 {
		b = b[:len(b)-2]
	}
	return b
}

// notASCII has the bits that four UTF-16 units of ASCII do not have.
const notASCII = 0xff80ff80ff80ff80

// appendUTF16 appends UTF-16LE as UTF-8. What is no character becomes U+FFFD.
func appendUTF16(d, b []byte) []byte {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		w := le.Uint64(b[i:])
		if w&notASCII != 0 {
			break
		}
		d = append(d, byte(w), byte(w>>16), byte(w>>32), byte(w>>48))
	}
	for ; i+2 <= len(b); i += 2 {
		r := rune(le.Uint16(b[i:]))
		if r < utf8.RuneSelf {
			d = append(d, byte(r))
			continue
		}
		if utf16.IsSurrogate(r) && i+4 <= len(b) {
			if pair := utf16.DecodeRune(r, rune(le.Uint16(b[i+2:]))); pair != utf8.RuneError {
				r = pair
				i += 2
			}
		}
		d = utf8.AppendRune(d, r)
	}
	return d
}

// appendLatin appends a string of a code page that the file does not name, up
// to its NUL, as Latin-1.
func appendLatin(d, b []byte) []byte {
	for _, x := range b {
		if x == 0 {
			break
		}
		d = utf8.AppendRune(d, rune(x))
	}
	return d
}

const hexDigits = "0123456789ABCDEF"

func appendHex(d, b []byte) []byte {
	for _, x := range b {
		d = append(d, hexDigits[x>>4], hexDigits[x&15])
	}
	return d
}

// guidOrder is the order in which a GUID's 16 bytes are written; −1 is a dash.
var guidOrder = [...]int8{3, 2, 1, 0, -1, 5, 4, -1, 7, 6, -1, 8, 9, -1, 10, 11, 12, 13, 14, 15}

func appendGUID(d, b []byte) []byte {
	d = append(d, '{')
	for _, i := range guidOrder {
		if i < 0 {
			d = append(d, '-')
			continue
		}
		d = append(d, hexDigits[b[i]>>4], hexDigits[b[i]&15])
	}
	return append(d, '}')
}

// appendSID appends a security identifier: revision, authority, subauthorities.
func appendSID(d, b []byte) []byte {
	if len(b) < 8 || len(b) < 8+4*int(b[1]) {
		return appendHex(d, b)
	}
	var authority uint64
	for _, x := range b[2:8] {
		authority = authority<<8 | uint64(x)
	}
	d = strconv.AppendUint(append(d, "S-"...), uint64(b[0]), 10)
	d = strconv.AppendUint(append(d, '-'), authority, 10)
	for i := range int(b[1]) {
		d = strconv.AppendUint(append(d, '-'), uint64(le.Uint32(b[8+4*i:])), 10)
	}
	return d
}

func appendTime(d []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(d, "2006-01-02T15:04:05.0000000Z")
}
