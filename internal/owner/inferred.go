package owner

import (
	"cmp"

	"github.com/postern/postern/internal/event"
)

// The rules of the inferred rung.
const (
	// minHistory is how many sessions with known owners must share a trait.
	minHistory = 4

	// minProbable is the least share of them that one program must have,
	// with half a session of another one added: nothing is certain.
	minProbable = 0.9

	// minCovered is which share of a host's outbound flows must have an
	// event that names their owner. A host whose sensor leaves programs out
	// has a history without them: what it infers would be the wrong ones.
	minCovered = 0.8
)

// A cover says of a host how many of its outbound flows there are, and of how
// many of them an event names the owner.
type cover struct{ flows, owned int }

func (c cover) enough() bool { return float64(c.owned) >= minCovered*float64(c.flows) }

// cover counts each host's cover, over the time of its endpoint's log.
func (j *join) cover() {
	j.covered = make(map[string]cover)
	for i := range j.flows {
		f := &j.flows[i]
		if j.Networks.Internal(f.Dst.Addr()) || empty(f) {
			continue
		}
		if o := j.owners[i]; o.any() {
			host := o.host()
			c := j.covered[host]
			j.covered[host] = cover{c.flows + 1, c.owned + 1}
			continue
		}
		h := j.holder(f)
		if h.sure && j.endpoint.of(h.host).has(f.Time) {
			c := j.covered[h.host]
			j.covered[h.host] = cover{c.flows + 1, c.owned}
		}
	}
}

// A trait is what tells the programs of one host apart on the wire: the
// fingerprint of the TLS client, with the name and port it goes to (Anderson
// and McGrew 2020 find that the three together identify most processes).
type trait struct {
	host        string
	fingerprint string
	name        string
	port        uint16
}

// traitOf returns the trait of a session. It reports false without a
// fingerprint or a name: then too many programs look alike.
func traitOf(s *event.Session) (trait, bool) {
	t := trait{s.Host, cmp.Or(s.JA4, s.JA3), s.Name, s.Dst.Port()}
	return t, t.host != "" && t.fingerprint != "" && s.NameSource <= event.NameLookup
}

// A history says which programs had the sessions of each trait.
type history map[trait]map[string]habit

// A habit is how often a program had a trait, and one of its images.
type habit struct {
	sessions int
	image    string
}

// learn takes in a session whose owner is known.
func (h history) learn(s *event.Session) {
	t, ok := traitOf(s)
	if !ok || s.Program == "" || s.OtherImage != "" {
		return
	}
	if h[t] == nil {
		h[t] = make(map[string]habit)
	}
	old := h[t][s.Program]
	h[t][s.Program] = habit{old.sessions + 1, max(old.image, s.Image)}
}

// infer names the program that probably owns a session, if one stands out.
func (h history) infer(s *event.Session) bool {
	t, ok := traitOf(s)
	if !ok {
		return false
	}
	total := 0
	var best habit
	var program string
	for p, b := range h[t] {
		total += b.sessions
		if b.sessions > best.sessions || b.sessions == best.sessions && p < program {
			program, best = p, b
		}
	}
	if total < minHistory || float64(best.sessions) < minProbable*(float64(total)+0.5) {
		return false
	}
	s.Rung, s.Program, s.Image = event.RungInferred, program, best.image
	return true
}
