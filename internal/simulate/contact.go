package simulate

import (
	"net/netip"
	"strings"
	"time"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/simulate/format"
)

// A contact is a connection that a process is about to make.
type contact struct {
	proc     *format.Process
	prog     *program
	to       *destination
	port     uint16 // 0 is 443
	udp      bool
	service  string // as Zeek names it; "" on a TLS port is "ssl"
	up, down int64  // payload bytes without the handshake
	lasts    time.Duration
	fails    bool
	cached   bool // the process has the address already
}

// connect plays c at t, for all sensors, and returns the row of conn.log, or
// nil when the sensor missed the flow.
func (h *host) connect(t event.Time, c contact) *format.Conn {
	if c.port == 0 {
		c.port = 443
	}
	if c.service == "" && c.port == 443 {
		c.service = "ssl"
		if c.udp {
			c.service = "quic,ssl"
		}
	}
	dst := c.to.addrs[h.rng.IntN(len(c.to.addrs))]
	src := h.addr
	if h.addr6.IsValid() && c.to.addr6.IsValid() && h.rng.IntN(2) == 0 {
		src, dst = h.addr6, c.to.addr6
	}
	if !c.cached {
		t = h.lookup(t, c, dst)
	}
	ends := tuple{
		proto: event.TCP,
		src:   netip.AddrPortFrom(src, h.nextPort()), dst: netip.AddrPortFrom(dst, c.port),
	}
	if c.udp {
		ends.proto = event.UDP
	}
	h.observe(t, ends, c)
	return h.estate.wire(t, h, ends, c)
}

// A tuple is what identifies a connection.
type tuple struct {
	proto    event.Proto
	src, dst netip.AddrPort
}

// observe reports a connection as the host sees it: the filtering platform
// every attempt at once, Sysmon a success some time after it.
func (h *host) observe(t event.Time, ends tuple, c contact) {
	if h.security {
		h.lossy(t.Add(h.millis(0, 3)), &format.Event{
			Kind: format.Connect, Source: event.Security, Proc: c.proc,
			Proto: ends.proto, Src: ends.src, Dst: ends.dst,
		})
		if c.fails {
			h.lossy(t.Add(8*time.Second+h.millis(0, 20)), &format.Event{
				Kind: format.Connect, Source: event.Security, Proc: c.proc,
				Proto: ends.proto, Src: ends.src, Dst: ends.dst,
			})
		}
	}
	if h.sysmon && !c.fails {
		h.lossy(t.Add(h.millis(1000, 2500)), &format.Event{
			Kind: format.Connect, Source: event.Sysmon, Proc: c.proc,
			UTC:   t.Add(h.offset + h.drift),
			Proto: ends.proto, Src: ends.src, Dst: ends.dst, DstName: c.to.ptr,
			Unknown: h.rng.Float64() < h.estate.unnamed,
		})
	}
}

// answerLife is how long a resolver's answer holds.
const answerLife = 12 * time.Hour

// lookup has c's process look its name up, unless the host still knows it,
// and returns when the connection follows.
func (h *host) lookup(t event.Time, c contact, answer netip.Addr) event.Time {
	name := c.to.name
	if strings.IndexByte(name, '.') < 0 || h.cached[name] > t {
		return t
	}
	h.cached[name] = t.Add(answerLife)
	if h.sysmon && !strings.HasSuffix(name, ".microsoft.com") {
		// The usual configuration leaves the vendor's names out.
		h.lossy(t.Add(h.millis(100, 900)), &format.Event{
			Kind: format.Lookup, Source: event.Sysmon, Proc: c.proc,
			UTC: t.Add(h.offset + h.drift), Query: name, Results: lookupResults(c.to, answer),
		})
	}
	if h == h.estate.resolver {
		return t // it asks itself, which the wire does not see
	}
	return h.estate.ask(t, h, c.to, answer).Add(h.millis(1, 6))
}

// lookupResults returns the answers as Sysmon 22 writes them.
func lookupResults(d *destination, answer netip.Addr) string {
	var b strings.Builder
	if d.ptr != "" && !d.inside {
		b.WriteString("type:  5 " + d.alias() + ";")
	}
	if answer.Is6() {
		return b.String() + answer.String() + ";"
	}
	for _, a := range d.addrs {
		b.WriteString("::ffff:" + a.String() + ";")
	}
	return b.String()
}

// alias returns the canonical name that d's name leads to.
func (d *destination) alias() string {
	return strings.ReplaceAll(d.name, ".", "-") + ".cdn-transit.example"
}
