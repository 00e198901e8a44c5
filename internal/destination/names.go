// Package destination names the far end of a connection: its registered
// domain, the web service behind it, and the name that led to an address.
package destination

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/postern/postern/internal/event"
)

// The rules by which an answer names an address.
const (
	// fresh is how long before a connection its lookup usually is, and how
	// long after it the lookup's record may be: sensors write late.
	fresh = event.Time(5 * time.Second / time.Microsecond)

	// stale is when an answer says nothing any more. Names outlive their TTL
	// in the caches of programs.
	stale = event.Time(24 * time.Hour / time.Microsecond)

	// maxAnswers bounds the memory of one Names: some 10 MB.
	maxAnswers = 1 << 17
)

// Names tells which name stood for an address when. It holds what one host,
// or one client address, has asked for: answers to others say little about a
// connection, because one address serves many names. The zero value is
// empty and ready. It is not safe for concurrent use.
type Names struct {
	byAddr  map[netip.Addr]*answers
	count   int
	dropped int
}

// answers are the names of one address.
type answers struct {
	list   []answer
	sorted bool
}

type answer struct {
	time event.Time
	name string
}

// Add takes in the answers of a lookup, in any order of time. The question's
// name stands for every address, also at the end of a chain of aliases. When
// there are too many answers, the oldest half is forgotten.
func (n *Names) Add(lookup *event.Lookup) {
	name := Normalise(lookup.Name)
	if name == "" || lookup.Time == event.Never {
		return
	}
	if n.byAddr == nil {
		n.byAddr = make(map[netip.Addr]*answers)
	}
	for _, addr := range lookup.Answers {
		addr = addr.Unmap().WithZone("")
		if !addr.IsValid() {
			continue
		}
		a := n.byAddr[addr]
		if a == nil {
			a = new(answers)
			n.byAddr[addr] = a
		}
		a.list = append(a.list, answer{lookup.Time, name})
		a.sorted = false
		n.count++
	}
	if n.count > maxAnswers {
		n.forget()
	}
}

// Dropped returns the number of answers that were forgotten to bound memory.
func (n *Names) Dropped() int { return n.dropped }

// At returns the name that stood for addr at t: that of the latest answer at
// or before t, if it is at most a day old. An answer within five seconds
// after t counts where there is none within the five seconds before: its
// record is late, and the one from earlier is of another connection.
func (n *Names) At(addr netip.Addr, t event.Time) (name string, ok bool) {
	a := n.byAddr[addr.Unmap().WithZone("")]
	if a == nil {
		return "", false
	}
	list := a.inOrder()
	// The first answer after t.
	i, _ := slices.BinarySearchFunc(list, t, func(a answer, t event.Time) int {
		if a.time <= t {
			return -1
		}
		return 1
	})
	before := stale + 1
	if i > 0 {
		before = t - list[i-1].time
	}
	if before <= fresh {
		return list[i-1].name, true
	}
	if i < len(list) && list[i].time-t <= fresh {
		return list[i].name, true
	}
	if before <= stale {
		return list[i-1].name, true
	}
	return "", false
}

// inOrder returns the answers by time. Answers of one instant are in the
// order of their names, so that the order of the input decides nothing.
func (a *answers) inOrder() []answer {
	if !a.sorted {
		slices.SortFunc(a.list, func(x, y answer) int {
			return cmp.Or(cmp.Compare(x.time, y.time), cmp.Compare(x.name, y.name))
		})
		a.list = slices.Compact(a.list)
		a.sorted = true
	}
	return a.list
}

// forget drops the older half of the answers, and those of the instant
// between the halves: what it drops must not depend on the order of input.
func (n *Names) forget() {
	times := make([]event.Time, 0, n.count)
	for _, a := range n.byAddr {
		for _, x := range a.list {
			times = append(times, x.time)
		}
	}
	slices.Sort(times)
	last := times[len(times)/2]
	kept := 0
	for addr, a := range n.byAddr {
		a.list = slices.DeleteFunc(a.list, func(x answer) bool { return x.time <= last })
		if len(a.list) == 0 {
			delete(n.byAddr, addr)
		}
		kept += len(a.list)
	}
	n.dropped += len(times) - kept
	n.count = kept
}
