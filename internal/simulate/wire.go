package simulate

import (
	"net/netip"
	"time"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/simulate/format"
)

// The bytes of a TLS handshake, each way.
const (
	helloOut = 780
	helloIn  = 3900
	resumeIn = 310
)

// wire plays a connection as Zeek sees it and returns its row of conn.log, or
// nil when the flow was missed.
func (e *estate) wire(t event.Time, h *host, ends tuple, c contact) *format.Conn {
	missed := h.rng.Float64() < e.lostFlows
	row := &format.Conn{
		Time: t, UID: newUID(h.rng), Src: ends.src, Dst: ends.dst, Proto: ends.proto,
		Service: c.service, LocalDst: c.to.inside,
	}
	var hand *format.Handshake
	tls := c.service == "ssl" || c.service == "quic,ssl"
	resumed := tls && !c.fails && h.rng.IntN(4) == 0
	if tls && !c.fails {
		c.up += helloOut
		c.down += helloIn
		if resumed {
			c.down += resumeIn - helloIn
		}
		hand = e.handshake(t, row, c, resumed)
	}
	e.carry(row, h, c)
	if h.blind > 0 && row.Proto == event.TCP && !c.fails && h.rng.Float64() < h.blind {
		hand = blindfold(row, hand)
	}
	if missed {
		return nil
	}
	if hand != nil {
		e.log(hand, c.to)
	}
	written := t.Add(time.Duration(max(row.Duration, 0)) * time.Microsecond)
	e.conn.add(min(max(written, e.from), e.to-1), row)
	return row
}

// log logs a handshake of a connection that began inside the log's time, and
// the certificates in it that were not logged for a day.
func (e *estate) log(hand *format.Handshake, d *destination) {
	if hand.Time < e.from {
		return
	}
	e.ssl.add(hand.Time, hand)
	if hand.Chain == nil || e.x509 == nil {
		return
	}
	for _, cert := range d.certs {
		day := hand.Time - hand.Time%event.Time(24*time.Hour/time.Microsecond)
		if e.shown[cert.Fingerprint] == day {
			continue
		}
		e.shown[cert.Fingerprint] = day
		cert.Time = hand.Time
		e.x509.add(hand.Time, &cert)
	}
}

// handshake returns the row of ssl.log for a connection.
func (e *estate) handshake(t event.Time, row *format.Conn, c contact, resumed bool) *format.Handshake {
	stack := c.prog.tls
	hand := &format.Handshake{
		Time: t.Add(c.to.rtt + 1200*time.Microsecond), UID: row.UID, Src: row.Src, Dst: row.Dst,
		Version: "TLSv12", Cipher: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", Curve: "x25519",
		SNI: c.to.name, Resumed: resumed, ALPN: stack.alpn, Established: true, History: "CsxknGIti",
		JA3: stack.ja3, JA3S: fingerprint("s12" + c.to.name)[:32], JA4: stack.ja4,
	}
	switch {
	case c.udp:
		hand.Version, hand.Cipher, hand.History, hand.ALPN = "TLSv13", "TLS_AES_128_GCM_SHA256", "CsZ", "h3"
		hand.JA4 = stack.ja4q
	case stack.v13 && c.to.v13:
		// What follows the server's hello is encrypted.
		hand.Version, hand.Cipher, hand.History, hand.ALPN = "TLSv13", "TLS_AES_256_GCM_SHA384", "CsiI", ""
		hand.JA3S = fingerprint("s13")[:32]
	case resumed:
		hand.History = "CsIti"
	default:
		hand.Chain, hand.SNIMatches = c.to.chain, true
	}
	return hand
}

// The share of a TCP packet that carries payload, and what else it has.
const (
	segment = 1448
	headers = 52
)

