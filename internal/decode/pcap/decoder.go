package pcap

import (
	"errors"
	"fmt"
	"io"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// batchPackets and batchEvents bound what one Decode does.
const (
	batchPackets = 1 << 15
	batchEvents  = 4096
)

// limits bound the memory of a decoder, whatever is in the capture.
type limits struct {
	flows   int // held at once
	stream  int // bytes held of one flow's payload
	streams int // bytes held of all flows' payload
}

// defaultLimits allow for about 200 MB of flows, of which most have little to
// remember, and 64 MB of payload.
var defaultLimits = limits{flows: 1 << 17, stream: 64 << 10, streams: 64 << 20}

// A decoder makes events of the packets of a capture.
type decoder struct {
	capture capture
	tally   *decode.Tally
	limits  limits
	table   table
	out     *event.Batch // of the Decode that is under way
	err     error        // that ended the capture
	ending  []*flow      // still to be told at the end

	packet       packet
	within       int64 // packets that began no flow, since the last account
	held         int   // bytes of payload
	certificates certificates

	// What is told of the capture as a whole.
	laterFragments int64
	midstream      int64
	evicted        int64
	unread         int64 // flows whose content did not fit
	cutPayload     int64 // packets that were not captured whole
	backward       int64 // how often time went back too far
}

var _ decode.Decoder = (*decoder)(nil)

func newDecoder(c capture, t *decode.Tally, l limits) *decoder {
	return &decoder{capture: c, tally: t, limits: l, table: newTable(l.flows)}
}

// Decode implements [decode.Decoder].
func (d *decoder) Decode(b *event.Batch) error {
	before := b.Len()
	d.out = b
	for n := 0; n < batchPackets && d.err == nil && b.Len()-before < batchEvents; n++ {
		if d.err = d.step(); d.err != nil {
			d.ending = d.table.rest()
		}
	}
	for len(d.ending) > 0 && b.Len()-before < batchEvents {
		d.end(d.ending[0])
		d.ending = d.ending[1:]
	}
	d.account(b.Len() - before)
	if d.err == nil || len(d.ending) > 0 {
		return nil
	}
	d.close()
	return d.err
}

// step reads a packet.
func (d *decoder) step() error {
	f, reason, err := d.capture.next()
	switch {
	case err == io.EOF || errors.Is(err, errNoCapture):
		return err
	case errors.Is(err, errCut):
		d.tally.Records++
		d.tally.Skip(d.capture.where(), errCut.Error())
		return io.EOF
	case errors.Is(err, errBroken):
		d.tally.Records++
		d.tally.Skip(d.capture.where(), errBroken.Error())
		return fmt.Errorf("%s: %w", d.capture.where(), err)
	case err != nil:
		return err
	}
	d.tally.Records++
	if reason != "" {
		d.tally.Skip(d.capture.where(), reason)
		return nil
	}
	d.frame(&f)
	return nil
}

// frame takes a frame.
func (d *decoder) frame(f *frame) {
	p := &d.packet
	fate := p.parse(f)
	if fate != taken {
		d.refuse(f, fate)
		return
	}
	d.tick(p.time)
	fl := d.flow(p)
	fl.take(p)
	d.table.touch(fl)
	if p.snapped {
		d.cutPayload++
	}
	if p.length > 0 {
		d.look(fl, p)
	}
}

// refuse counts a frame that no flow takes.
func (d *decoder) refuse(f *frame, fate fate) {
	what := fate.ignored()
	switch {
	case what == "" && fate == unknownLink:
		d.tally.Skip(fmt.Sprintf("%s, link type %d", d.capture.where(), f.link), fate.skipped())
	case what == "":
		d.tally.Skip(d.capture.where(), fate.skipped())
	default:
		if fate == fragment {
			d.laterFragments++
		}
		d.tally.Ignore(what)
	}
}

// tick moves the table's clock on, and ends the flows that are idle by it.
func (d *decoder) tick(now int64) {
	switch {
	case now > d.table.clock:
		d.table.clock = now
	case now < d.table.clock-maxBack:
		d.backward++
		for _, f := range d.table.rest() {
			d.end(f)
		}
		d.table.clock = now
	}
	for f := d.table.expired(); f != nil; f = d.table.expired() {
		d.end(f)
	}
}

// flow returns the flow of a packet.
func (d *decoder) flow(p *packet) *flow {
	f := d.table.flows[p.key]
	if f != nil && (p.proto != protoTCP || !f.anew(p)) {
		d.within++
		return f
	}
	if f != nil {
		d.end(f)
	}
	if len(d.table.flows) >= d.limits.flows {
		least := d.table.least()
		if least.state != ended {
			d.evicted++
		}
		d.end(least)
	}
	f = d.table.add(p)
	if f.midstream {
		d.midstream++
	}
	return f
}

// end tells of a flow and forgets it.
func (d *decoder) end(f *flow) {
	if f.content != nil {
		f.content.finish(d, f)
		f.content = nil
	}
	d.out.Flows = append(d.out.Flows, f.event(d.table.clock))
	d.table.drop(f)
}

// account puts what a Decode has done into the tally.
func (d *decoder) account(events int) {
	if d.within > 0 {
		if d.tally.Ignored == nil {
			d.tally.Ignored = make(map[string]int64)
		}
		d.tally.Ignored[ignoreWithin] += d.within
		d.within = 0
	}
	if events > 0 {
		d.tally.Events += int64(events)
		d.tally.Clock(clock, int64(events))
	}
}

// close notes what is to be known of the capture as a whole.
func (d *decoder) close() {
	for _, fact := range []struct {
		n    int64
		text string
	}{
		{d.midstream, "%d flows began before their first captured packet: their volumes are lower bounds"},
		{d.laterFragments, "%d IP fragments were not put together: volumes of TCP in fragments are lower bounds"},
		{d.cutPayload, "%d packets were not captured whole: what was cut is counted, but could not be looked into"},
		{d.evicted, "more flows at once than are held: %d were told before their end"},
		{d.unread, "more payload at once than is held: %d directions of flows were not looked into"},
		{d.backward, "time went back by over a minute %d times: flows were cut there"},
	} {
		if fact.n > 0 {
			d.tally.Warn(fmt.Sprintf(fact.text, fact.n))
		}
	}
}
