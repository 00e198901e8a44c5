package fleet

import (
	"fmt"
	"time"

	"github.com/postern/postern/internal/program"
)

// conceive draws a deed of a kind.
func (f *Fleet) conceive(d dice, number int, kind Kind, taken map[int]bool) *deed {
	a := &deed{
		number: number, kind: kind, each: d.around(1800, 0.6),
		begin: f.from.Add(time.Duration(f.Days/2+d.IntN(max(1, f.Days/2-2)))*day + time.Duration(d.between(7, 15)*float64(time.Hour))),
	}
	a.play, a.beacon = (*machine).beacon, f.rhythm(d)
	hosts, fits := 1, func(m *machine) bool {
		return len(within(m.spans, span{from: a.begin.Add(6 * time.Hour), to: m.to})) > 0
	}
	switch kind {
	case RareBeacon, WeakBeacon:
		a.program, a.to = f.implant(d), d.lair(1)
		if kind == WeakBeacon {
			a.beacon.period, a.beacon.jitter = time.Duration(d.between(4, 8)*float64(time.Hour)), d.between(0.2, 0.5)
		}
	case RenamedBeacon:
		a.program, a.to = d.renamed(), d.lair(1)
	case LOLBinBeacon, StandingBeacon:
		a.program, a.to = f.borrowed(d), d.lair(1)
		if kind == StandingBeacon {
			a.begin = f.from
		}
	case LOLBinPopular:
		a.program, a.to = f.borrowed(d), []*Destination{newDestination(pick(d, popularServices))}
	case HijackedSigned:
		a.to, a.program = d.lair(1), f.hijacked(d)
	case Rotation:
		a.program, a.to = f.anyTool(d), d.lair(4)
	case MassDeployment:
		hosts = min(40, max(2, f.Hosts/10))
		a.program, a.to = f.implant(d), d.lair(1)
		a.beacon.period = time.Duration(d.scale(15, 120) * float64(time.Minute))
	case LongSession:
		fits = func(m *machine) bool { return m.alwaysOn }
		a.program, a.to, a.play, a.each = f.anyTool(d), d.lair(1), (*machine).hold, d.around(8e6, 0.8)
	default:
		fits = func(m *machine) bool { return len(within(m.shifts, span{from: a.begin, to: m.to})) > 0 }
		f.exfiltration(d, a)
	}
	a.hosts = f.victims(d, hosts, taken, fits)
	return a
}

// exfiltration completes a deed that is about volume.
func (f *Fleet) exfiltration(d dice, a *deed) {
	switch a.kind {
	case BrowserExfil:
		a.program, a.to = f.browsers[1], []*Destination{pick(d, []*Destination{d.fresh(), newDestination(pick(d, rareDrops))})}
		a.play, a.each = (*machine).carry, d.around(2e9, 0.4)
	case ToolExfil:
		a.program, a.to = f.copier(d), []*Destination{newDestination(pick(d, cloudStores))}
		a.play, a.each = (*machine).carry, d.around(5e9, 0.3)
	case SlowExfil:
		a.program, a.to = f.anyTool(d), d.lair(1)
		if d.chance(0.3) {
			a.program = f.named(`svchost.exe`)
		}
		a.play, a.each = (*machine).trickle, d.around(5e7, 0.2)
	case BoilingFrog:
		a.program, a.to, a.begin = f.product(d, Attack, true), []*Destination{d.fresh()}, f.from
		a.play, a.each = (*machine).trickle, 5e5
	case Splitting:
		a.program, a.to = f.anyTool(d), d.lair(20)
		a.play, a.each = (*machine).carry, d.around(2e9, 0.4)
	}
}

// rareDrops take files from anybody; popularServices serve many programs,
// orders among them; cloudStores keep what copying tools send.
var (
	rareDrops       = []string{"gofile.io", "pixeldrain.com", "filebin.net", "transfer.sh", "krakenfiles.com", "fromsmash.com"}
	popularServices = []string{"graph.microsoft.com", "api.github.com", "api.telegram.org", "discord.com", "content.dropboxapi.com",
		"docs.google.com", "slack.com", "raw.githubusercontent.com", "api.notion.com", "sheets.googleapis.com"}
	cloudStores = []string{"g.api.mega.co.nz", "content.dropboxapi.com", "www.googleapis.com", "s3.eu-west-3.amazonaws.com",
		"backups7.blob.core.windows.net", "api.pcloud.com"}
)

