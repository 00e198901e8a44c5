package pcap

// A packet is a segment of TCP or a datagram of UDP.
type packet struct {
	time    int64 // nanoseconds since the epoch
	from    side  // which end of key sent it
	key     key
	proto   uint8
	flags   uint8  // of TCP
	seq     uint32 // of TCP
	ack     uint32 // of TCP
	window  uint16 // of TCP
	length  int    // of the payload, as it was sent
	payload []byte // what was captured of it
	snapped bool   // the capture cut the packet short
}

// A fate says what becomes of a frame.
type fate uint8

// The fates of frames. The first is of those that a flow takes.
const (
	taken fate = iota
	notIP
	notTransport
	fragment
	cutHeaders
	badHeader
	unknownLink
)

// What the tally calls frames that are of no use.
const (
	ignoreNotIP     = "frame without IP"
	ignoreTransport = "packet without TCP or UDP"
	ignoreFragment  = "IP fragment after the first"
	ignoreWithin    = "further packet of a flow"
)

// The reasons for which packets are skipped.
const (
	skipCutHeaders = "headers were not captured"
	skipBadHeader  = "malformed header"
	skipLink       = "unknown link type"
	skipNoTime     = "packet without a time"
	skipInterface  = "packet of an undescribed interface"
	skipBlock      = "malformed packet block"
	skipTooLong    = "packet too long"
)

// ignored returns what the tally calls a frame of that fate, or "".
func (f fate) ignored() string {
	switch f {
	case notIP:
		return ignoreNotIP
	case notTransport:
		return ignoreTransport
	case fragment:
		return ignoreFragment
	}
	return ""
}

// skipped returns why a frame of that fate is skipped.
func (f fate) skipped() string {
	switch f {
	case cutHeaders:
		return skipCutHeaders
	case unknownLink:
		return skipLink
	}
	return skipBadHeader
}
