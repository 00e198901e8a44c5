package zeek

import "github.com/postern/postern/internal/event"

// A side is what a flow's row counts of one of its ends.
type side struct {
	bytes   event.Count // of payload
	packets event.Count
}

// A direction is one of the ends of a flow, as a bit.
type direction uint8

const (
	originator direction = 1 << iota
	responder
)

// volume returns what the counts of a flow's row tell of each side, and which
// sides Zeek did not see.
//
// Zeek writes 0 for what it has not seen. A network card that computes
// checksums itself leaves the packets that its own host sends without valid
// ones where the sensor is that host; Zeek discards them unless it runs with
// -C, and logs an upload of 54 MiB as 0 bytes. A sensor on an asymmetric
// route does the same. So the count of a side becomes unknown where it is 0
// or unset, and the history says that Zeek did not see the side:
//
//   - The side's packets had bad checksums (C of the originator, c of the
//     responder). Zeek does not count those.
//   - No packet of the originator was seen but some of the responder's: an
//     answer without a question. The history is without upper-case letters
//     and mostly begins with ^, for Zeek has turned the flow around. The
//     state is SHR, RSTRH or OTH; the originator may count up to two packets.
//   - On TCP, no packet of the responder was seen, but some of the originator
//     that a side sends only after the other has spoken: an acknowledgement,
//     data, or the second step of the handshake.
//
// A count above 0 stands, though it may be a lower bound: Zeek derives it from
// what the other side acknowledged. UDP and ICMP say nothing of what was
// received, so one that went unanswered has truly 0 bytes in.
//
// Without a history the packet counts decide.
func volume(p event.Proto, history []byte, orig, resp side) (o, r side, unseen direction) {
	if len(history) > 0 {
		unseen = unseenByHistory(p, history)
	} else {
		unseen = unseenByPackets(p, orig, resp)
	}
	unseen &= zeroSides(orig, resp)
	if unseen&originator != 0 {
		orig = side{event.Unknown, event.Unknown}
	}
	if unseen&responder != 0 {
		resp = side{event.Unknown, event.Unknown}
	}
	return orig, resp, unseen
}

// zeroSides returns the sides without a count of bytes above 0.
func zeroSides(orig, resp side) (zero direction) {
	if orig.bytes <= 0 {
		zero |= originator
	}
	if resp.bytes <= 0 {
		zero |= responder
	}
	return zero
}

func unseenByHistory(p event.Proto, history []byte) (unseen direction) {
	var seen sighting
	for _, c := range history {
		seen |= sightings[c]
	}
	if seen&origDropped != 0 || seen&origPacket == 0 && seen&respPacket != 0 {
		unseen |= originator
	}
	if seen&respDropped != 0 || p == event.TCP && seen&respPacket == 0 && seen&origReply != 0 {
		unseen |= responder
	}
	return unseen
}

func unseenByPackets(p event.Proto, orig, resp side) (unseen direction) {
	if orig.packets == 0 && resp.packets > 0 {
		unseen |= originator
	}
	if p == event.TCP && resp.packets == 0 && orig.bytes > 0 {
		unseen |= responder
	}
	return unseen
}

// A sighting is what letters of a history tell.
type sighting uint8

const (
	origPacket  sighting = 1 << iota // the originator's packet was seen
	origReply                        // and the responder must have spoken before
	origDropped                      // the originator's packet had a bad checksum
	respPacket
	respDropped
)

// sightings has what each letter of a history tells: see Zeek's documentation
// of Conn::Info. A gap (g), a limit (x) and a flip (^) are no packets.
var sightings = [256]sighting{
	'S': origPacket, 'F': origPacket, 'R': origPacket, 'I': origPacket, 'Q': origPacket,
	'H': origPacket | origReply, 'A': origPacket | origReply, 'D': origPacket | origReply,
	'T': origPacket | origReply, 'W': origPacket | origReply,
	'C': origDropped,
	's': respPacket, 'f': respPacket, 'r': respPacket, 'i': respPacket, 'q': respPacket,
	'h': respPacket, 'a': respPacket, 'd': respPacket, 't': respPacket, 'w': respPacket,
	'c': respDropped,
}
