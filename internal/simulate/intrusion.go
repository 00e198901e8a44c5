package simulate

import (
	"fmt"
	"time"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/simulate/format"
)

// intrude hides a beacon on one workstation: a document that came by mail
// leaves a program in the person's profile, which calls home while the machine
// is on, and starts again with the person's next logon.
func (o *office) intrude() {
	h := o.hosts[3]
	home := newDestination("api.telemetry-edgecache.example", o.from, 0, 0)
	home.v13, home.ptr = false, ""
	home.addrs = home.addrs[:1]
	home.certify(o.from.Add(2*day), issuers[0], 0)
	deed := &Deed{
		Kind: "beacon", Host: h.Name, User: h.domain + `\` + h.login,
		Image: `C:\Users\m.keller\AppData\Local\Programs\NoteSync\notesync.exe`, Destination: "telemetry-edgecache.example",
	}
	o.at(o.from.Add(4*day+9*time.Hour+12*time.Minute), func(now event.Time) {
		word := h.newProcess(o.software["word"], h.running["outlook"], now)
		word.CommandLine += ` /n "C:\Users\m.keller\AppData\Local\Microsoft\Windows\INetCache\Content.Outlook\7F2K1QZD\Offer_2026-1187.docm"`
		h.report(format.Start, word, now)
		shell := h.newProcess(o.software["cmd"], word, now.Add(41*time.Second))
		shell.CommandLine = `cmd.exe /c start "" "%LOCALAPPDATA%\Programs\NoteSync\notesync.exe"`
		h.report(format.Start, shell, now.Add(41*time.Second))
		o.beacon(h, now.Add(42*time.Second), shell, home, deed)
		h.autostart = func(now event.Time, explorer *format.Process) { o.beacon(h, now, explorer, home, deed) }
		h.exit(shell, now.Add(43*time.Second))
		h.exit(word, now.Add(13*time.Minute))
	})
	// A patch restarts the machine in the second week's night.
	o.at(o.from.Add(9*day+70*time.Minute), func(now event.Time) {
		if proc := h.running["beacon"]; proc != nil {
			h.exit(proc, now)
		}
		o.switchOff(h, now)
		o.at(now.Add(3*time.Minute), func(now event.Time) { o.switchOn(h, now, o.to, true) })
	})
	o.at(o.to-1, func(event.Time) { o.truth.Hidden = append(o.truth.Hidden, *deed) })
}

// beacon runs the hidden program from t on.
func (o *office) beacon(h *host, t event.Time, parent *format.Process, home *destination, deed *Deed) {
	proc := h.spawn(o.software["notes"], parent, t)
	h.running["beacon"] = proc
	o.every(h, t.Add(h.millis(900, 3000)), h.steady(300*time.Second, 0.2), func(now event.Time) {
		c := contact{proc: proc, to: home, up: h.around(720, 0.12), down: h.around(410, 0.1)}
		if h.rng.IntN(90) == 0 {
			c.down, c.up = h.around(5200, 0.5), h.around(17_000, 0.7) // an order, and what came of it
		}
		deed.note(o.use(h, now, "notes", c))
	})
}

// exfiltrate has a person's files go to a file host in one evening, by a
// renamed copy of a common tool.
func (o *office) exfiltrate() {
	h := o.hosts[1]
	deed := &Deed{
		Kind: "exfiltration", Host: h.Name, User: h.domain + `\` + h.login,
		Image: `C:\ProgramData\SvcBackup\svcbackup.exe`, Destination: "mega.co.nz",
	}
	o.at(o.from.Add(8*day+18*time.Hour+41*time.Minute), func(now event.Time) {
		shell := h.spawn(o.software["cmd"], h.running["explorer"], now)
		run := now.Add(70 * time.Second)
		tool := h.newProcess(o.software["rclone"], shell, run)
		tool.Original = "rclone.exe" // a new file name leaves the version resource as it was
		h.report(format.Start, tool, run)
		o.upload(h, run, tool, deed)
	})
	o.at(o.to-1, func(event.Time) { o.truth.Hidden = append(o.truth.Hidden, *deed) })
}

// upload sends 1.9 GB in a dozen connections, four at a time.
func (o *office) upload(h *host, t event.Time, tool *format.Process, deed *Deed) {
	api := o.named("g.api.mega.co.nz")
	const parts, total = 12, 1_900_000_000
	for i := range parts {
		start := t.Add(time.Duration(i/4)*26*time.Minute + time.Duration(i%4)*h.within(3*time.Second, 0.5) + 2*time.Second)
		o.at(start, func(now event.Time) {
			deed.note(o.use(h, now, "rclone", contact{proc: tool, to: api, up: h.around(2600, 0.2), down: h.around(3400, 0.2)}))
			deed.note(o.use(h, now.Add(h.millis(700, 1500)), "rclone", contact{
				proc: tool, to: o.named(fmt.Sprintf("gfs302n%d.userstorage.mega.co.nz", 110+i%4)),
				up: total / parts, down: h.around(500_000, 0.1), lasts: h.within(22*time.Minute, 0.12),
			}))
		})
	}
	o.at(t.Add(78*time.Minute), func(now event.Time) { h.exit(tool, now.Add(h.within(3*time.Minute, 0.5))) })
}
