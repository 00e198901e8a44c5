package netflow

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// maxConversations bounds how many flows wait for further records: some 60 MB.
const maxConversations = 1 << 17

// How long a flow may be silent and still go on, as Zeek has it. Exporters cut
// a flow when it is idle for some seconds, and a long one every minute or so.
const (
	silenceTCP = 5 * time.Minute
	silenceUDP = time.Minute
)

// A key is what the records of both directions of a flow have in common.
type key struct {
	sensor    string
	proto     event.Proto
	low, high netip.AddrPort
}

func keyOf(r *record) key {
	k := key{r.sensor, r.proto, r.src, r.dst}
	if k.high.Compare(k.low) < 0 {
		k.low, k.high = k.high, k.low
	}
	return k
}

// A side is what is known of one direction of a flow.
type side struct {
	seen        bool
	begin       event.Time // of the first record
	start, end  event.Time // of the last record
	last, total volume
	flags       uint8 // of all records
	ended       bool  // the last record had FIN or RST
}

// A conversation is a flow that is put together of records.
type conversation struct {
	key        key
	src        netip.AddrPort // of the first record
	sides      [2]side        // from src, and to src
	begin, end event.Time
	sampled    bool
	oriented   bool
	untimed    bool

	older, newer *conversation // by when the last record came
}

// An assembler makes flows of records: both directions of a flow, and the
// pieces that its exporter cut it into, become one. It counts in the tally all
// that it is given.
type assembler struct {
	tally  *decode.Tally
	clock  string
	limit  int
	open   map[key]*conversation
	list   conversation // a ring: newer is the oldest, older the newest
	rates  []int64
	flows  int64
	halves int64
	early  int64 // told before their end for want of room
}

func newAssembler(t *decode.Tally, clock string) *assembler {
	a := &assembler{tally: t, clock: clock, limit: maxConversations, open: make(map[key]*conversation)}
	a.list.older, a.list.newer = &a.list, &a.list
	return a
}

// take counts a record, and adds it to its flow. Flows that end by it are
// added to out.
func (a *assembler) take(r *record, where func() string, out *event.Batch) {
	a.tally.Records++
	if r.end < r.start { // a clock that went back
		r.end, r.untimed = r.start, true
	}
	if v := r.check(); !v.fine() {
		a.refuse(v, where)
		return
	}
	a.sampled(r.rate)
	k := keyOf(r)
	c := a.open[k]
	switch {
	case c == nil:
	case c.ends(r):
		a.tell(c, out)
	default:
		a.unlink(c)
		a.link(c)
		if c.add(r) {
			a.tally.Ignore(ignoreFurther)
		} else {
			a.tally.Ignore(ignoreAgain)
		}
		return
	}
	if len(a.open) >= a.limit {
		a.early++
		a.tell(a.list.newer, out)
	}
	c = &conversation{key: k, src: r.src, begin: r.start, end: r.end}
	c.sides[0].total, c.sides[1].total = unseen, unseen
	c.add(r)
	a.open[k] = c
	a.link(c)
}

// refuse counts a record that is not used.
func (a *assembler) refuse(v verdict, where func() string) {
	if v.skipped != "" {
		a.tally.Skip(where(), v.skipped)
	} else {
		a.tally.Ignore(v.ignored)
	}
}

func (a *assembler) link(c *conversation) {
	c.older, c.newer = a.list.older, &a.list
	c.older.newer, c.newer.older = c, c
}

func (a *assembler) unlink(c *conversation) {
	c.older.newer, c.newer.older = c.newer, c.older
}

// ends reports whether r is of another flow than c, between the same ends.
func (c *conversation) ends(r *record) bool {
	silence := silenceUDP
	if c.key.proto == event.TCP {
		silence = silenceTCP
		s := &c.sides[c.side(r)]
		if s.ended && r.flags&flagSYN != 0 && r.start > s.end {
			return true // the port is used again
		}
	}
	return r.start > c.end.Add(silence) || r.end.Add(silence) < c.begin
}

// side returns the direction of r within c.
func (c *conversation) side(r *record) int {
	if r.src == c.src {
		return 0
	}
	return 1
}

