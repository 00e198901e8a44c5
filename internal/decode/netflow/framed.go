package netflow

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/netip"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/pcap"
	"github.com/postern/postern/internal/event"
)

// maxDatagram is how long a datagram of UDP can be.
const maxDatagram = 1<<16 - 1

// Sentinel errors of reading datagrams.
var (
	errBroken = errors.New("broken length")
	errNone   = errors.New("not a file of export datagrams")
)

// framingHead is how much of a file framingOf needs: a length, a header, and
// the beginning of a set.
const framingHead = 4 + header5 + 4

// A framing is how datagrams stand in a file: how long the length before each
// is, and how to read it.
type framing struct {
	prefix int
	length func(b []byte) uint32
}

// framings are all of them. Where there is no prefix, the message of IPFIX has
// its length behind its version.
var framings = []*framing{
	{0, func(b []byte) uint32 { return uint32(be.Uint16(b[2:])) }},
	{2, func(b []byte) uint32 { return uint32(be.Uint16(b)) }},
	{4, be.Uint32},
}

// framingOf returns the framing of the file that begins with head, or nil.
func framingOf(head []byte) *framing {
	for _, f := range framings {
		if len(head) < f.prefix+headerIPFIX {
			continue
		}
		n := f.length(head)
		if f.prefix == 0 && be.Uint16(head) != versionIPFIX || n > maxDatagram {
			continue
		}
		if isExport(head[f.prefix:], int(n)) {
			return f
		}
	}
	return nil
}

// isExport reports whether b begins a datagram of n bytes that an exporter
// would send: its header, and where its first set ends.
func isExport(b []byte, n int) bool {
	if len(b) < headerIPFIX || n < headerIPFIX {
		return false
	}
	count := int(be.Uint16(b[2:]))
	switch be.Uint16(b) {
	case version5:
		return count > 0 && n == header5+record5*count
	case version9:
		return count > 0 && isSet(b, header9, n, setTemplates9, setOptions9)
	case versionIPFIX:
		return count == n && isSet(b, headerIPFIX, n, setTemplatesIPFIX, setOptionsIPFIX)
	}
	return false
}

// isSet reports whether a set of data or of the templates stands there.
func isSet(b []byte, at, n int, templates ...uint16) bool {
	if at == n {
		return true // a header alone keeps the collector awake
	}
	if len(b) < at+4 {
		return false
	}
	id, length := be.Uint16(b[at:]), int(be.Uint16(b[at+2:]))
	if length < 4 || at+length > n {
		return false
	}
	return id >= setData || id == templates[0] || id == templates[1]
}

// A datagramFile reads datagrams in their framing.
type datagramFile struct {
	r       *bufio.Reader
	framing *framing
	decoder *Decoder
	offset  int64
}

func newDatagramFile(r io.Reader, t *decode.Tally) *file {
	f := &datagramFile{r: bufio.NewReaderSize(r, maxDatagram+4), decoder: NewDecoder(t)}
	return &file{step: f.step, close: f.decoder.close}
}

// step reads a datagram.
func (f *datagramFile) step(out *event.Batch) error {
	if f.framing == nil {
		head, err := f.r.Peek(framingHead)
		if f.framing = framingOf(head); f.framing == nil {
			if err != nil && err != io.EOF {
				return fmt.Errorf("reading export datagrams: %w", err)
			}
			return errNone
		}
	}
	b, err := f.next()
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		f.skip("cut off by the end of the input")
		return io.EOF
	case errors.Is(err, errBroken):
		f.skip(errBroken.Error())
		return fmt.Errorf("datagram at byte %d: %w", f.offset, err)
	case err == io.EOF:
		return err
	case err != nil:
		return fmt.Errorf("reading export datagrams: %w", err)
	}
	f.decoder.Datagram(netip.AddrPort{}, b, out)
	f.offset += int64(f.framing.prefix + len(b))
	_, err = f.r.Discard(f.framing.prefix + len(b))
	return err
}

// next returns the next datagram, which stays in the buffer.
func (f *datagramFile) next() ([]byte, error) {
	head := max(f.framing.prefix, 4)
	b, err := f.r.Peek(head)
	switch {
	case err == io.EOF && len(b) == 0:
		return nil, err
	case err == io.EOF:
		return nil, io.ErrUnexpectedEOF
	case err != nil:
		return nil, err
	}
	n := f.framing.length(b)
	if n > maxDatagram || n < headerIPFIX {
		return nil, errBroken
	}
	if b, err = f.r.Peek(f.framing.prefix + int(n)); err == io.EOF {
		return nil, io.ErrUnexpectedEOF
	}
	return b[min(f.framing.prefix, len(b)):], err
}

func (f *datagramFile) skip(reason string) {
	t := f.decoder.tally
	t.Records++
	t.Skip(fmt.Sprintf("datagram at byte %d", f.offset), reason)
}

// newCaptureFile reads the datagrams of exporters in a packet capture.
func newCaptureFile(r io.Reader, t *decode.Tally) *file {
	in, d := pcap.NewDatagrams(r, t), NewDecoder(t)
	step := func(out *event.Batch) error {
		b, err := in.Next()
		switch {
		case err != nil:
			return err
		case isExport(b.Payload, len(b.Payload)):
			d.Datagram(b.Src, b.Payload, out)
		default:
			t.Records++
			t.Ignore("datagram that is no export")
		}
		return nil
	}
	return &file{step: step, close: d.close}
}
