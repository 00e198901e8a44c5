package pcap

import (
	"net/netip"
	"testing"
	"time"

	"github.com/postern/postern/internal/decode/decodetest"
	"golang.org/x/net/dns/dnsmessage"
)

// sampleShots are of flows one after the other, so that a capture that is cut
// anywhere cuts one of them.
func sampleShots(t testing.TB) []shot {
	var shots []shot
	at := time.Duration(0)
	add := func(more []shot) {
		shots = append(shots, more...)
		at = shots[len(shots)-1].at + 3*time.Minute
	}
	for _, s := range sessions(t)[:2] {
		add(newTalk(client, server, at).open().replay(s.said).close().shots)
	}
	add(newTalk(client, proxy, at).open().replay(preambles()["CONNECT, after a refusal"]).close().shots)
	add(newTalk(client6, server6, at).open().say(fromServer, []byte("hello")).close().shots)
	query := dnsQuestion(t, 7, "www.example.com.", dnsmessage.TypeA)
	add([]shot{
		{at: at, data: udpFrame(client, resolver, query)},
		{at: at + time.Millisecond, data: udpFrame(resolver, client, dnsAnswer(t, query, "192.0.2.1"))},
	})
	hello := unhex(t, rfcCrypto)[4:]
	id := []byte("dest-id1")
	add([]shot{{at: at, data: udpFrame(client, server, initialPacket(t, quicV1, 0, id, id, nil, pad(crypto(0, hello), 1150)))}})
	return shots
}

// samples are small captures, one of each format.
func samples(t testing.TB) (classic, ng []byte) {
	shots := sampleShots(t)
	return classicFile(linkEthernet, shots...), ngFile(shots...)
}

func TestConformance(t *testing.T) {
	classic, ng := samples(t)
	for i, data := range [][]byte{classic, ng} {
		f := Formats()[i]
		t.Run(f.Name, func(t *testing.T) { decodetest.Run(t, f, data) })
	}
}

func FuzzClassic(f *testing.F) {
	classic, _ := samples(f)
	decodetest.Fuzz(f, Formats()[0], classic)
}

func FuzzNG(f *testing.F) {
	_, ng := samples(f)
	decodetest.Fuzz(f, Formats()[1], ng)
}

// FuzzStreams puts bytes into both directions of a connection, which flipping
// bytes of a capture seldom reaches.
func FuzzStreams(f *testing.F) {
	for _, s := range sessions(f) {
		f.Add(joined(s.said, fromClient), joined(s.said, fromServer), uint16(200), uint8(1))
	}
	for _, said := range preambles() {
		f.Add(joined(said, fromClient), joined(said, fromServer), uint16(30), uint8(0))
	}
	query := dnsQuestion(f, 7, "www.example.com.", dnsmessage.TypeA)
	f.Add(query, dnsAnswer(f, query, "192.0.2.1"), uint16(1000), uint8(2))
	id := []byte("dest-id1")
	f.Add(initialPacket(f, quicV1, 0, id, id, nil, pad(crypto(0, unhex(f, rfcCrypto)[4:]), 1150)), []byte{}, uint16(1400), uint8(2))
	f.Fuzz(func(t *testing.T, out, in []byte, mss uint16, kind uint8) {
		to := []netip.AddrPort{server, proxy, resolver}[kind%4%3]
		k := newTalk(client, to, 0)
		if kind&8 == 0 {
			k.open()
		}
		k.mss = 1 + int(mss)%1400
		var shots []shot
		if kind&16 != 0 && len(out) < 1<<15 && len(in) < 1<<15 {
			shots = []shot{{data: udpFrame(k.ends[0], k.ends[1], out)}, {data: udpFrame(k.ends[1], k.ends[0], in)}}
		} else {
			k.say(fromClient, out).say(fromServer, in)
			if shots = k.shots; kind&32 != 0 && len(shots) > 0 {
				shuffled(shots, int(kind), nil)
			}
		}
		b, _ := decodeShots(t, shots...)
		for _, f := range b.Flows {
			if f.BytesOut < 0 && f.PacketsOut > 0 || f.Duration < 0 {
				t.Errorf("flow %+v", f)
			}
		}
	})
}

// joined returns all that one end said.
func joined(said []utterance, from int) (all []byte) {
	for _, u := range said {
		if u.from == from {
			all = append(all, u.data...)
		}
	}
	return all
}
