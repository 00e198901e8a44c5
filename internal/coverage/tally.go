package coverage

import (
	"cmp"
	"slices"
	"time"

	"github.com/postern/postern/internal/event"
)

// The questions about a session.
const (
	who = iota
	where
	howMuch
	persisted
	questions
)

var questionNames = [questions]string{"who", "where", "how_much", "persisted"}

// LongEnough is the least time that a sensor must have been there to say
// whether a session's process persisted.
const LongEnough = 24 * time.Hour

// A sum is sessions and what they sent.
type sum struct {
	sessions, noBytes, bytes int64
}

func (s *sum) add(x *event.Session) {
	s.sessions++
	if !x.BytesOut.Known() {
		s.noBytes++
	}
	s.bytes = x.BytesOut.AddTo(s.bytes)
}

func (s *sum) merge(t *sum) {
	s.sessions += t.sessions
	s.noBytes += t.noBytes
	s.bytes = event.Count(t.bytes).AddTo(s.bytes)
}

// known returns the bytes, nil when those of no session are known.
func (s *sum) known() *int64 {
	if s.noBytes == s.sessions {
		return nil
	}
	return &s.bytes
}

// A row is the sum of some sessions, and of those for which each question, and
// all of them, are answered.
type row struct {
	sum
	onWire   int64
	answered [questions]sum
	whole    sum
}

func (r *row) add(x *event.Session, can [questions]bool) {
	r.sum.add(x)
	if x.Sensor != "" {
		r.onWire++
	}
	all := true
	for q, ok := range can {
		if ok {
			r.answered[q].add(x)
		}
		all = all && ok
	}
	if all {
		r.whole.add(x)
	}
}

func (r *row) merge(t *row) {
	r.sum.merge(&t.sum)
	r.onWire += t.onWire
	for q := range r.answered {
		r.answered[q].merge(&t.answered[q])
	}
	r.whole.merge(&t.whole)
}

// document puts a row into the document's words.
func (r *row) document() Known {
	k := Known{Sessions: r.sessions, OnWire: r.onWire, NoBytes: r.noBytes, BytesOut: r.known()}
	for q, to := range []*Answer{&k.Who, &k.Where, &k.HowMuch, &k.Persisted} {
		*to = r.answer(&r.answered[q])
	}
	k.All = r.answer(&r.whole)
	// The bytes of sessions are those that are known: of them all.
	k.HowMuch.Bytes = nil
	if r.onWire == 0 {
		// Only the endpoints themselves say what there was.
		k.Who.Share, k.Who.Bytes = nil, nil
	}
	return k
}

func (r *row) answer(s *sum) Answer {
	a := Answer{Sessions: s.sessions, Share: share(s.sessions, r.sessions)}
	if r.known() != nil {
		bytes := s.bytes
		a.BytesOut, a.Bytes = &bytes, share(s.bytes, r.bytes)
	}
	return a
}

func share(part, whole int64) *float64 {
	if whole == 0 {
		return nil
	}
	x := float64(part) / float64(whole)
	return &x
}

// A group is sessions with the hosts that made them.
type group struct {
	sum
	hosts map[string]*sum
}

func (g *group) add(x *event.Session) {
	g.sum.add(x)
	if g.hosts == nil {
		g.hosts = make(map[string]*sum)
	}
	h := g.hosts[x.Whose()]
	if h == nil {
		h = new(sum)
		g.hosts[x.Whose()] = h
	}
	h.add(x)
}

// maxNames bounds the hosts that are named of a group.
const maxNames = 10

// names returns the hosts that sent the most, then those with the most
// sessions.
func (g *group) names() []string {
	all := make([]string, 0, len(g.hosts))
	for name := range g.hosts {
		all = append(all, name)
	}
	slices.SortFunc(all, func(a, b string) int {
		x, y := g.hosts[a], g.hosts[b]
		return cmp.Or(cmp.Compare(y.bytes, x.bytes), cmp.Compare(y.sessions, x.sessions), cmp.Compare(a, b))
	})
	return all[:min(len(all), maxNames)]
}
