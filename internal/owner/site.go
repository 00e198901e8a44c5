package owner

import (
	"net/netip"

	"github.com/postern/postern/internal/event"
)

// A sight is a host and a network sensor.
type sight struct{ host, sensor string }

// sites says which sensors see which hosts, as their exact joins show: two
// sites with the same private range have the same addresses, and other
// sensors.
type sites struct {
	seen  map[sight]int
	hosts map[string]int
	addrs map[netip.Addr]bool // that any host had joins with

	connects map[string]int // of hosts, outbound
}

// minSeen is how many joins of a host there must be before a sensor that saw
// none of them is taken not to see the host.
const minSeen = 10

// locate learns the sites from the pairs of the exact and the proxy rung.
func (j *join) locate() {
	j.sites = sites{make(map[sight]int), make(map[string]int), make(map[netip.Addr]bool), make(map[string]int)}
	for i := range j.Events.Connects {
		if k := &j.Events.Connects[i]; k.Outbound {
			j.sites.connects[k.Host]++
		}
	}
	for i := range j.flows {
		if o := j.owners[i]; o.any() && (o.rung == event.RungExact || o.rung == event.RungProxy) {
			j.sites.seen[sight{o.host(), j.flows[i].Sensor}]++
			j.sites.hosts[o.host()]++
			j.sites.addrs[j.flows[i].Src.Addr()] = true
		}
	}
}

// may reports whether the sensor may see the host.
func (s sites) may(host, sensor string) bool {
	return s.hosts[host] < minSeen || s.seen[sight{host, sensor}] > 0
}

// elsewhere reports whether the wire watches an address for another host, at
// another site: none of the host's connects has a flow, and some host's have.
func (s sites) elsewhere(host string, a netip.Addr) bool {
	return s.connects[host] >= minSeen && s.hosts[host] == 0 && s.addrs[a]
}

// holder returns the host that held a flow's address.
func (j *join) holder(f *event.Flow) holding {
	return j.leases.holder(f.Src.Addr(), f.Time, j.LeaseSlack, func(host string) bool {
		return j.sites.may(host, f.Sensor) && !j.sites.elsewhere(host, f.Src.Addr()) && !j.Apart(host, f.Sensor)
	})
}
