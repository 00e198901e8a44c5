package pipeline

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/postern/postern/internal/baseline"
	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/inventory"
	"github.com/postern/postern/internal/owner"
	"github.com/postern/postern/internal/score"
	"github.com/postern/postern/internal/store"
)

// A roster is what the inventory and the configuration say of hosts and
// sensors, and what the evidence says where they do not.
type roster struct {
	names   inventory.Names
	aliases map[string][]string // of each host, the names that the events have
	leases  []event.Lease       // of the inventory
	sites   sites

	mu    sync.Mutex
	roles map[string]role // of hosts, where the inventory has none
}

// A role is what a host seems to be, and from what.
type role struct {
	inventory.Role
	why string
}

// newRoster learns the names of all hosts that the events know.
func (r *run) newRoster(leases []store.Lease, loads []store.Load) *roster {
	e := &roster{aliases: make(map[string][]string), roles: make(map[string]role), sites: r.sites}
	var known []string
	for _, l := range loads {
		if !l.Addr.IsValid() {
			known = append(known, l.Host)
		}
	}
	for _, l := range leases {
		known = append(known, l.Host)
	}
	slices.Sort(known)
	known = slices.Compact(known)
	e.names = inventory.NewNames(known, r.Inventory)
	for _, name := range known {
		host := e.names.Of(name)
		e.aliases[host] = append(e.aliases[host], name)
	}
	for _, l := range r.Inventory.Leases() {
		l.Host = e.names.Of(l.Host)
		e.leases = append(e.leases, l)
	}
	return e
}

// asStored returns the names of hosts as the events have them.
func (e *roster) asStored(hosts []string) []string {
	var all []string
	for _, h := range hosts {
		if names, ok := e.aliases[h]; ok {
			all = append(all, names...)
		} else {
			all = append(all, h)
		}
	}
	return all
}

// loads returns the loads of hosts by the names that they go by here, each host
// once.
func (e *roster) loads(stored []store.Load) []store.Load {
	rows := make(map[string]int64)
	var all []store.Load
	for _, l := range stored {
		if l.Addr.IsValid() {
			all = append(all, l)
		} else {
			rows[e.names.Of(l.Host)] += l.Rows
		}
	}
	var hosts []store.Load
	for _, h := range slices.Sorted(maps.Keys(rows)) {
		hosts = append(hosts, store.Load{Host: h, Rows: rows[h]})
	}
	return append(hosts, all...)
}

// holds returns who used which address, by the names that hosts go by here, and
// as the inventory says.
func (e *roster) holds(stored []store.Lease) []store.Lease {
	all := slices.Clone(stored)
	for i := range all {
		all[i].Host = e.names.Of(all[i].Host)
	}
	for _, l := range e.leases {
		all = append(all, store.Lease{Host: l.Host, Addr: l.Addr, First: l.Time, Last: l.Time})
	}
	return all
}

// window reads a window of hosts by the names that they go by here.
func (r *run) window(ctx context.Context, sel store.Selection) (*event.Batch, error) {
	sel.Hosts = r.roster.asStored(sel.Hosts)
	b, err := r.store.Window(ctx, sel)
	if err != nil {
		return nil, err
	}
	r.roster.name(b)
	if sel.Has(store.Leases) {
		b.Leases = append(b.Leases, r.roster.leasesOf(sel.Clients)...)
	}
	return b, nil
}

// name gives the hosts in events the names that they go by.
func (e *roster) name(b *event.Batch) {
	memo := make(map[string]string)
	of := func(host *string) {
		if *host == "" {
			return
		}
		name, ok := memo[*host]
		if !ok {
			name = e.names.Of(*host)
			memo[*host] = name
		}
		*host = name
	}
	for i := range b.Starts {
		of(&b.Starts[i].Host)
	}
	for i := range b.Stops {
		of(&b.Stops[i].Host)
	}
	for i := range b.Connects {
		of(&b.Connects[i].Host)
	}
	for i := range b.Lookups {
		of(&b.Lookups[i].Host)
	}
	for i := range b.Leases {
		of(&b.Leases[i].Host)
	}
	for i := range b.Notices {
		of(&b.Notices[i].Host)
	}
}

func (e *roster) leasesOf(clients []netip.Addr) []event.Lease {
	if len(e.leases) == 0 {
		return nil
	}
	wanted := make(map[netip.Addr]bool, len(clients))
	for _, a := range clients {
		wanted[a] = true
	}
	return slices.DeleteFunc(slices.Clone(e.leases), func(l event.Lease) bool { return !wanted[l.Addr] })
}

