package storetest

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"

	"github.com/postern/postern/internal/event"
)

// A source of random events. Fields take odd values often; identities do not
// repeat.
type random struct {
	*rand.Rand
	serial uint64
}

func newRandom(seed uint64) *random { return &random{Rand: rand.New(rand.NewPCG(seed, 1))} }

func (r *random) id() uint64 { r.serial++; return r.serial }

func (r *random) pick(of ...string) string { return of[r.IntN(len(of))] }

func (r *random) text() string {
	switch r.IntN(8) {
	case 0:
		return ""
	case 1:
		return "exactly12byt" // the longest text that some stores keep in place
	case 2:
		return "exactly13byte"
	case 3:
		return strings.Repeat("long text; ", r.IntN(60))
	}
	return r.pick("'; DROP TABLE flow; --", "tab\tand\nline", "\u202egnp.exe", "日本語", `C:\a "b" c`, "%s?", "NULL", " ")
}

func (r *random) host() string { return fmt.Sprintf("host-%d", r.IntN(5)) }

func (r *random) time() event.Time {
	return event.Time(1_700_000_000_000_000 + r.Int64N(1_000_000_000))
}

func (r *random) count() event.Count {
	switch r.IntN(4) {
	case 0:
		return event.Unknown
	case 1:
		return 0
	case 2:
		return 1<<63 - 1
	}
	return event.Count(r.Int64N(1 << 40))
}

func (r *random) addr() netip.Addr {
	switch r.IntN(6) {
	case 0:
		return netip.Addr{}
	case 1:
		return netip.MustParseAddr(r.pick("::", "0.0.0.0", "::ffff:10.0.0.1", "fe80::1%eth0", "255.255.255.255"))
	case 2:
		return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: byte(r.IntN(4))})
	}
	return netip.AddrFrom4([4]byte{10, 0, 0, byte(r.IntN(6))})
}

func (r *random) end() netip.AddrPort { return netip.AddrPortFrom(r.addr(), uint16(r.Uint32())) }

func (r *random) source() event.Source { return event.Source(r.IntN(4)) }

func (r *random) tri() event.Tri { return event.Tri(r.IntN(3)) }

func (r *random) start() event.ProcessStart {
	return event.ProcessStart{
		Host: r.host(), Time: r.time(), Source: r.source(), Record: r.id(),
		PID: r.Uint32(), GUID: r.text(), ParentPID: r.Uint32(), ParentGUID: r.text(),
		ParentImage: r.text(), ParentCommandLine: r.text(), Image: r.text(), CommandLine: r.text(),
		User: r.text(), OriginalName: r.text(), Product: r.text(), Company: r.text(), Hashes: r.text(),
	}
}

func (r *random) stop() event.ProcessStop {
	return event.ProcessStop{Host: r.host(), Time: r.time(), Source: r.source(), Record: r.id(), PID: r.Uint32(), GUID: r.text(), Image: r.text()}
}

func (r *random) connect() event.Connect {
	return event.Connect{
		Host: r.host(), Time: r.time(), Source: r.source(), Record: r.id(),
		PID: r.Uint32(), GUID: r.text(), Image: r.text(), User: r.text(), Proto: event.Proto(r.Uint32()),
		Src: r.end(), Dst: r.end(), Outbound: r.IntN(2) == 0, DstName: r.text(),
		CommunityID: r.text(), Attempt: r.IntN(2) == 0, Volume: r.volume(),
	}
}

func (r *random) lookup() event.Lookup {
	l := event.Lookup{Time: r.time(), PID: r.Uint32(), GUID: r.text(), Image: r.text(), Name: fmt.Sprint("name-", r.id())}
	if r.IntN(2) == 0 {
		l.Host, l.Source, l.Record = r.host(), r.source(), r.id()
	} else {
		l.Sensor, l.Client = r.text(), r.addr()
	}
	for range r.IntN(4) {
		if a := r.addr().WithZone(""); a.IsValid() {
			l.Answers = append(l.Answers, a)
		}
	}
	return l
}

