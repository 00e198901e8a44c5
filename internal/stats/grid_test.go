package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
)

// An implant is a beacon as a sensor sees it: through a window, on a machine
// that may be off at night, with an operator who comes by.
type implant struct {
	beacon
	span    float64 // seconds: the window
	from    float64 // seconds into the week
	latency float64 // seconds: the median
	office  bool    // the machine is on from nine to five
	visits  int     // phases of a few minutes with a sleep of seconds
}

// sleeps are the periods of the grid, in seconds: 30 s to 6 h.
var sleeps = []float64{30, 60, 120, 300, 600, 1200, 3600, 7200, 21600}

// implants draws a grid of the implants that succeed often enough to be seen.
func implants(r *rand.Rand, each int) []implant {
	var all []implant
	for _, span := range spans {
		for _, period := range sleeps {
			for _, jitter := range []float64{0, 0.1, 0.3, 0.5} {
				for _, missed := range []float64{0, 0.1, 0.3} {
					for form := range 3 {
						for range each {
							v := implant{
								beacon:  beacon{period: period, jitter: jitter, form: form, missed: missed},
								span:    span,
								from:    9*3600 + float64(r.IntN(5))*day,
								latency: logNormal(r, 0.3, 1),
								office:  r.Float64() < 0.5 && span >= day,
							}
							if r.Float64() < 0.25 {
								v.double = 0.3
							}
							if r.Float64() < 0.3 {
								v.visits = 1 + r.IntN(3)
							}
							if v.expected() >= 8 {
								all = append(all, v)
							}
						}
					}
				}
			}
		}
	}
	return all
}

// expected returns about how many contacts the window shows.
func (v *implant) expected() float64 {
	n := v.span / v.period * (1 - v.missed)
	if v.office {
		n /= 3
	}
	return n
}

// draw returns the instants of the contacts.
func (v *implant) draw(r *rand.Rand) []int64 {
	var out []float64
	for t := -v.period * r.Float64(); t < v.span; {
		j := r.Float64()
		switch v.form {
		case 0:
			j = -j
		case 1:
			j = 2*j - 1
		}
		t += v.period*(1+v.jitter*j) + logNormal(r, v.latency, 0.7)
		hour := math.Mod(v.from+t, day) / 3600
		if t < 0 || t > v.span || v.office && (hour < 9 || hour >= 17) || r.Float64() < v.missed {
			continue
		}
		out = append(out, t)
		if r.Float64() < v.double {
			out = append(out, t+0.2+r.Float64())
		}
	}
	for range min(v.visits, len(out)) {
		t := out[r.IntN(len(out))]
		for end := t + 180*r.ExpFloat64(); t < end && t < v.span; t += 1 + 4*r.Float64() {
			out = append(out, t)
		}
	}
	return micros(out)
}

// A rule is a p-value of one look.
type rule func(*look) float64

// whole is the timing test as it is.
func whole(l *look) float64 { return l.p(&nullEntropy, &nullRatio) }

// entropyOnly is the timing test without renewal processes.
func entropyOnly(l *look) float64 { return nullEntropy.p(l.scale, l.n, l.entropy) }

// ungated is the timing test that fits a renewal process always.
func ungated(l *look) float64 {
	return math.Sqrt(entropyOnly(l) * nullRatio.p(l.scale, l.n, l.renewal().Ratio))
}

// p returns the p-value of a series, 1 where no scale can tell.
func (s series) p(by rule) float64 {
	var all combination
	for i := range s {
		all.add(by(&s[i]), scales[s[i].scale].weight)
	}
	return all.p()
}

// A contact is an implant of the grid and what the timing test sees of it.
type contact struct {
	implant
	series
}

// grid is drawn once: two implants for each cell.
var grid = sync.OnceValue(func() []contact {
	r := rand.New(rand.NewPCG(21, 1))
	var all []contact
	for _, v := range implants(r, 2) {
		all = append(all, contact{v, observe(v.draw(r))})
	}
	return all
})

// A seen is how an implant fared in a test.
type seen struct {
	implant
	p float64
}

// outcome is how a test fared over the grid and, sorted, over series without
// a rhythm.
type outcome struct {
	found []seen
	null  []float64
}

