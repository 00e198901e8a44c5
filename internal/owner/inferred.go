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
	minProbable = 0.85
)

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
