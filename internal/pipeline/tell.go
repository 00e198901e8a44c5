package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/owner"
	"github.com/postern/postern/internal/process"
	"github.com/postern/postern/internal/program"
	"github.com/postern/postern/internal/score"
	"github.com/postern/postern/internal/store"
)

// Bounds of what one finding lists; the counts always tell all.
const (
	maxProcesses = 50
	maxValues    = 20
	maxMembers   = 100
)

// regular is the p-value of the timing test below which a period is told.
const regular = 0.01

// tell makes the findings of the listed clusters, with the details that
// explain them.
func (r *run) tell(ctx context.Context, l *listing, scorer *score.Scorer, clocks []owner.Clock) ([]finding.Finding, error) {
	listed := l.told
	offsets := make(map[string]time.Duration)
	for host, c := range mainClocks(clocks) {
		offsets[host] = c.Offset
	}
	explained := make([]score.Scored, len(listed))
	unless := make([][]string, len(listed))
	for i := range listed {
		explained[i] = scorer.Explain(listed[i].Best)
		unless[i] = append([]string{}, scorer.Counterfactual(listed[i].Best, l.cut)...)
	}
	all, err := r.detail(ctx, listed)
	if err != nil {
		return nil, err
	}
	out := make([]finding.Finding, len(listed))
	g, each := errgroup.WithContext(ctx)
	g.SetLimit(r.Workers)
	for i := range listed {
		g.Go(func() error {
			if err := r.lineages(each, all[i], offsets); err != nil {
				return err
			}
			out[i] = r.finding(&listed[i].Cluster, explained[i], all[i])
			out[i].Counterfactual, out[i].Knobs = unless[i], r.knobs(listed[i].Best)
			listed[i].grade(&out[i])
			return nil
		})
	}
	return out, g.Wait()
}

// lineages gives each process that d lists what its host's log knows of it.
// Sessions are on the wire's clock and the log on the host's: the offsets lie
// between.
func (r *run) lineages(ctx context.Context, d *details, offsets map[string]time.Duration) error {
	listed := d.listed()
	hosts := make(map[string]bool)
	for _, k := range listed {
		if k.host != "" {
			hosts[k.host] = true
		}
	}
	if len(hosts) == 0 {
		return nil
	}
	sel := store.Selection{Hosts: slices.Sorted(maps.Keys(hosts)), Only: store.Starts | store.Stops}
	w, err := r.window(ctx, sel)
	if err != nil {
		return err
	}
	tables := make(map[string]*process.Table)
	starts, stops := byHost(w)
	for host := range hosts {
		tables[host] = process.NewTable(starts[host], stops[host])
	}
	for _, k := range listed {
		if t := tables[k.host]; t != nil {
			d.publisher = cmp.Or(d.publisher, r.describe(d.processes[k], t, k, offsets[k.host]))
		}
	}
	return nil
}

func byHost(w *event.Batch) (map[string][]event.ProcessStart, map[string][]event.ProcessStop) {
	starts := make(map[string][]event.ProcessStart)
	for _, s := range w.Starts {
		starts[s.Host] = append(starts[s.Host], s)
	}
	stops := make(map[string][]event.ProcessStop)
	for _, s := range w.Stops {
		stops[s.Host] = append(stops[s.Host], s)
	}
	return starts, stops
}

// describe fills p from the instance that the host's table has for it, and
// returns the publisher that its file claims.
func (r *run) describe(p *finding.Process, t *process.Table, k processKey, offset time.Duration) string {
	i := t.Find(k.guid, k.pid, k.first.Add(offset))
	if i == nil {
		return ""
	}
	p.GUID = cmp.Or(p.GUID, i.GUID)
	p.CommandLine, p.Hashes = i.CommandLine, i.Hashes
	p.User = cmp.Or(p.User, i.User)
	p.Started = instant(i.Time)
	p.Hosted = r.classes.IdentifyProcess(program.Evidence{
		Image: i.Image, OriginalName: i.OriginalName, Product: i.Product, Company: i.Company,
		CommandLine: i.CommandLine, ParentImage: i.ParentImage, ParentCommandLine: i.ParentCommandLine,
	}).Hosted
	for _, a := range t.Lineage(i) {
		p.Parents = append(p.Parents, finding.Parent{
			PID: a.PID, GUID: a.GUID, Image: a.Image, CommandLine: a.CommandLine,
			User: a.User, Started: instant(a.Start),
		})
	}
	return i.Company
}

