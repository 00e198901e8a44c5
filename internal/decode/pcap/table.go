package pcap

import (
	"cmp"
	"slices"
	"time"
)

// A state says how long a flow may be idle, and how gladly it is let go.
type state uint8

const (
	ended    state = iota // FIN or RST was seen: it waits for stragglers
	attempts              // TCP of which one end has not spoken
	datagrams
	connections
	states
)

// timeouts are how long flows may be idle, in nanoseconds. A SYN that nobody
// answers is repeated for a minute or two.
var timeouts = [states]int64{
	ended:       int64(15 * time.Second),
	attempts:    int64(2 * time.Minute),
	datagrams:   int64(time.Minute),
	connections: int64(time.Hour),
}

// maxBack is how far a packet's time may lie before another's that came
// first: captures of several interfaces or queues are not quite in order. More
// than that is another capture, or a clock that was set.
const maxBack = int64(time.Minute)

// A table holds the flows of the moment.
//
// Its clock is the latest time of a packet, and the flows of each state lie in
// the order of their last packets by that clock: the first to expire is the
// first in its list.
type table struct {
	max   int
	clock int64
	flows map[key]*flow
	lists [states]list
	spare *flow // chain of flows to use again
}

func newTable(max int) table {
	return table{max: max, flows: make(map[key]*flow)}
}

// list is a list of flows, the one touched last at the end.
type list struct{ head, tail *flow }

func (l *list) push(f *flow) {
	f.prev, f.next = l.tail, nil
	if l.tail != nil {
		l.tail.next = f
	} else {
		l.head = f
	}
	l.tail = f
}

func (l *list) remove(f *flow) {
	if f.prev != nil {
		f.prev.next = f.next
	} else {
		l.head = f.next
	}
	if f.next != nil {
		f.next.prev = f.prev
	} else {
		l.tail = f.prev
	}
}

// add begins a flow.
func (t *table) add(p *packet) *flow {
	f := t.spare
	if f != nil {
		t.spare = f.next
	} else {
		f = new(flow)
	}
	f.begin(p)
	f.state = attempts
	if p.proto == protoUDP {
		f.state = datagrams
	}
	t.lists[f.state].push(f)
	t.flows[f.key] = f
	return f
}

// touch notes that f has had a packet.
func (t *table) touch(f *flow) {
	t.lists[f.state].remove(f)
	f.touched = t.clock
	switch {
	case f.state == datagrams:
	case f.over():
		f.state = ended
	case f.state == attempts && !f.attempt():
		f.state = connections
	}
	t.lists[f.state].push(f)
}

// drop forgets f.
func (t *table) drop(f *flow) {
	delete(t.flows, f.key)
	t.lists[f.state].remove(f)
	*f = flow{next: t.spare}
	t.spare = f
}

// expired returns a flow that has been idle for too long, or nil.
func (t *table) expired() *flow {
	for s := range t.lists {
		if f := t.lists[s].head; f != nil && t.clock-f.touched > timeouts[s] {
			return f
		}
	}
	return nil
}

// least returns the flow to let go where there are too many: one that has
// ended, else the oldest attempt, so that a flood of them does not cost the
// connections.
func (t *table) least() *flow {
	for s := range t.lists {
		if f := t.lists[s].head; f != nil {
			return f
		}
	}
	return nil
}

// rest returns all flows in the order of their beginning.
func (t *table) rest() []*flow {
	all := make([]*flow, 0, len(t.flows))
	for _, l := range t.lists {
		for f := l.head; f != nil; f = f.next {
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, b *flow) int {
		return cmp.Or(cmp.Compare(a.first, b.first), slices.Compare(a.key[:], b.key[:]))
	})
	return all
}
