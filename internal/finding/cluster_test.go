package finding

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/postern/postern/internal/detect"
)

func TestClustersAreRanked(t *testing.T) {
	edges := []detect.Edge{
		{Host: "b", Program: "p", Domain: "x"}, {Host: "a", Program: "p", Domain: "x"},
		{Host: "a", Program: "p", Domain: "y"}, {Host: "a", Program: "q", Domain: "x"},
		{Host: "c", Program: "q", Domain: "x"}, {Host: "a", Program: "", Domain: "x"},
	}
	scores := []float64{3, 3, 7, 1, 3, -1}
	type line struct {
		program, domain, best string
		score                 float64
	}
	var got []line
	for _, c := range Clusters(edges, scores) {
		got = append(got, line{c.Program, c.Domain, c.Best.Host, c.Score})
	}
	want := []line{
		{"p", "y", "a", 7},
		{"p", "x", "a", 3}, // of two equal edges, the host's name decides
		{"q", "x", "c", 3}, // of two equal clusters, the program's
		{"", "x", "a", -1},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(line{})); diff != "" {
		t.Error(diff)
	}
}

// TestClustersDoNotDependOnOrder: every order of the edges gives one ranking,
// which is total even where scores are equal.
func TestClustersDoNotDependOnOrder(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var edges []detect.Edge
		var scores []float64
		for _, host := range []string{"a", "b", "c"} {
			for _, program := range []string{"", "p", "q"} {
				for _, domain := range []string{"x", "y"} {
					if rapid.Bool().Draw(r, "there") {
						edges = append(edges, detect.Edge{Host: host, Program: program, Domain: domain})
						scores = append(scores, float64(rapid.IntRange(-1, 1).Draw(r, "score")))
					}
				}
			}
		}
		shuffled, with := slices.Clone(edges), slices.Clone(scores)
		rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 1)).Shuffle(len(edges), func(i, j int) {
			shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
			with[i], with[j] = with[j], with[i]
		})
		got := Clusters(shuffled, with)
		if diff := cmp.Diff(Clusters(edges, scores), got); diff != "" {
			r.Error(diff)
		}
		for i := 1; i < len(got); i++ {
			if got[i].Score > got[i-1].Score {
				r.Errorf("place %d has %v after %v", i, got[i].Score, got[i-1].Score)
			}
		}
	})
}

// TestIDIsPinned: an ID that a person wrote down finds the finding in the next
// release too.
func TestIDIsPinned(t *testing.T) {
	const want = "AN1189-f1c6243c3e47"
	if got := ID(`%programdata%\x\sync.exe`, "example.net"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestIDsAreDistinct(t *testing.T) {
	seen := make(map[string][2]string)
	for _, program := range []string{"", "p", "pp", "p\x00", "P"} {
		for _, domain := range []string{"", "p", "d", "dp", "\x00d", "D"} {
			id := ID(program, domain)
			if other, ok := seen[id]; ok {
				t.Errorf("%q to %q has the ID of %q", program, domain, other)
			}
			seen[id] = [2]string{program, domain}
		}
	}
}
