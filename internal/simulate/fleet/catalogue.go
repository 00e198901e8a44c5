package fleet

import (
	_ "embed"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

//go:embed programs.tsv
var programsTSV string

// A catalogue is the software that hosts may have by their role.
type catalogue struct {
	programs []*Program // with shares of hosts
	browsers []*Program
	tails    int // counts the made-up products
}

const columns = 9

// shipped reads programs.tsv.
func shipped() (catalogue, error) {
	c := catalogue{browsers: browsers()}
	var last *Program
	for i, line := range strings.Split(programsTSV, "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		cells := strings.Split(line, "\t")
		if len(cells) != columns {
			return c, fmt.Errorf("programs.tsv:%d: %d columns, want %d", i+1, len(cells), columns)
		}
		l, err := parseLink(cells[2:])
		if err != nil {
			return c, fmt.Errorf("programs.tsv:%d: %w", i+1, err)
		}
		if cells[0] != "" {
			last = newProgram(cells[7], Origin(cells[0]))
			if last.share, err = parseShares(cells[1]); err != nil {
				return c, fmt.Errorf("programs.tsv:%d: %w", i+1, err)
			}
			c.programs = append(c.programs, last)
		}
		if last == nil {
			return c, fmt.Errorf("programs.tsv:%d: no program to add to", i+1)
		}
		last.links = append(last.links, l)
	}
	return c, nil
}

// parseLink reads the columns from how to sites.
func parseLink(cells []string) (link, error) {
	l := link{how: how(cells[0]), sites: newDestinations(strings.Split(cells[6], ","))}
	var known bool
	if l.sigma, known = manners[l.how]; !known {
		return l, fmt.Errorf("%q is no way to use the network", cells[0])
	}
	var err error
	if cells[1] != "0" {
		if l.every, err = time.ParseDuration(cells[1]); err != nil {
			return l, fmt.Errorf("column every: %w", err)
		}
	}
	for i, to := range []*float64{&l.jitter, &l.up, &l.down} {
		if *to, err = strconv.ParseFloat(cells[2+i], 64); err != nil {
			return l, fmt.Errorf("column %d: %w", 5+i, err)
		}
	}
	return l, nil
}

// parseShares reads the share of the hosts of each role.
func parseShares(s string) (map[Role]float64, error) {
	shares := make(map[Role]float64)
	for _, item := range strings.Split(s, ",") {
		name, number, _ := strings.Cut(item, "=")
		x, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return nil, fmt.Errorf("the share of %q: %w", name, err)
		}
		if name != "all" {
			shares[Role(name)] = x
			continue
		}
		for _, r := range roles {
			shares[r.role] = x
		}
	}
	return shares, nil
}

// browsers are handled apart: what they do is in browse.go.
func browsers() []*Program {
	share := func(people, machines float64) map[Role]float64 {
		m := make(map[Role]float64)
		for _, r := range roles {
			m[r.role] = machines
			if r.role.attended() {
				m[r.role] = people
			}
		}
		return m
	}
	chrome := newProgram(`C:\Program Files\Google\Chrome\Application\chrome.exe`, Browsing)
	edge := newProgram(`C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe`, Browsing)
	firefox := newProgram(`C:\Program Files\Mozilla Firefox\firefox.exe`, Browsing)
	chrome.share, edge.share, firefox.share = share(0.7, 0.1), share(0.8, 0.5), share(0.1, 0)
	return []*Program{chrome, edge, firefox}
}

// The made-up software.
const (
	headRanks  = 8   // of the Zipf law, which the known products fill
	middle     = 400 // products of the law beyond those
	zipfFirst  = 0.9 // share of the hosts that have the first
	zipfPower  = 0.9
	mostShare  = 0.97
	nichePer   = 0.4 // identities on one to three hosts, for each host
	leastNiche = 12
)

// growTail adds the products that few hosts have.
func (f *Fleet) growTail(d dice) {
	for k := headRanks; k < headRanks+middle; k++ {
		p := f.product(d, App, d.chance(0.9))
		p.share = tailShare(d, min(mostShare, zipfFirst*math.Pow(float64(k), -zipfPower)))
		f.programs = append(f.programs, p)
	}
	for range max(leastNiche, int(nichePer*float64(f.Hosts))) {
		p := f.product(d, Niche, d.chance(0.6))
		for _, h := range d.some(1+d.IntN(3), f.Hosts) {
			f.extra[h] = append(f.extra[h], p)
		}
	}
}

