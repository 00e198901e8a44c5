package baseline

import (
	"slices"

	"github.com/postern/postern/internal/detect"
)

// A quota bounds how many of a host's edges count in a table, so that no host
// teaches it much, however much it does: as many as the busiest quarter of the
// hosts has at least. A host that has more counts with every so many-eth of
// them.
type quota struct {
	sizes []int32 // edges of each host; they come one after the other
	last  string  // the host of the last
	limit int32

	host string // that counts now
	size int32  // its edges
	seen int32  // those of them that were asked for
	at   int    // its place in sizes
}

// more notes one more edge of a host.
func (q *quota) more(host string) {
	if len(q.sizes) == 0 || q.last != host {
		q.sizes, q.last = append(q.sizes, 0), host
	}
	q.sizes[len(q.sizes)-1]++
}

// settle sets the limit, which is not below the least.
func (q *quota) settle(least int32) {
	if len(q.sizes) == 0 {
		return
	}
	sorted := slices.Clone(q.sizes)
	slices.Sort(sorted)
	q.limit = max(least, sorted[(3*(len(sorted)-1)+3)/4])
	q.at = -1
}

// counts reports whether the next edge of a host counts. It must be asked for
// all edges, in the order in which they were noted.
func (q *quota) counts(host string) bool {
	if q.at < 0 || q.host != host {
		q.at++
		q.host, q.size, q.seen = host, q.sizes[q.at], 0
	}
	n := int64(q.seen)
	q.seen++
	if q.size <= q.limit {
		return true
	}
	limit, size := int64(q.limit), int64(q.size)
	return (n+1)*limit/size > n*limit/size
}

// The least quotas: of a program or an image, and of a class.
const (
	leastOfProgram = 3
	leastOfClass   = 5
	leastTimed     = 1 // of edges that the timing test could look at, which are few
)

func (f *Fleet) settleQuotas() {
	for _, p := range f.programs {
		p.quota.settle(leastOfProgram)
		p.timed.settle(leastTimed)
	}
	for _, p := range f.images {
		p.quota.settle(leastOfProgram)
		p.timed.settle(leastTimed)
	}
	for _, c := range f.classes {
		c.quota.settle(leastOfClass)
		c.timed.settle(leastTimed)
	}
}

// counted says in which tables an edge counts, and in which its timing does.
type counted uint8

const (
	inProgram counted = 1 << iota
	inImage
	inClass
	timedInProgram
	timedInImage
	timedInClass
)

// timed reports whether the timing test could look at an edge.
func timed(e *detect.Edge) bool { return e.Timing.Scale > 0 }