func instant(t event.Time) *time.Time {
	if t == event.Never {
		return nil
	}
	std := t.Std()
	return &std
}

// finding puts a cluster and its details into words.
func (r *run) finding(c *finding.Cluster, best score.Scored, d *details) finding.Finding {
	f := finding.Finding{
		ID: finding.ID(c.Program, c.Domain), Score: best.Score,
		Processes: d.listProcesses(), Hosts: d.hosts.sorted(),
		Sessions: d.sessions, SessionsUnknownBytes: d.unknown,
		BytesOut: known(d.bytesOut, d.sessions > d.unknown), BytesIn: known(d.bytesIn, d.knownIn),
		FirstSeen: d.first.Std(), LastSeen: d.last.Std(),
		TLS: d.tls(), Rungs: d.rungs, Destination: d.destination(c),
	}
	if d.drawing != nil {
		f.Series = d.drawing.series()
	}
	for _, p := range best.Parts {
		f.Parts = append(f.Parts, finding.Part{Name: p.Name, Points: p.Points, Text: p.Text})
	}
	f.Program = finding.Program{
		Name: program.Name(best.Image), Image: best.Image, Identity: c.Program,
		Publisher: d.publisher, Class: string(best.Class),
	}
	if c.Program == "" {
		f.Program.Class = ""
	}
	f.ActiveHours, f.ActiveDays = best.Hours, best.Days
	if t := best.Timing; t.Scale > 0 && t.P < regular {
		f.PeriodSeconds = &t.Period
	}
	name := f.Destination.Name
	if len(f.Destination.Members) > 0 {
		name = best.Name // the one that the score speaks of
	}
	if s, ok := r.catalogue.Lookup(name); ok {
		f.Destination.Service, f.Destination.ServiceClass = s.Name, string(s.Class)
	}
	return f
}

func known(n int64, ok bool) *int64 {
	if !ok {
		return nil
	}
	return &n
}

// A processKey tells the process instances of a finding apart.
type processKey struct {
	host, guid, image string
	pid               uint32
	first             event.Time // session, for finding it by PID
}

// tally counts values, to list the most frequent.
type tally map[string]int64

func (t tally) add(s string) {
	if s != "" {
		t[s]++
	}
}

// top returns the most frequent values.
func (t tally) top() []string {
	all := slices.SortedFunc(maps.Keys(t), func(a, b string) int {
		return cmp.Or(cmp.Compare(t[b], t[a]), cmp.Compare(a, b))
	})
	return append([]string{}, all[:min(len(all), maxValues)]...)
}

func (t tally) sorted() []string {
	return append([]string{}, slices.Sorted(maps.Keys(t))...)
}

// details gathers what the sessions of one finding say.
type details struct {
	sessions, unknown int64
	bytesOut, bytesIn int64
	knownIn           bool
	first, last       event.Time
	established       event.Tri
	publisher         string
	drawing           *drawing // nil when no series is wanted

	processes map[processKey]*finding.Process
	seen      map[processKey]processKey // without the instant: to the key with it
	rungs     map[string]int64
	evidence  map[string]int64
	sources   map[string]event.NameSource
	ports     map[uint16]bool

	hosts, names, addresses, sni, ja3, ja4, issuers, subjects tally
}

func newDetails() *details {
	return &details{
		processes: make(map[processKey]*finding.Process), seen: make(map[processKey]processKey),
		rungs: make(map[string]int64), evidence: make(map[string]int64),
		sources: make(map[string]event.NameSource), ports: make(map[uint16]bool),
		hosts: tally{}, names: tally{}, addresses: tally{}, sni: tally{}, ja3: tally{}, ja4: tally{},
		issuers: tally{}, subjects: tally{},
	}
}

func (d *details) add(s *event.Session) {
	if d.sessions == 0 {
		d.first, d.last = s.Start, s.Start
	}
	d.sessions++
	d.first, d.last = min(d.first, s.Start), max(d.last, s.Start)
	d.bytesOut, d.bytesIn = s.BytesOut.AddTo(d.bytesOut), s.BytesIn.AddTo(d.bytesIn)
	if !s.BytesOut.Known() {
		d.unknown++
	}
	d.knownIn = d.knownIn || s.BytesIn.Known()
	d.rungs[s.Rung.String()]++
	d.evidence[s.Evidence.String()]++
	d.hosts.add(s.Whose())
	d.names.add(s.Name)
	if old, ok := d.sources[s.Name]; !ok || s.NameSource < old {
		d.sources[s.Name] = s.NameSource
	}
	d.addresses.add(s.Dst.Addr().String())
	d.ports[s.Dst.Port()] = true
	d.sni.add(s.SNI)
	d.ja3.add(s.JA3)
	d.ja4.add(s.JA4)
	d.issuers.add(s.Issuer)
	d.subjects.add(s.Subject)
	d.established = max(d.established, s.Established)
	if s.Rung.Owned() {
		d.process(s)
	}
	if d.drawing != nil {
		d.drawing.add(s)
	}
}

