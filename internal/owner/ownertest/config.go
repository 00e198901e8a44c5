package ownertest

import (
	"iter"
	"math/rand/v2"
	"time"

	"github.com/postern/postern/internal/event"
)

// A Config says which estate to make. Shares are between 0 and 1.
type Config struct {
	Seed  uint64
	Hosts int

	// Connections is how many connections each host opens, about.
	Connections int

	Span time.Duration

	// GroupSize is how many hosts share a set of addresses.
	GroupSize int

	// Churning, VPN and TwoSites are the shares of groups in which hosts
	// exchange addresses, in which hosts have a second address through a
	// tunnel, and in which two sites use the same addresses. The rest is
	// plain.
	Churning, VPN, TwoSites float64

	// SysmonOnly, SecurityOnly and Blind are the shares of hosts that have
	// only one source, or no telemetry. The rest has both.
	SysmonOnly, SecurityOnly, Blind float64
}

// Defaults returns an ordinary estate: some of everything.
func Defaults() Config {
	return Config{
		Seed: 1, Hosts: 32, Connections: 400, Span: 8 * time.Hour, GroupSize: 8,
		Churning: 0.25, VPN: 0.125, TwoSites: 0.125,
		SysmonOnly: 0.4, SecurityOnly: 0.1, Blind: 0.03,
	}
}

// Rates as public captures show them, and the shape of the traffic.
const (
	falseWitness  = 18.0 / 6500 // Sysmon names another process
	noWitness     = 22.0 / 6500 // Sysmon names "<unknown process>"
	sharePrivate  = 0.18        // processes that resolve names by themselves
	shareAsked    = 0.96        // connections of the others with a lookup before: 79 % of all
	shareSNI      = 0.97        // handshakes that show a server name
	shareScrap    = 0.01        // flows with an empty tail on the same tuple
	shareFailed   = 0.03        // connects that never came about
	shareInternal = 0.05        // to internal servers
	sharePlain    = 0.03        // HTTP without TLS
	shareAgain    = 0.003       // ports used again for the same far end within a minute
	warmUp        = 20 * 60.0   // seconds by which the wire's log begins before the endpoints'
	minLag        = 1.0         // seconds by which Sysmon is late, at least
	maxLag        = 2.5         // and at most
	firstPort     = 49152       // of Windows' dynamic range, RFC 6335
	portCount     = 65536 - 49152
)

// epoch is when every estate begins: a Tuesday morning.
const epoch = event.Time(1_700_553_600_000_000)

// NumGroups returns how many groups the estate has.
func (c Config) NumGroups() int {
	return (c.Hosts + c.GroupSize - 1) / c.GroupSize
}

// Generate returns the estate of c. The same c gives the same estate.
func Generate(c Config) Estate {
	e := Estate{Name: "nothing"}
	for g := range c.Groups() {
		e.Groups = append(e.Groups, g)
	}
	return e
}

// Groups returns the estate's groups one by one, so that an estate may be
// larger than memory.
func (c Config) Groups() iter.Seq[Group] {
	return func(yield func(Group) bool) {
		for i := range c.NumGroups() {
			if !yield(c.Group(i)) {
				return
			}
		}
	}
}

// Group returns the i-th group, whatever was made before it.
func (c Config) Group(i int) Group {
	g := newMaker(c, i, rand.New(rand.NewPCG(c.Seed, uint64(i))))
	g.make(min(c.GroupSize, c.Hosts-i*c.GroupSize))
	return g.finish()
}
