package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// A row is one cluster as a fit sees it: the parts of its score by name, and
// whether it shows an attack.
type row struct {
	seed   uint64
	hosts  int
	deed   int // its number, or -1 for a harmless cluster
	kind   string
	weight float64 // of a deed's rows, or of the rows that a row stands for
	pair   pair
	score  float64
	parts  map[string]float64
}

// rows returns the clusters of a scene. The rows of a deed weigh together as
// one.
func (s *scene) rows(seed uint64, clusters []cluster) []row {
	l := s.marked(clusters)
	shown := make(map[int]int)
	for _, m := range l.marks {
		if len(m.deeds) > 0 {
			shown[m.deeds[0]]++
		}
	}
	rows := make([]row, len(clusters))
	for i, c := range clusters {
		r := row{seed: seed, hosts: s.config.Hosts, deed: -1, kind: string(l.marks[i].origin), weight: 1, score: c.score, pair: pair{c.program, c.domain}, parts: make(map[string]float64)}
		if d := l.marks[i].deeds; len(d) > 0 {
			r.deed, r.kind, r.weight = d[0], string(l.deeds[d[0]]), 1/float64(shown[d[0]])
		}
		for _, p := range c.parts() {
			r.parts[p.name] += p.points
		}
		rows[i] = r
	}
	return rows
}

// partNames returns the names of all parts, ordered.
func partNames(rows []row) []string {
	seen := make(map[string]bool)
	for i := range rows {
		for name := range rows[i].parts {
			seen[name] = true
		}
	}
	var names []string
	for name := range seen {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// writeRows writes rows as a table: a line of names, and a line for each
// cluster with its parts behind what it is.
func writeRows(w io.Writer, rows []row) error {
	names := partNames(rows)
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "seed\thosts\tlabel\tkind\tdeed\tweight\tscore\tprogram\tdomain\t%s\n", strings.Join(names, "\t"))
	for i := range rows {
		fmt.Fprintln(b, rows[i].line(names))
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("writing the features: %w", err)
	}
	return nil
}

// line returns the cells of a row.
func (r *row) line(names []string) string {
	attack := 0
	if r.deed >= 0 {
		attack = 1
	}
	cells := []string{fmt.Sprintf("%d\t%d\t%d\t%s\t%d\t%g\t%g\t%s\t%s", r.seed, r.hosts, attack, r.kind, r.deed, r.weight, r.score, r.pair.program, r.pair.domain)}
	for _, name := range names {
		cells = append(cells, strconv.FormatFloat(r.parts[name], 'g', -1, 64))
	}
	return strings.Join(cells, "\t")
}

// Of the harmless rows of a fleet, the hardest are kept, and some of the
// others stand for the rest of them.
const (
	hardest  = 600
	standins = 400
	mostFor  = 20 // rows that one may stand for
)

// sample returns the rows of one fleet that a fit looks at.
func sample(rows []row) []row {
	var kept, harmless []row
	for _, r := range rows {
		if r.deed >= 0 {
			kept = append(kept, r)
		} else {
			harmless = append(harmless, r)
		}
	}
	slices.SortStableFunc(harmless, func(a, b row) int { return cmp.Compare(b.score, a.score) })
	n := min(hardest, len(harmless))
	kept = append(kept, harmless[:n]...)
	rest := harmless[n:]
	step := max(1, len(rest)/standins)
	for i := 0; i < len(rest); i += step {
		r := rest[i]
		r.weight = min(mostFor, float64(step))
		kept = append(kept, r)
	}
	return kept
}
