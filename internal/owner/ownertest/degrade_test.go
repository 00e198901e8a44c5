package ownertest

import (
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/postern/postern/internal/event"
)

// kindsOf are the kinds of events of a batch, and the truth of flows, by name.
func kindsOf(g *Group) map[string]any {
	wire, host := lookups(g)
	return map[string]any{
		"starts": g.Events.Starts, "stops": g.Events.Stops, "connects": g.Events.Connects,
		"flows": g.Events.Flows, "handshakes": g.Events.Handshakes, "requests": g.Events.Requests,
		"wire lookups": wire, "host lookups": host, "flow truth": g.Truth.Flows,
	}
}

func lookups(g *Group) (wire, host []event.Lookup) {
	for _, l := range g.Events.Lookups {
		if l.Host == "" {
			wire = append(wire, l)
		} else {
			host = append(host, l)
		}
	}
	return wire, host
}

// TestDegradersHideOnlyWhatTheySay lists which kinds each may touch.
func TestDegradersHideOnlyWhatTheySay(t *testing.T) {
	constant := SkewClocks(Constant(time.Hour, 1))
	for name, c := range map[string]struct {
		by      Degrader
		touches []string
	}{
		"lose connects":  {LoseConnects(0.3, 1), []string{"connects"}},
		"lose flows":     {LoseFlows(0.3, 1), []string{"flows", "handshakes"}},
		"lose lookups":   {LoseLookups(0.3, 1), []string{"wire lookups", "host lookups"}},
		"lose processes": {LoseProcesses(0.3, 1), []string{"starts", "stops"}},
		"source ports":   {DropSourcePorts(1, 1), []string{"connects"}},
		"clocks":         {constant, []string{"connects", "starts", "stops", "host lookups"}},
		"wrong pairs":    {WrongPairs(0.3, 1), []string{"connects", "flows", "handshakes"}},
		"nat":            {Translate(), []string{"flows", "handshakes", "wire lookups"}},
		"proxy wire":     {ProxyWire(), []string{"connects", "flows", "handshakes", "requests", "wire lookups", "host lookups"}},
		"proxy log":      {ProxyLog(), []string{"connects", "flows", "handshakes", "requests", "wire lookups", "host lookups"}},
		"no wire":        {RemoveWire(), []string{"flows", "handshakes", "wire lookups"}},
		"no endpoint":    {RemoveEndpoint(), []string{"connects", "starts", "stops", "host lookups"}},
	} {
		t.Run(name, func(t *testing.T) {
			few := small()
			few.Hosts, few.Connections = 8, 150
			e := Generate(few)
			d := c.by(e)
			if !reflect.DeepEqual(e, Generate(few)) {
				t.Error("it changed the estate that it was given")
			}
			if !reflect.DeepEqual(d, c.by(e)) {
				t.Error("it does not do the same twice")
			}
			touched := make(map[string]bool)
			for i := range e.Groups {
				was, is := kindsOf(&e.Groups[i]), kindsOf(&d.Groups[i])
				for kind := range was {
					touched[kind] = touched[kind] || !reflect.DeepEqual(was[kind], is[kind])
				}
				sameTruth(t, &e.Groups[i], &d.Groups[i])
			}
			for _, kind := range c.touches {
				if !touched[kind] {
					t.Errorf("%s are as they were", kind)
				}
				delete(touched, kind)
			}
			for kind, yes := range touched {
				if yes {
					t.Errorf("%s are not as they were", kind)
				}
			}
		})
	}
}

// sameTruth checks that each connect that is left has the truth it had.
func sameTruth(t *testing.T, was, is *Group) {
	t.Helper()
	type record struct {
		host   string
		source event.Source
		number uint64
	}
	truth := make(map[record]Report)
	for i := range was.Events.Connects {
		k := &was.Events.Connects[i]
		truth[record{k.Host, k.Source, k.Record}] = was.Truth.Connects[k.Key()]
	}
	for i := range is.Events.Connects {
		k := &is.Events.Connects[i]
		r, ok := is.Truth.Connects[k.Key()]
		if !ok || r != truth[record{k.Host, k.Source, k.Record}] {
			t.Fatalf("the truth of connect %d of %s changed: %+v", k.Record, k.Host, r)
		}
	}
}

