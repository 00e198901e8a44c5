// Command owner measures the join of internal/owner on estates whose owners
// are known, by hiding evidence.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/postern/postern/internal/owner"
	"github.com/postern/postern/internal/owner/ownertest"
)

func main() {
	c := ownertest.Defaults()
	flag.IntVar(&c.Hosts, "hosts", 0, "hosts; 0 for 64, or 2,000 of a soak")
	flag.Uint64Var(&c.Seed, "seed", c.Seed, "of the estates")
	scenario := flag.String("scenario", "", "only that one")
	asJSON := flag.Bool("json", false, "write JSON")
	soaking := flag.Bool("soak", false, "join one large estate, group by group")
	flows := flag.Int("flows", 10_000_000, "connections of a soak")
	flag.Parse()
	var err error
	if *soaking {
		err = soak(os.Stdout, c, *flows, *asJSON)
	} else {
		err = scenarios(os.Stdout, c, *scenario, *asJSON)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "owner:", err)
		os.Exit(1)
	}
}

// join is the join as it is by default.
func join(w owner.Window) owner.Result { return owner.Join(w, owner.Defaults()) }

// scenarios prints how the join does on each scenario, or on the named one.
func scenarios(w io.Writer, c ownertest.Config, name string, asJSON bool) error {
	if c.Hosts == 0 {
		c.Hosts = 64
	}
	var chosen []ownertest.Scenario
	for _, s := range ownertest.Scenarios() {
		if name == "" || name == s.Name {
			chosen = append(chosen, s)
		}
	}
	if len(chosen) == 0 {
		return fmt.Errorf("no scenario is named %q", name)
	}
	tables := make([]ownertest.Table, len(chosen))
	var wg sync.WaitGroup
	turns := make(chan struct{}, workers())
	for i, s := range chosen {
		wg.Go(func() {
			turns <- struct{}{}
			tables[i] = ownertest.Evaluate(s.Estate(c), join)
			<-turns
		})
	}
	wg.Wait()
	if asJSON {
		return writeJSON(w, tables)
	}
	examples := 1
	if name != "" {
		examples = 3
	}
	return ownertest.Write(w, tables, examples)
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
