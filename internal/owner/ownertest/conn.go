package ownertest

import (
	"cmp"
	"math"
	"net/netip"
	"slices"

	"github.com/postern/postern/internal/event"
)

// A way is what a connection carries.
type way uint8

const (
	secure way = iota // TLS or QUIC
	plain             // HTTP
	failed            // nothing: it never came about
	local             // to an internal server
	clock             // NTP
)

// A conn is a connection that a process opened.
type conn struct {
	proc  *instance
	start event.Time
	lasts event.Time
	far   far
	proto event.Proto
	way   way
	fixed uint16 // source port, 0 for one of the dynamic range
	again int    // the connection, counted from 1, whose port is used again; 0 for none
	id    int    // counted from 1

	src, dst netip.AddrPort
	peer     *machine // of the group, that accepts it
	unseen   bool     // it passes no sensor
	said     witness
	instead  *instance // whom Sysmon names when it is wrong
}

// open adds a connection to the outside.
func (h *machine) open(p *instance, at event.Time, f far) {
	c := conn{proc: p, start: at, far: f, proto: event.TCP, lasts: micros(math.Exp(h.between(-2, 5.5)))}
	switch {
	case h.chance(shareFailed):
		c.way, c.lasts = failed, micros(21)
	case h.chance(sharePlain):
		c.way, c.far.port = plain, 80
	case h.chance(p.kind.quic):
		c.proto = event.UDP
	}
	if h.chance(shareInternal) {
		h.openInternal(p, at)
	}
	h.conns = append(h.conns, c)
	if c.way == secure && c.proto == event.TCP && h.chance(shareAgain) {
		h.openAgain(c)
	}
}

// openAgain uses the port of c for the same far end once more within a minute,
// half of the times by another process.
func (h *machine) openAgain(c conn) {
	first := &h.conns[len(h.conns)-1]
	first.lasts = min(first.lasts, micros(4))
	first.id = len(h.conns)
	c.lasts = micros(h.between(0.5, 20))
	c.start = first.start + first.lasts + micros(h.between(1, 50))
	c.again = first.id
	if h.chance(0.5) {
		for range 20 {
			if q := h.procs[h.rand.IntN(len(h.procs))]; q.kind.ja4 != "" && q.Start < c.start && c.start < q.End {
				c.proc = q
				break
			}
		}
	}
	if c.start < min(c.proc.End, h.end) {
		h.conns = append(h.conns, c)
	}
}

// openInternal adds a connection to a server of the estate's own.
func (h *machine) openInternal(p *instance, at event.Time) {
	if peer := h.machines[h.rand.IntN(len(h.machines))]; peer.site == h.site && peer != h && h.chance(0.1) {
		if addr, _ := holding(peer.leases, at, h.end); len(peer.vpn) == 0 {
			h.conns = append(h.conns, conn{proc: p, start: at, proto: event.TCP, way: local, peer: peer, lasts: micros(5),
				far: far{name: peer.name, port: 445, addrs: []netip.Addr{addr}}})
			return
		}
	}
	ports := [...]uint16{445, 389, 88, 443}
	n := h.rand.IntN(len(ports))
	h.conns = append(h.conns, conn{
		proc: p, start: at, proto: event.TCP, way: local, lasts: micros(h.between(0.1, 60)),
		far: far{name: "srv" + string(rune('0'+n)) + ".corp.example", port: ports[n],
			addrs: []netip.Addr{netip.AddrFrom4([4]byte{10, 250, 0, byte(n + 1)})}},
	})
}

// settle puts the connections in order and gives them their addresses and
// ports.
func (h *machine) settle() {
	slices.SortStableFunc(h.conns, func(a, b conn) int { return cmp.Compare(a.start, b.start) })
	h.conns = slices.DeleteFunc(h.conns, func(c conn) bool { return c.start >= h.end })
	repeats := make(map[int]event.Time) // when a connection's port is used again
	for i := range h.conns {
		if c := &h.conns[i]; c.again != 0 {
			repeats[c.again] = c.start
		}
	}
	placed := make(map[int]*conn)
	for i := range h.conns {
		c := &h.conns[i]
		h.place(c, placed[c.again], repeats[c.id])
		if c.id != 0 && c.again == 0 {
			placed[c.id] = c
		}
	}
	// A port cannot be used again after an address was given up.
	h.conns = slices.DeleteFunc(h.conns, func(c conn) bool { return !c.src.IsValid() })
}

func (h *machine) place(c, first *conn, reserve event.Time) {
	addr, until := h.address(c)
	c.lasts = max(micros(0.01), min(c.lasts, until-c.start))
	dst := c.far.addrs[h.rand.IntN(len(c.far.addrs))]
	switch {
	case c.again != 0:
		if first == nil || first.src.Addr() != addr {
			return
		}
		c.src, c.dst, c.unseen = first.src, first.dst, first.unseen
		h.busy[c.src.Port()-firstPort] = c.start + c.lasts
		return
	case c.fixed != 0:
		c.src = netip.AddrPortFrom(addr, c.fixed)
		if c.way != clock {
			dst = c.far.addrs[0]
		}
	default:
		for range h.ports {
			if h.busy[h.nextPort] < c.start {
				break
			}
			h.nextPort = (h.nextPort + 1) % h.ports
		}
		c.src = netip.AddrPortFrom(addr, uint16(firstPort+h.nextPort))
		h.busy[h.nextPort] = max(c.start+c.lasts, reserve)
		h.nextPort = (h.nextPort + 1) % h.ports
	}
	c.dst = netip.AddrPortFrom(dst, c.far.port)
}

// address returns which of its addresses the host uses for c, and until when
// it has that.
func (h *machine) address(c *conn) (netip.Addr, event.Time) {
	addr, until := holding(h.leases, c.start, h.end)
	if len(h.vpn) == 0 {
		return addr, until
	}
	tunnel, down := holding(h.vpn, c.start, h.end)
	if tunnel.IsValid() && (c.way == local || h.chance(0.6)) {
		return tunnel, down
	}
	c.unseen = true
	return addr, until
}
