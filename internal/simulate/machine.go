package simulate

import (
	"time"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/simulate/format"
)

// switchOn starts h at t with the programs that run whether or not somebody
// works, until off. Processes of a host that ran before the logs began are
// not in them.
func (o *office) switchOn(h *host, t, off event.Time, logged bool) {
	h.boot++
	h.on, h.logon, h.offAt = true, t.Add(-20*time.Second), off
	clear(h.running)
	clear(h.cached)
	system := h.newProcess(o.software["system"], nil, t)
	system.Parent = system
	h.running["system"] = system
	start := func(name string, parent *format.Process) {
		at := t.Add(h.millis(200, 9000))
		if logged {
			h.running[name] = h.spawn(o.software[name], parent, at)
			return
		}
		h.running[name] = h.newProcess(o.software[name], parent, t.Add(-h.within(90*time.Hour, 0.3)))
	}
	h.running["services"] = h.newProcess(o.software["services"], system, t.Add(-30*time.Second))
	for _, name := range []string{"schedule", "update", "diag", "dnscache", "lsass", "defender", "agent"} {
		start(name, h.running["services"])
	}
	o.at(off, func(now event.Time) { o.switchOff(h, now) })
	o.background(h, t.Add(15*time.Second))
}

// switchOff ends what runs on h.
func (o *office) switchOff(h *host, now event.Time) {
	if now >= o.to || !h.on {
		return
	}
	h.on = false
	for _, name := range []string{"onedrive", "teams", "agent", "defender"} {
		if proc := h.running[name]; proc != nil {
			h.exit(proc, now.Add(h.millis(100, 3000)))
		}
	}
}

// every calls do again and again while h stays on: first at t, then after
// what gap returns.
func (o *office) every(h *host, t event.Time, gap func() time.Duration, do func(now event.Time)) {
	boot := h.boot
	var next func(now event.Time)
	next = func(now event.Time) {
		if h.boot != boot || !h.on || now >= h.offAt {
			return
		}
		do(now)
		o.at(now.Add(gap()), next)
	}
	o.at(t, next)
}

// steady returns gaps of d, within that share of jitter.
func (h *host) steady(d time.Duration, jitter float64) func() time.Duration {
	return func() time.Duration { return h.within(d, jitter) }
}

// erratic returns gaps as of events that know nothing of each other.
func (h *host) erratic(mean time.Duration) func() time.Duration {
	return func() time.Duration { return 2*time.Second + h.wait(mean) }
}

// use has a running program make a connection, which ends with the host.
func (o *office) use(h *host, now event.Time, name string, c contact) *format.Conn {
	c.prog = o.software[name]
	if c.proc == nil {
		c.proc = h.running[name]
	}
	if c.proc == nil {
		return nil
	}
	if h.offAt < o.to {
		c.lasts = min(c.lasts, h.offAt.Sub(now))
	}
	return h.connect(now, c)
}
