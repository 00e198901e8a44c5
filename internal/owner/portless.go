package owner

import (
	"net/netip"
	"slices"

	"github.com/postern/postern/internal/event"
)

// A portless tuple is what an endpoint that did not report its port can agree
// on with the wire.
type portless struct {
	client netip.Addr
	dst    netip.AddrPort
	proto  event.Proto
}

// pairPortless gives flows without an owner the connects that lack the source
// port, where nothing else fits: the tuple rung. Within the window a flow must
// have the connects of one process only, and a connect one such flow only.
func (j *join) pairPortless() {
	connects := make(map[portless][]int32)
	for i := range j.Events.Connects {
		k := &j.Events.Connects[i]
		if k.Outbound && j.taken[i] == undecided && k.Src.Port() == 0 && k.Src.Addr().IsValid() {
			t := portless{k.Src.Addr(), k.Dst, k.Proto}
			connects[t] = append(connects[t], int32(i))
		}
	}
	if len(connects) == 0 {
		return
	}
	flows := make(map[portless][]int32)
	for i := range j.flows {
		f := &j.flows[i]
		t := portless{f.Src.Addr(), f.Dst, f.Proto}
		if _, ok := connects[t]; ok && !j.owners[i].any() {
			flows[t] = append(flows[t], int32(i))
		}
	}
	for t, fs := range flows {
		j.pairAlone(j.byTime(fs), connects[t])
	}
}

// pairAlone pairs flows, in order of time, with the connects that can only be
// theirs: those with the flow's Community ID, or else those that nothing else
// fits.
func (j *join) pairAlone(flows, connects []int32) {
	j.pairIdentified(flows, connects)
	near := make(map[int32][]int32) // connects by flow
	lonely := make(map[int32]bool)  // connects with one flow
	flows = slices.DeleteFunc(flows, func(f int32) bool { return j.owners[f].any() })
	for _, c := range connects {
		if j.taken[c] != undecided {
			continue
		}
		in := j.within(flows, j.times[c])
		lonely[c] = len(in) == 1
		for _, f := range in {
			near[f] = append(near[f], c)
		}
	}
	for _, f := range flows {
		if j.oneProcess(near[f], lonely) {
			for _, c := range near[f] {
				j.give(f, c, event.RungTuple)
				if j.taken[c] == undecided {
					j.taken[c] = Repeated
				}
			}
		}
	}
}

// oneProcess reports whether the connects are all lonely and of one process.
func (j *join) oneProcess(connects []int32, lonely map[int32]bool) bool {
	for _, c := range connects {
		a, b := &j.Events.Connects[connects[0]], &j.Events.Connects[c]
		if !lonely[c] || a.Host != b.Host || a.PID != b.PID {
			return false
		}
	}
	return len(connects) > 0
}