// tailShare spreads a product's share over the roles: most are for one role
// before others. Servers have few programs.
func tailShare(d dice, share float64) map[Role]float64 {
	home, special := pick(d, roles).role, d.chance(0.6)
	m := make(map[Role]float64)
	for _, r := range roles {
		x := share
		switch {
		case special && r.role == home:
			x = min(mostShare, 3*share)
		case special:
			x = 0.3 * share
		}
		if !r.role.attended() {
			x *= 0.25
		}
		m[r.role] = x
	}
	return m
}

var (
	vendors = []string{"Lumetra", "Kadenz", "Brightfold", "Oskar", "Veyra", "Tessel", "Norvik", "Halden", "Pinemark", "Quillon",
		"Sarto", "Meridian", "Axon", "Copperleaf", "Delphine", "Ferrum", "Glasswing", "Hexa", "Inkwell", "Juniper Lane"}
	products = []string{"Desk", "Studio", "Viewer", "Connect", "Planner", "Scan", "Capture", "Reports", "Link", "Notes",
		"Flow", "Suite", "Monitor", "Archive", "Survey", "Print", "Label", "Timer", "Forms", "Vault", "Bridge", "Assist"}
)

// product makes up a program with what it does on the network.
func (f *Fleet) product(d dice, origin Origin, signed bool) *Program {
	f.tails++
	vendor, name := pick(d, vendors), pick(d, products)
	if round := f.tails / 7; round > 0 {
		name += strconv.Itoa(round)
	}
	file := strings.ToLower(strings.ReplaceAll(vendor+name, " ", ""))
	p := newProgram(d.folder(vendor, name, signed)+`\`+file+".exe", origin)
	if !signed {
		p.Signed = false
		if d.chance(0.35) {
			p.bare()
		}
	}
	domain := strings.ToLower(strings.ReplaceAll(vendor, " ", "")) + "-" + strings.ToLower(name) + ".example"
	first := newDestination("www." + domain)
	if d.chance(0.1) {
		first = newDestination(strings.TrimSuffix(domain, "example") + pick(d, hosting))
	}
	for i := range 1 + d.poisson(0.8) {
		if l := d.habit(); i == 0 {
			l.sites = []*Destination{first}
			p.links = append(p.links, l)
		} else {
			l.sites = []*Destination{d.service(domain)}
			if d.chance(0.4) {
				l.sites = []*Destination{pick(d, f.web.sites[:400])}
			}
			p.links = append(p.links, l)
		}
	}
	return p
}

// folder returns where a product lies.
func (d dice) folder(vendor, name string, signed bool) string {
	x := d.Float64()
	if !signed {
		x += 0.35
	}
	switch {
	case x < 0.75:
		return `C:\Program Files\` + vendor + `\` + name
	case x < 0.95:
		return `C:\Users\USER\AppData\Local\Programs\` + name
	case x < 1.05:
		return `C:\Users\USER\AppData\Roaming\` + vendor + name
	case x < 1.15:
		return `C:\ProgramData\` + vendor + name
	case x < 1.25:
		return `C:\Tools\` + name
	}
	return `C:\Users\USER\Downloads\` + name
}

// habit returns one way to use the network, without the sites: people drive
// most programs, and many ask for updates or licences by themselves.
func (d dice) habit() link {
	l := link{how: use, every: time.Duration(d.scale(0.4, 6) * float64(time.Hour)), jitter: d.between(0.1, 0.9), up: d.around(9000, 1), down: d.around(30_000, 1)}
	switch x := d.Float64(); {
	case x < 0.2:
		l.how, l.every, l.jitter = poll, time.Duration(d.scale(0.2, 12)*float64(time.Hour)), d.between(0.01, 0.3)
		l.up, l.down = d.around(2500, 0.6), d.around(2500, 0.8)
	case x < 0.33:
		l.how, l.every, l.jitter = watch, time.Duration(d.scale(0.1, 2)*float64(time.Hour)), d.between(0.01, 0.3)
		l.up, l.down = d.around(2500, 0.6), d.around(2500, 0.8)
	case x < 0.42:
		l.how, l.every, l.jitter = task, time.Duration(d.scale(1, 24)*float64(time.Hour)), d.between(0.01, 0.3)
		l.up, l.down = d.around(2500, 0.6), d.around(4500, 0.8)
	case x < 0.47:
		l.how, l.up = push, d.around(90_000, 1)
	}
	l.sigma = manners[l.how]
	return l
}
