package ownertest

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/postern/postern/internal/event"
)

// An instance is a process with its ways.
type instance struct {
	*Process
	kind    *kind
	parent  *instance
	private bool // resolves names by itself, unseen
	share   int  // connections that it makes
}

// live makes the host's processes and their connections.
func (h *machine) live() {
	var total float64
	var here []*kind
	for i := range h.kinds {
		if k := &h.kinds[i]; h.chance(k.likely) {
			here = append(here, k)
			total += k.weight
		}
	}
	for _, k := range here {
		h.start(k, int(float64(h.Connections)*k.weight/total))
	}
	for range h.Connections / 8 {
		h.startBrief(&kind{image: h.noise[h.rand.IntN(len(h.noise))], parent: explorerImage}, 0)
	}
	slices.SortStableFunc(h.procs, func(a, b *instance) int { return cmp.Compare(a.Start, b.Start) })
	h.number()
	for _, p := range h.procs {
		h.behave(p)
	}
	h.settle()
}

// start makes the instances of a program that share n connections.
func (h *machine) start(k *kind, n int) {
	from := epoch - micros(2*warmUp)
	switch {
	case k.behave == brief:
		for n > 0 {
			share := min(n, 1+h.rand.IntN(4))
			h.startBrief(k, share)
			n -= share
		}
	case k.system:
		h.add(k, from, h.end+1, n)
	case k.behave == beacon:
		for range max(1, k.copies) {
			begin := epoch + micros(h.Span.Seconds()*h.between(0, 0.5))
			h.add(k, begin, begin+micros(h.Span.Seconds()*h.between(0.2, 0.5)), n/max(1, k.copies))
		}
	default: // restarted once or twice
		begin := epoch + micros(h.between(-warmUp, 0.1*h.Span.Seconds()))
		middle := epoch + micros(h.Span.Seconds()*h.between(0.3, 0.7))
		h.add(k, begin, middle-micros(h.between(1, 300)), n/2)
		h.add(k, middle, h.end+1, n-n/2)
	}
}

func (h *machine) startBrief(k *kind, n int) {
	begin := epoch + micros(h.between(-warmUp, h.Span.Seconds()))
	h.add(k, begin, begin+micros(h.between(3, 90)), n)
}

func (h *machine) add(k *kind, from, to event.Time, n int) {
	h.procs = append(h.procs, &instance{
		Process: &Process{Host: h.name, Image: k.image, Program: h.template(k.image), Start: from, End: to},
		kind:    k, private: h.chance(sharePrivate), share: n,
	})
}

// number gives the processes their PIDs, GUIDs and parents. PIDs come from a
// narrow range, and are free again as soon as their process has ended.
func (h *machine) number() {
	pids := 64 + 2*len(h.kinds)
	until := make([]event.Time, pids)
	for n, p := range h.procs {
		at := h.rand.IntN(pids)
		for until[at] >= p.Start {
			at = (at + 1) % pids
		}
		until[at] = p.End
		p.PID = uint32(400 + 4*at)
		if h.sysmon {
			p.GUID = fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", h.rand.Uint32(), p.Start>>20&0xffff, p.PID&0xffff, h.index&0xffff, n)
		}
		for _, q := range h.procs[:n] {
			if q.Image == p.kind.parent && q.End > p.Start {
				p.parent = q
				break
			}
		}
	}
}

// behave adds the connections of p.
func (h *machine) behave(p *instance) {
	from, to := max(p.Start+micros(0.2), epoch-micros(warmUp)), min(p.End-micros(0.5), h.end)
	if from >= to {
		return
	}
	switch p.kind.behave {
	case idle:
	case browse:
		h.browse(p, from, to)
	case steady, brief:
		for range p.share {
			h.open(p, h.instant(from, to), h.vendorOrShared(p.kind))
		}
	case files:
		for range p.share {
			h.openInternal(p, h.instant(from, to))
		}
	case beacon:
		h.beacon(p, from, to)
	case timed:
		h.keepTime(p, from, to)
	case tunnel:
		h.tunnel(p, from, to)
	}
}

func (h *machine) instant(from, to event.Time) event.Time {
	return from + event.Time(h.rand.Int64N(int64(to-from)))
}

func (h *machine) vendorOrShared(k *kind) far {
	if h.chance(k.shared) {
		return sharedFar(h.rand.IntN(4))
	}
	return vendorFar(k.vendor, h.rand.IntN(3))
}

// browse opens pages: each some connections within a few seconds.
func (h *machine) browse(p *instance, from, to event.Time) {
	for n := p.share; n > 0; {
		page, size := h.instant(from, to), min(n, 1+h.rand.IntN(10))
		first := popularWeb(h.rand)
		for i := range size {
			f := first
			switch {
			case h.chance(p.kind.shared):
				f = sharedFar(h.rand.IntN(4))
			case i > 0 && h.chance(0.7):
				f = popularWeb(h.rand)
			}
			h.open(p, page+micros(h.between(0, 3)), f)
		}
		n -= size
	}
}

// beacon calls one far end at an interval with a jitter of a fifth.
func (h *machine) beacon(p *instance, from, to event.Time) {
	if p.share == 0 {
		return
	}
	f := implantFar(h.rand)
	every := float64(to-from) / 1e6 / float64(p.share)
	for at := from; at < to; at += micros(every * h.between(0.8, 1.2)) {
		h.open(p, at, f)
	}
}

// keepTime asks a time server from the port that NTP is fixed to.
func (h *machine) keepTime(p *instance, from, to event.Time) {
	server := far{name: "time.trust.example", addrs: append(sharedFar(3).addrs[:1:1], publicAddr(sharedBase+99)), port: 123}
	for at := from; at < to; at += micros(h.between(256, 2048)) {
		h.conns = append(h.conns, conn{proc: p, start: at, far: server, proto: event.UDP, way: clock, fixed: 123, lasts: micros(0.05)})
	}
}

// tunnel talks QUIC from one port to one gateway, with pauses after which a
// sensor counts a flow anew.
func (h *machine) tunnel(p *instance, from, to event.Time) {
	gateway := vendorFar(p.kind.vendor, 0)
	for at := from; at < to; {
		lasts := h.between(20, 400)
		h.conns = append(h.conns, conn{proc: p, start: at, far: gateway, proto: event.UDP, way: secure, fixed: 41641, lasts: micros(lasts)})
		at += micros(lasts + h.between(70, 1500))
	}
}
