package stats

// Collapse reduces each burst of the sorted instants to its first event: an
// event is kept when its gap to the event before it, kept or not, exceeds
// gap. Both are in microseconds, and gap is not negative. The result is a new
// slice.
//
// Browsers and agents open several connections at once. Without the collapse
// the gaps inside such a fan hide the rhythm of the fans.
func Collapse(times []int64, gap int64) []int64 {
	kept := make([]int64, 0, len(times))
	for i, t := range times {
		if i == 0 || elapsed(times[i-1], t) > uint64(gap) {
			kept = append(kept, t)
		}
	}
	return kept
}

// elapsed returns the microseconds from a to a later b. Unlike b-a it holds
// for any two instants that a hostile log may name.
func elapsed(a, b int64) uint64 { return uint64(b) - uint64(a) }
