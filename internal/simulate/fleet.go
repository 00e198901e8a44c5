package simulate

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/simulate/fleet"
	"github.com/postern/postern/internal/simulate/format"
)

// fleetMost is how many hosts Fleet plays: all their contacts are in memory.
const fleetMost = 500

// fleetFiles is how many files the endpoints' events go to, at most.
const fleetFiles = 32

// Fleet writes what sensors log of a fleet of package fleet to dir:
// endpoint/NAME.jsonl.gz, zeek/DAY/LOG.log.gz and truth.json, which it
// returns. The sessions and bytes of the truth are those that Zeek's conn.log
// has. Equal configurations give equal bytes.
func Fleet(dir string, c fleet.Config) (*fleet.Truth, error) {
	if c.Hosts > fleetMost {
		return nil, fmt.Errorf("a fleet of %d hosts: at most %d are played for sensors", c.Hosts, fleetMost)
	}
	f, err := fleet.New(c)
	if err != nil {
		return nil, fmt.Errorf("planning the fleet: %w", err)
	}
	from, to := f.Period()
	e := newEstate(filepath.Join(dir, "zeek"), from, to, true)
	e.lostEvents, e.lostFlows, e.unnamed = 0.02, 0.008, 0.003
	t := &troop{
		estate: e, web: newWeb(from), truth: f.Plan(),
		programs: make(map[*fleet.Program]*program), base: commonSoftware(), stacks: make(map[string]*tlsStack),
	}
	if err := t.settle(f, dir); err != nil {
		return nil, err
	}
	if err := e.play(); err != nil {
		return nil, err
	}
	return t.truth, writeJSON(filepath.Join(dir, "truth.json"), t.truth)
}

func writeJSON(path string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the truth: %w", err)
	}
	if err := os.WriteFile(path, append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("writing the truth: %w", err)
	}
	return nil
}

// A troop is a fleet on an estate.
type troop struct {
	*estate
	*web
	truth    *fleet.Truth
	programs map[*fleet.Program]*program
	base     software // what starts the fleet's programs
	stacks   map[string]*tlsStack
}

// settle makes the hosts and puts the first contact of each on the clock.
func (t *troop) settle(f *fleet.Fleet, dir string) error {
	i := 0
	var out *file
	for hd := range f.Each() {
		short, domain, _ := strings.Cut(hd.Name, ".")
		h := t.newHost(f.Seed, hostOptions{
			name: strings.ToUpper(short), domain: domain, netbios: "NORTHWIND", addr: hd.Addr.String(), login: hd.Login,
			sysmon: i%5 != 4, security: i%5 > 2, blind: 0.008,
		})
		h.offset = h.within(2*time.Second, 1) - 2*time.Second
		h.drift = h.within(20*time.Second, 1)
		if group := i * fleetFiles / f.Hosts; out == nil || f.Hosts <= fleetFiles || group != (i-1)*fleetFiles/f.Hosts {
			name := h.Name
			if f.Hosts > fleetFiles {
				name = fmt.Sprintf("group-%02d", group)
			}
			var err error
			if out, err = createFile(filepath.Join(dir, "endpoint", name+".jsonl.gz")); err != nil {
				return err
			}
		}
		h.log = &eventLog{machine: h.Machine, export: format.NewWinlogbeat(h.Machine), out: out}
		t.logs = append(t.logs, h.log)
		for _, name := range []string{"services", "explorer"} {
			h.running[name] = h.newProcess(t.base[name], nil, t.from.Add(-time.Hour))
		}
		t.begin(h, hd.Contacts)
		i++
	}
	t.resolver = t.hosts[0] // a domain controller
	return nil
}

// An actor is a host that plays its contacts one after the other.
type actor struct {
	*troop
	host     *host
	contacts []fleet.Contact
	procs    map[*fleet.Process]*format.Process
	last     map[*fleet.Process]int // its last contact
}

func (t *troop) begin(h *host, contacts []fleet.Contact) {
	a := &actor{troop: t, host: h, contacts: contacts, procs: make(map[*fleet.Process]*format.Process), last: make(map[*fleet.Process]int)}
	for i := range contacts {
		a.last[contacts[i].Process] = i
	}
	a.next(0, t.from)
}

// next puts contact i on the clock, and before it the start of its process
// when there is none yet.
func (a *actor) next(i int, now event.Time) {
	if i == len(a.contacts) {
		return
	}
	c := &a.contacts[i]
	if a.procs[c.Process] != nil {
		a.at(c.Start, func(now event.Time) { a.play(i, now) })
		return
	}
	a.at(max(now, min(c.Process.Start, c.Start)), func(now event.Time) {
		a.start(c.Process, now)
		a.at(c.Start, func(now event.Time) { a.play(i, now) })
	})
}

// start starts a process of the fleet.
func (a *actor) start(p *fleet.Process, now event.Time) {
	prog := a.program(p)
	parent := a.host.running["explorer"]
	if prog.as == ofSystem {
		parent = a.host.running["services"]
	}
	a.procs[p] = a.host.spawn(prog, parent, now)
}

// play plays contact i.
func (a *actor) play(i int, now event.Time) {
	c := &a.contacts[i]
	row := a.host.connect(now, contact{
		proc: a.procs[c.Process], prog: a.program(c.Process), to: a.named(c.To.Name),
		up: max(0, c.Up-helloOut), down: max(0, c.Down-helloIn), lasts: c.Lasts,
	})
	if c.Origin == fleet.Attack && row != nil {
		a.truth.Deeds[c.Deed].Note(row.Time, event.Count(row.BytesOut))
	}
	if ends := now.Add(c.Lasts + 3*time.Second); a.last[c.Process] == i && ends < a.to {
		a.at(ends, func(now event.Time) { a.host.exit(a.procs[c.Process], now) })
	}
	a.next(i+1, now)
}

// program returns the program of a process as sensors see it.
func (t *troop) program(p *fleet.Process) *program {
	if known := t.programs[p.Program]; known != nil {
		return known
	}
	as, version, args := ofPerson, "1.0.0.0", ""
	if strings.HasPrefix(p.User, `NT AUTHORITY\`) {
		as = ofSystem
	}
	if p.Original == "" {
		version = "-"
	}
	if strings.HasPrefix(p.Program.Image, system32+"svchost") {
		args = "-k netsvcs -p"
	}
	prog := newProgram(as, t.stack(p.TLS), p.Program.Image, args, version, orUnset(p.Product), orUnset(p.Product), orUnset(p.Company))
	prog.original = orUnset(p.Original)
	t.programs[p.Program] = prog
	return prog
}

// orUnset returns s, or what Sysmon shows where a version resource says
// nothing.
func orUnset(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// stack returns the TLS library of that name.
func (t *troop) stack(name string) *tlsStack {
	if t.stacks[name] == nil {
		alpn := "http/1.1"
		if name == "schannel" || name == "chromium" || name == "nss" || name == "go" {
			alpn = "h2"
		}
		t.stacks[name] = newStack(name, name != "dotnet", alpn)
	}
	return t.stacks[name]
}
