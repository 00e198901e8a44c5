package pcap

import (
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// two are datagrams of one flow, 1.5 s and 1 µs apart.
func two() []shot {
	return []shot{
		{at: 0, data: udpFrame(client, server, []byte("ab"))},
		{at: 1500*time.Millisecond + time.Microsecond, data: udpFrame(server, client, []byte("abc"))},
	}
}

func TestClassicForms(t *testing.T) {
	for name, data := range map[string][]byte{
		"little-endian":              classicAs(binary.LittleEndian, magicMicro, linkEthernet, two()...),
		"big-endian":                 classicAs(binary.BigEndian, magicMicro, linkEthernet, two()...),
		"little-endian, nanoseconds": classicAs(binary.LittleEndian, magicNano, linkEthernet, two()...),
		"big-endian, nanoseconds":    classicAs(binary.BigEndian, magicNano, linkEthernet, two()...),
		"pcapng":                     ngFile(two()...),
	} {
		t.Run(name, func(t *testing.T) {
			b, tally := read(t, data)
			checkTwo(t, b, tally)
		})
	}
}

func checkTwo(t *testing.T, b *event.Batch, tally *decode.Tally) {
	t.Helper()
	f := only(t, b.Flows)
	if f.Time != event.At(epoch) || f.Duration != 1500001 || f.BytesOut != 2 || f.BytesIn != 3 || f.Src != client {
		t.Errorf("flow %+v", f)
	}
	if tally.Records != 2 || tally.Events != 1 || tally.Ignored[ignoreWithin] != 1 || tally.MainClock() != clock {
		t.Errorf("tally %+v", tally)
	}
}

func TestResolutions(t *testing.T) {
	const half = 500 * time.Millisecond
	for _, tt := range []struct {
		name       string
		resolution byte
		perSecond  uint64
	}{
		{"default", 0xff, 1e6},
		{"seconds", 0, 1},
		{"milliseconds", 3, 1e3},
		{"nanoseconds", 9, 1e9},
		{"hundred picoseconds", 10, 1e10},
		{"2^-10", 0x80 | 10, 1 << 10},
		{"2^-32", 0x80 | 32, 1 << 32},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := (&ngMaker{order: binary.BigEndian}).section().iface(linkEthernet, tt.resolution)
			want := epoch
			ticks := uint64(epoch.Unix()) * tt.perSecond
			if tt.perSecond > 1 {
				ticks += tt.perSecond / 2
				want = want.Add(half)
			}
			b, _ := read(t, m.packet(0, ticks, two()[0]).b)
			if f := only(t, b.Flows); f.Time != event.At(want) {
				t.Errorf("time %v, want %v", f.Time.Std(), want)
			}
		})
	}
}

// Interfaces differ in link type and resolution, sections in byte order; other
// blocks are passed over.
func TestInterfacesAndSections(t *testing.T) {
	shots := two()
	m := (&ngMaker{order: binary.LittleEndian}).section()
	m.iface(linkEthernet, 6).block(0x0bad, []byte("custom")).iface(linkRaw, 9)
	m.packet(0, uint64(epoch.UnixMicro()), shots[0])
	m.packet(1, uint64(epoch.Add(shots[1].at).UnixNano()), shot{data: shots[1].data[14:]})
	b, tally := read(t, m.b)
	checkTwo(t, b, tally)

	// A new section forgets the interfaces of the one before.
	m.order = binary.BigEndian
	m.section().iface(linkRaw, 6)
	m.packet(0, uint64(epoch.Add(2*time.Second).UnixMicro()), shot{data: shots[1].data[14:]})
	m.packet(1, uint64(epoch.Add(2*time.Second).UnixMicro()), shots[0])
	b, tally = read(t, m.b)
	if f := only(t, b.Flows); f.BytesIn != 6 || f.BytesOut != 2 {
		t.Errorf("flow %+v", f)
	}
	if diff := cmp.Diff(map[string]int64{skipInterface: 1}, tally.Skipped); diff != "" {
		t.Errorf("skipped (-want +got):\n%s", diff)
	}
}

func TestObsoleteAndSimpleBlocks(t *testing.T) {
	m := (&ngMaker{order: binary.LittleEndian}).section().iface(linkEthernet, 0xff)
	s := two()[0]
	ticks := uint64(epoch.UnixMicro())
	body := binary.LittleEndian.AppendUint16(nil, 0)
	body = binary.LittleEndian.AppendUint16(body, 3) // drops
	for _, v := range []uint32{uint32(ticks >> 32), uint32(ticks), uint32(len(s.data)), uint32(len(s.data))} {
		body = binary.LittleEndian.AppendUint32(body, v)
	}
	m.block(blockObsolete, append(body, s.data...))
	m.block(blockSimple, append(binary.LittleEndian.AppendUint32(nil, uint32(len(s.data))), s.data...))
	b, tally := read(t, m.b)
	only(t, b.Flows)
	want := []decode.Position{{Where: "packet 2 at byte 124", Reason: skipNoTime}}
	if diff := cmp.Diff(want, tally.Positions); diff != "" {
		t.Errorf("skipped (-want +got):\n%s", diff)
	}
}

