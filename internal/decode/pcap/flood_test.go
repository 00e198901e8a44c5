package pcap

import (
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"
)

var orders = []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian}

// random returns a source of chance that is the same in every run.
func random(round int) *rand.Rand { return rand.New(rand.NewPCG(5, uint64(round))) }

// A flood of half-open connections costs none of the others, and is told of in
// full.
func TestFlood(t *testing.T) {
	const flood = 5000
	k := newTalk(client, server, 0).open()
	k.step = time.Microsecond
	shots := k.shots
	for i := range uint32(flood) {
		src := netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, byte(i >> 8), byte(i)}), 1234)
		shots = append(shots, shot{at: k.now + time.Duration(i)*time.Microsecond, data: tcpFrame(src, server, i, 0, flagSYN, nil)})
	}
	k.shots, k.now = nil, time.Second
	k.say(fromClient, make([]byte, 100)).close()
	l := defaultLimits
	l.flows = 100
	b, tally, err := decodeWith(t, classicFile(linkEthernet, append(shots, k.shots...)...), l)
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	states := make(map[string]int)
	for _, f := range b.Flows {
		states[f.State]++
		if f.State == "SF" && (f.BytesOut != 100 || f.Src != client) {
			t.Errorf("flow %+v", f)
		}
	}
	if states["S0"] != flood || states["SF"] != 1 || len(states) != 2 {
		t.Errorf("states %v", states)
	}
	if len(tally.Warnings) != 1 || !strings.Contains(tally.Warnings[0], "4901 were told before their end") {
		t.Errorf("warnings %q", tally.Warnings)
	}
}

// What is held of payload is bounded, of a flow and of all: decodeWith checks
// it. The flows are counted all the same.
func TestHeldPayload(t *testing.T) {
	l := limits{flows: 1 << 10, stream: 8 << 10, streams: 100 << 10}
	var shots []shot
	for i := range 50 {
		src := netip.AddrPortFrom(client.Addr(), uint16(20000+i))
		k := newTalk(src, server, time.Duration(i)*time.Millisecond).open()
		hello := append([]byte{recordHandshake, 3, 1, 0x40, 0, messageClientHello, 0, 0x1c, 0}, make([]byte, 6<<10)...)
		k.say(fromClient, hello) // of a message that never ends
		k.seq[fromServer] += 100 // a hole that is never filled
		k.say(fromServer, make([]byte, 20<<10))
		shots = append(shots, k.shots...)
	}
	b, tally, err := decodeWith(t, classicFile(linkEthernet, shots...), l)
	if !errors.Is(err, io.EOF) || len(b.Flows) != 50 {
		t.Fatalf("%d flows, %v", len(b.Flows), err)
	}
	for _, f := range b.Flows {
		if f.BytesOut != 6<<10+9 || f.BytesIn != 20<<10 {
			t.Errorf("flow %+v", f)
		}
	}
	if len(tally.Warnings) != 1 || !strings.Contains(tally.Warnings[0], "were not looked into") {
		t.Errorf("warnings %q", tally.Warnings)
	}
}