func TestLossIsAsGreatAsSaid(t *testing.T) {
	e := Generate(small())
	for name, c := range map[string]struct {
		by Degrader
		n  func(b *event.Batch) int
	}{
		"connects": {LoseConnects(0.3, 1), func(b *event.Batch) int { return len(b.Connects) }},
		"flows":    {LoseFlows(0.3, 1), func(b *event.Batch) int { return len(b.Flows) }},
		"lookups":  {LoseLookups(0.3, 1), func(b *event.Batch) int { return len(b.Lookups) }},
	} {
		was, is := total(e, c.n), total(c.by(e), c.n)
		if left := float64(is) / float64(was); left < 0.67 || left > 0.73 {
			t.Errorf("of %s %.3f are left, want 0.7", name, left)
		}
	}
}

func total(e Estate, n func(b *event.Batch) int) (sum int) {
	for i := range e.Groups {
		sum += n(&e.Groups[i].Events)
	}
	return sum
}

func TestClocksCanBeSetBack(t *testing.T) {
	e := Generate(small())
	skew := Zones(3)
	back := func(h string, s event.Source, t event.Time) time.Duration { return -skew(h, s, t) }
	if d := Degrade(e, SkewClocks(skew), SkewClocks(back)); !reflect.DeepEqual(d, e) {
		t.Error("an estate whose clocks were set and set back differs")
	}
}

// TestProxyTellsTheFarEnd finds each proxied flow's name in its request.
func TestProxyTellsTheFarEnd(t *testing.T) {
	e := Generate(small())
	wire, log := ProxyWire()(e), ProxyLog()(e)
	for i := range e.Groups {
		truth := e.Groups[i].Truth.Flows
		asked := make(map[string]*event.Request)
		for n := range wire.Groups[i].Events.Requests {
			r := &wire.Groups[i].Events.Requests[n]
			asked[r.UID] = r
		}
		logged := make(map[string]bool)
		for n := range log.Groups[i].Events.Requests {
			r := &log.Groups[i].Events.Requests[n]
			logged[log.Groups[i].Truth.Requests[r.UID]] = true
		}
		for n := range log.Groups[i].Events.Flows {
			if f := truth[log.Groups[i].Events.Flows[n].UID]; f.Proto == event.TCP && f.outward() {
				t.Fatalf("flow %s is proxied, and yet there", f.UID)
			}
		}
		for uid, f := range truth {
			if !f.TLS || f.Proto != event.TCP {
				continue
			}
			r := asked[uid]
			if r == nil || r.Method != http.MethodConnect || r.Dst != proxyAddr() || f.Name != "" && r.Host != f.Name {
				t.Fatalf("flow %s to %s has request %+v", uid, f.Name, r)
			}
			if !logged[uid] {
				t.Fatalf("flow %s is not in the proxy's log", uid)
			}
		}
	}
}

// TestTranslationHidesClients finds one address on the wire for each group.
func TestTranslationHidesClients(t *testing.T) {
	e := Generate(small())
	d := Translate()(e)
	for i := range d.Groups {
		outward := 0
		for _, f := range e.Groups[i].Truth.Flows {
			if f.outward() {
				outward++
			}
		}
		flows := d.Groups[i].Events.Flows
		if len(flows) != outward {
			t.Errorf("%d flows, want the %d that leave", len(flows), outward)
		}
		for _, f := range flows {
			if f.Src.Addr() != flows[0].Src.Addr() || f.Src.Addr().IsPrivate() {
				t.Fatalf("a flow shows %v", f.Src)
			}
		}
	}
}

// TestWrongPairsAreStrangers counts tuples whose one flow is another
// connection than their connects.
func TestWrongPairsAreStrangers(t *testing.T) {
	d := WrongPairs(0.3, 1)(Generate(small()))
	strangers, all := 0, 0
	for i := range d.Groups {
		g := &d.Groups[i]
		at := make(map[[2]any]string)
		for n := range g.Events.Flows {
			f := &g.Events.Flows[n]
			if g.Truth.Flows[f.UID].TLS {
				at[[2]any{between(f), f.Proto}] = f.UID
			}
		}
		seen := make(map[string]bool)
		for n := range g.Events.Connects {
			k := &g.Events.Connects[n]
			uid, ok := at[[2]any{between(&event.Flow{Src: k.Src, Dst: k.Dst}), k.Proto}]
			if !ok || seen[uid] {
				continue
			}
			seen[uid] = true
			all++
			if g.Truth.Connects[k.Key()].UID != uid {
				strangers++
			}
		}
	}
	if share := float64(strangers) / float64(all); share < 0.25 || share > 0.35 {
		t.Errorf("%.3f of %d pairs are wrong, want about 0.3", share, all)
	}
}
