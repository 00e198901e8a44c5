package owner

import (
	"cmp"
	"slices"
	"time"

	"github.com/postern/postern/internal/event"
)

// alone is how many times farther than a connect may lie from its flow any
// other connect or flow to the far end must lie.
const alone = 2

// An item is a flow of an address, or the connect of a seat behind it.
type item struct {
	far     Far
	port    uint16 // where the translation keeps it
	at      event.Time
	flow    *Outside
	connect *Inside
	place   *place
}

func (i item) key() event.Key {
	if i.flow != nil {
		return i.flow.Key
	}
	return i.connect.Key
}

func (i item) compare(j item) int {
	return cmp.Or(cmp.Compare(i.far, j.far), cmp.Compare(i.port, j.port), cmp.Compare(i.at, j.at),
		cmp.Compare(i.key(), j.key()))
}

// pairs pairs the flows of an address with the connects of the seats behind it.
// Where the translation keeps ports, those that share them go first.
func (o *outer) pairs(places []*place) []Translated {
	items, apart := o.items(places)
	var pairs []Translated
	ports := 0
	for _, p := range places {
		if p.ports {
			ports++
		}
	}
	if 2*ports > len(places) {
		pairs, items = o.pairItems(items, apart)
	}
	for i := range items {
		items[i].port = 0
	}
	more, _ := o.pairItems(items, apart)
	return append(pairs, more...)
}

// items returns the flows and connects to the far ends of the seats, and how
// far apart clusters must lie.
func (o *outer) items(places []*place) ([]item, time.Duration) {
	wanted := make(map[Far]bool)
	var items []item
	var apart time.Duration
	for _, p := range places {
		for i := range p.seat.connects {
			k := &p.seat.connects[i]
			offset, radius := p.clock(k.Source)
			wanted[k.Far] = true
			apart = max(apart, alone*radius)
			items = append(items, item{k.Far, k.Port, k.Start.Add(-offset), nil, k, p})
		}
	}
	for i := range o.flows {
		if f := &o.flows[i]; wanted[f.Far] {
			items = append(items, item{f.Far, f.Port, f.Start, f, nil, nil})
		}
	}
	return items, apart
}

// pairItems pairs items cluster by cluster: in each, all connects must be of
// one process, and there must be as many flows. It returns what is left, too.
func (o *outer) pairItems(items []item, apart time.Duration) (pairs []Translated, rest []item) {
	slices.SortFunc(items, item.compare)
	for from := 0; from < len(items); {
		to := from + 1
		for to < len(items) && items[to].far == items[from].far && items[to].port == items[from].port &&
			items[to].at.Sub(items[to-1].at) <= apart {
			to++
		}
		if found := o.pairCluster(items[from:to]); found != nil {
			pairs = append(pairs, found...)
		} else {
			rest = append(rest, items[from:to]...)
		}
		from = to
	}
	return pairs, rest
}

// pairCluster pairs flows and connects in their order, if it is sure whose
// they are.
func (o *outer) pairCluster(items []item) []Translated {
	var flows, connects []item
	for _, i := range items {
		if i.flow != nil {
			flows = append(flows, i)
		} else {
			connects = append(connects, i)
		}
	}
	if len(connects) != len(flows) || len(flows) == 0 {
		return nil
	}
	pairs := make([]Translated, 0, len(flows))
	for n, c := range connects {
		k, f := c.connect, flows[n].flow
		_, radius := c.place.clock(k.Source)
		if k.Host != connects[0].connect.Host || k.PID != connects[0].connect.PID || c.at.Sub(f.Start).Abs() > radius {
			return nil
		}
		pairs = append(pairs, Translated{Client: o.addr, Flow: f.Key, Host: k.Host, Connect: k.Key, Source: k.Source, Outcome: k.Outcome})
	}
	return pairs
}
