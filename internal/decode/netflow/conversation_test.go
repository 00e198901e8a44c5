package netflow

import (
	"net/netip"
	"testing"
	"time"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// lasting returns a record of both bytes and packets.
func lasting(src, dst netip.AddrPort, from, to time.Duration, bytes event.Count, flags uint8) record {
	return record{
		sensor: "192.0.2.1", proto: event.TCP, src: src, dst: dst, flags: flags, rate: 1,
		start: began.Add(from), end: began.Add(to), forth: volume{bytes, bytes}, back: unseen,
	}
}

// assembled returns the flows of records.
func assembled(t *testing.T, records ...record) ([]event.Flow, *decode.Tally) {
	t.Helper()
	var out event.Batch
	tally := new(decode.Tally)
	a := newAssembler(tally, "test")
	for i := range records {
		a.take(&records[i], func() string { return "record" }, &out)
	}
	a.close(maxConversations, &out)
	balance(t, &out, tally)
	return out.Flows, tally
}

const minute = time.Minute

// TestPieces: an exporter with an active timeout of a minute tells of a flow in
// pieces, which must not look like a connection a minute.
func TestPieces(t *testing.T) {
	type flow struct {
		begin, lasted time.Duration
		out, in       event.Count
	}
	for name, tt := range map[string]struct {
		records []record
		want    []flow
		again   int64
	}{
		"pieces of both directions": {[]record{
			lasting(client, server, 0, minute, 1000, 0x1a), lasting(server, client, 0, minute, 5000, 0x1a),
			lasting(client, server, minute, 2*minute, 2000, 0x18), lasting(server, client, minute, 2*minute, 6000, 0x18),
			lasting(server, client, 2*minute, 3*minute, 1, 0x11),
		}, []flow{{0, 3 * minute, 3000, 11001}}, 0},
		"silent, and the same": {[]record{
			lasting(client, server, 0, minute, 1000, 0x1a), lasting(client, server, 5*minute, 6*minute, 2000, 0x18),
		}, []flow{{0, 6 * minute, 3000, event.Unknown}}, 0},
		"silent for too long": {[]record{
			lasting(client, server, 0, minute, 1000, 0x1a), lasting(client, server, 7*minute, 8*minute, 2000, 0x18),
		}, []flow{{0, minute, 1000, event.Unknown}, {7 * minute, minute, 2000, event.Unknown}}, 0},
		"the port is used again": {[]record{
			lasting(client, server, 0, minute, 1000, 0x1b), lasting(server, client, 0, minute, 5000, 0x1b),
			lasting(client, server, 2*minute, 3*minute, 2000, 0x1b), lasting(server, client, 2*minute, 3*minute, 6000, 0x1b),
		}, []flow{{0, minute, 1000, 5000}, {2 * minute, minute, 2000, 6000}}, 0},
		"in and out of the router": {[]record{
			lasting(client, server, 0, minute, 1000, 0x1b), lasting(client, server, 0, minute, 1000, 0x1b),
			lasting(server, client, 0, minute, 5000, 0x1b), lasting(server, client, time.Second, minute, 6000, 0x1b),
		}, []flow{{0, minute, 1000, 6000}}, 2},
		"again, without counts": {[]record{
			lasting(client, server, 0, minute, event.Unknown, 0x1b), lasting(client, server, 0, minute, event.Unknown, 0x1b),
		}, []flow{{0, minute, event.Unknown, event.Unknown}}, 1},
		"again, with counts": {[]record{
			lasting(client, server, 0, minute, event.Unknown, 0x1b), lasting(client, server, 0, minute, 100, 0x1b),
		}, []flow{{0, minute, 100, event.Unknown}}, 1},
		"only the answer": {[]record{lasting(server, client, 0, minute, 5000, 0x1b)}, []flow{{0, minute, event.Unknown, 5000}}, 0},
	} {
		got, tally := assembled(t, tt.records...)
		var flows []flow
		for _, f := range got {
			expect(t, name, []netip.AddrPort{client, server}, []netip.AddrPort{f.Src, f.Dst})
			flows = append(flows, flow{f.Time.Sub(began), time.Duration(f.Duration) * time.Microsecond, f.BytesOut, f.BytesIn})
		}
		if len(flows) != len(tt.want) {
			t.Errorf("%s: %v, want %v", name, flows, tt.want)
			continue
		}
		for i := range flows {
			if flows[i] != tt.want[i] {
				t.Errorf("%s: %v, want %v", name, flows[i], tt.want[i])
			}
		}
		expect(t, name, tt.again, tally.Ignored[ignoreAgain])
	}
}

func TestOriginator(t *testing.T) {
	at := func(port uint16) netip.AddrPort { return netip.AddrPortFrom(client.Addr(), port) }
	to := func(port uint16) netip.AddrPort { return netip.AddrPortFrom(server.Addr(), port) }
	later := func(r record) record { r.start = r.start.Add(time.Millisecond); return r }
	sampled := func(r record) record { r.rate = 10; return r }
	rec := func(src, dst netip.AddrPort) record { return lasting(src, dst, 0, minute, 100, 0x1b) }
	for name, tt := range map[string]struct {
		records []record
		want    netip.AddrPort
	}{
		"a service's port":              {[]record{rec(at(443), to(50000))}, to(50000)},
		"against the times":             {[]record{rec(to(443), at(50000)), later(rec(at(50000), to(443)))}, at(50000)},
		"the earlier":                   {[]record{later(rec(to(50001), at(50000))), rec(at(50000), to(50001))}, at(50000)},
		"the earlier, from a low port":  {[]record{later(rec(to(50001), at(2000))), rec(at(2000), to(50001))}, at(2000)},
		"sampled: times tell nothing":   {[]record{sampled(later(rec(to(50001), at(2000)))), sampled(rec(at(2000), to(50001)))}, to(50001)},
		"no SYN: the beginning is lost": {[]record{lasting(at(2000), to(50001), 0, minute, 1, 0x18), lasting(to(50001), at(2000), time.Second, minute, 1, 0x18)}, to(50001)},
		"a client's port":               {[]record{rec(to(8443), at(50000))}, at(50000)},
		"the higher port":               {[]record{rec(to(8443), at(9000))}, at(9000)},
		"the same port":                 {[]record{rec(to(123), at(123)), rec(at(123), to(123))}, to(123)},
	} {
		got, _ := assembled(t, tt.records...)
		if len(got) != 1 || got[0].Src != tt.want || got[0].Dst == tt.want {
			t.Errorf("%s: %+v, want from %v", name, got, tt.want)
		}
	}
}

// TestFlood: more flows than are held are told early, the longest silent first.
func TestFlood(t *testing.T) {
	var out event.Batch
	tally := new(decode.Tally)
	a := newAssembler(tally, "test")
	a.limit = 3
	for i := range uint16(5) {
		r := lasting(netip.AddrPortFrom(client.Addr(), 50000+i), server, 0, minute, 100, 0)
		a.take(&r, func() string { return "record" }, &out)
	}
	expect(t, "held", 3, len(a.open))
	expect(t, "told", []netip.AddrPort{client, netip.AddrPortFrom(client.Addr(), 50001)}, []netip.AddrPort{out.Flows[0].Src, out.Flows[1].Src})
	a.close(10, &out)
	expect(t, "warnings", []string{
		"bytes of 5 flows are of IP packets: upper bounds of the payload",
		"only one direction was exported of 5 flows: the other's bytes are unknown",
		"more flows at once than are held: 2 were told before their end",
	}, tally.Warnings)
}

func TestScaled(t *testing.T) {
	const most = 1<<63 - 1
	for _, tt := range []struct {
		c    event.Count
		rate int64
		want event.Count
	}{{5, 1, 5}, {5, 10, 50}, {event.Unknown, 10, event.Unknown}, {most / 2, 10, most}} {
		if got := scaled(tt.c, tt.rate); got != tt.want {
			t.Errorf("%d times %d is %d, want %d", tt.c, tt.rate, got, tt.want)
		}
	}
}