func (r *random) flow() event.Flow {
	return event.Flow{
		Sensor: r.text(), Time: r.time(), UID: fmt.Sprint("C", r.id()), Proto: event.Proto(r.Uint32()),
		Src: r.end(), Dst: r.end(), Duration: r.count(), BytesOut: r.count(), BytesIn: r.count(),
		PacketsOut: r.count(), PacketsIn: r.count(), State: r.text(), History: r.text(), Service: r.text(), Open: r.IntN(2) == 0,
		CommunityID: r.text(),
	}
}

func (r *random) handshake() event.Handshake {
	return event.Handshake{
		Sensor: r.text(), Time: r.time(), UID: fmt.Sprint("C", r.id()), Proto: event.Proto(r.Uint32()),
		Src: r.end(), Dst: r.end(), SNI: r.text(), Version: r.text(), ALPN: r.text(), JA3: r.text(), JA3S: r.text(),
		JA4: r.text(), Subject: r.text(), Issuer: r.text(), CertID: r.text(), Established: r.tri(),
	}
}

func (r *random) request() event.Request {
	return event.Request{
		Sensor: r.text(), Time: r.time(), UID: fmt.Sprint("C", r.id()), Src: r.end(), Dst: r.end(),
		Method: r.text(), Scheme: r.text(), Host: r.text(), Port: uint16(r.Uint32()), User: r.text(), Status: r.IntN(1000) - 1,
		Volume: r.volume(),
	}
}

func (r *random) volume() event.Volume {
	if r.IntN(2) == 0 {
		return event.Volume{}
	}
	return event.Volume{Counted: true, Duration: r.count(), BytesOut: r.count(), BytesIn: r.count()}
}

func (r *random) lease() event.Lease {
	return event.Lease{Sensor: r.text(), Time: r.time(), Host: fmt.Sprint("leased-", r.id()), Addr: r.addr(), MAC: r.text(), Duration: r.count()}
}

func (r *random) notice() event.Notice {
	return event.Notice{Host: r.host(), Time: r.time(), Source: r.source(), Record: r.id(), Kind: r.text(), Text: r.text()}
}

func (r *random) session() event.Session {
	return event.Session{
		Key: event.Key(r.Uint64()), Host: r.pick("", "host-1", "host-2"), Client: r.addr(), Sensor: r.text(),
		Rung: event.Rung(r.IntN(9)), Program: r.pick("", "a", "b", "c"), PID: r.Uint32(), GUID: r.text(), Image: r.text(), User: r.text(),
		OriginalName: r.text(), OtherImage: r.text(), Name: r.text(), NameSource: event.NameSource(r.IntN(5)), Domain: r.pick("x.example", "y.example", "10.0.0.1"),
		Dst: r.end(), Proto: event.Proto(r.Uint32()), Start: r.time() + event.Time(r.Int64N(4))*3_600_000_000,
		Duration: r.count(), BytesOut: r.count(), BytesIn: r.count(), Open: r.IntN(2) == 0,
		Evidence: event.TLSEvidence(r.IntN(4)), SNI: r.text(), JA3: r.text(), JA4: r.text(), Issuer: r.text(), Subject: r.text(),
		Established: r.tri(), UID: r.text(),
	}
}

// batch makes n events of each kind but certificates.
func (r *random) batch(n int) *event.Batch {
	return &event.Batch{
		Starts: many(n, r.start), Stops: many(n, r.stop), Connects: many(n, r.connect), Lookups: many(n, r.lookup),
		Flows: many(n, r.flow), Handshakes: many(n, r.handshake), Requests: many(n, r.request), Leases: many(n, r.lease), Notices: many(n, r.notice),
	}
}

func many[E any](n int, of func() E) []E {
	es := make([]E, n)
	for i := range es {
		es[i] = of()
	}
	return es
}
