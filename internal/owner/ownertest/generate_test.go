package ownertest

import (
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/postern/postern/internal/event"
)

// small is an estate that is quick to make, and has every sort of group.
func small() Config {
	c := Defaults()
	c.Hosts, c.GroupSize, c.Connections = 24, 4, 200
	c.Churning, c.VPN, c.TwoSites = 0.3, 0.2, 0.2
	return c
}

func TestGenerateIsDeterministic(t *testing.T) {
	c := small()
	a := Generate(c)
	if b := Generate(c); !reflect.DeepEqual(a, b) {
		t.Error("two estates of one seed differ")
	}
	if g := c.Group(3); !reflect.DeepEqual(a.Groups[3], g) {
		t.Error("a group depends on those made before it")
	}
	c.Seed++
	if b := Generate(c); reflect.DeepEqual(a, b) {
		t.Error("two seeds give one estate")
	}
}

func TestWindowsAreOrdered(t *testing.T) {
	few := small()
	few.Hosts, few.Connections = 8, 150
	for _, s := range Scenarios() {
		e := s.Estate(few)
		for i := range e.Groups {
			b := &e.Groups[i].Events
			ordered(t, s.Name, b.Starts, func(s *event.ProcessStart) (event.Time, event.Key) { return s.Time, s.Key() })
			ordered(t, s.Name, b.Connects, func(k *event.Connect) (event.Time, event.Key) { return k.Time, k.Key() })
			ordered(t, s.Name, b.Lookups, func(l *event.Lookup) (event.Time, event.Key) { return l.Time, l.Key() })
			ordered(t, s.Name, b.Flows, func(f *event.Flow) (event.Time, event.Key) { return f.Time, f.Key() })
			ordered(t, s.Name, b.Handshakes, func(h *event.Handshake) (event.Time, event.Key) { return h.Time, h.Key() })
			ordered(t, s.Name, b.Requests, func(r *event.Request) (event.Time, event.Key) { return r.Time, r.Key() })
		}
	}
}

func ordered[T any](t *testing.T, name string, s []T, of func(*T) (event.Time, event.Key)) {
	t.Helper()
	for i := 1; i < len(s); i++ {
		ta, ka := of(&s[i-1])
		tb, kb := of(&s[i])
		if ta > tb || ta == tb && ka >= kb {
			t.Fatalf("%s: %T is out of order, or there twice, at %d", name, s, i)
		}
	}
}

// TestEstateIsBelievable counts what a join must cope with.
func TestEstateIsBelievable(t *testing.T) {
	c := small()
	c.Connections = 1000
	e := Generate(c)
	n := make(map[string]int)
	for i := range e.Groups {
		count(n, &e.Groups[i])
	}
	for _, what := range []string{
		"PID used again", "port used again within a minute", "UDP connect repeated", "retried attempt", "attempt without flow",
		"unknown process", "false witness", "accepted", "address of several hosts", "several addresses of a host",
		"flow older than the log", "QUIC", "NTP", "internal", "scrap", "second sensor",
	} {
		if n[what] == 0 {
			t.Errorf("the estate has no %s", what)
		}
	}
	for what, want := range map[string]struct{ of, least, most float64 }{
		"false witness":   {float64(n["sysmon"]), 0.001, 0.005},
		"unknown process": {float64(n["sysmon"]), 0.0015, 0.0065},
		"asked":           {float64(n["could ask"]), 0.72, 0.86},
	} {
		if share := float64(n[what]) / want.of; share < want.least || share > want.most {
			t.Errorf("%s: %.4f, want %.4f to %.4f", what, share, want.least, want.most)
		}
	}
}

// count adds what g has of the things that a join must cope with.
func count(n map[string]int, g *Group) {
	type use struct {
		src, dst netip.AddrPort
		host     string
	}
	pids := make(map[string]map[uint32]bool)
	for _, s := range g.Events.Starts {
		if s.Source == event.Security {
			continue
		}
		if pids[s.Host] == nil {
			pids[s.Host] = make(map[uint32]bool)
		}
		if pids[s.Host][s.PID] {
			n["PID used again"]++
		}
		pids[s.Host][s.PID] = true
	}
	asked := make(map[string]bool) // host, process and name
	for _, l := range g.Events.Lookups {
		if l.Host != "" {
			asked[l.Host+l.GUID+l.Name] = true
		}
	}
	words := make(map[string]int)
	hosts, addrs := make(map[netip.Addr]map[string]bool), make(map[string]map[netip.Addr]bool)
	for i := range g.Events.Connects {
		k := &g.Events.Connects[i]
		r := g.Truth.Connects[k.Key()]
		if !k.Outbound {
			n["accepted"]++
			continue
		}
		if hosts[k.Src.Addr()] == nil {
			hosts[k.Src.Addr()] = make(map[string]bool)
		}
		if addrs[k.Host] == nil {
			addrs[k.Host] = make(map[netip.Addr]bool)
		}
		hosts[k.Src.Addr()][k.Host], addrs[k.Host][k.Src.Addr()] = true, true
		word := k.Source.String() + r.UID
		words[word]++
		switch again := words[word] == 2 && r.UID != ""; {
		case k.Source == event.Security && again:
			n["retried attempt"]++
		case k.Source == event.Security && r.UID == "":
			n["attempt without flow"]++
		case k.Source == event.Sysmon && again:
			n["UDP connect repeated"]++
		}
		if k.Source == event.Sysmon && words[word] == 1 {
			n["sysmon"]++
			if r.False {
				n["false witness"]++
			}
			if k.Image == "" {
				n["unknown process"]++
			}
		}
	}
	for _, h := range hosts {
		if len(h) > 1 {
			n["address of several hosts"]++
		}
	}
	for _, a := range addrs {
		if len(a) > 1 {
			n["several addresses of a host"]++
		}
	}
	last := make(map[use]event.Time)
	for i := range g.Events.Flows {
		f := &g.Events.Flows[i]
		truth := g.Truth.Flows[f.UID]
		u := use{f.Src, f.Dst, truth.Process.Host}
		if before, ok := last[u]; ok && !empty(f) && truth.TLS && f.Proto == event.TCP && f.Time.Sub(before) < time.Minute {
			n["port used again within a minute"]++
		}
		last[u] = f.Time
		switch {
		case truth.TLS && f.Proto == event.UDP:
			n["QUIC"]++
		case f.Service == "ntp":
			n["NTP"]++
		case !truth.outward():
			n["internal"]++
		case f.State == "OTH":
			n["scrap"]++
		}
		if f.Time < epoch {
			n["flow older than the log"]++
		}
		if f.Sensor == "zeek-b" {
			n["second sensor"]++
		}
		p := truth.Process
		if truth.TLS && truth.Name != "" && p.GUID != "" && f.Time > epoch.Add(10*time.Minute) {
			n["could ask"]++
			if asked[p.Host+p.GUID+truth.Name] {
				n["asked"]++
			}
		}
	}
}