func (d *details) process(s *event.Session) {
	k := processKey{host: s.Host, guid: s.GUID, image: s.Image, pid: s.PID}
	full, ok := d.seen[k]
	if !ok {
		full = k
		full.first = s.Start
		d.seen[k] = full
		d.processes[full] = &finding.Process{
			Host: s.Host, PID: s.PID, GUID: s.GUID, Image: s.Image, User: s.User, Parents: []finding.Parent{},
		}
	}
	p := d.processes[full]
	p.Sessions++
	p.OtherImage = cmp.Or(p.OtherImage, s.OtherImage)
}

// listed returns the processes with the most sessions.
func (d *details) listed() []processKey {
	all := slices.SortedFunc(maps.Keys(d.processes), func(a, b processKey) int {
		return cmp.Or(cmp.Compare(d.processes[b].Sessions, d.processes[a].Sessions), cmp.Compare(a.host, b.host),
			cmp.Compare(a.pid, b.pid), cmp.Compare(a.guid, b.guid), cmp.Compare(a.image, b.image))
	})
	return all[:min(len(all), maxProcesses)]
}

func (d *details) listProcesses() []finding.Process {
	listed := d.listed()
	out := make([]finding.Process, 0, len(listed))
	for _, k := range listed {
		out = append(out, *d.processes[k])
	}
	return out
}

func (d *details) destination(c *finding.Cluster) finding.Destination {
	out := finding.Destination{
		RegisteredDomain: c.Domain, Names: d.names.top(), Addresses: d.addresses.top(),
		Ports: append([]uint16{}, slices.Sorted(maps.Keys(d.ports))...),
	}
	if len(out.Names) > 0 {
		out.Name = out.Names[0]
		out.NameSource = d.sources[out.Name].String()
	}
	out.Members = []string{}
	if members := c.Members(); len(members) > 0 {
		out.Name = fmt.Sprintf("%d rare destinations", len(members))
		out.RegisteredDomain, out.Members = out.Name, members[:min(len(members), maxMembers)]
	}
	return out
}

func (d *details) tls() finding.TLS {
	t := finding.TLS{
		SNI: d.sni.top(), JA3: d.ja3.top(), JA4: d.ja4.top(),
		Issuers: d.issuers.top(), Subjects: d.subjects.top(), Evidence: d.evidence,
	}
	if d.established != event.Unsaid {
		yes := d.established == event.Yes
		t.Established = &yes
	}
	return t
}

// knobs returns the mutable elements of the analytic with their current values,
// and how an edge stands to them.
func (r *run) knobs(e *detect.Edge) []finding.Knob {
	bytes := finding.Knob{
		Name:     "DataTransferThreshold",
		Value:    fmt.Sprintf("%s in %s", r.Config.DataTransferThreshold.Bytes, r.Config.DataTransferThreshold.Window),
		Observed: "outbound bytes are unknown",
	}
	if e.UnknownBytes < e.Sessions {
		margin := float64(e.Burst.BytesOut) / float64(r.Config.DataTransferThreshold.Bytes)
		bytes.Observed, bytes.Margin = score.Bytes(e.Burst.BytesOut), &margin
	}
	share := 0.0
	if e.Hours > 0 {
		share = float64(e.OffHours) / float64(e.Hours)
	}
	return []finding.Knob{
		{Name: "ProcessName", Value: fmt.Sprintf("%d expectations", len(r.Config.ProcessName.Expected)), Observed: "none covers it"},
		bytes,
		{
			Name:     "TimeWindow",
			Value:    fmt.Sprintf("%s %s to %s %s", r.Config.TimeWindow.Days, r.Config.TimeWindow.From, r.Config.TimeWindow.To, r.Config.TimeWindow.Zone),
			Observed: fmt.Sprintf("%d of %d active hours outside", e.OffHours, e.Hours), Margin: &share,
		},
	}
}
