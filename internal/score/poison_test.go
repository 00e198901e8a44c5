package score

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/postern/postern/internal/baseline"
	"github.com/postern/postern/internal/destination"
	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/program"
	"github.com/postern/postern/internal/simulate/fleet"
	"github.com/postern/postern/internal/stats"
)

// What an attacker, or a machine gone wild, can teach the baseline is bounded.
// Each test below is one guard: it poisons a fleet of ordinary hosts and holds
// that what it should not excuse still scores.

const (
	poisonHosts = 80
	poisonDays  = 14
	day         = 24 * time.Hour
)

// ordinary is what an ordinary fleet does for two weeks. Nobody attacks it.
var ordinary = sync.OnceValues(func() ([]detect.Edge, error) {
	f, err := fleet.New(fleet.Config{Seed: 11, Hosts: poisonHosts, Days: poisonDays, Deeds: -1})
	if err != nil {
		return nil, err
	}
	var edges []detect.Edge
	for h := range f.Each() {
		edges = append(edges, detect.Measure(h.Sessions(), detect.Defaults())...)
	}
	return edges, nil
})

func background(t testing.TB) []detect.Edge {
	t.Helper()
	edges, err := ordinary()
	if err != nil {
		t.Fatal(err)
	}
	return edges
}

// A habit is what a program does on a host.
type habit struct {
	host, image, name string
	from, to          time.Duration // since the fleet's begin
	every             time.Duration
	jitter            float64 // of every, either way
	bytes             int64   // out, of each session
}

// edge returns the edge that the habit makes.
func (h habit) edge(t testing.TB) detect.Edge {
	t.Helper()
	r := rand.New(rand.NewPCG(uint64(len(h.host)), uint64(h.every)))
	domain, _ := destination.Domain(h.name)
	var sessions []event.Session
	begin := event.At(fleet.Epoch)
	for at := h.from; at < h.to; at += time.Duration(float64(h.every) * (1 + h.jitter*(2*r.Float64()-1))) {
		sessions = append(sessions, event.Session{
			Key: event.Key(len(sessions) + 1), Host: h.host, Rung: event.RungExact, Program: program.Template(h.image), PID: 7, GUID: "{7}",
			Image: h.image, Name: h.name, NameSource: event.NameSNI, Domain: domain,
			Dst: netip.MustParseAddrPort("198.51.100.9:443"), Proto: event.TCP, Start: begin.Add(at), Duration: 400_000,
			BytesOut: event.Count(h.bytes), BytesIn: 3000, Evidence: event.TLSHandshake, SNI: h.name, Established: event.Yes,
		})
	}
	edges := detect.Measure(sessions, detect.Defaults())
	if len(edges) != 1 {
		t.Fatalf("%d edges", len(edges))
	}
	return edges[0]
}

const (
	acme   = `C:\Program Files\Acme\acme.exe`
	other  = `C:\Program Files\Other\other.exe`
	shell  = `C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe`
	victim = "victim"

	// oneHost is how far one host may move a share: it is to be a twentieth of
	// the edges of a program at most, and of those of a class.
	oneHost = 0.12
)

// implant is a beacon that begins in the second week.
func implant(t testing.TB, host, image, name string) detect.Edge {
	return habit{host: host, image: image, name: name, from: 9 * day, to: 14 * day, every: 5 * time.Minute, jitter: 0.1, bytes: 1500}.edge(t)
}

// flood returns edges of one host's program to that many domains of its own.
func flood(n int, host, image string, change ...func(*detect.Edge)) []detect.Edge {
	var edges []detect.Edge
	for i := range n {
		edges = append(edges, edge(host, image, fmt.Sprintf("www.flood%d.example", i), change...))
	}
	return edges
}

func loud(e *detect.Edge) { e.BytesOut, e.Burst.BytesOut = 5e9, 1e9 }

