// Command gen writes simulated telemetry to a folder.
//
//	go run ./internal/simulate/gen -scenario office -seed 1 -o examples/office
//	go run ./internal/simulate/gen -scenario bench -flows 1000000 -o /tmp/bench
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/postern/postern/internal/simulate"
)

func main() {
	scenario := flag.String("scenario", "office", "what to play: office or bench")
	seed := flag.Uint64("seed", 1, "equal seeds give equal output")
	flows := flag.Int("flows", 1_000_000, "how many flows the bench has")
	dir := flag.String("o", "", "folder to write to")
	flag.Parse()
	if err := run(*scenario, *seed, *flows, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(scenario string, seed uint64, flows int, dir string) error {
	if dir == "" {
		return fmt.Errorf("-o: no folder to write to")
	}
	switch scenario {
	case "office":
		_, err := simulate.Office(dir, seed)
		return err
	case "bench":
		return simulate.Bench(dir, flows, seed)
	}
	return fmt.Errorf("-scenario: %q is neither office nor bench", scenario)
}
