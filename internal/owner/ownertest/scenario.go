package ownertest

import (
	"strings"
	"time"

	"github.com/postern/postern/internal/event"
)

// A Scenario hides something of an estate.
type Scenario struct {
	Name string
	Doc  string

	// Config changes what estate is made. It may be nil.
	Config func(c *Config)

	Degraders []Degrader
}

// Estate makes the scenario's estate.
func (s Scenario) Estate(c Config) Estate {
	if s.Config != nil {
		s.Config(&c)
	}
	e := Degrade(Generate(c), s.Degraders...)
	e.Name = s.Name
	return e
}

// only makes all groups of one sort.
func only(churning, vpn, sites float64) func(c *Config) {
	return func(c *Config) { c.Churning, c.VPN, c.TwoSites = churning, vpn, sites }
}

// lossy hides a twentieth of everything.
func lossy() []Degrader {
	const p = 0.05
	return []Degrader{LoseConnects(p, 11), LoseFlows(p, 12), LoseLookups(p, 13), LoseProcesses(p, 14)}
}

// Scenarios returns what the join is measured on.
func Scenarios() []Scenario {
	const span = 8 * time.Hour
	day := 24 * time.Hour
	return []Scenario{
		{Name: "nothing", Doc: "all evidence is there"},
		{Name: "5%", Doc: "a twentieth of all events", Degraders: lossy()},
		{Name: "30%-connects", Doc: "three in ten connects", Degraders: []Degrader{LoseConnects(0.3, 1)}},
		{Name: "sensor-config", Doc: "connects and lookups that common Sysmon configurations leave out", Degraders: []Degrader{excluded()}},
		{Name: "source-ports", Doc: "the source ports of all connects", Degraders: []Degrader{DropSourcePorts(1, 1)}},
		{Name: "clock-days", Doc: "the time: clocks off by seconds to 12 days", Degraders: []Degrader{SkewClocks(Constant(12*day, 1))}},
		{Name: "clock-zones", Doc: "the zone: clocks off by whole hours", Degraders: []Degrader{SkewClocks(Zones(1))}},
		{Name: "clock-drift", Doc: "clocks that gain or lose up to ten minutes in a day", Degraders: []Degrader{SkewClocks(Drift(10*time.Minute, 1))}},
		{Name: "clock-step", Doc: "clocks set by five minutes in the middle", Degraders: []Degrader{SkewClocks(Step(5*time.Minute, span))},
			Config: func(c *Config) { c.Span = span }},
		{Name: "wrong-pairs", Doc: "three in ten tuples pair strangers, under clocks off by up to 12 days",
			Degraders: []Degrader{WrongPairs(0.3, 1), SkewClocks(Constant(12*day, 1))}},
		{Name: "nat", Doc: "the clients' addresses, outside a translation", Degraders: []Degrader{Translate()}},
		{Name: "nat-5%", Doc: "the same, and a twentieth of all events", Degraders: append(lossy(), Translate())},
		{Name: "nat-blind", Doc: "the same, where one host in ten has no telemetry", Degraders: append(lossy(), Translate()),
			Config: func(c *Config) { c.Blind = 0.1 }},
		{Name: "nat-clocks", Doc: "the same, under clocks off by seconds to 12 hours",
			Degraders: append(lossy(), SkewClocks(Constant(day/2, 1)), Translate())},
		{Name: "nat-ports", Doc: "the same, where the translation keeps ports", Degraders: append(lossy(), TranslateKeepingPorts())},
		{Name: "nat-one", Doc: "the same, behind one address for all", Degraders: append(lossy(), TranslateTogether()),
			Config: func(c *Config) { c.Blind = 0.1 }},
		{Name: "nat-half", Doc: "the same, where half of the hosts have no telemetry and half of the sites no sensor",
			Degraders: append(lossy(), TranslateTogether(), RemoveWireOf(0.5, 1)),
			Config:    func(c *Config) { c.Blind = 0.5 }},
		{Name: "nat-site", Doc: "the same at one of two sites that use the same addresses",
			Degraders: append(lossy(), TranslateSite()), Config: only(0, 0, 1)},
		{Name: "proxy-wire", Doc: "the far ends, behind a proxy whose CONNECTs the wire saw", Degraders: []Degrader{ProxyWire()}},
		{Name: "proxy-log", Doc: "the flows, behind a proxy of which there is the log", Degraders: []Degrader{ProxyLog()}},
		{Name: "squid", Doc: "the flows and the clients' ports, behind a proxy of which there is the log", Degraders: []Degrader{Squid(0)}},
		{Name: "squid-ahead", Doc: "the same, where three in ten connections are opened ahead of their request", Degraders: []Degrader{Squid(0.3)}},
		{Name: "squid-5%", Doc: "the same, and a twentieth of all events", Degraders: append([]Degrader{Squid(0.3)}, lossy()...)},
		{Name: "squid-clock", Doc: "the same, and the time: clocks off by seconds to 12 days",
			Degraders: []Degrader{Squid(0.3), SkewClocks(Constant(12*day, 1))}},
		{Name: "squid-wire", Doc: "what flows to the proxy ask for, of which its log tells", Degraders: []Degrader{SquidWire()}},
		{Name: "native", Doc: "the wire, where endpoints count their connections", Degraders: []Degrader{Count(), RemoveWire()}},
		{Name: "native-wire", Doc: "nothing, where endpoints count their connections as well", Degraders: []Degrader{Count()}},
		{Name: "dhcp", Doc: "three in ten connects, where hosts exchange addresses", Config: only(1, 0, 0), Degraders: []Degrader{LoseConnects(0.3, 1)}},
		{Name: "vpn", Doc: "three in ten connects, where hosts have two addresses", Config: only(0, 1, 0), Degraders: []Degrader{LoseConnects(0.3, 1)}},
		{Name: "two-sites", Doc: "three in ten connects, where two sites use the same addresses", Config: only(0, 0, 1), Degraders: []Degrader{LoseConnects(0.3, 1)}},
		{Name: "wire", Doc: "the wire", Degraders: []Degrader{RemoveWire()}},
		{Name: "endpoint", Doc: "the endpoints", Degraders: []Degrader{RemoveEndpoint()}},
	}
}

// excluded hides what widespread Sysmon configurations do not log: connects of
// programs below Program Files and of most of System32, and lookups of the
// usual cloud names. The Security log is off in such estates.
func excluded() Degrader {
	return func(e Estate) Estate {
		return Degrade(e,
			LoseConnectsIf(func(k *event.Connect) bool {
				return k.Source == event.Security || strings.HasPrefix(k.Image, `C:\Program Files`) ||
					k.Image == svchostImage
			}),
			LoseLookupsIf(func(l *event.Lookup) bool {
				return l.Host != "" && strings.HasSuffix(l.Name, ".cloud.example")
			}))
	}
}
