package owner

import (
	"cmp"
	"time"

	"github.com/postern/postern/internal/event"
)

// A twin is a flow that another sensor saw as well.
type twin struct {
	event.Flow
	of int32 // the flow that stands for both
}

// together is how far after one sensor's flow another's may begin and be the
// same: a sensor that sees one direction only sees it begin with the answer.
const together = 2 * time.Second

// mergeTwins leaves of the flows that several sensors saw the one of the sensor
// that saw most, and gives it what the others know besides: a connection counts
// once, however many sensors stand in its way.
func (j *join) mergeTwins() {
	if !j.severalSensors() {
		return
	}
	by := make(map[tuple][]int32)
	for i := range j.flows {
		f := &j.flows[i]
		t := tuple{f.Src, f.Dst, f.Proto}
		by[t] = append(by[t], int32(i))
	}
	of := make([]int32, len(j.flows))
	for i := range of {
		of[i] = int32(i)
	}
	for _, flows := range by {
		if len(flows) > 1 {
			j.findTwins(j.byTime(flows), of)
		}
	}
	j.dropTwins(of)
}

func (j *join) severalSensors() bool {
	for i := range j.flows {
		if j.flows[i].Sensor != j.flows[0].Sensor {
			return true
		}
	}
	return false
}

// findTwins notes for each of the flows of one tuple, in order of time, which
// stands for it.
func (j *join) findTwins(flows, of []int32) {
	done := make(map[int32]bool)
	for n, f := range flows {
		if done[f] {
			continue
		}
		seen := map[string]bool{j.flows[f].Sensor: true}
		for _, g := range flows[n+1:] {
			if j.flows[g].Time > end(&j.flows[f]).Add(together) {
				break
			}
			if sensor := j.flows[g].Sensor; !done[g] && !seen[sensor] && !j.Elsewhere(j.flows[f].Sensor, sensor) {
				seen[sensor], done[g] = true, true
				of[g] = f
			}
		}
		j.electTwin(f, flows[n:], of)
	}
}

// electTwin makes that of the flows which f stands for the one that stands for
// them which saw most.
func (j *join) electTwin(f int32, flows, of []int32) {
	best := f
	for _, g := range flows {
		if of[g] == f && j.compareTwins(g, best) > 0 {
			best = g
		}
	}
	for _, g := range flows {
		if of[g] != f {
			continue
		}
		of[g] = best
		j.handshakes[best] = cmp.Or(j.handshakes[best], j.handshakes[g])
		j.requests[best] = cmp.Or(j.requests[best], j.requests[g])
	}
	for _, g := range flows {
		if of[g] == best {
			j.complete(&j.flows[best], &j.flows[g])
		}
	}
}

// compareTwins compares what two sensors saw of one flow: whether they shook
// hands with it, whether they know its bytes, how many.
func (j *join) compareTwins(a, b int32) int {
	f, g := &j.flows[a], &j.flows[b]
	yes := func(x bool) int {
		if x {
			return 1
		}
		return 0
	}
	return cmp.Or(
		cmp.Compare(yes(f.BytesOut.Known()), yes(g.BytesOut.Known())),
		cmp.Compare(yes(j.handshakes[a] != nil), yes(j.handshakes[b] != nil)),
		cmp.Compare(f.BytesOut, g.BytesOut),
		cmp.Compare(g.Sensor, f.Sensor),
	)
}

// complete fills what one sensor could not see from what another did.
func (j *join) complete(f, g *event.Flow) {
	if !f.Duration.Known() {
		f.Duration = g.Duration
	}
	if !f.BytesOut.Known() {
		f.BytesOut = g.BytesOut
	}
	if !f.BytesIn.Known() {
		f.BytesIn = g.BytesIn
	}
	f.Service = cmp.Or(f.Service, g.Service)
}

// dropTwins takes the flows for which others stand from those to be joined, and
// keeps them for the ledger.
func (j *join) dropTwins(of []int32) {
	place := make([]int32, len(of)) // of the flows that stay
	kept := int32(0)
	reported := 0
	for i := range of {
		if int(of[i]) == i {
			place[i] = kept
			kept++
			if i < j.reported {
				reported++
			}
		}
	}
	if int(kept) == len(of) {
		return
	}
	flows := make([]event.Flow, 0, kept)
	for i := range of {
		if int(of[i]) != i {
			j.twins = append(j.twins, twin{j.flows[i], place[of[i]]})
			continue
		}
		flows = append(flows, j.flows[i])
		j.handshakes[place[i]], j.requests[place[i]] = j.handshakes[i], j.requests[i]
	}
	j.flows, j.handshakes, j.requests = flows, j.handshakes[:kept], j.requests[:kept]
	j.reported = reported
}

// accountTwins puts the flows that other sensors saw as well into the ledger, on
// the rung of the flow that stands for them.
func (j *join) accountTwins() {
	for i := range j.twins {
		t := &j.twins[i]
		of := j.results[t.of]
		s := event.Session{Host: of.host, Client: t.Src.Addr(), Sensor: t.Sensor, Start: t.Time, Rung: of.rung}
		j.ledger.flow(&s, FlowTwin, of.why)
	}
}

// A result is what became of a flow.
type result struct {
	host string
	rung event.Rung
	why  Reason
}
