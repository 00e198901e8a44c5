package simulate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/simulate/format"
)

// The bench estate.
const (
	benchHosts  = 500
	benchNames  = 3000
	benchDays   = 3
	benchLost   = 0.05 // share of flows without a connect, and of connects without a flow
	benchLookup = 0.2  // lookups for each flow
	benchStart  = 0.02 // process starts for each flow
	outside     = 0.82 // share of the flows that leave the estate
)

// A bench is an estate that is about volume: what its hosts do has the right
// proportions and no story.
type bench struct {
	*estate
	software software
	programs []share
	names    []*destination
	zipf     []*rand.Zipf // by host
	left     int          // flows still to come
	gap      time.Duration
	peer     *destination // inside
}

// A share is a program and how much of the traffic is its own. A program
// other than a browser has a few names only, from first on.
type share struct {
	name   string
	weight int
	first  int
	count  int // 0 is all names
}

// Bench writes that many flows of 500 hosts in three days to dir, with as many
// Sysmon connects, as conn.log, ssl.log, dns.log and sysmon.jsonl. One flow in
// twenty has no connect, and as many connects have no flow.
func Bench(dir string, flows int, seed uint64) error {
	from := event.At(time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC))
	e := newEstate(dir, from, from.Add(benchDays*day), false)
	e.x509, e.quiet = nil, true
	b := &bench{
		estate: e, software: commonSoftware(), left: flows,
		gap: benchGap(flows),
		programs: []share{
			{"chrome", 34, 0, 0}, {"edge", 22, 0, 0}, {"firefox", 8, 0, 0}, {"teams", 8, 40, 4},
			{"outlook", 7, 50, 2}, {"onedrive", 7, 60, 3}, {"diag", 5, 70, 5}, {"agent", 5, 80, 1},
			{"defender", 2, 90, 2}, {"code", 1, 100, 3}, {"git", 1, 110, 2},
		},
	}
	for i := range benchNames {
		name := fmt.Sprintf("%s-%s%d.example", places[i%10], trades[i/10%10], i/100)
		b.names = append(b.names, newDestination(name, from, i%len(issuers), 5+i%80))
	}
	out, err := createFile(filepath.Join(dir, "sysmon.jsonl"))
	if err != nil {
		return err
	}
	b.settle(seed, out)
	return e.play()
}

// benchGap returns a host's mean time between flows: so much less than an even
// share that chance does not leave the three days short of flows.
func benchGap(flows int) time.Duration {
	n := float64(max(flows, 1))
	margin := min(5/math.Sqrt(n), 0.5)
	return time.Duration(float64(benchDays*day*benchHosts) / n * (1 - margin))
}

// settle makes the hosts and starts their traffic.
func (b *bench) settle(seed uint64, out *file) {
	for i := range benchHosts {
		h := b.newHost(seed, hostOptions{
			name: fmt.Sprintf("PC-%04d", i+1), domain: "bench.example", netbios: "BENCH",
			addr: fmt.Sprintf("10.%d.%d.%d", 40+i/200, i%200/50, 10+i%50), login: fmt.Sprintf("user%03d", i+1),
			sysmon: true,
		})
		h.offset = h.within(2*time.Second, 1) - 2*time.Second
		h.drift = time.Duration(h.rng.IntN(3)) * h.within(20*time.Second, 1)
		h.logon = b.from.Add(-h.within(30*time.Hour, 0.8))
		h.log = &eventLog{machine: h.Machine, export: format.NewWinlogbeat(h.Machine), out: out}
		b.logs = append(b.logs, h.log)
		b.zipf = append(b.zipf, rand.NewZipf(h.rng, 1.1, 2, benchNames-1))
		h.running["services"] = h.newProcess(b.software["services"], nil, b.from.Add(-40*time.Hour))
		for _, p := range b.programs {
			h.running[p.name] = h.newProcess(b.software[p.name], h.running["services"], b.from.Add(-h.within(20*time.Hour, 0.9)))
		}
		h.running["system"] = h.newProcess(b.software["system"], nil, b.from.Add(-40*time.Hour))
		b.drive(h, b.zipf[i])
	}
	b.resolver = b.hosts[0]
	b.peer = internal(b.hosts[1])
}

// drive has h make connections until there are enough of them.
func (b *bench) drive(h *host, zipf *rand.Zipf) {
	var next func(now event.Time)
	next = func(now event.Time) {
		if b.left == 0 {
			return
		}
		b.left--
		b.flow(h, zipf, now)
		b.at(now.Add(h.wait(b.gap)), next)
	}
	b.at(b.from.Add(h.wait(b.gap)), next)
}

// flow makes one flow and one connect: of each other, but for a few.
func (b *bench) flow(h *host, zipf *rand.Zipf, now event.Time) {
	c, dst := b.contact(h, zipf)
	start := now
	now = now.Add(time.Second)
	ends := tuple{event.TCP, netip.AddrPortFrom(h.addr, h.nextPort()), netip.AddrPortFrom(dst, c.port)}
	if c.service == "ssl" || c.service == "http" {
		if h.rng.Float64() < benchStart/outside {
			h.running[c.name] = h.spawn(c.prog, h.running["services"], start)
			c.proc = h.running[c.name]
		}
		if h.rng.Float64() < benchLookup/outside {
			b.ask(now.Add(-h.millis(20, 60)), h, c.to, dst)
			h.write(start.Add(h.millis(50, 400)), &format.Event{
				Kind: format.Lookup, Source: event.Sysmon, Proc: c.proc, UTC: now.Add(h.offset + h.drift),
				Query: c.to.name, Results: lookupResults(c.to, dst),
			})
		}
	}
	b.wire(now, h, ends, c.contact)
	if h.rng.Float64() < benchLost {
		ends.src = netip.AddrPortFrom(h.addr, h.nextPort())
	}
	h.observe(now, ends, c.contact)
}

// A planned contact remembers which of the host's programs makes it.
type planned struct {
	contact
	name string
}

// contact decides what h connects to next: seven in ten speak TLS to the
// outside, and some of the rest stays inside.
func (b *bench) contact(h *host, zipf *rand.Zipf) (planned, netip.Addr) {
	c := planned{contact: contact{up: h.around(2400, 1.1), down: h.around(18_000, 1.5), lasts: h.wait(25 * time.Second), port: 443, service: "ssl"}}
	switch n := h.rng.IntN(100); {
	case n < 100-100*outside:
		c.proc, c.to, c.port, c.service = h.running["system"], b.peer, 445, "gssapi,smb"
		return c, b.peer.addrs[0]
	case n < 30:
		c.port, c.service = 80, "http"
	}
	pick := h.rng.IntN(100)
	for _, p := range b.programs {
		if pick -= p.weight; pick < 0 {
			c.name, c.proc, c.prog = p.name, h.running[p.name], b.software[p.name]
			c.to = b.names[zipf.Uint64()]
			if p.count > 0 {
				c.to = b.names[p.first+h.rng.IntN(p.count)]
			}
			break
		}
	}
	return c, c.to.addrs[h.rng.IntN(len(c.to.addrs))]
}
