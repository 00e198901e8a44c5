package owner

import (
	"net/netip"

	"github.com/postern/postern/internal/event"
)

// A tuple is what endpoint and wire can agree on about a connection.
type tuple struct {
	src, dst netip.AddrPort
	proto    event.Proto
}

// tuples brings together the connects and the flows that share a tuple. The
// tuples of connects are numbered; flows of others have no owner to be found.
type tuples struct {
	n        int
	connects runs // indices of connects, by time
	flows    runs // indices of flows, by time
}

func newTuples(connects []event.Connect, flows []event.Flow) tuples {
	numbers := make(map[tuple]int32, len(connects))
	ofConnect := make([]int32, len(connects))
	for i := range connects {
		k := &connects[i]
		t := tuple{k.Src, k.Dst, k.Proto}
		n, ok := numbers[t]
		if !ok {
			n = int32(len(numbers))
			numbers[t] = n
		}
		ofConnect[i] = n
	}
	ofFlow := make([]int32, len(flows))
	for i := range flows {
		f := &flows[i]
		n, ok := numbers[tuple{f.Src, f.Dst, f.Proto}]
		if !ok {
			n = -1
		}
		ofFlow[i] = n
	}
	return tuples{len(numbers), newRuns(ofConnect, len(numbers)), newRuns(ofFlow, len(numbers))}
}

// runs are indices by number, side by side.
type runs struct {
	start   []int32 // of each number's run, and the end of the last
	indices []int32
}

// newRuns returns the indices of each of n numbers in rising order. Those of a
// negative number are left out.
func newRuns(numbers []int32, n int) runs {
	r := runs{start: make([]int32, n+2)}
	for _, k := range numbers {
		if k >= 0 {
			r.start[k+2]++
		}
	}
	for k := range n {
		r.start[k+2] += r.start[k+1]
	}
	// Filling moves the start of each run, one too far to the right, to its
	// end: the place of the next one's start.
	r.indices = make([]int32, r.start[n+1])
	for i, k := range numbers {
		if k >= 0 {
			r.indices[r.start[k+1]] = int32(i)
			r.start[k+1]++
		}
	}
	return r
}

func (r *runs) of(number int) []int32 { return r.indices[r.start[number]:r.start[number+1]] }