// try judges the grid and the silent series by a rule.
func try(by rule) outcome {
	var o outcome
	for _, c := range grid() {
		o.found = append(o.found, seen{c.implant, c.p(by)})
	}
	for _, s := range silent() {
		if len(s) > 0 {
			o.null = append(o.null, s.p(by))
		}
	}
	slices.Sort(o.null)
	return o
}

// wrong returns the share of the series without a rhythm below p.
func (o *outcome) wrong(p float64) float64 {
	n, _ := slices.BinarySearch(o.null, p)
	return float64(n) / float64(len(o.null))
}

// right returns the share below p of the implants that a rule picks.
func (o *outcome) right(p float64, pick func(*implant) bool) float64 {
	n, of := 0, 0
	for i := range o.found {
		if pick(&o.found[i].implant) {
			of++
			n += count(o.found[i].p < p)
		}
	}
	return float64(n) / float64(max(of, 1))
}

func anyone(*implant) bool { return true }

// at returns the p-value below which a share of the series without a rhythm
// is.
func (o *outcome) at(share float64) float64 { return o.null[int(share*float64(len(o.null)))] }

// report logs how many implants are found at a p-value.
func (o *outcome) report(t *testing.T, name string, p float64) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "%s, p < %.2g: TPR %.3f of %d, FPR %.5f of %d\n", name, p,
		o.right(p, anyone), len(o.found), o.wrong(p), len(o.null))
	for _, jitter := range []float64{0, 0.1, 0.3, 0.5} {
		fmt.Fprintf(&b, "jitter %2.0f %%:", 100*jitter)
		for _, missed := range []float64{0, 0.1, 0.3} {
			fmt.Fprintf(&b, "  missed %2.0f %% %.3f", 100*missed,
				o.right(p, func(v *implant) bool { return v.jitter == jitter && v.missed == missed }))
		}
		for form, name := range []string{"below", "around", "above"} {
			fmt.Fprintf(&b, "  %s %.3f", name,
				o.right(p, func(v *implant) bool { return v.jitter == jitter && v.form == form }))
		}
		b.WriteByte('\n')
	}
	for _, span := range spans {
		fmt.Fprintf(&b, "window %.0f h %.3f  ", span/3600, o.right(p, func(v *implant) bool { return v.span == span }))
	}
	least := 0.0
	for _, most := range []float64{12, 20, 35, 70, 150, 500, 1e9} {
		fmt.Fprintf(&b, "n < %.0f %.3f  ", most, o.right(p, func(v *implant) bool { return v.expected() >= least && v.expected() < most }))
		least = most
	}
	t.Log(b.String())
}

// TestGrid is the promise of the timing test: of implants on a grid of
// periods, jitters, missed beats and windows nine in ten are found where two
// in a thousand series without a rhythm are, and more than the entropy finds.
func TestGrid(t *testing.T) {
	t.Parallel()
	full, half := try(whole), try(entropyOnly)
	for _, p := range []float64{1e-3, 2e-3} {
		full.report(t, "entropy and renewal", p)
		half.report(t, "entropy alone", p)
	}
	for _, share := range []float64{1e-3, 2e-3} {
		t.Logf("at FPR %v: TPR %.3f (p < %.2g); entropy alone %.3f", share,
			full.right(full.at(share), anyone), full.at(share), half.right(half.at(share), anyone))
	}
	const p = 2e-3
	if tpr, fpr := full.right(p, anyone), full.wrong(p); tpr < 0.9 || fpr > 2e-3 {
		t.Errorf("p < %v: TPR %.3f, FPR %.5f", p, tpr, fpr)
	}
	if a, b := full.right(1e-3, anyone), half.right(1e-3, anyone); a < b+0.02 {
		t.Errorf("TPR %.3f with renewal processes, %.3f without", a, b)
	}
}

