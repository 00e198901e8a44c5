package pcap

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/postern/postern/internal/event"
)

var (
	client6 = netip.MustParseAddrPort("[2001:db8::5]:50001")
	server6 = netip.MustParseAddrPort("[2001:db8:9::1]:443")
)

// A volumes is what a flow of one packet says of it.
type volumes struct {
	Proto    event.Proto
	Src, Dst netip.AddrPort
	Out      event.Count
}

func TestLinksAndHeaders(t *testing.T) {
	hundred := make([]byte, 100)
	udp4 := ip(client.Addr(), server.Addr(), protoUDP, udpDatagram(client.Port(), server.Port(), hundred))
	udp6 := ip(client6.Addr(), server6.Addr(), protoUDP, udpDatagram(client6.Port(), server6.Port(), hundred))
	want4 := volumes{event.UDP, client, server, 100}
	want6 := volumes{event.UDP, client6, server6, 100}
	cooked := append(make([]byte, 14), 0x08, 0x00)
	cooked2 := append([]byte{0x86, 0xdd}, make([]byte, 18)...)
	tests := []struct {
		name  string
		link  uint32
		frame []byte
		wire  int
		want  volumes
	}{
		{name: "Ethernet", link: linkEthernet, frame: ethernet(udp4), want: want4},
		{name: "Ethernet, IPv6", link: linkEthernet, frame: ethernet(udp6), want: want6},
		{name: "VLAN", link: linkEthernet, frame: ethernet(udp4, etherVLAN), want: want4},
		{name: "QinQ", link: linkEthernet, frame: ethernet(udp6, etherQinQ, etherVLAN), want: want6},
		{name: "old QinQ, three tags", link: linkEthernet, frame: ethernet(udp4, etherOld, etherVLAN, etherVLAN), want: want4},
		{name: "padding", link: linkEthernet, frame: append(ethernet(udp4), make([]byte, 18)...), want: want4},
		{name: "link type with FCS bits", link: linkEthernet | 0x14000000, frame: ethernet(udp4), want: want4},
		{name: "cooked", link: linkCooked, frame: slices.Concat(cooked, udp4), want: want4},
		{name: "cooked, VLAN", link: linkCooked, frame: slices.Concat(make([]byte, 14), []byte{0x81, 0, 0, 7, 8, 0}, udp4), want: want4},
		{name: "cooked v2", link: linkCooked2, frame: slices.Concat(cooked2, udp6), want: want6},
		{name: "raw", link: linkRaw, frame: udp6, want: want6},
		{name: "raw, BSD", link: linkRawBSD, frame: udp4, want: want4},
		{name: "raw IPv4", link: linkIPv4, frame: udp4, want: want4},
		{name: "null, little-endian", link: linkNull, frame: append([]byte{2, 0, 0, 0}, udp4...), want: want4},
		{name: "null, big-endian, IPv6 of macOS", link: linkNull, frame: append([]byte{0, 0, 0, 30}, udp6...), want: want6},
		{name: "loop, IPv6 of OpenBSD", link: linkLoop, frame: append([]byte{0, 0, 0, 24}, udp6...), want: want6},
		{name: "snapped within the payload", link: linkEthernet, frame: ethernet(udp4)[:60], wire: 142, want: want4},
		{name: "snapped behind the UDP header", link: linkEthernet, frame: ethernet(udp6)[:62], wire: 162, want: want6},
		{name: "first fragment", link: linkRaw, frame: edit(udp4[:60], 2, 0, 60, 0, 0, 0x20, 0), want: want4},
		{name: "total length 0", link: linkRaw, frame: edit(udp4, 2, 0, 0), want: want4},
		{name: "total length 0, snapped", link: linkEthernet, frame: edit(ethernet(udp4), 16, 0, 0)[:50], wire: 142, want: want4},
		{name: "IPv4 options", link: linkRaw, frame: options(udp4), want: want4},
		{name: "IPv6 extensions", link: linkRaw, frame: extend(udp6,
			protoHop, 0, protoRouting, 1, protoDestination, 0, protoAuth, 1, protoMobility, 0), want: want6},
		{name: "IPv6 atomic fragment", link: linkRaw, frame: extend(udp6, protoFragment, 0), want: want6},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, tally, _ := decodeWith(t, classicFile(tt.link, shot{data: tt.frame, length: tt.wire}), defaultLimits)
			if tally.SkippedTotal() > 0 || tally.IgnoredTotal() > 0 {
				t.Errorf("skipped %v, ignored %v", tally.Positions, tally.Ignored)
			}
			f := only(t, b.Flows)
			if diff := cmp.Diff(tt.want, volumes{f.Proto, f.Src, f.Dst, f.BytesOut}, cmp.Comparer(equalEnds)); diff != "" {
				t.Errorf("flow (-want +got):\n%s", diff)
			}
		})
	}
}

func equalEnds(a, b netip.AddrPort) bool { return a == b }

// edit overwrites bytes of a copy.
func edit(b []byte, at int, with ...byte) []byte {
	b = slices.Clone(b)
	copy(b[at:], with)
	return b
}

// options puts eight bytes of options into an IPv4 header.
func options(b []byte) []byte {
	b = slices.Concat(b[:20], []byte{1, 1, 1, 1, 1, 1, 1, 0}, b[20:])
	b[0] += 2
	be.PutUint16(b[2:], be.Uint16(b[2:])+8)
	return b
}

