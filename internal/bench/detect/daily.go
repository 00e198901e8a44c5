package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/simulate/fleet"
)

const dayLength = 24 * time.Hour

// budgets are how many new clusters a day shows.
var budgets = []int{1, 2, 5, 10, 20}

// A diary is what a rule showed on the days of one fleet, each cluster once.
type diary struct {
	shown       map[pair]bool
	found       map[int]int // the day on which each deed was
	places      int
	right       int
	byOrigin    map[fleet.Origin]int
	budget, day int
}

// write shows the best clusters of a day that were not shown before.
func (d *diary) write(clusters []cluster, l list) {
	left := d.budget
	for i := 0; i < len(clusters) && left > 0; i++ {
		k := pair{clusters[i].program, clusters[i].domain}
		if d.shown[k] {
			continue
		}
		d.shown[k] = true
		left--
		d.places++
		if len(l.marks[i].deeds) == 0 {
			d.byOrigin[l.marks[i].origin]++
			continue
		}
		d.right++
		for _, n := range l.marks[i].deeds {
			if _, ok := d.found[n]; !ok {
				d.found[n] = d.day
			}
		}
	}
}

// daily has the rules list what is known on each day of the fleets' second
// half.
func (o options) daily(ctx context.Context, rules []ranker) ([]result, error) {
	sums := make([]dailySum, len(rules))
	for i := range sums {
		sums[i] = newDailySum(rules[i].name)
	}
	for _, seed := range o.seedList() {
		f, err := o.fleet(seed)
		if err != nil {
			return nil, err
		}
		if err := diarise(ctx, f, rules, sums); err != nil {
			return nil, fmt.Errorf("fleet of seed %d: %w", seed, err)
		}
		o.progress("seed %d", seed)
	}
	results := make([]result, len(rules))
	for i := range sums {
		results[i] = sums[i].result()
	}
	return results, nil
}

// diarise keeps the diaries of one fleet.
func diarise(ctx context.Context, f *fleet.Fleet, rules []ranker, sums []dailySum) error {
	diaries := make([][]*diary, len(rules))
	for i := range diaries {
		for _, b := range budgets {
			diaries[i] = append(diaries[i], &diary{shown: make(map[pair]bool), found: make(map[int]int), byOrigin: make(map[fleet.Origin]int), budget: b})
		}
	}
	from, _ := f.Period()
	first := f.Days/2 + 1
	var s *scene
	for n := first; n <= f.Days; n++ {
		s = play(f, from.Add(time.Duration(n)*dayLength))
		for i, rule := range rules {
			clusters, err := rule.rank(ctx, s.edges)
			if err != nil {
				return fmt.Errorf("%s: %w", rule.name, err)
			}
			l := s.marked(clusters)
			for _, d := range diaries[i] {
				d.day = n
				d.write(clusters, l)
			}
		}
	}
	for i := range rules {
		for _, d := range diaries[i] {
			sums[i].add(d, s, from, first)
		}
	}
	return nil
}

func perDay(budget int) string { return strconv.Itoa(budget) + "/day" }

// A dailySum sums up the diaries of a rule over fleets.
type dailySum struct {
	rule    string
	deeds   map[fleet.Kind]int
	found   map[fleet.Kind]map[string]int // by budget
	delay   map[string]int                // days
	places  map[string]int
	right   map[string]int
	origins map[fleet.Origin]int // at the middle budget
	fleets  int
}

func newDailySum(rule string) dailySum {
	return dailySum{
		rule: rule, deeds: make(map[fleet.Kind]int), found: make(map[fleet.Kind]map[string]int), delay: make(map[string]int),
		places: make(map[string]int), right: make(map[string]int), origins: make(map[fleet.Origin]int),
	}
}

// filled is the budget whose harmless places are counted by origin.
const filled = 5

// add adds a diary that is complete. The delay of a deed counts from the day
// on which it began, or on which the diary did.
func (s *dailySum) add(d *diary, last *scene, from event.Time, first int) {
	b := perDay(d.budget)
	s.places[b] += d.places
	s.right[b] += d.right
	if d.budget == filled {
		s.fleets++
		for o, n := range d.byOrigin {
			s.origins[o] += n
		}
	}
	for n, deed := range last.truth.Deeds {
		if deed.Sessions == 0 {
			continue
		}
		if d.budget == filled {
			s.deeds[deed.Kind]++
		}
		day, ok := d.found[n]
		if !ok {
			continue
		}
		if s.found[deed.Kind] == nil {
			s.found[deed.Kind] = make(map[string]int)
		}
		s.found[deed.Kind][b]++
		s.delay[b] += day - max(first, 1+int(deed.First.Sub(from)/dayLength))
	}
}

// result returns what the diaries say together.
func (s *dailySum) result() result {
	r := result{
		Rule: s.rule, Recall: make(map[string]float64), Precision: make(map[string]float64), Delay: make(map[string]float64),
		Fill: make(map[fleet.Origin]float64),
	}
	total := make(map[string]int)
	for _, kind := range fleet.Kinds() {
		if s.deeds[kind] == 0 {
			continue
		}
		r.Deeds += s.deeds[kind]
		k := kindResult{Kind: kind, Deeds: s.deeds[kind], Recall: make(map[string]float64)}
		for _, b := range budgets {
			n := s.found[kind][perDay(b)]
			total[perDay(b)] += n
			k.Recall[perDay(b)] = ratio(n, k.Deeds)
		}
		r.Kinds = append(r.Kinds, k)
	}
	for _, b := range budgets {
		name := perDay(b)
		r.Recall[name] = ratio(total[name], r.Deeds)
		r.Precision[name] = ratio(s.right[name], s.places[name])
		r.Delay[name] = ratio(s.delay[name], total[name])
	}
	for o, n := range s.origins {
		r.Fill[o] = ratio(n, s.fleets)
	}
	return r
}

func ratio(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}
