package finding

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/event"
)

// now is the end of the evidence in these tests.
var now = event.At(time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC))

// scored returns clusters with the scores, ranked, whose edges began at first.
func scored(first event.Time, scores []float64) []Cluster {
	scores = slices.Clone(scores)
	slices.Sort(scores)
	slices.Reverse(scores)
	clusters := make([]Cluster, len(scores))
	for i, s := range scores {
		e := &detect.Edge{Host: fmt.Sprint("h", i), Program: fmt.Sprint("p", i), Domain: "d", First: first, Last: now}
		clusters[i] = Cluster{Program: e.Program, Domain: e.Domain, Best: e, Score: s, Edges: []*detect.Edge{e}}
	}
	return clusters
}

var old = now.Add(-10 * day)

// TestQValuesKeepTheirWord: of the clusters with a q-value of at most 0.2, no
// more than a fifth are harmless, whatever the scores of the harmless look
// like and whether others are among them: few, which are found, or so many
// that they hide each other.
func TestQValuesKeepTheirWord(t *testing.T) {
	for _, c := range []struct {
		name  string
		score func(*rand.Rand) float64
		n     int
		bad   int
		found float64 // the share of the bad ones that must have q ≤ 0.2
	}{
		{"uniform", (*rand.Rand).Float64, 1000, 0, 0},
		{"exponential", (*rand.Rand).ExpFloat64, 1000, 0, 0},
		{"exponential, more", (*rand.Rand).ExpFloat64, 4000, 0, 0},
		{"normal", (*rand.Rand).NormFloat64, 2000, 0, 0},
		{"one in a thousand", (*rand.Rand).ExpFloat64, 4000, 4, 0.9},
		{"three in a hundred", (*rand.Rand).ExpFloat64, 2000, 60, 0},
		{"three in a hundred of uniform ones", (*rand.Rand).Float64, 2000, 60, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			const runs = 300
			var falseShare, found float64
			for run := range runs {
				wrong, right := told(rand.New(rand.NewPCG(uint64(run), 7)), c.score, c.n, c.bad)
				falseShare += float64(wrong) / float64(max(1, wrong+right)) / runs
				found += float64(right) / float64(max(1, c.bad)) / runs
			}
			if worst := highQ + 3*math.Sqrt(highQ*(1-highQ)/runs); falseShare > worst {
				t.Errorf("%.3f of those told are harmless on average, more than %.3f", falseShare, worst)
			}
			if found < c.found {
				t.Errorf("%.2f of what is not harmless is told, want %.2f", found, c.found)
			}
		})
	}
}

// told draws harmless clusters and some that score far above them, and returns
// how many of each have a q-value of the tier high.
func told(r *rand.Rand, score func(*rand.Rand) float64, n, bad int) (wrong, right int) {
	scores := make([]float64, n, n+bad)
	for i := range scores {
		scores[i] = score(r)
	}
	top := slices.Max(scores)
	for range bad {
		scores = append(scores, top+(top-slices.Min(scores))*(0.5+r.Float64()))
	}
	clusters := scored(old, scores)
	for i, q := range QValues(clusters, now) {
		switch {
		case !(q <= highQ):
		case clusters[i].Score > top:
			right++
		default:
			wrong++
		}
	}
	return wrong, right
}

// TestQValuesAreMonotone: within a group nothing stronger has a greater q-value
// than something weaker.
func TestQValuesAreMonotone(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 1))
		step := rapid.SampledFrom([]float64{0, 0.1, 3}).Draw(r, "step") // scores that are alike
		var clusters []Cluster
		for _, first := range []event.Time{old, now.Add(-day)} {
			scores := make([]float64, rapid.IntRange(1, 3000).Draw(r, "n"))
			for i := range scores {
				scores[i] = 5 * random.NormFloat64()
				if step > 0 {
					scores[i] = step * math.Round(scores[i]/step)
				}
			}
			clusters = append(clusters, scored(first, scores)...)
		}
		q := QValues(clusters, now)
		for i := range q {
			if q[i] <= 0 || q[i] > 1 {
				r.Fatalf("a q-value of %v", q[i])
			}
			if i > 0 && clusters[i].Best.First == clusters[i-1].Best.First && q[i] < q[i-1] {
				r.Fatalf("score %v has q %v, score %v has %v", clusters[i].Score, q[i], clusters[i-1].Score, q[i-1])
			}
		}
	})
}

// TestTooFewSayNothing: the q-values of a group that is small are unknown, and
// those of the other are not.
func TestTooFewSayNothing(t *testing.T) {
	many, few := make([]float64, fewest), make([]float64, fewest-1)
	for i := range many {
		many[i] = float64(i)
	}
	copy(few, many)
	clusters := append(scored(old, many), scored(now.Add(-fresh+1), few)...)
	for i, q := range QValues(clusters, now) {
		if known := clusters[i].Best.First == old; math.IsNaN(q) == known {
			t.Fatalf("cluster %d, known %v, has q %v", i, known, q)
		}
	}
}

// TestNewIsComparedWithNew: the same score is unusual among edges that have
// been there, and usual among new ones.
func TestNewIsComparedWithNew(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	quiet, loud := make([]float64, 2000), make([]float64, 2000)
	for i := range quiet {
		quiet[i], loud[i] = r.Float64(), 10*r.Float64()
	}
	quiet[0] = 9
	clusters := append(scored(old, quiet), scored(now.Add(-day), loud)...)
	q := QValues(clusters, now)
	if q[0] > highQ {
		t.Errorf("an edge of 9 where others have less than 1: q %v", q[0])
	}
	if q[len(quiet)] <= highQ {
		t.Errorf("an edge of 10 where many have: q %v", q[len(quiet)])
	}
}

func TestQValuesOfNothing(t *testing.T) {
	if q := QValues(nil, now); len(q) != 0 {
		t.Errorf("%d q-values of nothing", len(q))
	}
	flat := make([]float64, 5000) // no tail
	for _, q := range QValues(scored(old, flat), now) {
		if q != 1 {
			t.Fatalf("of equal scores one has q %v", q)
		}
	}
}