// extend puts extension headers into an IPv6 packet: pairs of a protocol, and
// the length as the header writes it.
func extend(b []byte, pairs ...byte) []byte {
	next, body := b[6], b[40:]
	for i := len(pairs) - 2; i >= 0; i -= 2 {
		n := 8 + 8*int(pairs[i+1])
		if pairs[i] == protoAuth {
			n = 8 + 4*int(pairs[i+1])
		}
		header := make([]byte, n)
		header[0] = next
		if pairs[i] != protoFragment {
			header[1] = pairs[i+1]
		}
		next, body = pairs[i], append(header, body...)
	}
	b = slices.Concat(b[:40], body)
	b[6] = next
	be.PutUint16(b[4:], uint16(len(body)))
	return b
}

// Every frame that gives no flow is counted, with a reason, or by what it is.
func TestFramesLeftOut(t *testing.T) {
	udp4 := ip(client.Addr(), server.Addr(), protoUDP, udpDatagram(client.Port(), server.Port(), make([]byte, 100)))
	udp6 := ip(client6.Addr(), server6.Addr(), protoUDP, udpDatagram(client6.Port(), server6.Port(), make([]byte, 100)))
	tcp4 := ip(client.Addr(), server.Addr(), protoTCP, tcpSegment(1, 2, 3, 4, flagACK, nil))
	tests := []struct {
		name             string
		link             uint32
		frame            []byte
		ignored, skipped string
	}{
		{name: "ARP", link: linkEthernet, frame: append(make([]byte, 12), 8, 6, 0, 1), ignored: ignoreNotIP},
		{name: "LLC", link: linkEthernet, frame: append(make([]byte, 12), 0, 38, 0x42, 0x42, 3), ignored: ignoreNotIP},
		{name: "tags without end", link: linkEthernet, frame: ethernet(udp4, slices.Repeat([]uint16{etherVLAN}, 20)...), ignored: ignoreNotIP},
		{name: "loopback of another family", link: linkNull, frame: []byte{7, 0, 0, 0, 1}, ignored: ignoreNotIP},
		{name: "ICMP", link: linkRaw, frame: ip(client.Addr(), server.Addr(), 1, make([]byte, 8)), ignored: ignoreTransport},
		{name: "ESP", link: linkRaw, frame: extend(udp6, 50, 0), ignored: ignoreTransport},
		{name: "later fragment", link: linkRaw, frame: edit(udp4, 6, 0x00, 0x10), ignored: ignoreFragment},
		{name: "later fragment, IPv6", link: linkRaw, frame: edit(extend(udp6, protoFragment, 0), 42, 0, 0x10), ignored: ignoreFragment},
		{name: "unknown link type", link: 127, frame: udp4, skipped: skipLink},
		{name: "no frame", link: linkEthernet, skipped: skipCutHeaders},
		{name: "no packet", link: linkEthernet, frame: ethernet(udp4)[:14], skipped: skipCutHeaders},
		{name: "half a tag", link: linkEthernet, frame: ethernet(udp4, etherVLAN)[:16], skipped: skipCutHeaders},
		{name: "half an IPv4 header", link: linkRaw, frame: udp4[:15], skipped: skipCutHeaders},
		{name: "half an IPv6 header", link: linkRaw, frame: udp6[:30], skipped: skipCutHeaders},
		{name: "half a UDP header", link: linkRaw, frame: udp4[:25], skipped: skipCutHeaders},
		{name: "half a TCP header", link: linkRaw, frame: tcp4[:35], skipped: skipCutHeaders},
		{name: "half an extension", link: linkRaw, frame: extend(udp6, protoRouting, 9)[:50], skipped: skipCutHeaders},
		{name: "extensions without end", link: linkRaw, frame: extend(udp6, slices.Repeat([]byte{protoHop, 0}, 40)...), skipped: skipBadHeader},
		{name: "short header length", link: linkRaw, frame: edit(udp4, 0, 0x41), skipped: skipBadHeader},
		{name: "total length below the header", link: linkRaw, frame: edit(udp4, 2, 0, 10), skipped: skipBadHeader},
		{name: "neither IPv4 nor IPv6", link: linkRaw, frame: edit(udp4, 0, 0x75), skipped: skipBadHeader},
		{name: "TCP header length", link: linkRaw, frame: edit(tcp4, 32, 0x30), skipped: skipBadHeader},
		{name: "TCP header beyond the packet", link: linkRaw, frame: edit(tcp4, 32, 0xf0), skipped: skipBadHeader},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, tally, _ := decodeWith(t, classicFile(tt.link, shot{data: tt.frame}), defaultLimits)
			if b.Len() > 0 {
				t.Errorf("events: %+v", b)
			}
			if tt.ignored != "" && tally.Ignored[tt.ignored] != 1 || tt.skipped != "" && tally.Skipped[tt.skipped] != 1 {
				t.Errorf("ignored %v, skipped %v", tally.Ignored, tally.Positions)
			}
		})
	}
}

// What was left out on purpose and matters to the volumes is told of.
func TestFragmentsAreTold(t *testing.T) {
	whole := ip(client.Addr(), server.Addr(), protoUDP, udpDatagram(client.Port(), server.Port(), make([]byte, 3000)))
	first := edit(whole[:1500], 2, 1500>>8, 1500&0xff, 0, 0, 0x20, 0)
	second := slices.Concat(edit(whole[:20], 2, 1500>>8, 1500&0xff, 0, 0, 0x20, 185), make([]byte, 1480))
	third := slices.Concat(edit(whole[:20], 2, 0, 68, 0, 0, 0x01, 0x72), make([]byte, 48))
	b, tally, _ := decodeWith(t, classicFile(linkRaw, shot{data: first}, shot{data: second}, shot{data: third}), defaultLimits)
	if f := only(t, b.Flows); f.BytesOut != 3000 || f.PacketsOut != 1 {
		t.Errorf("flow %+v", f)
	}
	if tally.Ignored[ignoreFragment] != 2 || len(tally.Warnings) != 1 {
		t.Errorf("tally %+v", tally)
	}
}
