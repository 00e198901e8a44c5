package simulate

import (
	"time"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/simulate/format"
)

// work plays a person's day at h, from the logon to when the person leaves.
func (o *office) work(h *host, t, leaves event.Time) {
	p := o.people[h]
	h.logon, h.attended = t, leaves
	userinit := h.newProcess(o.software["userinit"], h.running["system"], t)
	if h.running["explorer"] == nil || !p.keepsOn {
		h.running["explorer"] = h.spawn(o.software["explorer"], userinit, t)
		for _, name := range []string{"onedrive", "teams"} {
			h.running[name] = h.spawn(o.software[name], h.running["explorer"], t.Add(h.millis(4000, 30_000)))
		}
		o.cloud(h, t.Add(40*time.Second), p)
		if h.autostart != nil {
			o.at(t.Add(h.within(50*time.Second, 0.3)), func(now event.Time) { h.autostart(now, h.running["explorer"]) })
		}
	}
	for _, name := range []string{"outlook", p.browser} {
		h.running[name] = h.spawn(o.software[name], h.running["explorer"], t.Add(h.within(3*time.Minute, 0.9)))
		o.at(leaves.Add(-h.within(2*time.Minute, 0.8)), func(now event.Time) { h.exit(h.running[name], now) })
	}
	shift := &shift{office: o, host: h, person: p, until: leaves.Add(-5 * time.Minute)}
	start := t.Add(7 * time.Minute)
	shift.often(start, h.erratic(p.pages), shift.browse)
	shift.often(start, h.erratic(50*time.Minute), shift.mail)
	shift.often(start.Add(h.wait(2*time.Hour)), h.erratic(4*time.Hour), shift.call)
	shift.often(start, h.erratic(2*time.Hour), shift.files)
	for _, what := range p.does {
		switch what {
		case "admin":
			shift.often(start.Add(h.wait(6*time.Hour)), h.erratic(13*time.Hour), shift.administer)
		case "develop":
			shift.develop(start)
		case "file":
			if wd := t.Std().Weekday(); wd == time.Tuesday || wd == time.Thursday {
				o.at(start.Add(h.within(3*time.Hour, 0.6)), shift.submit)
			}
		}
	}
}

// cloud is what the clients of a person's cloud services do while they run.
func (o *office) cloud(h *host, t event.Time, p *person) {
	o.every(h, t, h.erratic(110*time.Minute), func(now event.Time) {
		o.use(h, now, "onedrive", contact{to: o.named("corp-my.sharepoint.com"), up: h.around(30_000, 1.3), down: h.around(26_000, 1.2), lasts: h.within(2*time.Minute, 0.4)})
	})
	o.every(h, t.Add(h.wait(20*time.Minute)), h.erratic(6*time.Hour), func(now event.Time) {
		o.use(h, now, "onedrive", contact{to: o.named("oneclient.sfx.ms"), up: h.around(2600, 0.2), down: h.around(5000, 0.2)})
	})
	o.every(h, t.Add(h.wait(5*time.Minute)), h.erratic(5*time.Hour), func(now event.Time) {
		o.use(h, now, "teams", contact{to: o.named("go.trouter.teams.microsoft.com"), up: h.around(60_000, 0.5), down: h.around(80_000, 0.5), lasts: h.within(5*time.Hour, 0.5)})
	})
	o.every(h, t.Add(h.wait(3*time.Minute)), h.erratic(100*time.Minute), func(now event.Time) {
		o.use(h, now, "teams", contact{to: o.named("teams.microsoft.com"), up: h.around(9000, 0.8), down: h.around(22_000, 0.9), lasts: h.within(3*time.Minute, 0.5)})
	})
	// A day's work goes up in one piece, more often for those who draw.
	o.every(h, t.Add(h.wait(12*time.Hour)), h.erratic(time.Duration(float64(30*time.Hour)/p.heavy)), func(now event.Time) {
		up := h.around(110e6, 0.9)
		o.use(h, now, "onedrive", contact{to: o.named("corp-my.sharepoint.com"), up: up, down: up / 90, lasts: time.Duration(float64(up)/5e6) * time.Second})
	})
}

// A shift is a person at work on one day.
type shift struct {
	*office
	host   *host
	person *person
	until  event.Time
}

// often is every for what a person does until the end of the shift, with less
// around noon.
func (s *shift) often(t event.Time, gap func() time.Duration, do func(now event.Time)) {
	s.every(s.host, t, gap, func(now event.Time) {
		hour := now.Std().Hour()
		if now < s.until && (hour != 11 || s.host.rng.IntN(5) == 0) {
			do(now)
		}
	})
}

// browse visits a web site, with what its page brings along.
func (s *shift) browse(now event.Time) {
	h, site := s.host, s.person.site()
	c := contact{to: site, up: h.around(3000, 0.9), down: h.around(120_000, 1.4), lasts: h.within(25*time.Second, 0.9)}
	switch h.rng.IntN(60) {
	case 0:
		c.fails = true
	case 1, 2:
		c.port, c.service = 80, "http"
	case 3:
		c.up = h.around(4e6, 1) // a form with a file
	default:
		c.udp = site.quic && s.person.browser != "firefox" && h.rng.IntN(2) == 0
	}
	s.use(h, now, s.person.browser, c)
	for range h.rng.IntN(3) {
		extra := s.extras[h.rng.IntN(len(s.extras))]
		s.use(h, now.Add(h.millis(150, 1800)), s.person.browser, contact{
			to: extra, up: h.around(1800, 0.6), down: h.around(45_000, 1.2), lasts: h.within(20*time.Second, 0.9),
		})
	}
	if h.rng.IntN(25) == 0 {
		s.use(h, now.Add(h.millis(20, 90)), s.person.browser, contact{to: s.named("ocsp.digicert.com"), port: 80, service: "http", up: 290, down: 1400})
	}
}