// carry fills in the bytes, packets and the end of a connection.
func (e *estate) carry(row *format.Conn, h *host, c contact) {
	rtt := c.to.rtt.Microseconds()
	row.Duration = max(c.lasts.Microseconds(), 3*rtt+h.rng.Int64N(40_000))
	row.BytesOut, row.BytesIn = c.up, c.down
	switch {
	case c.fails:
		row.Service, row.State, row.History = "", "S0", "S"
		row.Duration, row.BytesOut, row.BytesIn = 9_000_000+h.rng.Int64N(60_000), 0, 0
		row.PktsOut, row.IPOut = 3, 3*headers
		return
	case row.Proto == event.UDP:
		row.State, row.History = "SF", "Dd"
		row.PktsOut, row.PktsIn = packets(c.up, 1350), packets(c.down, 1350)
		row.IPOut, row.IPIn = c.up+28*row.PktsOut, c.down+28*row.PktsIn
		return
	}
	row.State, row.History = "SF", "ShADadFf"
	extraOut, extraIn := int64(4), int64(3)
	switch h.rng.IntN(12) {
	case 0:
		row.State, row.History = "RSTO", "ShADadR"
		extraOut, extraIn = 3, 1
	case 1:
		row.State, row.History = "RSTR", "ShADadFr"
		extraIn = 2
	case 2, 3:
		row.History = "ShADadfF"
	}
	if end := row.Time.Add(time.Duration(row.Duration) * time.Microsecond); end > e.to {
		part := float64(e.to-row.Time) / float64(row.Duration)
		row.Duration = int64(e.to - row.Time)
		row.BytesOut, row.BytesIn = int64(float64(c.up)*part), int64(float64(c.down)*part)
		row.State, row.History = "S1", "ShADad"
		extraOut, extraIn = 2, 1
	}
	up, down := packets(row.BytesOut, segment), packets(row.BytesIn, segment)
	row.PktsOut, row.PktsIn = extraOut+up+down/2, extraIn+down+up/2
	row.IPOut = row.BytesOut + headers*row.PktsOut
	row.IPIn = row.BytesIn + headers*row.PktsIn
}

func packets(payload, size int64) int64 { return (payload + size - 1) / size }

// blindfold makes a row what Zeek writes of a connection whose outgoing
// packets it drops, because the capture saw them before the network card
// filled their checksums in. The client's hello is lost with them, and most
// often the handshake is not recognised at all.
func blindfold(row *format.Conn, hand *format.Handshake) *format.Handshake {
	row.BytesOut, row.PktsOut, row.IPOut = 0, 0, 0
	row.State, row.History = "SHR", "^hadf"
	if row.PktsIn%2 == 0 || hand == nil {
		row.Service = ""
		return nil
	}
	hand.SNI, hand.ALPN, hand.JA3, hand.JA4 = "", "", "", ""
	hand.Established, hand.History = false, "si"
	if hand.Chain != nil {
		hand.History, hand.SNIMatches = "sxkn", false
	}
	return hand
}

// ask plays a question to the resolver and returns when its answer arrived.
func (e *estate) ask(t event.Time, h *host, d *destination, answer netip.Addr) event.Time {
	src := netip.AddrPortFrom(h.addr, h.nextPort())
	dst := netip.AddrPortFrom(e.resolver.addr, 53)
	q := &format.Query{
		Time: t, UID: newUID(h.rng), Src: src, Dst: dst, ID: uint16(h.rng.Uint32()),
		RTT: h.millis(1, 30).Microseconds(), Name: d.name, V6: answer.Is6(), TTL: 60 * (1 + int(hashOf(d.name)%10)),
	}
	if q.V6 {
		q.Answers = []string{answer.String()}
	} else {
		if d.ptr != "" && !d.inside {
			q.Answers = append(q.Answers, d.alias())
		}
		for _, a := range d.addrs {
			q.Answers = append(q.Answers, a.String())
		}
	}
	up, down := int64(18+len(d.name)), int64(34+len(d.name)+16*len(q.Answers))
	e.dns.add(t, q)
	answered := t.Add(time.Duration(q.RTT) * time.Microsecond)
	if e.quiet {
		return answered
	}
	e.conn.add(min(answered, e.to-1), &format.Conn{
		Time: t, UID: q.UID, Src: src, Dst: dst, Proto: event.UDP, Service: "dns",
		Duration: q.RTT, BytesOut: up, BytesIn: down, State: "SF", LocalDst: true, History: "Dd",
		PktsOut: 1, IPOut: up + 28, PktsIn: 1, IPIn: down + 28,
	})
	return answered
}
