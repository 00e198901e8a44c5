package schema

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/postern/postern/internal/event"
)

// A Pile gathers what was read of one kind, duplicates and all. It is kept in
// the runs that it came in, so that nothing is copied before its final place is
// known.
type Pile[E any] struct {
	runs [][]E
	rows int
}

// Add adds rows, which p keeps. Its error is always nil.
func (p *Pile[E]) Add(rows []E) error {
	p.runs = append(p.runs, rows)
	p.rows += len(rows)
	return nil
}

// A place is where an event lies, and what orders it.
type place struct {
	time     event.Time
	key      event.Key
	identity uint64
	run, row int32
}

func (a place) compare(b place) int {
	if a.time != b.time {
		return cmp.Compare(a.time, b.time)
	}
	if a.key != b.key {
		return cmp.Compare(a.key, b.key)
	}
	return cmp.Compare(a.identity, b.identity)
}

// Events returns each event once, ordered by time and key. It spends p.
func (p *Pile[E]) Events(k Kind[E]) []E {
	if p.rows == 0 {
		return nil
	}
	order := p.places(k)
	slices.SortFunc(order, place.compare)
	sorted := make([]E, len(order))
	for i, at := range order {
		sorted[i] = p.runs[at.run][at.row]
	}
	p.runs = nil
	return sorted
}

// places finds the best report of each event.
func (p *Pile[E]) places(k Kind[E]) []place {
	order := make([]place, 0, p.rows)
	seen := make(map[uint64]int32, p.rows)
	for r, run := range p.runs {
		for i := range run {
			e := &run[i]
			at := place{k.time(e), k.key(e), 0, int32(r), int32(i)}
			at.identity = k.identity(at.key, e)
			n, dup := seen[at.identity]
			if !dup {
				seen[at.identity] = int32(len(order))
				order = append(order, at)
				continue
			}
			if had := order[n]; k.better(e, &p.runs[had.run][had.row]) {
				order[n] = at
			}
		}
	}
	return order
}

// identity mixes the key and the client of e.
func (k *Kind[E]) identity(key event.Key, e *E) uint64 {
	id := uint64(key)
	if k.client == nil {
		return id
	}
	b := k.client(e).As16()
	hi, lo := binary.LittleEndian.Uint64(b[:8]), binary.LittleEndian.Uint64(b[8:])
	// Odd constants of splitmix64 spread what differs over all bits.
	return id ^ (hi*0x9e3779b97f4a7c15+lo)*0xbf58476d1ce4e5b9
}