// mail keeps a long connection to the mailbox and opens others beside it.
func (s *shift) mail(now event.Time) {
	h := s.host
	up := h.around(22_000, 0.8)
	if h.rng.IntN(9) == 0 {
		up = h.around(3.5e6, 0.7) // an attachment
	}
	s.use(h, now, "outlook", contact{to: s.named("outlook.office365.com"), up: up, down: h.around(70_000, 1), lasts: h.within(20*time.Minute, 0.9)})
	if h.rng.IntN(5) == 0 {
		// The mailbox's notifications, open over night where nobody switches off.
		s.use(h, now.Add(h.millis(50, 500)), "outlook", contact{to: s.named("outlook.office365.com"), up: h.around(30_000, 0.4), down: h.around(60_000, 0.4), lasts: h.within(11*time.Hour, 0.7)})
	}
}

// call is a meeting: signalling over TLS, sound and picture over UDP.
func (s *shift) call(now event.Time) {
	h := s.host
	lasts := h.within(35*time.Minute, 0.6)
	s.use(h, now, "teams", contact{to: s.named("api.flightproxy.teams.microsoft.com"), up: h.around(40_000, 0.3), down: h.around(50_000, 0.3), lasts: lasts})
	s.use(h, now.Add(h.millis(400, 1500)), "teams", contact{
		to: s.named("worldaz.tr.teams.microsoft.com"), port: 3478, udp: true, service: "stun",
		up: h.around(40e6, 0.4), down: h.around(60e6, 0.4), lasts: lasts,
	})
}

// files opens something on the file server, which sees the caller.
func (s *shift) files(now event.Time) {
	h := s.host
	row := s.use(h, now, "system", contact{
		to: s.fsEnd, port: 445, service: "gssapi,smb,ntlm", cached: true,
		up: h.around(60_000, 1.2), down: h.around(900_000, 1.6), lasts: h.within(14*time.Minute, 0.9),
	})
	if row == nil {
		return
	}
	server := s.fs
	server.lossy(now.Add(server.millis(1000, 2500)), &format.Event{
		Kind: format.Connect, Source: event.Sysmon, Proc: server.running["system"], UTC: now.Add(server.offset + server.drift),
		Proto: event.TCP, Src: row.Src, Dst: row.Dst, Inbound: true, DstName: server.Name,
	})
}

// administer runs a script against the directory in the cloud.
func (s *shift) administer(now event.Time) {
	h, ps := s.host, s.software["powershell"]
	proc := h.newProcess(ps, h.running["explorer"], now)
	proc.CommandLine += ` -NoProfile -File C:\Admin\Sync-Licences.ps1`
	h.report(format.Start, proc, now)
	s.use(h, now.Add(h.millis(2500, 6000)), "powershell", contact{proc: proc, to: s.named("login.microsoftonline.com"), up: h.around(5200, 0.1), down: h.around(7600, 0.2)})
	for i := range 2 + h.rng.IntN(4) {
		s.use(h, now.Add(8*time.Second+time.Duration(i)*h.within(9*time.Second, 0.8)), "powershell", contact{
			proc: proc, to: s.named("graph.microsoft.com"), up: h.around(6100, 0.6), down: h.around(88_000, 1),
		})
	}
	h.exit(proc, now.Add(h.within(2*time.Minute, 0.3)))
}

// develop edits, and pushes to a repository, all day.
func (s *shift) develop(start event.Time) {
	h := s.host
	h.running["code"] = h.spawn(s.software["code"], h.running["explorer"], start)
	s.often(start.Add(time.Minute), h.erratic(3*time.Hour), func(now event.Time) {
		s.use(h, now, "code", contact{to: s.named("marketplace.visualstudio.com"), up: h.around(5000, 0.5), down: h.around(140_000, 1)})
		s.use(h, now.Add(h.millis(100, 900)), "code", contact{to: s.named("update.code.visualstudio.com"), up: h.around(1500, 0.2), down: h.around(3000, 0.3)})
	})
	s.often(start.Add(h.wait(time.Hour)), h.erratic(70*time.Minute), func(now event.Time) {
		proc := h.spawn(s.software["git"], h.running["code"], now)
		s.use(h, now.Add(h.millis(60, 300)), "git", contact{proc: proc, to: s.named("github.com"), up: h.around(60_000, 1.8), down: h.around(30_000, 1.5), lasts: h.within(4*time.Second, 0.6)})
		h.exit(proc, now.Add(h.within(7*time.Second, 0.4)))
	})
}

// submit files accounts with the authorities, by a program that only the
// accountant has.
func (s *shift) submit(now event.Time) {
	h := s.host
	proc := h.spawn(s.software["ledger"], h.running["explorer"], now)
	s.use(h, now.Add(h.within(30*time.Second, 0.5)), "ledger", contact{proc: proc, to: s.named("auth.tax-portal.example"), up: h.around(4800, 0.1), down: h.around(9000, 0.2)})
	s.use(h, now.Add(h.within(4*time.Minute, 0.4)), "ledger", contact{proc: proc, to: s.named("filing.tax-portal.example"), up: h.around(5e6, 0.4), down: h.around(30_000, 0.3), lasts: h.within(40*time.Second, 0.5)})
	h.exit(proc, now.Add(h.within(9*time.Minute, 0.2)))
}
