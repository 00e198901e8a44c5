package pcap

// The flags of TCP.
const (
	flagFIN = 1 << iota
	flagSYN
	flagRST
	flagPSH
	flagACK
)

// A phase is how far one end of a TCP connection has come, in the words of
// Zeek's endpoint states.
type phase uint8

const (
	inactive phase = iota // has sent nothing
	synSent
	synAckSent
	partial // was met in the middle
	established
	closed // has sent a FIN
	reset  // has sent a RST
)

// over reports whether the connection has ended: both ends are closed, or one
// has reset it.
func (f *flow) over() bool {
	a, b := f.ends[0].phase, f.ends[1].phase
	return a == reset || b == reset || a == closed && b == closed
}

// attempt reports whether the flow is a TCP connection that only one end has
// spoken in, without a byte of payload.
func (f *flow) attempt() bool {
	a, b := &f.ends[0], &f.ends[1]
	return (a.packets == 0 || b.packets == 0) && a.bytes == 0 && b.bytes == 0
}

// anew reports whether a packet opens another connection between the ends of
// f: it is a SYN, and not one of f's own, which may be sent again even when it
// was refused.
func (f *flow) anew(p *packet) bool {
	if p.flags&(flagSYN|flagACK|flagRST|flagFIN) != flagSYN {
		return false
	}
	e := &f.ends[p.from]
	if e.syn {
		return e.isn != p.seq
	}
	return f.over() || e.phase != inactive
}

// segment takes a packet of TCP.
func (f *flow) segment(p *packet) {
	e, peer := &f.ends[p.from], &f.ends[p.from.other()]
	seq := p.seq
	switch {
	case p.flags&flagRST != 0:
		f.history.once(p.from, onceR, 'r')
	case p.flags&flagSYN != 0:
		e.isn, e.syn = seq, true
		seq++
		if !e.known {
			e.start(seq)
		}
	}
	e.step(peer, p.flags)
	if p.length > 0 && !e.sent(seq, p.length) {
		e.again++
		f.history.scaled(p.from, e.again, 't')
	}
	if p.flags&flagRST != 0 {
		return // its acknowledgement may be anything
	}
	if p.flags&flagACK != 0 {
		e.answers = true
		peer.acknowledged(p.ack)
	}
	f.note(p, e)
	if p.flags&flagFIN != 0 {
		if !e.known {
			e.start(seq)
		}
		e.finished(seq + uint32(p.length))
	}
}

// note writes a packet without RST into the history.
func (f *flow) note(p *packet, e *end) {
	switch {
	case p.flags&(flagSYN|flagFIN) == flagSYN|flagFIN:
		f.history.once(p.from, onceI, 'i')
	case p.flags&(flagSYN|flagACK) == flagSYN|flagACK:
		f.history.once(p.from, onceH, 'h')
	case p.flags&flagSYN != 0:
		f.history.once(p.from, onceS, 's')
	case p.length == 0 && p.flags&flagFIN == 0 && p.flags&flagACK != 0:
		f.history.once(p.from, onceA, 'a')
	}
	if p.length > 0 {
		f.history.once(p.from, onceD, 'd')
	}
	if p.flags&flagFIN != 0 {
		f.history.once(p.from, onceF, 'f')
	}
	if p.window == 0 && p.flags&flagSYN == 0 {
		e.stalled++
		f.history.scaled(p.from, e.stalled, 'w')
	}
}

// step moves the end that sent a packet to its next phase, as Zeek's
// TCPSessionAdapter does.
func (e *end) step(peer *end, flags uint8) {
	switch {
	case flags&flagRST != 0:
		// Behind an exchange of FINs a RST is only tidying up.
		if e.phase != closed || peer.phase != closed {
			e.phase = reset
		}
	case e.phase == reset:
	case flags&flagFIN != 0:
		e.phase = closed
	case e.phase == closed:
	case flags&(flagSYN|flagACK) == flagSYN|flagACK:
		if peer.phase == synSent || peer.phase == established {
			e.phase, peer.phase = established, established
		} else if e.phase == inactive {
			e.phase = synAckSent
		}
	case flags&flagSYN != 0:
		if e.phase == inactive {
			e.phase = synSent
		}
	case e.phase == inactive:
		e.phase = partial
	case e.phase == synSent && peer.phase == synAckSent:
		e.phase, peer.phase = established, established
	}
}

// tcpState returns Zeek's conn_state of a connection, by the rules of its
// scripts/base/protocols/conn/main.zeek, but for one: a connection whose
// beginning was not seen is OTH however it ends.
func tcpState(orig, resp phase, midstream, bytes bool) string {
	idleOrig := orig == inactive || orig == partial
	idleResp := resp == inactive || resp == partial
	switch {
	case midstream:
		return "OTH"
	case resp == reset && (orig == synSent || orig == synAckSent || orig == reset && !bytes):
		return "REJ"
	case resp == reset && idleOrig:
		return "RSTRH"
	case resp == reset:
		return "RSTR"
	case orig == reset && idleResp:
		return "RSTOS0"
	case orig == reset:
		return "RSTO"
	case orig == closed && resp == closed:
		return "SF"
	case orig == closed && idleResp:
		return "SH"
	case orig == closed:
		return "S2"
	case resp == closed && idleOrig:
		return "SHR"
	case resp == closed:
		return "S3"
	case orig == synSent && resp == inactive:
		return "S0"
	case orig == established && resp == established:
		return "S1"
	}
	return "OTH"
}

// udpState returns Zeek's conn_state of datagrams.
func udpState(orig, resp bool) string {
	switch {
	case orig && resp:
		return "SF"
	case orig:
		return "S0"
	case resp:
		return "SHR"
	}
	return "OTH"
}
