package simulate

import (
	"time"

	"github.com/postern/postern/internal/event"
)

// background puts what a switched-on host does by itself on the clock.
func (o *office) background(h *host, t event.Time) {
	o.poll(h, t.Add(h.within(150*time.Second, 1)))
	o.every(h, t.Add(h.wait(3*time.Minute)), h.erratic(3*time.Hour), func(now event.Time) {
		o.use(h, now, "diag", contact{to: o.named("v10.events.data.microsoft.com"), up: h.around(14_000, 0.9), down: h.around(1500, 0.3), lasts: h.within(62*time.Second, 0.1)})
	})
	o.every(h, t.Add(h.wait(30*time.Minute)), h.erratic(9*time.Hour), func(now event.Time) { o.windowsUpdate(h, now) })
	o.every(h, t.Add(h.wait(40*time.Minute)), h.erratic(6*time.Hour), func(now event.Time) {
		o.use(h, now, "defender", contact{to: o.named("wdcp.microsoft.com"), up: h.around(5200, 0.6), down: h.around(2400, 0.5)})
	})
	o.every(h, t.Add(h.wait(time.Minute)), h.erratic(16*time.Hour), func(now event.Time) {
		o.use(h, now, "update", contact{to: o.named("wns.windows.com"), up: h.around(9000, 0.5), down: h.around(12_000, 0.5), lasts: h.within(15*time.Hour, 0.5)})
	})
	o.probe(h, t)
	if h == o.dc {
		return
	}
	o.every(h, t.Add(2*time.Second), h.erratic(4*time.Hour), func(now event.Time) {
		o.use(h, now, "lsass", contact{to: o.dcEnd, port: 88, service: "krb_tcp", up: h.around(1800, 0.2), down: h.around(1700, 0.2)})
	})
	o.every(h, t.Add(5*time.Second), h.erratic(8*time.Hour), func(now event.Time) {
		o.use(h, now, "lsass", contact{to: o.dcEnd, port: 389, service: "ldap_tcp,gssapi", up: h.around(3900, 0.4), down: h.around(5200, 0.6), lasts: h.within(2*time.Minute, 0.5)})
	})
	if h != o.fs {
		o.updaters(h, t)
	}
}

// poll has the management agent ask for work: every five minutes while
// somebody is at the computer, rarely when nobody is.
func (o *office) poll(h *host, t event.Time) {
	gap := func() time.Duration {
		if h.attended > o.now {
			return h.within(5*time.Minute, 0.02)
		}
		return h.within(time.Hour, 0.02)
	}
	o.every(h, t, gap, func(now event.Time) {
		c := contact{to: o.named("rmm.fieldops.example"), up: 1420, down: 388}
		if h.rng.IntN(40) == 0 {
			c.up = h.around(23_000, 0.5) // the inventory
		}
		o.use(h, now, "agent", c)
	})
}

// windowsUpdate asks for updates and, now and then, brings one in.
func (o *office) windowsUpdate(h *host, now event.Time) {
	o.use(h, now, "update", contact{to: o.named("slscr.update.microsoft.com"), up: h.around(3100, 0.2), down: h.around(9000, 0.4)})
	o.use(h, now.Add(h.millis(2000, 5000)), "update", contact{to: o.named("fe3cr.delivery.mp.microsoft.com"), up: h.around(18_000, 0.3), down: h.around(30_000, 0.5)})
	if h.rng.IntN(6) == 0 {
		o.use(h, now.Add(h.within(20*time.Second, 0.4)), "update", contact{
			to: o.named("2.au.download.windowsupdate.com"), port: 80, service: "http",
			up: h.around(9000, 0.4), down: h.around(90e6, 0.8), lasts: h.within(4*time.Minute, 0.6),
		})
	}
}

// probe asks whether the network reaches the Internet, in the clear, and tries
// an update server that was taken away long ago.
func (o *office) probe(h *host, t event.Time) {
	o.use(h, t, "dnscache", contact{to: o.named("www.msftconnecttest.com"), port: 80, service: "http", up: 111, down: 190})
	gone := &destination{name: "wsus", addrs: o.dcEnd.addrs, rtt: time.Millisecond, inside: true}
	o.every(h, t.Add(h.wait(time.Hour)), h.erratic(7*time.Hour), func(now event.Time) {
		o.use(h, now, "update", contact{to: gone, port: 8530, fails: true, cached: true})
	})
}

// updaters run from the task scheduler: a process for each check.
func (o *office) updaters(h *host, t event.Time) {
	for _, u := range []struct {
		name, to string
		gap      time.Duration
		down     float64
	}{
		{"googleupdate", "update.googleapis.com", time.Hour, 900},
		{"edgeupdate", "msedge.api.cdp.microsoft.com", 4 * time.Hour, 2200},
	} {
		o.every(h, t.Add(h.wait(u.gap/3)), h.steady(u.gap, 0.01), func(now event.Time) {
			proc := h.spawn(o.software[u.name], h.running["schedule"], now)
			o.use(h, now.Add(h.millis(300, 1500)), u.name, contact{proc: proc, to: o.named(u.to), up: h.around(1500, 0.1), down: h.around(u.down, 0.2)})
			h.exit(proc, now.Add(h.millis(4000, 11_000)))
		})
	}
}

// serve puts the file server's night backup on the clock.
func (o *office) serve() {
	h := o.fs
	h.running["backup"] = h.newProcess(o.software["backup"], h.running["services"], o.from.Add(-80*time.Hour))
	for d := range officeDays {
		o.at(o.from.Add(time.Duration(d)*day+70*time.Minute+h.within(time.Minute, 1)), func(now event.Time) {
			o.use(h, now, "backup", contact{to: o.named("api.backvault.example"), up: 5200, down: 8100})
			total := h.around(5e9, 0.35)
			for i := range 4 {
				o.use(h, now.Add(time.Duration(i)*h.within(800*time.Millisecond, 0.4)), "backup", contact{
					to: o.named("ingest-eu2.backvault.example"), up: total/4 + h.around(9e6, 0.5), down: h.around(900_000, 0.2),
					lasts: h.within(50*time.Minute, 0.15),
				})
			}
		})
	}
}
