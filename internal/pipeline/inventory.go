package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/inventory"
	"github.com/postern/postern/internal/store"
)

// Draft reads the inputs, if there are any, and returns what the events in the
// store show of the estate: its hosts with the roles that they seem to have,
// the addresses that they used, and the sensors. What the hunt's inventory
// says stays as it is.
func (h Hunt) Draft(ctx context.Context) (*inventory.Inventory, []finding.Input, error) {
	if len(h.Inputs) == 0 {
		if err := FindStore(h.Store); err != nil {
			return nil, nil, err
		}
	}
	r, err := h.newRun(ctx)
	if err != nil {
		return nil, nil, err
	}
	inv, inputs, err := r.draft(ctx)
	return inv, inputs, errors.Join(err, r.store.Close())
}

func (r *run) draft(ctx context.Context) (*inventory.Inventory, []finding.Input, error) {
	var inputs []finding.Input
	if len(r.Inputs) > 0 {
		r.Progress.Stage("reading", 0)
		var err error
		if inputs, err = r.read(ctx); err != nil {
			return nil, nil, err
		}
		release()
	}
	r.Progress.Stage("drafting", 0)
	leases, err := r.store.Leases(ctx)
	if err != nil {
		return nil, nil, err
	}
	loads, err := r.store.Loads(ctx)
	if err != nil {
		return nil, nil, err
	}
	d := newDraft(r.Inventory, loads)
	d.unread(inputs)
	d.lease(leases)
	if err := r.survey(ctx, d); err != nil {
		return nil, nil, err
	}
	if err := r.sensors(ctx, d, loads); err != nil {
		return nil, nil, err
	}
	d.unnamed(loads, leases, r.Networks)
	return d.inventory(), inputs, nil
}

// A draft is an inventory in the making.
type draft struct {
	given    *inventory.Inventory
	names    inventory.Names
	machines map[string]*machine // by the one name
	sensors  []inventory.Sensor
	notes    []string
	unsaid   int // notes beyond the bound
}

// A machine is a host under all its names.
type machine struct {
	names []string // as the events have them
	rows  int64
	held  map[netip.Addr]store.Lease
	host  inventory.Host
}

func newDraft(given *inventory.Inventory, loads []store.Load) *draft {
	d := &draft{given: given, machines: make(map[string]*machine)}
	var known []string
	for _, l := range loads {
		if !l.Addr.IsValid() {
			known = append(known, l.Host)
		}
	}
	d.names = inventory.NewNames(known, given)
	odd := 0
	for _, l := range loads {
		if l.Addr.IsValid() {
			continue
		}
		name := d.names.Of(l.Host)
		if _, err := inventory.ParseName(name); err != nil {
			odd++
			continue
		}
		m := d.machine(name)
		m.names = append(m.names, l.Host)
		m.rows += l.Rows
	}
	if odd > 0 {
		d.note("Hosts left out, because no person could write their names: %d.", odd)
	}
	for _, a := range d.names.Ambiguous() {
		d.note("%q may be any of %s: say which with aliases.", a.Short, enumerate(a.FQDNs))
	}
	return d
}

// unread notes the inputs that could not be read as a whole.
func (d *draft) unread(inputs []finding.Input) {
	var list []string
	for _, in := range inputs {
		if Incomplete([]finding.Input{in}) {
			list = append(list, cmp.Or(in.Path, in.Error))
		}
	}
	if len(list) > 0 {
		d.note("Not read, or not to the end: %s. What they hold is not in this draft.", enumerate(list))
	}
}

// machine returns the machine of a name, as the given inventory has it.
func (d *draft) machine(name string) *machine {
	m := d.machines[name]
	if m == nil {
		m = &machine{held: make(map[netip.Addr]store.Lease), host: inventory.Host{Name: name, Value: inventory.Normal}}
		if h := d.given.Host(name); h != nil {
			m.host = *h
		}
		d.machines[name] = m
	}
	return m
}

func (d *draft) note(format string, args ...any) {
	d.notes = append(d.notes, fmt.Sprintf(format, args...))
}

// lease adds the addresses that hosts used, under all names.
func (d *draft) lease(leases []store.Lease) {
	for _, l := range leases {
		m := d.machines[d.names.Of(l.Host)]
		a := l.Addr
		if m == nil || !a.IsValid() || a.IsLoopback() || a.IsUnspecified() || a.IsLinkLocalUnicast() || a.IsMulticast() {
			continue
		}
		if before, ok := m.held[a]; ok {
			l.First, l.Last = min(l.First, before.First), max(l.Last, before.Last)
		}
		m.held[a] = l
	}
}

// batchMachines bounds the machines that are surveyed at once, however few
// their events are.
const batchMachines = 2000

// survey infers the roles of the machines, so many at a time that their events
// are about those of a group.
func (r *run) survey(ctx context.Context, d *draft) error {
	var batches [][]*machine
	rows := int64(0)
	for _, name := range slices.Sorted(maps.Keys(d.machines)) {
		m := d.machines[name]
		rows += m.rows
		if n := len(batches); n == 0 || rows > groupRows || len(batches[n-1]) == batchMachines {
			batches, rows = append(batches, nil), m.rows
		}
		batches[len(batches)-1] = append(batches[len(batches)-1], m)
	}
	g, each := errgroup.WithContext(ctx)
	g.SetLimit(r.Workers)
	for _, batch := range batches {
		g.Go(func() error { return r.surveyBatch(each, d.names, batch) })
	}
	return g.Wait()
}