// TestRate measures how often series without a rhythm look regular, by what
// they are.
func TestRate(t *testing.T) {
	if testing.Short() {
		t.Skip("simulates thousands of series")
	}
	t.Parallel()
	type rate struct{ tested, p2, p3, p4 int }
	all, rates := rate{}, make([]rate, len(aperiodic))
	for i, s := range silent() {
		if len(s) == 0 {
			continue
		}
		p := s.p(whole)
		for _, x := range []*rate{&all, &rates[i%len(aperiodic)]} {
			x.tested++
			x.p2 += count(p < 1e-2)
			x.p3 += count(p < 1e-3)
			x.p4 += count(p < 1e-4)
		}
	}
	for i, g := range aperiodic {
		t.Logf("%-9s %+v", g.name, rates[i])
	}
	t.Logf("all       %+v", all)
	if all.p2 > all.tested/100 || all.p3 > all.tested/1000 || all.p4 > all.tested/5000 {
		t.Errorf("p-values are not what they say: %+v", all)
	}
}

// TestGate measures what is lost by not fitting series of varied intervals,
// and how many are spared.
func TestGate(t *testing.T) {
	t.Parallel()
	with, without := try(whole), try(ungated)
	for _, p := range []float64{1e-4, 1e-3, 1e-2} {
		a, b := with.right(p, anyone), without.right(p, anyone)
		t.Logf("p < %v: TPR %.4f, %.4f without the gate", p, a, b)
		if a < b-0.002 {
			t.Errorf("p < %v: TPR %.4f, %.4f without the gate", p, a, b)
		}
	}
	looks, fitted := 0, 0
	for _, s := range silent() {
		for i := range s {
			looks++
			fitted += count(entropyOnly(&s[i]) <= worthFit)
		}
	}
	t.Logf("of series without a rhythm %.3f of the looks are fitted", float64(fitted)/float64(looks))
	if fitted > looks/5 {
		t.Errorf("%d of %d looks are fitted", fitted, looks)
	}
}

// TestWhole: what the tests above judge is what Regularity says.
func TestWhole(t *testing.T) {
	r := rand.New(rand.NewPCG(26, 1))
	for i, v := range implants(r, 1) {
		if i%10 != 0 {
			continue
		}
		times := v.draw(r)
		if got, want := Regularity(times).P, observe(times).p(whole); math.Abs(got-want) > 1e-9*want {
			t.Errorf("%+v: %v, want %v", v, got, want)
		}
	}
}

// A sample is a null of one observed reference.
type sample [len(scales)][len(bounds)]Tail

func (s *sample) p(scale, n int, x float64) float64 { return s[scale][rowOf(n)].P(x) }

// referenced returns the timing test against a reference.
func referenced(all *rows) rule {
	entropy, ratio := new(sample), new(sample)
	for s := range all {
		for row, looks := range all[s] {
			var e, r []float64
			for i := range looks {
				e, r = append(e, concentrated(&looks[i])), append(r, explained(&looks[i]))
			}
			entropy[s][row], ratio[s][row] = NewTail(e), NewTail(r)
		}
	}
	return func(l *look) float64 { return l.p(entropy, ratio) }
}

// contaminate adds looks at implants to each row, up to a share of it.
func contaminate(all *rows, share float64) {
	r := rand.New(rand.NewPCG(25, 1))
	var visitors []series
	for _, v := range implants(r, 1) {
		visitors = append(visitors, observe(v.draw(r)))
	}
	guests := byRow(visitors)
	for s := range all {
		for row := range all[s] {
			n := min(int(share/(1-share)*float64(len(all[s][row]))), len(guests[s][row]))
			all[s][row] = append(all[s][row], guests[s][row][:n]...)
		}
	}
}

// TestContamination: a reference of what people do has polling programs in it,
// and may have the implant itself.
func TestContamination(t *testing.T) {
	if testing.Short() {
		t.Skip("simulates thousands of series")
	}
	t.Parallel()
	all := byRow(simulate(23, 15_000))
	clean := try(referenced(all))
	contaminate(all, 0.03)
	dirty := try(referenced(all))
	const p = 1e-3
	a, b := clean.right(p, anyone), dirty.right(p, anyone)
	t.Logf("p < %v: TPR %.3f, FPR %.5f with a clean reference; %.3f, %.5f with 3 %% of implants in it",
		p, a, clean.wrong(p), b, dirty.wrong(p))
	if b < a-0.05 || dirty.wrong(p) > 2e-3 {
		t.Errorf("TPR %.3f with a clean reference, %.3f with 3 %% of implants in it (FPR %.5f)", a, b, dirty.wrong(p))
	}
}
