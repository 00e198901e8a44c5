package pcap

import "slices"

// maxGaps bounds the holes that are remembered of one direction, and maxGap
// is the largest window that TCP has: a larger jump is no loss, but another
// numbering.
const (
	maxGaps = 32
	maxGap  = 1 << 30
)

// A gap is a stretch of sequence numbers that was not seen.
type gap struct{ from, to uint32 }

// A volume counts the payload that one end of a TCP connection sent, each byte
// once.
//
// It counts what was seen, and what was not but the other end acknowledged:
// that was sent, and the capture lost it.
type volume struct {
	bytes int64
	next  uint32 // the sequence number behind the highest counted
	known bool   // next is known
	gaps  []gap  // below next, in order
}

// start says that the next byte has that sequence number.
func (v *volume) start(seq uint32) { v.next, v.known = seq, true }

// sent counts a segment of n bytes. It reports whether any of it is new.
func (v *volume) sent(seq uint32, n int) bool {
	if !v.known {
		v.start(seq)
	}
	end := seq + uint32(n)
	ahead := int64(int32(seq - v.next))
	switch {
	case ahead > maxGap || ahead < -maxGap:
		v.gaps = v.gaps[:0]
	case ahead > 0:
		v.open(gap{v.next, seq})
	default:
		filled := v.fill(seq, n)
		over := int64(n) + ahead
		if over <= 0 {
			return filled
		}
		v.bytes += over
		v.next = end
		return true
	}
	v.bytes += int64(n)
	v.next = end
	return true
}

// open remembers a gap. The oldest is forgotten where there are too many.
func (v *volume) open(g gap) {
	if len(v.gaps) == maxGaps {
		v.gaps = slices.Delete(v.gaps, 0, 1)
	}
	v.gaps = append(v.gaps, g)
}

// fill counts what a segment below next brings of the gaps.
func (v *volume) fill(seq uint32, n int) bool {
	if len(v.gaps) == 0 {
		return false
	}
	end, before := seq+uint32(n), v.bytes
	kept := make([]gap, 0, len(v.gaps)+1)
	for _, g := range v.gaps {
		from, to := later(g.from, seq), earlier(g.to, end)
		if int32(to-from) <= 0 {
			kept = append(kept, g)
			continue
		}
		v.bytes += int64(to - from)
		if g.from != from {
			kept = append(kept, gap{g.from, from})
		}
		if g.to != to {
			kept = append(kept, gap{to, g.to})
		}
	}
	v.gaps = kept[:min(len(kept), maxGaps)]
	return v.bytes > before
}

// acknowledged counts what the other end says it received.
func (v *volume) acknowledged(ack uint32) {
	if !v.known {
		v.start(ack)
		return
	}
	if ahead := int64(int32(ack - v.next)); ahead > 0 && ahead <= maxGap {
		v.bytes += ahead
		v.next = ack
	}
	for len(v.gaps) > 0 && int32(ack-v.gaps[0].to) >= 0 {
		v.bytes += int64(v.gaps[0].to - v.gaps[0].from)
		v.gaps = slices.Delete(v.gaps, 0, 1)
	}
}

// finished says that a FIN was seen behind the segment that ends there: it
// takes up a sequence number.
func (v *volume) finished(end uint32) {
	if v.next == end {
		v.next++
	}
}

// later and earlier compare sequence numbers, which wrap around.
func later(a, b uint32) uint32 {
	if int32(a-b) > 0 {
		return a
	}
	return b
}

func earlier(a, b uint32) uint32 {
	if int32(a-b) < 0 {
		return a
	}
	return b
}
