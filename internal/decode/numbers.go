package decode

import (
	"cmp"
	"slices"

	"github.com/postern/postern/internal/event"
)

// A Log is one event log of one host.
type Log struct {
	Host   string
	Source event.Source
}

// Numbers are those records of a log that an input has, by their numbers, also
// of the records that are of no use here. Windows counts the records of a log
// without leaving a number out: what lacks was lost, or never exported. The
// zero Numbers have none.
type Numbers struct {
	// Unused counts records of kinds that are of no use here. An export that
	// was restricted to the kinds of interest has none.
	Unused int64

	// Scattered says that there were too many holes to keep count.
	Scattered bool

	runs []run // ordered, with holes between them
}

// A run is record numbers without a hole.
type run struct{ first, last uint64 }

// maxRuns bounds the memory for one log. A log of which more is missing was
// exported in part.
const maxRuns = 8192

// Add adds a record's number; 0 is none.
func (n *Numbers) Add(record uint64) {
	if last := len(n.runs) - 1; last >= 0 && record > 0 && n.runs[last].last == record-1 {
		n.runs[last].last = record // as nearly always
		return
	}
	if record > 0 {
		n.insert(run{record, record})
	}
}

// Merge adds what m has.
func (n *Numbers) Merge(m *Numbers) {
	n.Unused += m.Unused
	n.Scattered = n.Scattered || m.Scattered
	for _, r := range m.runs {
		n.insert(r)
	}
}

// insert adds a run, and joins it with those that it touches.
func (n *Numbers) insert(r run) {
	if n.Scattered {
		return
	}
	i, _ := slices.BinarySearchFunc(n.runs, r.first, func(x run, first uint64) int {
		if x.last < first-1 { // first is never 0
			return -1
		}
		return 1
	})
	j := i
	for ; j < len(n.runs) && n.runs[j].first-1 <= r.last; j++ {
		r = run{min(r.first, n.runs[j].first), max(r.last, n.runs[j].last)}
	}
	n.runs = slices.Replace(n.runs, i, j, r)
	if len(n.runs) > maxRuns {
		n.Scattered, n.runs = true, nil
	}
}

// Holes says what lacks between the first and the last record.
type Holes struct {
	First, Last uint64 // numbers
	Seen        uint64 // records
	Holes       int
	Missing     uint64 // records
	Longest     uint64 // records in a row
}

// Holes returns what lacks, and false when nothing is known.
func (n *Numbers) Holes() (Holes, bool) {
	if n.Scattered || len(n.runs) == 0 {
		return Holes{}, false
	}
	h := Holes{First: n.runs[0].first, Last: n.runs[len(n.runs)-1].last, Holes: len(n.runs) - 1}
	for i, r := range n.runs {
		h.Seen += r.last - r.first + 1
		if i > 0 {
			gap := r.first - n.runs[i-1].last - 1
			h.Missing += gap
			h.Longest = max(h.Longest, gap)
		}
	}
	return h, true
}

// maxLogs bounds how many logs of an input are numbered.
const maxLogs = 100_000

// Number notes a record of a log by its number, and whether it is of no use
// here.
func (t *Tally) Number(l Log, record uint64, unused bool) {
	n := t.Numbers[l]
	if n == nil {
		if len(t.Numbers) >= maxLogs {
			return
		}
		if t.Numbers == nil {
			t.Numbers = make(map[Log]*Numbers)
		}
		n = new(Numbers)
		t.Numbers[l] = n
	}
	if unused {
		n.Unused++
	}
	n.Add(record)
}

// Compare orders logs by host, then source.
func (l Log) Compare(m Log) int {
	return cmp.Or(cmp.Compare(l.Host, m.Host), cmp.Compare(l.Source, m.Source))
}
