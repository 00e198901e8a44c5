package decode

import (
	"fmt"
	"maps"
	"slices"
)

// maxPositions bounds how many skipped records a Tally remembers by position.
const maxPositions = 20

// A Tally is the account of one input: what was read, what was left out on
// purpose, and what could not be read, with the reason and the place.
//
// Records = events + Ignored + Skipped, unless a record gives several events.
type Tally struct {
	Records int64 // records seen
	Events  int64 // events made of them

	// Ignored counts records that were understood and are of no use here,
	// by what they are: "Sysmon 10", "zeek weird".
	Ignored map[string]int64

	// Skipped counts records that could not be read, by reason.
	Skipped map[string]int64

	// Positions are the first skipped records.
	Positions []Position

	// Clocks counts events by the clock that their times come from:
	// "System/TimeCreated".
	Clocks map[string]int64

	// Warnings are facts about the input that a reader of the results must
	// know, each once: "times are local and marked Z".
	Warnings []string

	// Numbers are the records of each event log by their numbers, where the
	// format keeps those.
	Numbers map[Log]*Numbers
}

// A Position says which record was skipped and why.
type Position struct {
	Where  string // "line 12", "record 5 in chunk 2"
	Reason string
}

// Ignore counts a record that is of no use here.
func (t *Tally) Ignore(what string) {
	if t.Ignored == nil {
		t.Ignored = make(map[string]int64)
	}
	t.Ignored[what]++
}

// Skip counts a record that could not be read. The reason is one of few, so
// that it can be counted by; what is special to the record goes to where.
func (t *Tally) Skip(where, reason string) {
	if t.Skipped == nil {
		t.Skipped = make(map[string]int64)
	}
	t.Skipped[reason]++
	if len(t.Positions) < maxPositions {
		t.Positions = append(t.Positions, Position{where, reason})
	}
}

// SkipLine is Skip for the line of that number, counted from 1.
func (t *Tally) SkipLine(line int64, reason string) {
	t.Skip(fmt.Sprintf("line %d", line), reason)
}

// Clock counts n events whose times come from that clock.
func (t *Tally) Clock(name string, n int64) {
	if t.Clocks == nil {
		t.Clocks = make(map[string]int64)
	}
	t.Clocks[name] += n
}

// Warn notes a fact about the input, once.
func (t *Tally) Warn(fact string) {
	if !slices.Contains(t.Warnings, fact) {
		t.Warnings = append(t.Warnings, fact)
	}
}

// SkippedTotal returns the number of skipped records.
func (t *Tally) SkippedTotal() int64 { return sum(t.Skipped) }

// IgnoredTotal returns the number of ignored records.
func (t *Tally) IgnoredTotal() int64 { return sum(t.Ignored) }

// MainClock returns the clock that most events use, or "" without events.
func (t *Tally) MainClock() string {
	best := ""
	for _, c := range slices.Sorted(maps.Keys(t.Clocks)) {
		if best == "" || t.Clocks[c] > t.Clocks[best] {
			best = c
		}
	}
	return best
}

func sum(m map[string]int64) int64 {
	var n int64
	for _, v := range m {
		n += v
	}
	return n
}
