package pipeline

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/postern/postern/internal/baseline"
	"github.com/postern/postern/internal/destination"
	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/program"
	"github.com/postern/postern/internal/score"
	"github.com/postern/postern/internal/store"
)

// Baseline reads the inputs, if there are any, joins what the store holds, and
// returns what is known under a name: of a program (its key, or its file's
// name), of a host (its name, the first label of that, or an address that it
// used) or of a destination (any name below its registered domain).
func (h Hunt) Baseline(ctx context.Context, name string) (*finding.Baseline, error) {
	if len(h.Inputs) == 0 {
		if err := FindStore(h.Store); err != nil {
			return nil, err
		}
	}
	r, err := h.newRun(ctx)
	if err != nil {
		return nil, err
	}
	b, err := r.baseline(ctx, name)
	return b, errors.Join(err, r.store.Close())
}

func (r *run) baseline(ctx context.Context, name string) (*finding.Baseline, error) {
	inputs, joined, err := r.readAndJoin(ctx)
	if err != nil {
		return nil, err
	}
	release()
	r.Progress.Stage("learning", 0)
	_, fleet, _, err := r.score(ctx, joined)
	if err != nil {
		return nil, err
	}
	b := &finding.Baseline{
		Format: finding.BaselineFormat, Name: name, Fleet: baselineFleet(fleet),
		Programs: []finding.BaselineProgram{}, Hosts: []finding.BaselineHost{}, Destinations: []finding.BaselineDestination{},
		Similar: []string{}, Inputs: inputs,
	}
	for _, key := range programsNamed(fleet.ProgramKeys(), name) {
		if s, ok := fleet.ProgramState(key, score.Shipped); ok {
			b.Programs = append(b.Programs, baselineProgram(&s))
		}
	}
	for _, host := range hostsNamed(fleet.HostNames(), joined.leases, name) {
		if s, ok := fleet.HostState(host); ok {
			b.Hosts = append(b.Hosts, baselineHost(&s))
		}
	}
	domain, _ := destination.Domain(name)
	if s, ok := fleet.DomainState(domain); ok {
		b.Destinations = append(b.Destinations, r.baselineDestination(&s))
	}
	if !b.Known() {
		b.Similar = similar(fleet, name)
	}
	return b, nil
}

// fileOf returns the file name of a program's key, with what it hosts.
func fileOf(key string) string {
	image := baseline.Image(key)
	return program.Name(image) + key[len(image):]
}

// programsNamed returns the keys that a name means: the one that it is, or
// those of files with that name.
func programsNamed(keys []string, name string) []string {
	image := baseline.Image(name)
	key := program.Template(image) + name[len(image):]
	var all []string
	for _, k := range keys {
		switch {
		case strings.EqualFold(k, key):
			return []string{k}
		case strings.EqualFold(fileOf(k), name):
			all = append(all, k)
		}
	}
	return all
}

// hostsNamed returns the hosts that a name means: the one that it is, or those
// whose first label it is, or those that used it as an address.
func hostsNamed(hosts []string, leases []store.Lease, name string) []string {
	name = hostName(name)
	held := make(map[string]bool)
	if a, err := netip.ParseAddr(name); err == nil {
		name = a.Unmap().String()
		for _, l := range leases {
			if l.Addr == a.Unmap() {
				held[hostName(l.Host)] = true
			}
		}
	}
	var all []string
	for _, h := range hosts {
		known := hostName(h)
		label := firstLabel(known)
		switch {
		case known == name && len(held) == 0:
			return []string{h}
		case known == name, label == name, held[known]:
			all = append(all, h)
		}
	}
	return all
}

// firstLabel returns what a host's name has before its domain, "" of an address.
func firstLabel(host string) string {
	if _, err := netip.ParseAddr(host); err == nil {
		return ""
	}
	label, _, _ := strings.Cut(host, ".")
	return label
}

// maxSimilar bounds how many names are told instead of one that is not known.
const maxSimilar = 10

// similar returns names that hold one that is not known.
func similar(f *baseline.Fleet, name string) []string {
	name = strings.ToLower(name)
	all := []string{}
	for _, known := range slices.Concat(f.ProgramKeys(), f.HostNames(), f.DomainNames()) {
		if name != "" && strings.Contains(strings.ToLower(known), name) && len(all) < maxSimilar {
			all = append(all, known)
		}
	}
	return all
}

