package finding

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/config"
	"github.com/postern/postern/internal/detect"
)

var ten = config.Budget{PerDay: 10, PerProgramShare: 0.33}

// cluster is one with edges on the hosts.
func cluster(program, domain string, score float64, hosts ...string) Cluster {
	c := Cluster{Program: program, Domain: domain, Score: score}
	for _, h := range hosts {
		c.Edges = append(c.Edges, &detect.Edge{Host: h, Program: program, Domain: domain, First: old, Last: now})
	}
	c.Best = c.Edges[0]
	return c
}

// tell returns the indices of the clusters of a tier.
func tell(clusters []Cluster, q []float64, b config.Budget, days int, tier Tier) []int {
	if q == nil {
		q = make([]float64, len(clusters))
		for i := range q {
			q[i] = math.NaN()
		}
	}
	var out []int
	for i, t := range Tiers(clusters, q, b, Evidence{Days: days}) {
		if t == tier {
			out = append(out, i)
		}
	}
	return out
}

// each returns n clusters, of programs and hosts that fn names.
func each(n int, fn func(int) (program, host string)) []Cluster {
	var all []Cluster
	for i := range n {
		program, host := fn(i)
		all = append(all, cluster(program, fmt.Sprint("d", i), float64(-i), host))
	}
	return all
}

func TestBudgetIsPerDayOfEvidence(t *testing.T) {
	all := each(100, func(i int) (string, string) { return fmt.Sprint("p", i), fmt.Sprint("h", i) })
	for days, want := range map[int]int{1: 10, 3: 30, 20: 30} {
		got := tell(all, nil, ten, days, Budget)
		if len(got) != want || got[want-1] != want-1 {
			t.Errorf("%d days: %v, want the first %d", days, got, want)
		}
	}
}

// TestAProgramTakesItsShare: however many findings a program has, the others
// are told, and a program that is unknown is none.
func TestAProgramTakesItsShare(t *testing.T) {
	all := each(40, func(i int) (string, string) {
		if i < 20 {
			return "browser", fmt.Sprint("h", i)
		}
		return fmt.Sprint("p", i), fmt.Sprint("h", i)
	})
	want := []int{0, 1, 2, 20, 21, 22, 23, 24, 25, 26}
	if diff := cmp.Diff(want, tell(all, nil, ten, 1, Budget)); diff != "" {
		t.Error(diff)
	}
	if got := tell(all[:20], nil, ten, 1, Budget); len(got) != 3 {
		t.Errorf("of a program that is alone: %v", got)
	}
	unknown := each(40, func(i int) (string, string) { return "", fmt.Sprint("h", i) })
	if got := tell(unknown, nil, ten, 1, Budget); len(got) != 10 {
		t.Errorf("of the unknown program: %v", got)
	}
}

// TestAHostDoesNotSilenceOthers: a host that makes up strong findings under any
// number of names leaves half of the budget to others, while these want it.
func TestAHostDoesNotSilenceOthers(t *testing.T) {
	all := each(1000, func(i int) (string, string) { return fmt.Sprint("made-up-", i), "flood" })
	if got := tell(all, nil, ten, 1, Budget); len(got) != 10 {
		t.Errorf("of a host that is alone: %v", got)
	}
	for i := range 3 {
		all = append(all, cluster(fmt.Sprint("q", i), "d", -1e6, fmt.Sprint("h", i)))
	}
	all = append(all, cluster("spread", "d", -1e7, "flood", "h1"))
	want := []int{0, 1, 2, 3, 4, 5, 1000, 1001, 1002, 1003}
	if diff := cmp.Diff(want, tell(all, nil, ten, 1, Budget)); diff != "" {
		t.Error(diff)
	}
}

// TestHighIsAlwaysTold: what is hardly a false alarm is told beyond any budget,
// which it uses up.
func TestHighIsAlwaysTold(t *testing.T) {
	all := each(30, func(int) (string, string) { return "p", "h" })
	all = append(all, each(5, func(i int) (string, string) { return fmt.Sprint("q", i), fmt.Sprint("h", i) })...)
	q := make([]float64, len(all))
	for i := range q {
		q[i] = 0.5
		if i >= 3 && i < 9 {
			q[i] = highQ
		}
	}
	if got := tell(all, q, ten, 1, High); len(got) != 6 || got[0] != 3 {
		t.Errorf("high: %v", got)
	}
	if diff := cmp.Diff([]int{30, 31, 32, 33}, tell(all, q, ten, 1, Budget)); diff != "" {
		t.Errorf("within the budget: %s", diff)
	}
	for i := range q {
		q[i] = 0
	}
	if got := tell(all, q, ten, 1, High); len(got) != len(all) {
		t.Errorf("%d of %d are high", len(got), len(all))
	}
}

// TestAMassDeploymentIsOneCluster: what is put on forty hosts in an hour is one
// finding, whatever the users are called there, and a new program.
func TestAMassDeploymentIsOneCluster(t *testing.T) {
	var edges []detect.Edge
	var scores []float64
	for i := range 40 {
		host := fmt.Sprint("h", i)
		edges = append(edges,
			detect.Edge{Host: host, Program: "old", Domain: "y", First: old, Last: now},
			detect.Edge{Host: host, Program: `%user%\x.exe`, Domain: "x", Sessions: 1, First: now.Add(-day), Last: now})
		scores = append(scores, -1, 5+float64(i)/100)
	}
	clusters := Clusters(edges, scores)
	if len(clusters) != 2 || len(clusters[0].Edges) != 40 || clusters[0].Best.Host != "h39" {
		t.Fatalf("%d clusters, the first on %d hosts", len(clusters), len(clusters[0].Edges))
	}
	want := []NewProgram{{Program: `%user%\x.exe`, Hosts: 40, FirstSeen: now.Add(-day).Std(), Domains: []string{"x"}}}
	if diff := cmp.Diff(want, NewPrograms(edges, Cover(edges))); diff != "" {
		t.Error(diff)
	}
}