// lair returns the attacker's own destinations: names of their own, or such as
// are let to anybody.
func (d dice) lair(n int) []*Destination {
	all := make([]*Destination, n)
	for i := range all {
		below := "example"
		if d.chance(0.25) {
			below = pick(d, hiding)
		}
		all[i] = d.below(below)
	}
	return all
}

// implant returns a program that nobody knows.
func (f *Fleet) implant(d dice) *Program {
	hidden := 0.25 // share that lies where installers put programs
	if f.Shifted {
		hidden = 0.55
	}
	name := fmt.Sprintf("%s%s", pick(d, []string{"sync", "upd", "host", "win", "net", "diag", "svc", "view"}), pick(d, []string{"mgr", "hlp", "srv", "agent", "task", "bridge", "mon"}))
	folder := pick(d, []string{`C:\Users\USER\AppData\Roaming\` + name, `C:\ProgramData\` + name, `C:\Users\Public`, `C:\Users\USER\AppData\Local\` + name, `C:\Windows\Tasks`})
	signed := false
	if d.chance(hidden) {
		folder, signed = `C:\Program Files\`+pick(d, vendors)+`\`+name, d.chance(0.5)
	}
	p := newProgram(fmt.Sprintf(`%s\%s%c.exe`, folder, name, 'a'+rune(d.IntN(26))), Attack)
	if !signed {
		p.bare()
	}
	return p
}

// renamed returns a program under the name of a good one.
func (d dice) renamed() *Program {
	p := newProgram(pick(d, []string{`C:\Users\USER\AppData\Local\`, `C:\Users\Public\`, `C:\ProgramData\`, `C:\Users\USER\AppData\Roaming\Microsoft\`})+
		pick(d, []string{"svchost.exe", "chrome.exe", "OneDrive.exe", "lsass.exe", "RuntimeBroker.exe", "explorer.exe"}), Attack)
	p.bare()
	if d.chance(0.3) {
		p.Original = "beacon_x64.exe"
	}
	return p
}

// lolbinLikes are the LOLBins of the trade, by how often they are used.
var lolbinLikes = []struct {
	file  string
	share float64
}{
	{"powershell.exe", 0.3}, {"rundll32.exe", 0.2}, {"MSBuild.exe", 0.15}, {"curl.exe", 0.1}, {"mshta.exe", 0.05}, {"regsvr32.exe", 0.05},
	{"certutil.exe", 0.03}, {"wscript.exe", 0.05}, {"bitsadmin.exe", 0.03}, {"InstallUtil.exe", 0.04},
}

// borrowed returns a program of Windows that runs what others tell it.
func (f *Fleet) borrowed(d dice) *Program {
	x := d.Float64()
	for _, l := range lolbinLikes {
		if x -= l.share; x < 0 {
			return f.named(l.file)
		}
	}
	return f.named(lolbinLikes[0].file)
}

// named returns the catalogue's program of that file name.
func (f *Fleet) named(file string) *Program {
	for _, p := range f.programs {
		if program.Name(p.Image) == file {
			return p
		}
	}
	return f.programs[0]
}

// anyTool returns an implant or a borrowed program.
func (f *Fleet) anyTool(d dice) *Program {
	if d.chance(0.35) {
		return f.borrowed(d)
	}
	return f.implant(d)
}

// hijacked returns a well-known program that does another's work.
func (f *Fleet) hijacked(d dice) *Program {
	return f.named(pick(d, []string{"ms-teams.exe", "OneDrive.exe", "OUTLOOK.EXE", "AdobeARM.exe", "explorer.exe", "Zoom.exe", "nwdesk.exe", "GoogleUpdate.exe"}))
}

// copier returns a tool that copies to clouds: by its name, or renamed.
func (f *Fleet) copier(d dice) *Program {
	p := newProgram(pick(d, []string{`C:\ProgramData\SvcBackup\svcbackup.exe`, `C:\Users\USER\Downloads\rclone-v1.71.1-windows-amd64\rclone.exe`,
		`C:\Program Files\rclone\rclone.exe`, `C:\Users\Public\mega\MEGAcmdShell.exe`}), Attack)
	p.Original, p.Product, p.Company, p.Signed, p.TLS = "rclone.exe", "Rclone", "https://rclone.org", false, "go"
	p.JA4 = ja4(p.TLS)
	return p
}