func (r *run) surveyBatch(ctx context.Context, names inventory.Names, batch []*machine) error {
	surveys := make(map[string]*inventory.Survey, len(batch))
	sel := store.Selection{Only: store.Starts | store.Connects}
	for _, m := range batch {
		surveys[m.host.Name] = inventory.NewSurvey(r.classes)
		sel.Hosts = append(sel.Hosts, m.names...)
	}
	slices.Sort(sel.Hosts)
	events, err := r.store.Window(ctx, sel)
	if err != nil {
		return err
	}
	for i := range events.Starts {
		surveys[names.Of(events.Starts[i].Host)].Start(&events.Starts[i])
	}
	for i := range events.Connects {
		surveys[names.Of(events.Connects[i].Host)].Connect(&events.Connects[i])
	}
	for _, m := range batch {
		if m.host.Role == "" {
			m.host.Role, m.host.Why = inventory.Infer(surveys[m.host.Name].Evidence())
			m.host.Inferred = true
		}
	}
	return nil
}

// sensors counts what each network sensor saw.
func (r *run) sensors(ctx context.Context, d *draft, loads []store.Load) error {
	var batches []store.Selection
	rows := int64(0)
	for _, l := range loads {
		if !l.Addr.IsValid() {
			continue
		}
		if rows += l.Rows; len(batches) == 0 || rows > groupRows {
			batches, rows = append(batches, store.Selection{Only: store.Flows}), l.Rows
		}
		last := &batches[len(batches)-1]
		last.Clients = append(last.Clients, l.Addr)
	}
	flows := make(map[string]int)
	for _, sel := range batches {
		events, err := r.store.Window(ctx, sel)
		if err != nil {
			return err
		}
		for i := range events.Flows {
			flows[events.Flows[i].Sensor]++
		}
	}
	d.sensors = d.listSensors(flows)
	return nil
}

// listSensors returns the sensors that were given and those that saw flows.
func (d *draft) listSensors(flows map[string]int) []inventory.Sensor {
	var all []inventory.Sensor
	if d.given != nil {
		all = slices.Clone(d.given.Sensors)
	}
	for _, name := range slices.Sorted(maps.Keys(flows)) {
		named := func(s inventory.Sensor) bool { return s.Name == name }
		if slices.ContainsFunc(all, named) {
			continue
		}
		if name == "" || inventory.CheckText(name) != nil {
			d.note("A sensor is left out, because no person could write its name.")
			continue
		}
		all = append(all, inventory.Sensor{Name: name, Why: fmt.Sprintf("flows: %d; add the site where it listens", flows[name])})
	}
	return all
}

// unnamed notes the internal addresses that sensors saw and no host claims:
// machines without endpoint telemetry.
func (d *draft) unnamed(loads []store.Load, leases []store.Lease, networks inventory.Networks) {
	claimed := make(map[netip.Addr]bool)
	for _, l := range leases {
		claimed[l.Addr] = true
	}
	for _, l := range d.given.Leases() {
		claimed[l.Addr] = true
	}
	var list []string
	for _, l := range loads {
		if a := l.Addr; a.IsValid() && !claimed[a] && networks.Internal(a) && !a.IsLinkLocalUnicast() && !a.IsMulticast() && !a.IsUnspecified() {
			list = append(list, a.String())
		}
	}
	if len(list) > 0 {
		d.note("Internal addresses with network traffic that no endpoint claims, %d: %s.", len(list), enumerate(list))
	}
}

// inventory returns the draft, the hosts that only the given inventory knows
// included.
func (d *draft) inventory() *inventory.Inventory {
	inv := &inventory.Inventory{Sensors: d.sensors}
	if d.given != nil {
		inv.Lists = d.given.Lists
		for i := range d.given.Hosts {
			d.machine(d.given.Hosts[i].Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.machines)) {
		m := d.machines[name]
		m.alias()
		m.hold(d)
		inv.Hosts = append(inv.Hosts, m.host)
	}
	inv.Notes = d.notes
	if d.unsaid > 0 {
		inv.Notes = append(inv.Notes, fmt.Sprintf("Notes left out: %d.", d.unsaid))
	}
	return inv
}

// alias adds the other names under which events know the machine.
func (m *machine) alias() {
	for _, name := range m.names {
		alias, err := inventory.ParseName(name)
		if err == nil && alias != m.host.Name && !slices.Contains(m.host.Aliases, alias) {
			m.host.Aliases = append(slices.Clip(m.host.Aliases), alias)
		}
	}
}

// maxHeld bounds the addresses that a draft tells of one host.
const maxHeld = 32

// hold tells the addresses that the machine used last, unless the operator did.
func (m *machine) hold(d *draft) {
	if len(m.host.Addresses) > 0 {
		return
	}
	last := slices.SortedFunc(maps.Values(m.held), func(a, b store.Lease) int {
		return cmp.Or(cmp.Compare(b.Last, a.Last), a.Addr.Compare(b.Addr))
	})
	if len(last) > maxHeld {
		d.note("%s used %d addresses: only the last %d are listed.", m.host.Name, len(last), maxHeld)
		last = last[:maxHeld]
	}
	for _, l := range last {
		m.host.Addresses = append(m.host.Addresses, holding(l))
	}
}

// farFuture is the first instant that has no date in the usual form.
var farFuture = event.At(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC))

// holding returns a lease as an inventory has it. Its end is exclusive. A clock
// that is out of all bounds says nothing.
func holding(l store.Lease) inventory.Holding {
	a := l.Addr.WithZone("")
	h := inventory.Holding{Prefix: netip.PrefixFrom(a, a.BitLen())}
	if l.First > event.Never.Add(time.Second) && l.Last+1 < farFuture {
		h.From, h.To = l.First, l.Last+1
	}
	return h
}

// enumerate lists the first few of many.
func enumerate(list []string) string {
	const few = 10
	if len(list) > few {
		return strings.Join(list[:few], ", ") + fmt.Sprintf(" and %d more", len(list)-few)
	}
	return strings.Join(list, ", ")
}
