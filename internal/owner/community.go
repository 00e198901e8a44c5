package owner

import (
	"github.com/postern/postern/internal/communityid"
	"github.com/postern/postern/internal/event"
)

// IDs says with which seed a sensor, or a source of endpoints, makes its
// Community IDs. Those of different seeds never match.
type IDs struct {
	Seen  int64            // that were compared
	Agree map[uint16]int64 // with those that a seed gives
}

// Seed returns the seed that most of the IDs were made with, and false where
// none of those that were tried gives most of them.
func (d *IDs) Seed() (uint16, bool) {
	for seed, n := range d.Agree {
		if 2*n > d.Seen {
			return seed, true
		}
	}
	return 0, false
}

// maxIDs bounds how many IDs of one sensor are compared in one join: a sensor
// has one seed.
const maxIDs = 100

// compareIDs finds the seeds of the sensors and of the endpoints' sources.
func (j *join) compareIDs() {
	for i := range j.Events.Flows {
		f := &j.Events.Flows[i]
		j.compareID(f.Sensor, f.CommunityID, tuple{f.Src, f.Dst, f.Proto})
	}
	for i := range j.Events.Connects {
		if k := &j.Events.Connects[i]; k.Src.Port() != 0 {
			j.compareID(k.Source.String(), k.CommunityID, tuple{k.Src, k.Dst, k.Proto})
		}
	}
}

func (j *join) compareID(who, id string, t tuple) {
	if id == "" {
		return
	}
	d := j.ledger.IDs[who]
	if d == nil {
		d = &IDs{Agree: make(map[uint16]int64)}
		if j.ledger.IDs == nil {
			j.ledger.IDs = make(map[string]*IDs)
		}
		j.ledger.IDs[who] = d
	}
	if d.Seen == maxIDs {
		return
	}
	d.Seen++
	for _, seed := range j.Seeds {
		if communityid.Of(seed, t.proto, t.src, t.dst) == id {
			d.Agree[seed]++
		}
	}
}

// identified reports whether a connect's Community ID is that of a flow, by any
// of the seeds.
func (j *join) identified(k *event.Connect, f *event.Flow) bool {
	if k.CommunityID == "" {
		return false
	}
	for _, seed := range j.Seeds {
		if communityid.Of(seed, f.Proto, f.Src, f.Dst) == k.CommunityID {
			return true
		}
	}
	return false
}

// pairIdentified gives flows, in order of time, the connects without a port
// whose Community ID is theirs: with it the port is as good as known.
func (j *join) pairIdentified(flows, connects []int32) {
	for _, c := range connects {
		k := &j.Events.Connects[c]
		for _, f := range j.within(flows, j.times[c]) {
			if j.identified(k, &j.flows[f]) {
				j.give(f, c, event.RungExact)
			}
		}
	}
}
