package pcap

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// maxPacket is how long a captured packet may be, in bytes: what tcpdump and
// Wireshark allow for networks. A length above it is damage.
const maxPacket = 256 << 10

// bufferSize holds the longest packet with what stands around it.
const bufferSize = maxPacket + 64<<10

// Sentinel errors of reading a capture.
var (
	// errCut: the input ends within a packet or block, as it does when the
	// capturing program was killed.
	errCut = errors.New("cut off by the end of the input")

	// errBroken: a length cannot be right, so that nothing behind it can be
	// found.
	errBroken = errors.New("broken length")

	// errNoCapture: the input is not of this format at all.
	errNoCapture = errors.New("not a packet capture")
)

// A frame is one captured frame.
type frame struct {
	time   int64  // nanoseconds since the epoch
	link   uint32 // LINKTYPE_ value of tcpdump.org
	data   []byte // what was captured, valid until the next frame is read
	length int    // on the wire, as the capture says
}

// A capture yields the frames of a file.
//
// The reason is "" for a frame that can be used, and says why for one that is
// to be skipped; the capture goes on behind it. The error is io.EOF at the
// end. With any other, the rest cannot be read.
type capture interface {
	next() (f frame, reason string, err error)
	where() string
}

// An input is a reader that knows how far it has come.
type input struct {
	r      *bufio.Reader
	offset int64 // of the next byte
	number int64 // of the packet read last, counted from 1 as Wireshark does
	start  int64 // where that packet's record begins
}

func newInput(r io.Reader) input { return input{r: bufio.NewReaderSize(r, bufferSize)} }

// where names the packet that was read last.
func (in *input) where() string { return fmt.Sprintf("packet %d at byte %d", in.number, in.start) }

// peek returns the next n bytes without consuming them. It returns io.EOF
// where the input ends before the first, and errCut where it ends within.
func (in *input) peek(n int) ([]byte, error) {
	b, err := in.r.Peek(n)
	switch {
	case err == nil:
		return b, nil
	case err != io.EOF:
		return nil, fmt.Errorf("reading packets: %w", err)
	case len(b) == 0:
		return nil, io.EOF
	}
	return nil, errCut
}

// within is peek where the input must not end.
func (in *input) within(n int) ([]byte, error) {
	b, err := in.peek(n)
	if err == io.EOF {
		return nil, errCut
	}
	return b, err
}

// skip consumes n bytes.
func (in *input) skip(n int) error {
	done, err := in.r.Discard(n)
	in.offset += int64(done)
	switch err {
	case nil:
		return nil
	case io.EOF:
		return errCut
	}
	return fmt.Errorf("reading packets: %w", err)
}

// begin notes that a packet's record begins here.
func (in *input) begin() {
	in.number++
	in.start = in.offset
}