func baselineFleet(f *baseline.Fleet) finding.BaselineFleet {
	const day = 24 * time.Hour
	rules := f.Rules()
	return finding.BaselineFleet{
		Hosts: f.Hosts, First: instant(f.First), Last: instant(f.Last), Days: float64(f.Lasted()) / float64(day),
		ShippedEdges: rules.ShippedEdges, ShippedShare: rules.ShippedShare,
		ClassEdges: rules.ClassEdges, PeriodicEdges: rules.PeriodicEdges,
		NewAfterDays: float64(rules.New) / float64(day), SeasonDays: float64(rules.Season) / float64(day),
	}
}

func fraction(s baseline.Share) finding.Fraction { return finding.Fraction(s) }

func baselineProgram(s *baseline.ProgramState) finding.BaselineProgram {
	p := finding.BaselineProgram{
		Program: s.Key, Name: fileOf(s.Key), Class: string(s.Class), Hosts: fraction(s.Hosts), Groups: []finding.Group{},
		FirstSeen: s.First.Std(), Standing: s.Standing.String(), Links: s.Links,
		Rare: baselineEstimate(&s.Rare), Periodic: baselineEstimate(&s.Periodic),
		Hosted: []finding.BaselinePart{},
	}
	if s.Standing == baseline.Unseasoned || s.Standing == baseline.Seasoned {
		p.CountsFrom = instant(s.Counts)
	}
	for _, g := range s.Groups {
		p.Groups = append(p.Groups, finding.Group{Attribute: string(g.Attribute), Fraction: fraction(g.Share)})
	}
	for i := range s.Spreads {
		p.Spreads = append(p.Spreads, baselineSpread(&s.Spreads[i]))
	}
	for _, h := range s.Hosted {
		p.Hosted = append(p.Hosted, finding.BaselinePart{Program: h.Key, Hosts: h.Hosts, Links: h.Links, FirstSeen: h.First.Std()})
	}
	return p
}

func baselineEstimate(e *baseline.Estimate) finding.Estimate {
	out := finding.Estimate{
		Program: fraction(e.Program), Class: fraction(e.Class), Shipped: e.Shipped,
		Weights: finding.Weights(e.Weights), Value: e.Value,
	}
	if e.Image.Of > 0 {
		image := fraction(e.Image)
		out.Image = &image
	}
	return out
}

func baselineSpread(s *baseline.Spread) finding.Spread {
	quantiles := func(v [len(baseline.Quantiles)]int64) finding.Quantiles {
		return finding.Quantiles{P50: v[0], P90: v[1], P99: v[2]}
	}
	out := finding.Spread{
		Measure: s.Measure.String(), Unit: s.Measure.Unit(), Known: s.Known,
		Shipped: quantiles(s.Shipped), Value: quantiles(s.Value), Weights: finding.Weights(s.Weights),
	}
	if s.Known > 0 {
		mine, class := quantiles(s.Program), quantiles(s.Class)
		out.Program, out.Class = &mine, &class
	}
	return out
}

func baselineHost(s *baseline.HostState) finding.BaselineHost {
	h := finding.BaselineHost{
		Host: s.Name, Attributes: []string{}, FirstSeen: s.First.Std(), LastSeen: s.Last.Std(), Days: s.Days,
		Sessions: s.Sessions, Links: s.Links, Young: s.Young, Unowned: s.Unowned, Rungs: named(s.Rungs),
		Programs: []finding.HostProgram{},
	}
	for _, a := range s.Attributes {
		h.Attributes = append(h.Attributes, string(a))
	}
	for _, p := range s.Programs {
		h.Programs = append(h.Programs, finding.HostProgram{Program: p.Key, OtherHosts: p.Others, Links: p.Links, Sessions: p.Sessions})
	}
	return h
}

func (r *run) baselineDestination(s *baseline.DomainState) finding.BaselineDestination {
	d := finding.BaselineDestination{
		Domain: s.Domain, Services: []finding.BaselineService{}, Hosts: fraction(s.Hosts),
		First: s.First.Std(), Last: s.Last.Std(), Sessions: s.Sessions, NoBytes: s.Unknown,
		BytesOut: known(s.BytesOut, s.Unknown < s.Sessions), Names: s.Names, Programs: []finding.DestinationProgram{},
	}
	for _, name := range s.Names {
		service, ok := r.catalogue.Lookup(name)
		b := finding.BaselineService{Service: service.Name, Class: string(service.Class)}
		if ok && !slices.Contains(d.Services, b) {
			d.Services = append(d.Services, b)
		}
	}
	for _, p := range s.Programs {
		d.Programs = append(d.Programs, finding.DestinationProgram{Program: p.Key, Hosts: p.Hosts, FirstSeen: p.First.Std()})
	}
	return d
}
