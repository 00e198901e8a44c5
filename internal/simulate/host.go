package simulate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/simulate/format"
)

// A host is one computer with its sensors.
type host struct {
	*format.Machine
	estate *estate
	rng    *rand.Rand
	log    *eventLog
	short  string
	domain string // NetBIOS name
	number uint32 // in Sysmon's GUIDs
	addr   netip.Addr
	addr6  netip.Addr // invalid when it has none
	login  string

	sysmon, security bool
	offset           time.Duration // of the host's clock
	drift            time.Duration // of Sysmon's UtcTime in connects and lookups
	blind            float64       // share of flows whose outgoing packets the wire's sensor drops

	boot      int // counts the times it was switched on; 0 is before the first
	on        bool
	offAt     event.Time // when it will be switched off
	logon     event.Time
	attended  event.Time                                     // until when somebody works at it
	autostart func(now event.Time, explorer *format.Process) // runs at a logon; may be nil
	port      uint16
	procs     uint32
	running   map[string]*format.Process
	cached    map[string]event.Time // names, until when the resolver's answer holds
}

// hostOptions say what tells hosts apart.
type hostOptions struct {
	name, domain, netbios string
	addr                  string
	addr6                 string
	login                 string
	sysmon, security      bool
	offset, drift         time.Duration
	blind                 float64
}

// newHost adds a host whose random numbers depend on the seed and its name
// only, so that another host more does not change it.
func (e *estate) newHost(seed uint64, o hostOptions) *host {
	fqdn := o.name + "." + o.domain
	rng := rand.New(rand.NewPCG(seed, hashOf(fqdn)))
	uuid := func(of string) string {
		d := fingerprint(of + fqdn)
		return d[:8] + "-" + d[8:12] + "-4" + d[13:16] + "-9" + d[17:20] + "-" + d[20:32]
	}
	h := &host{
		Machine: &format.Machine{
			Name: fqdn, AgentID: uuid("agent "), Run: uuid("run "),
			Sysmon: 2000 + 4*rng.Uint32N(700), Thread: 3000 + 4*rng.Uint32N(900),
		},
		estate: e, rng: rng, short: o.name, domain: o.netbios,
		number: uint32(hashOf(fqdn)), addr: netip.MustParseAddr(o.addr), login: o.login,
		sysmon: o.sysmon, security: o.security, offset: o.offset, drift: o.drift, blind: o.blind,
		port: 49152 + uint16(rng.UintN(12000)), procs: 200 + rng.Uint32N(700),
		running: make(map[string]*format.Process), cached: make(map[string]event.Time),
	}
	if o.addr6 != "" {
		h.addr6 = netip.MustParseAddr(o.addr6)
	}
	e.hosts = append(e.hosts, h)
	return h
}

// newProcess makes an instance of p, a child of parent, which started at t.
func (h *host) newProcess(p *program, parent *format.Process, t event.Time) *format.Process {
	h.procs += 1 + h.rng.Uint32N(9)
	expand := strings.NewReplacer("USER", h.login).Replace
	image := expand(p.image)
	proc := &format.Process{
		PID:   4 * (300 + h.rng.Uint32N(4200)),
		GUID:  format.ProcessGUID(h.number, t, h.procs),
		Image: image, CommandLine: `"` + image + `"`, Dir: system32,
		FileVersion: p.version, Description: p.description, Product: p.product,
		Company: p.company, Original: p.original, Hashes: p.hashes, Parent: parent,
	}
	if strings.HasPrefix(image, system32+"svchost") {
		proc.CommandLine = image
	}
	if p.args != "" {
		proc.CommandLine += " " + expand(p.args)
	}
	h.account(proc, p.as)
	if image == "System" {
		proc.PID, proc.CommandLine = 4, ""
	}
	return proc
}

func (h *host) account(proc *format.Process, as account) {
	booted := h.logon.Add(-90 * time.Second)
	switch as {
	case ofSystem:
		proc.Domain, proc.User, proc.SID, proc.LogonID, proc.Integrity = "NT AUTHORITY", "SYSTEM", "S-1-5-18", 0x3e7, "System"
	case ofNetwork:
		proc.Domain, proc.User, proc.SID, proc.LogonID, proc.Integrity = "NT AUTHORITY", "NETWORK SERVICE", "S-1-5-20", 0x3e4, "System"
	default:
		proc.Domain, proc.User = h.domain, h.login
		proc.SID = fmt.Sprintf("S-1-5-21-1939123204-1418869057-2368897034-%d", 1100+hashOf(h.login)%400)
		proc.LogonID, proc.Session, proc.Integrity = 0x4a000+uint64(h.logon.Std().Unix())%0xfffff, 1, "Medium"
		proc.Dir = `C:\Users\` + h.login + `\`
		booted = h.logon
	}
	proc.LogonGUID = format.LogonGUID(h.number, booted, proc.LogonID)
}

// spawn starts an instance of p and reports it.
func (h *host) spawn(p *program, parent *format.Process, t event.Time) *format.Process {
	proc := h.newProcess(p, parent, t)
	h.report(format.Start, proc, t)
	return proc
}

// exit reports the end of proc.
func (h *host) exit(proc *format.Process, t event.Time) { h.report(format.Stop, proc, t) }

func (h *host) report(k format.Kind, proc *format.Process, t event.Time) {
	if h.sysmon {
		written := t.Add(h.millis(4, 40))
		h.write(written, &format.Event{Kind: k, Source: event.Sysmon, UTC: t.Add(h.offset), Proc: proc})
	}
	if h.security {
		h.write(t.Add(h.millis(1, 9)), &format.Event{Kind: k, Source: event.Security, Proc: proc})
	}
}

// write has the host record ev at t on the true clock.
func (h *host) write(t event.Time, ev *format.Event) {
	ev.Time = t.Add(h.offset)
	h.log.add(t, ev)
}

// lossy is write for an event that may not arrive.
func (h *host) lossy(t event.Time, ev *format.Event) {
	if h.rng.Float64() < h.estate.lostEvents {
		ev.Proc = nil
	}
	h.write(t, ev)
}

// nextPort returns a source port, most often the next one, as Windows does.
func (h *host) nextPort() uint16 {
	h.port += 1 + uint16(h.rng.UintN(3))
	if h.port < 49152 {
		h.port += 49152 // it has wrapped round
	}
	return h.port
}

// millis returns a duration between low and high milliseconds.
func (h *host) millis(low, high int64) time.Duration {
	return time.Duration(low*1000+h.rng.Int64N((high-low)*1000)) * time.Microsecond
}

// within returns d with that share of jitter to both sides.
func (h *host) within(d time.Duration, jitter float64) time.Duration {
	return time.Duration(float64(d) * (1 + jitter*(2*h.rng.Float64()-1)))
}

// wait returns the time to the next event of a process without memory.
func (h *host) wait(mean time.Duration) time.Duration {
	return time.Duration(float64(mean) * min(h.rng.ExpFloat64(), 8))
}

// around returns a number of bytes with that median, of a log-normal law.
func (h *host) around(median, sigma float64) int64 {
	return int64(median * math.Exp(sigma*h.rng.NormFloat64()))
}
