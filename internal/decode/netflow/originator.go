package netflow

import "github.com/postern/postern/internal/event"

// lastPrivileged is the highest port that only services use; firstEphemeral is
// the lowest that clients of the usual systems open connections from.
const (
	lastPrivileged = 1023
	firstEphemeral = 32768
)

// originator returns the side of the flow's originator, and the other.
//
// Records do not say who began. The exporter's word counts first, in records of
// both directions. Then the port of a service, which is right however the flow
// was cut or sampled. Then who was seen first, where the beginning was seen:
// every direction of TCP begins with SYN. Where all packets are looked at, that
// is the originator; in a sample it is chance. Last, the port which looks like
// a client's, and the higher one.
func (c *conversation) originator() (from, to *side) {
	a, b := &c.sides[0], &c.sides[1]
	if c.oriented {
		return a, b
	}
	pa := c.src.Port()
	pb := c.key.low.Port()
	if c.key.low == c.src {
		pb = c.key.high.Port()
	}
	aServes, bServes := pa <= lastPrivileged, pb <= lastPrivileged
	switch {
	case aServes != bServes:
		return pick(a, b, bServes)
	case c.saysWhoBegan():
		return pick(a, b, a.begin < b.begin)
	case (pa >= firstEphemeral) != (pb >= firstEphemeral):
		return pick(a, b, pa >= firstEphemeral)
	}
	return pick(a, b, pa >= pb)
}

func pick(a, b *side, first bool) (from, to *side) {
	if first {
		return a, b
	}
	return b, a
}

// saysWhoBegan reports whether the times of the first packets tell who began.
func (c *conversation) saysWhoBegan() bool {
	a, b := &c.sides[0], &c.sides[1]
	if !a.seen || !b.seen || c.sampled || a.begin == b.begin {
		return false
	}
	return c.key.proto == event.UDP || a.flags&b.flags&flagSYN != 0
}