// add adds a record. It is false for one that says again what another said, as
// of a packet that came in on one interface of the router and went out on
// another: then the larger volume counts.
func (c *conversation) add(r *record) (fresh bool) {
	c.begin, c.end = min(c.begin, r.start), max(c.end, r.end)
	c.sampled = c.sampled || r.rate > 1
	c.untimed = c.untimed || r.untimed
	i := c.side(r)
	if r.oriented {
		c.oriented = true
		if i == 1 {
			c.src = r.src
			c.sides[0], c.sides[1] = c.sides[1], c.sides[0]
			i = 0
		}
	}
	fresh = c.sides[i].add(r.forth, r)
	if r.back != unseen {
		fresh = c.sides[1-i].add(r.back, r) || fresh
	}
	return fresh
}

// add adds what a record tells of a side.
func (s *side) add(v volume, r *record) (fresh bool) {
	s.flags |= r.flags
	if s.seen && s.again(r) {
		s.total = s.total.plus(volume{beyond(v.bytes, s.last.bytes), beyond(v.packets, s.last.packets)})
		s.last = volume{max(v.bytes, s.last.bytes), max(v.packets, s.last.packets)}
		return false
	}
	if !s.seen {
		s.seen, s.begin = true, r.start
	}
	s.begin = min(s.begin, r.start)
	s.start, s.end = r.start, r.end
	s.last, s.total = v, s.total.plus(v)
	s.ended = r.flags&(flagFIN|flagRST) != 0
	return true
}

// beyond returns how much more c is than what was counted before.
func beyond(c, before event.Count) event.Count {
	if !c.Known() || !before.Known() {
		return c
	}
	return max(c-before, 0)
}

// again reports whether r tells of the stretch of time that the last record
// told of: they share more than half of the shorter one.
func (s *side) again(r *record) bool {
	if r.start == s.start && r.end == s.end {
		return true
	}
	shared := min(r.end, s.end) - max(r.start, s.start)
	return shared > 0 && 2*shared > min(r.end-r.start, s.end-s.start)
}

// tell adds a flow to out, and forgets it.
func (a *assembler) tell(c *conversation, out *event.Batch) {
	a.unlink(c)
	delete(a.open, c.key)
	from, to := c.originator()
	f := event.Flow{
		Sensor: c.key.sensor, Time: c.begin, Proto: c.key.proto,
		Src: c.src, Dst: c.key.low,
		Duration: event.Count(c.end - c.begin),
		BytesOut: from.total.bytes, PacketsOut: from.total.packets,
		BytesIn: to.total.bytes, PacketsIn: to.total.packets,
	}
	if f.Dst == f.Src {
		f.Dst = c.key.high
	}
	if c.untimed {
		f.Duration = event.Unknown
	}
	if from == &c.sides[1] {
		f.Src, f.Dst = f.Dst, f.Src
	}
	out.Flows = append(out.Flows, f)
	a.flows++
	if !from.seen || !to.seen {
		a.halves++
	}
	a.tally.Events++
	a.tally.Clock(a.clock, 1)
}

// expire tells of the flows that have been silent since before.
func (a *assembler) expire(before event.Time, out *event.Batch) {
	for c := a.list.newer; c != &a.list; {
		next := c.newer
		if c.end < before {
			a.tell(c, out)
		}
		c = next
	}
}

// close tells of at most n flows that are left, the longest silent first, and
// reports whether that was all.
func (a *assembler) close(n int, out *event.Batch) bool {
	for ; n > 0 && a.list.newer != &a.list; n-- {
		a.tell(a.list.newer, out)
	}
	if a.list.newer != &a.list {
		return false
	}
	for _, fact := range []struct {
		n    int64
		text string
	}{
		{a.flows, "bytes of %d flows are of IP packets: upper bounds of the payload"},
		{a.halves, "only one direction was exported of %d flows: the other's bytes are unknown"},
		{a.early, "more flows at once than are held: %d were told before their end"},
	} {
		if fact.n > 0 {
			a.tally.Warn(fmt.Sprintf(fact.text, fact.n))
		}
	}
	return true
}

// maxRates bounds how many sampling rates a tally names.
const maxRates = 8

// sampled notes that counts are estimates.
func (a *assembler) sampled(rate int64) {
	if rate <= 1 || slices.Contains(a.rates, rate) {
		return
	}
	if len(a.rates) >= maxRates {
		a.tally.Warn("estimates: sampled at more rates")
		return
	}
	a.rates = append(a.rates, rate)
	a.tally.Warn(fmt.Sprintf("estimates: sampled 1:%d", rate))
}