// guessRoles guesses the roles of the hosts of a window, where the inventory has
// none.
func (r *run) guessRoles(b *event.Batch) {
	surveys := make(map[string]*inventory.Survey)
	of := func(host string) *inventory.Survey {
		s, ok := surveys[host]
		if !ok {
			if h := r.Inventory.Host(host); h == nil || h.Role == "" {
				s = inventory.NewSurvey(r.classes)
			}
			surveys[host] = s
		}
		return s
	}
	for i := range b.Starts {
		if s := of(b.Starts[i].Host); s != nil {
			s.Start(&b.Starts[i])
		}
	}
	for i := range b.Connects {
		if s := of(b.Connects[i].Host); s != nil {
			s.Connect(&b.Connects[i])
		}
	}
	r.roster.mu.Lock()
	defer r.roster.mu.Unlock()
	for host, s := range surveys {
		if s != nil {
			found, why := inventory.Infer(s.Evidence())
			r.roster.roles[host] = role{found, why}
		}
	}
}

// roleOf returns a host's role, "" when it is not known.
func (r *run) roleOf(host string) string {
	of, _ := r.knownRole(host)
	return string(of)
}

// knownRole returns a host's role, and whether it is only inferred.
func (r *run) knownRole(host string) (of inventory.Role, inferred bool) {
	if h := r.Inventory.Host(host); h != nil && h.Role != "" {
		return h.Role, false
	}
	return r.roster.roles[host].Role, true
}

// attributes returns what a host has in common with others, the most general
// first.
func (r *run) attributes(host string) []baseline.Attribute {
	var all []baseline.Attribute
	add := func(kind, value string) {
		if value != "" {
			all = append(all, baseline.Attribute(kind+" "+value))
		}
	}
	role, inferred := r.knownRole(host)
	if inferred && role != "" {
		add("inferred role", string(role))
	} else {
		add("role", string(role))
	}
	if h := r.Inventory.Host(host); h != nil {
		add("population", h.Population)
		add("application", h.Application)
	}
	return all
}

// A sites says where hosts and sensors are.
type sites struct {
	sensors map[string]string
	hosts   *sync.Map // names as events have them, to sites
}

func (r *run) newSites() sites {
	s := sites{make(map[string]string), new(sync.Map)}
	for _, site := range r.Config.Sites {
		for _, sensor := range site.Sensors {
			s.sensors[sensor] = site.Name
		}
	}
	if r.Inventory != nil {
		for _, sensor := range r.Inventory.Sensors {
			if sensor.Site != "" {
				s.sensors[sensor.Name] = sensor.Site
			}
		}
	}
	return s
}

// mark says of what was read from a path at which site it was recorded: sensors
// get the site's name before their own, because those of two sites may have the
// same.
func (r *run) mark(path string, b *event.Batch) {
	site := r.Config.SiteOf(path)
	if site == "" {
		return
	}
	sensor := func(name *string) {
		if *name != "" && !strings.HasPrefix(*name, site+"/") {
			*name = site + "/" + *name
		}
	}
	for i := range b.Flows {
		sensor(&b.Flows[i].Sensor)
	}
	for i := range b.Handshakes {
		sensor(&b.Handshakes[i].Sensor)
	}
	for i := range b.Requests {
		sensor(&b.Requests[i].Sensor)
	}
	for i := range b.Lookups {
		sensor(&b.Lookups[i].Sensor)
	}
	for i := range b.Leases {
		sensor(&b.Leases[i].Sensor)
	}
	for i := range b.Connects {
		r.sites.hosts.Store(b.Connects[i].Host, site)
	}
}

// apart reports whether a host and a sensor are known to be at different sites.
func (r *run) apart(host, sensor string) bool {
	at := r.listensAt(sensor)
	if at == "" {
		return false
	}
	is := r.siteOf(host)
	return is != "" && is != at
}

// elsewhere reports whether two sensors are known to be at different sites.
func (r *run) elsewhere(a, b string) bool {
	x, y := r.listensAt(a), r.listensAt(b)
	return x != "" && y != "" && x != y
}

// listensAt returns where a sensor is, "" when nothing says so.
func (r *run) listensAt(sensor string) string {
	if at, _, marked := strings.Cut(sensor, "/"); marked && r.Config.Site(at) != nil {
		return at
	}
	return r.sites.sensors[sensor]
}

// siteOf returns where a host is, "" when nothing says so.
func (r *run) siteOf(host string) string {
	if h := r.Inventory.Host(host); h != nil && h.Site != "" {
		return h.Site
	}
	for _, name := range r.roster.asStored([]string{host}) {
		if at, ok := r.sites.hosts.Load(name); ok {
			return at.(string)
		}
	}
	return ""
}

// joining returns the configuration of the join.
func (r *run) joining() owner.Config {
	c := owner.Defaults()
	c.Seeds = r.Config.CommunityID.Seeds
	return c
}

// measuring returns the configuration of the measuring.
func (r *run) measuring() detect.Config {
	return detect.Config{
		Transfer: time.Duration(r.Config.DataTransferThreshold.Window),
		Within:   r.Config.TimeWindow.Contains,
	}
}

// scoring returns the configuration of the scoring.
func (r *run) scoring() score.Config {
	return score.Config{
		Transfer: int64(r.Config.DataTransferThreshold.Bytes),
		Window:   time.Duration(r.Config.DataTransferThreshold.Window),
		Material: int64(r.Config.Materiality.WeekBytes),
	}
}
