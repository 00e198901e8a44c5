package score

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/program"
	"github.com/postern/postern/internal/stats"
)

// A loss takes one kind of evidence from an edge.
type loss struct {
	name string
	take func(*detect.Edge)
}

// losses are what a sensor, a filter or an export can fail to say about an
// edge whose owner stays known.
var losses = []loss{
	{"the bytes", sizeless},
	{"some of the bytes", func(e *detect.Edge) {
		e.UnknownBytes, e.BytesOut, e.Burst.BytesOut = max(e.UnknownBytes, e.Sessions-1), e.BytesOut/3, e.Burst.BytesOut/3
		e.Daily = slices.Clone(e.Daily)
		for i := range e.Daily {
			e.Daily[i].BytesOut /= 3
		}
	}},
	{"the timing", func(e *detect.Edge) { e.Timing = stats.Result{N: 5, P: 1} }},
	{"the duration", brief},
	{"the destination's name", nameless},
	{"the original name", func(e *detect.Edge) { e.OriginalName = "" }},
	{"the certificate", func(e *detect.Edge) { e.SelfSigned = false }},
	{"the handshake", func(e *detect.Edge) { e.SelfSigned, e.OddPort, e.Evidence = false, 0, event.TLSPort }},
	{"the wire", func(e *detect.Edge) {
		nameless(e)
		sizeless(e)
		brief(e)
		e.SelfSigned, e.OddPort, e.Evidence = false, 0, event.TLSPort
		if e.Rung == event.RungExact {
			e.Rung = event.RungEndpoint
		}
	}},
}

func sizeless(e *detect.Edge) {
	e.UnknownBytes, e.BytesOut, e.BytesIn, e.Burst = e.Sessions, 0, 0, detect.Burst{}
	e.Daily = slices.Clone(e.Daily)
	for i := range e.Daily {
		e.Daily[i].Unknown, e.Daily[i].BytesOut = e.Daily[i].Sessions, 0
	}
}

func brief(e *detect.Edge) {
	e.Hours, e.OffHours, e.Days, e.Connected = 1+e.Hours/5, e.OffHours/5, 1+e.Hours/120, 0
}

func nameless(e *detect.Edge) {
	e.Named, e.Name, e.Domain = false, "203.0.113.77", "203.0.113.77"
}

// TestMissingEvidenceNeverRaisesAScore takes evidence from one edge of an
// estate, learns the estate anew and compares.
func TestMissingEvidenceNeverRaisesAScore(t *testing.T) {
	for _, l := range losses {
		t.Run(l.name, func(t *testing.T) {
			rapid.Check(t, func(r *rapid.T) {
				edges := anyEstate(r)
				i := rapid.IntRange(0, len(edges)-1).Draw(r, "edge")
				before := scorer(r, edges...).Explain(&edges[i])
				edges[i] = taken(edges[i], l)
				after := scorer(r, edges...).Explain(&edges[i])
				if after.Score > before.Score {
					r.Errorf("%v, and %v without %s\nbefore %+v\nafter  %+v", before.Score, after.Score, l.name, before.Parts, after.Parts)
				}
			})
		})
	}
}

func taken(e detect.Edge, l loss) detect.Edge {
	l.take(&e)
	return e
}

// habits are the parts that a program's other edges can excuse: what it always
// does is not remarkable. They are the only ones in which an edge may gain by
// the loss of its owner, as nobody knows whose habits would excuse it.
var habits = []string{"volume", "volume_course", "transfer", "regular_timing", "activity", "off_hours"}

func TestMissingOwnerNeverRaisesAScore(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		edges := anyEstate(r)
		i := rapid.IntRange(0, len(edges)-1).Draw(r, "edge")
		alone := !slices.ContainsFunc(edges, func(e detect.Edge) bool {
			return e.Program == "" || e.Program == edges[i].Program && (e.Host != edges[i].Host || e.Domain != edges[i].Domain)
		})
		before := scorer(r, edges...).Explain(&edges[i])
		edges[i].Program, edges[i].Image, edges[i].OriginalName = "", "", ""
		edges[i].Rung = event.RungHost
		after := scorer(r, edges...).Explain(&edges[i])
		var gained float64
		if !alone {
			for _, h := range habits {
				gained += max(0, points(after, h)-points(before, h))
			}
		}
		if after.Score > before.Score+gained+1e-9 {
			r.Errorf("%v, and %v without an owner (habits gained %v)\nbefore %+v\nafter  %+v",
				before.Score, after.Score, gained, before.Parts, after.Parts)
		}
	})
}

// TestMissingOwnerOfEachKind: the first of its kind, a program has no habits,
// and its edge gains nothing at all by the loss of the owner.
func TestMissingOwnerOfEachKind(t *testing.T) {
	rest := edge("h1", "", "www.example.org")
	for _, image := range []string{chrome, onedrive, svchost, rundll, unknown, appdata, rclone, displaced} {
		for _, by := range []event.Rung{event.RungExact, event.RungLookup, event.RungEndpoint} {
			for _, p := range []float64{1, 1e-2, 1e-4, 1e-8} {
				e := edge("h0", image, "a.example.net", func(e *detect.Edge) {
					e.Rung, e.Timing = by, stats.Result{N: 30, Scale: 2, Period: 60, P: p}
				})
				before := scorer(t, e, rest).Score(&e)
				e.Program, e.Image, e.Rung = "", "", event.RungHost
				if after := scorer(t, e, rest).Score(&e); after > before {
					t.Errorf("%s, %s, p = %v: %v, and %v without its owner", image, by, p, before, after)
				}
			}
		}
	}
}

// TestOrdinaryIsTheLeast holds what stands for missing evidence against the
// tables: it must be the most ordinary that there is.
func TestOrdinaryIsTheLeast(t *testing.T) {
	least, most := math.Inf(1), 0.0
	for _, c := range program.AllClasses() {
		p := priorOf(c)
		least, most = min(least, p.points), max(most, p.periodic)
	}
	if ordinaryProgram != least || ordinaryPeriodic != most {
		t.Errorf("ordinary programs: %v points and a share of %v, the tables have %v and %v",
			ordinaryProgram, ordinaryPeriodic, least, most)
	}
	least = 0
	for _, p := range serviceClass {
		least = min(least, p)
	}
	if ordinaryService != least {
		t.Errorf("ordinary services: %v points, the table has %v", ordinaryService, least)
	}
}