// What is wrong with a capture is told with the packet's place, and what came
// before stands.
func TestDamage(t *testing.T) {
	shots := two()
	good := classicFile(linkEthernet, shots...)
	goodNG := ngFile(shots...)
	second := classicHeader + classicRecord + len(shots[0].data)
	secondNG := len(ngFile(shots[0]))
	tests := []struct {
		name   string
		data   []byte
		err    error
		reason string
		where  string
	}{
		{"cut in a packet", good[:len(good)-1], io.EOF, errCut.Error(), "packet 2 at byte 84"},
		{"cut in a record header", good[:second+3], io.EOF, errCut.Error(), "packet 2 at byte 84"},
		{"absurd length", edit(good, second+8, 0xff, 0xff, 0xff, 0x7f), errBroken, errBroken.Error(), "packet 2 at byte 84"},
		{"no time", edit(good, second, 0, 0, 0, 0, 0, 0, 0, 0), io.EOF, skipNoTime, "packet 2 at byte 84"},
		{"pcapng, cut in a packet", goodNG[:len(goodNG)-1], io.EOF, errCut.Error(), "packet 2 at byte 124"},
		{"pcapng, cut in a block header", goodNG[:secondNG+9], io.EOF, errCut.Error(), "packet 2 at byte 124"},
		{"pcapng, length of no block", edit(goodNG, secondNG+4, 3, 0, 0, 0), errBroken, errBroken.Error(), "packet 2 at byte 124"},
		{"pcapng, lengths differ", edit(goodNG, len(goodNG)-4, 0xff), errBroken, errBroken.Error(), "packet 2 at byte 124"},
		{"pcapng, data beyond the block", edit(goodNG, secondNG+20, 0xff), io.EOF, skipBlock, "packet 2 at byte 124"},
		{"pcapng, absurd length", edit(goodNG, secondNG+4, 0xfc, 0xff, 0xff, 0x7f), io.EOF, errCut.Error(), "packet 2 at byte 124"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, tally, err := decodeWith(t, tt.data, defaultLimits)
			if !errors.Is(err, tt.err) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			if err != io.EOF && !strings.Contains(err.Error(), tt.where) {
				t.Errorf("error %q does not name the place", err)
			}
			if f := only(t, b.Flows); f.PacketsOut != 1 || f.PacketsIn != 0 || !f.Open {
				t.Errorf("flow %+v", f)
			}
			if diff := cmp.Diff([]decode.Position{{Where: tt.where, Reason: tt.reason}}, tally.Positions); diff != "" {
				t.Errorf("skipped (-want +got):\n%s", diff)
			}
		})
	}
}

// A packet that no buffer takes is passed over.
func TestHugeBlock(t *testing.T) {
	shots := two()
	m := (&ngMaker{order: binary.LittleEndian}).section().iface(linkEthernet, 0xff)
	m.packet(0, uint64(epoch.UnixMicro()), shots[0])
	m.packet(0, uint64(epoch.UnixMicro()), shot{data: make([]byte, bufferSize)})
	m.block(0x0bad, make([]byte, 2*bufferSize))
	m.packet(0, uint64(epoch.Add(shots[1].at).UnixMicro()), shots[1])
	b, tally := read(t, m.b)
	if f := only(t, b.Flows); f.BytesIn != 3 || tally.Skipped[skipTooLong] != 1 {
		t.Errorf("flow %+v, skipped %v", f, tally.Skipped)
	}
}

// What is forced upon the decoder and is no capture is refused.
func TestNoCapture(t *testing.T) {
	for _, text := range []string{"hello, this is not a capture at all", strings.Repeat("\x00", 100), "\x0a\x0d\x0d\x0a\x1c\x00\x00\x00********"} {
		for _, f := range Formats() {
			var tally decode.Tally
			b := new(event.Batch)
			err := f.Open(strings.NewReader(text), &tally).Decode(b)
			if err == nil || err == io.EOF || b.Len() > 0 {
				t.Errorf("%s, %.10q: error %v, %d events", f.Name, text, err, b.Len())
			}
		}
	}
}

func TestFormatsAreValid(t *testing.T) {
	if err := decode.Validate(Formats()); err != nil {
		t.Error(err)
	}
}