// hosts returns the names of the hosts of the edges, in order.
func hosts(edges []detect.Edge) []string {
	var names []string
	for i := range edges {
		if _, err := netip.ParseAddr(edges[i].Host); err != nil {
			names = append(names, edges[i].Host)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// town is the ordinary fleet, with a company's program on thirty of its hosts
// that goes to three domains of the company.
func town(t testing.TB) []detect.Edge {
	edges := slices.Clone(background(t))
	for _, h := range hosts(edges)[:30] {
		for i := range 3 {
			edges = append(edges, edge(h, acme, fmt.Sprintf("www.acme%d.example", i)))
		}
	}
	return append(edges, edge(victim, acme, "www.acme0.example"), edge(victim, chrome, "www.example.org"))
}

// poisoned returns scorers that learnt the town with an edge in it, without the
// poison and with it.
func poisoned(t testing.TB, e detect.Edge, poison []detect.Edge) (clean, after *Scorer) {
	t.Helper()
	edges := append(town(t), e)
	return scorer(t, edges...), scorer(t, slices.Concat(edges, poison)...)
}

// shares returns what is normal, where an edge is asked about.
func shares(s *Scorer, e *detect.Edge) map[string]float64 {
	about := s.fleet.About(e)
	prior := priorOf(about.Class)
	regular, _ := about.Periodic(prior.periodic)
	return map[string]float64{
		"rare links": about.Links(0, prior.rareLink), "periodic": regular, "new": about.Young(about.Others()),
		"active for 200 h": about.AtLeast(baseline.Hours, 200), "off hours for 100 h": about.AtLeast(baseline.OffHours, 100),
		"connected for an hour": about.AtLeast(baseline.Connected, 3600),
		"a gigabyte":            about.AtLeast(baseline.BytesOut, 1e9), "a gigabyte at once": about.AtLeast(baseline.Burst, 1e9),
		"where nobody goes": about.Reach(0, 0), "where another goes": about.Reach(0, 1),
	}
}

// TestAHostTeachesItselfNothing: whatever a host's program does elsewhere, what
// it does here scores as before.
func TestAHostTeachesItselfNothing(t *testing.T) {
	for _, c := range []struct {
		name   string
		e      detect.Edge
		poison []detect.Edge
	}{
		{"rare links", implant(t, victim, acme, "a.example.net"), flood(10_000, victim, acme)},
		{"rhythms", implant(t, victim, shell, "a.example.net"), flood(200, victim, shell, beacon)},
		{"volume", edge(victim, acme, "www.drop.example", loud), flood(1000, victim, acme, loud)},
	} {
		t.Run(c.name, func(t *testing.T) {
			clean, after := poisoned(t, c.e, c.poison)
			x, y := clean.Explain(&c.e), after.Explain(&c.e)
			if math.Abs(x.Score-y.Score) > 0.05 {
				t.Errorf("%v, and %v after it\nbefore %+v\nafter  %+v", x.Score, y.Score, x.Parts, y.Parts)
			}
		})
	}
}

// TestOneHostTeachesLittle: however much one host does, it has one vote among
// many in what is normal for its program and class.
func TestOneHostTeachesLittle(t *testing.T) {
	drop := edge(victim, acme, "www.drop.example", loud)
	var tour []detect.Edge // one host's many programs, all to one domain
	for i := range 200 {
		tour = append(tour, edge("loud", fmt.Sprintf(`C:\Program Files\p%d\p.exe`, i), "a.example.net", beacon, loud))
	}
	for _, c := range []struct {
		name   string
		e      detect.Edge
		poison []detect.Edge
	}{
		{"rare links", implant(t, victim, acme, "a.example.net"), flood(10_000, "loud", acme)},
		{"rare links of another program", implant(t, victim, acme, "a.example.net"), flood(10_000, "loud", other)},
		{"rare links of its own other program", implant(t, victim, acme, "a.example.net"), flood(10_000, victim, other)},
		{"ten rhythms", implant(t, victim, shell, "a.example.net"), flood(10, "loud", shell, beacon)},
		{"many rhythms", implant(t, victim, shell, "a.example.net"), flood(200, "loud", shell, beacon)},
		{"volume", drop, flood(1000, "loud", acme, loud)},
		{"volume of another program", drop, flood(1000, "loud", other, loud)},
		{"many programs", implant(t, victim, acme, "a.example.net"), tour},
	} {
		t.Run(c.name, func(t *testing.T) {
			clean, after := poisoned(t, c.e, c.poison)
			before, far := shares(clean, &c.e), ""
			for name, is := range shares(after, &c.e) {
				// One of few hosts is more of them than a twentieth.
				limit := max(oneHost, 1.5/float64(clean.fleet.About(&c.e).Hosts()))
				if was := before[name]; math.Abs(is-was) > limit {
					far += fmt.Sprintf("; %s: %.3f, was %.3f", name, is, was)
				}
			}
			if far != "" {
				t.Errorf("a score of %v, was %v%s", after.Score(&c.e), clean.Score(&c.e), far)
			}
		})
	}
}

// TestManyHostsTeach: what one host cannot, many can: they are the fleet.
func TestManyHostsTeach(t *testing.T) {
	var poison []detect.Edge
	for i := range 40 {
		poison = append(poison, flood(1, fmt.Sprintf("admin%02d", i), shell, beacon)...)
	}
	e := implant(t, victim, shell, "a.example.net")
	clean, after := poisoned(t, e, poison)
	if was, is := points(clean.Explain(&e), "regular_timing"), points(after.Explain(&e), "regular_timing"); was < 1 || is > was/2 {
		t.Errorf("a rhythm has %v points, and %v where 40 hosts have one", was, is)
	}
}

// TestADomainIsCommonByItsHosts: whatever one host sends there, and by however
// many programs, a domain is no more common for it.
func TestADomainIsCommonByItsHosts(t *testing.T) {
	e := implant(t, victim, acme, "a.example.net")
	for hosts := range int64(4) {
		var poison []detect.Edge
		for i := range 50 * hosts {
			poison = append(poison, edge(fmt.Sprintf("loud%d", i%hosts), fmt.Sprintf(`C:\Program Files\p%d\p.exe`, i), "a.example.net", beacon, loud))
		}
		_, after := poisoned(t, e, poison)
		if got, pairs := after.fleet.OtherHosts(e.Domain), after.fleet.About(&e).OtherPairs(); got != hosts || pairs != 0 {
			t.Errorf("%d other hosts go there, %d by the program; want %d and none", got, pairs, hosts)
		}
	}
}

// TestAttacksDoNotTeachTheirOwnBaseline: a week of exfiltration is no less
// unusual for its edge than its first day.
func TestAttacksDoNotTeachTheirOwnBaseline(t *testing.T) {
	const days = 15 // the attack is nearly half of them
	quiet := func(i, d int) int64 { return 300_000 + int64(1000*((i*7+d*13)%50)) }
	sending := func(host string, bytes func(day int) int64) detect.Edge {
		return edge(host, acme, "www.acme0.example", func(e *detect.Edge) {
			e.Sessions, e.BytesOut, e.Last = days, 0, from.Add(days*day-time.Hour)
			for d := range days {
				e.BytesOut += bytes(d)
				e.Daily = append(e.Daily, detect.Day{Date: int32(from/86_400_000_000) + int32(d), Sessions: 1, BytesOut: bytes(d)})
			}
		})
	}
	course := func(since int) float64 {
		var edges []detect.Edge
		for i := range 60 {
			edges = append(edges, sending(fmt.Sprintf("h%02d", i), func(d int) int64 { return quiet(i, d) }))
		}
		e := sending(victim, func(d int) int64 {
			if d >= since {
				return 50e6
			}
			return quiet(3, d)
		})
		return points(scorer(t, append(edges, e)...).Explain(&e), "volume_course")
	}
	first, week := course(days-1), course(days-7)
	if first < 0.3 || week < first {
		t.Errorf("%v points on the first day, %v after a week", first, week)
	}
}

// TestTheWeekBeforeIsNoBaseline is the same, for the channel itself.
func TestTheWeekBeforeIsNoBaseline(t *testing.T) {
	daily := make([]float64, 15) // the attack is nearly half of them
	for i := range daily {
		daily[i] = 1e6 * (1 + 0.01*float64(i*i%17))
	}
	peers := stats.Peers{Mean: math.Log(1e6), SD: 1}
	last := len(daily) - 1
	daily[last] = 500e6
	alone := stats.Volume(daily, peers)[last].Lagged
	for i := last - 6; i < last; i++ {
		daily[i] = 500e6
	}
	if got := stats.Volume(daily, peers)[last].Lagged; got != alone {
		t.Errorf("%v deviations after a week of it, %v on the first day", got, alone)
	}
}

// TestBoilingFrog: half a megabyte that grows by a fifth each day shows within a
// fortnight on an edge that sent 50 kB a day.
func TestBoilingFrog(t *testing.T) {
	daily := make([]float64, 28)
	for i := range daily {
		daily[i] = 50e3 * (1 + 0.2*float64(i%3))
		if i >= 14 {
			daily[i] += 500e3 * math.Pow(1.2, float64(i-14))
		}
	}
	drift := stats.Volume(daily, stats.Peers{Mean: math.Log(50e3), SD: 1.4})
	if before, after := drift[13].Drift, drift[27].Drift; before > 2 || after < 15 {
		t.Errorf("the drift is %v before it and %v after a fortnight", before, after)
	}
}

// deployed is a program that comes to that many hosts within hours.
func deployed(t testing.TB, image string, onHosts int, at time.Duration) []detect.Edge {
	t.Helper()
	var edges []detect.Edge
	for i, h := range hosts(background(t))[:onHosts] {
		edges = append(edges, habit{
			host: h, image: image, name: "c2.example.net", from: at + time.Duration(i)*5*time.Minute, to: 14 * day,
			every: 30 * time.Minute, jitter: 0.2, bytes: 1500,
		}.edge(t))
	}
	return edges
}

// ranking returns the score of each cluster of a program and a domain, and the
// place that a cluster has among them, from 1.
func ranking(t testing.TB, edges []detect.Edge, of *detect.Edge) (best float64, place int) {
	type cluster struct{ program, domain string }
	s := scorer(t, edges...)
	all := make(map[cluster]float64)
	for i := range edges {
		k := cluster{edges[i].Program, edges[i].Domain}
		score := s.Score(&edges[i])
		if old, ok := all[k]; !ok || score > old {
			all[k] = score
		}
	}
	best, place = all[cluster{of.Program, of.Domain}], 1
	for _, score := range all {
		if score > best {
			place++
		}
	}
	return best, place
}

// TestDeployments: what nobody vouches for does not make itself common by being
// everywhere within a day; what an administrator installs is at once.
func TestDeployments(t *testing.T) {
	const budget = 5 * poisonDays // findings
	const morning = 9 * time.Hour
	town := background(t)
	massive := deployed(t, appdata, 40, 12*day+morning)
	score, place := ranking(t, slices.Concat(town, massive), &massive[0])
	if place > budget {
		t.Errorf("a program dropped on 40 of %d hosts in a day has place %d with a score of %v", poisonHosts, place, score)
	}
	// The last of its hosts gets it when it is there for a week.
	late := append(deployed(t, appdata, 39, 4*day+morning), massive[39])
	if seasoned := scorer(t, slices.Concat(town, late)...).Score(&late[39]); seasoned > score-2 {
		t.Errorf("a score of %v on the day of the deployment, %v on a host that follows after a week", score, seasoned)
	}
	rollOut := deployed(t, acme, poisonHosts/4, 12*day+morning)
	if score, place := ranking(t, slices.Concat(town, rollOut), &rollOut[0]); score > 0 || place <= budget {
		t.Errorf("a roll-out to a quarter of the hosts has place %d with a score of %v", place, score)
	}
}

// TestRenaming: a program that takes the name of a good one, but not its place,
// is what any new program is, or worse.
func TestRenaming(t *testing.T) {
	town := background(t)
	host := hosts(town)[7]
	scored := func(image string) Scored {
		e := implant(t, host, image, "a.example.net")
		return scorer(t, append(slices.Clone(town), e)...).Explain(&e)
	}
	plain := scored(`C:\Users\ann\AppData\Roaming\x\fresh.exe`)
	for _, name := range []string{
		"svchost.exe", "chrome.exe", "msedge.exe", "OneDrive.exe", "MsMpEng.exe", "GoogleUpdate.exe", "Teams.exe", "TeamViewer.exe", "powershell.exe",
	} {
		if got := scored(`C:\Users\ann\AppData\Roaming\x\` + name); got.Score < plain.Score {
			t.Errorf("%s has a score of %v, %v under a name of its own: %+v", name, got.Score, plain.Score, got.Parts)
		}
	}
}

// clips are the least and the most that each part may say, before its weight.
var clips = map[string][2]float64{
	"program_rarity": {leastProgram, 5}, "program_unknown": {math.Inf(-1), 0}, "program_class": {-1.5, 1},
	"program_location": {0, 1}, "program_masquerade": {0, 2},
	"destination_rarity": {leastLink, 5}, "destination_unnamed": {math.Inf(-1), 0}, "destination_shared": {leastShared, 3},
	"destination_class": {-1, 1}, "new": {leastNew, 3},
	"volume": {0, 7}, "volume_course": {0, 7}, "transfer": {0, 7},
	"regular_timing": {0, 5}, "activity": {0, 5}, "off_hours": {0, 4},
	"odd_port": {0, 0.7}, "self_signed": {0, 1}, "weak_owner": {weakOwner, 0},
}

// TestNoPartDecidesAlone: however extreme the evidence, a part has its bounds.
func TestNoPartDecidesAlone(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		edges := anyEstate(r)
		s := scorer(r, edges...)
		s.weights = Weights{} // one each
		for i := range edges {
			for _, p := range s.Explain(&edges[i]).Parts {
				clip, ok := clips[p.Name]
				if !ok || p.Points < clip[0] || p.Points > clip[1] {
					r.Errorf("%s says %v, of %v", p.Name, p.Points, clip)
				}
			}
		}
	})
}

// attacked is the ordinary fleet with an attack on each of some hosts.
func attacked(t testing.TB) (edges, attacks []detect.Edge) {
	edges = background(t)
	names := hosts(edges)
	for i, h := range []habit{
		{image: appdata, name: "a.example.net", every: 5 * time.Minute, bytes: 1500},
		{image: rundll, name: "b.example.com", every: 15 * time.Minute, bytes: 1500},
		{image: rclone, name: "g.api.mega.co.nz", every: 4 * time.Minute, bytes: 9e5},
		{image: `C:\Users\ann\AppData\Roaming\x\svchost.exe`, name: "c.example.org", every: 4 * time.Hour, bytes: 2000},
		{image: chrome, name: "transfer.example.io", every: 4 * time.Minute, bytes: 9e5},
		{image: onedrive, name: "d.example.dev", every: 30 * time.Minute, bytes: 2000},
	} {
		h.host, h.from, h.to, h.jitter = names[10*(i+1)], 9*day, 14*day, 0.2
		attacks = append(attacks, h.edge(t))
	}
	return slices.Concat(edges, attacks), attacks
}

// cloned returns edges with a thousand clones of one ordinary host.
func cloned(edges []detect.Edge) []detect.Edge {
	host := hosts(edges)[33]
	more := slices.Clone(edges)
	for i := range edges {
		for n := range 1000 {
			if e := edges[i]; e.Host == host {
				e.Host = fmt.Sprintf("clone%04d", n)
				more = append(more, e)
			}
		}
	}
	return more
}

// TestClonesHideNothing: a thousand clones of an ordinary host leave what stands
// out where it was, or higher.
func TestClonesHideNothing(t *testing.T) {
	edges, attacks := attacked(t)
	before, after := scorer(t, edges...), scorer(t, cloned(edges)...)
	for i := range attacks {
		a := &attacks[i]
		if was, is := before.Score(a), after.Score(a); is < was-0.1 {
			t.Errorf("%s to %s has %v, and %v among the clones", a.Program, a.Domain, was, is)
		}
	}
}

// TestHostsChangePlaces: which host is which changes no score.
func TestHostsChangePlaces(t *testing.T) {
	edges, _ := attacked(t)
	names := hosts(edges)
	place := make(map[string]string, len(names))
	for i, h := range names {
		place[h] = names[(37*i+11)%len(names)]
	}
	swapped := slices.Clone(edges)
	for i := range swapped {
		if h, ok := place[swapped[i].Host]; ok {
			swapped[i].Host = h
		}
	}
	a, b := scorer(t, edges...), scorer(t, swapped...)
	for i := range edges {
		if x, y := a.Score(&edges[i]), b.Score(&swapped[i]); math.Abs(x-y) > 0.011 { // a part's last digit
			t.Fatalf("%v as %s, %v as %s", x, edges[i].Host, y, swapped[i].Host)
		}
	}
}
