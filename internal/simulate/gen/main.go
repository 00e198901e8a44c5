// Command gen writes simulated telemetry to a folder.
//
//	go run ./internal/simulate/gen -scenario office -seed 1 -o examples/office
//	go run ./internal/simulate/gen -scenario bench -flows 1000000 -o /tmp/bench
//	go run ./internal/simulate/gen -scenario fleet -hosts 20 -days 7 -o /tmp/fleet
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/postern/postern/internal/simulate"
	"github.com/postern/postern/internal/simulate/fleet"
)

func main() {
	scenario := flag.String("scenario", "office", "what to play: office, bench or fleet")
	seed := flag.Uint64("seed", 1, "equal seeds give equal output")
	flows := flag.Int("flows", 1_000_000, "how many flows the bench has")
	hosts := flag.Int("hosts", 20, "how many hosts the fleet has")
	days := flag.Int("days", 7, "how many days the fleet is played")
	deeds := flag.Int("deeds", 0, "how many attacks the fleet hides; 0 for as many as suit its size")
	shifted := flag.Bool("shifted", false, "a fleet of a shifted world")
	dir := flag.String("o", "", "folder to write to")
	flag.Parse()
	c := fleet.Config{Seed: *seed, Hosts: *hosts, Days: *days, Deeds: *deeds, Shifted: *shifted}
	if err := run(*scenario, *flows, c, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(scenario string, flows int, c fleet.Config, dir string) error {
	if dir == "" {
		return fmt.Errorf("-o: no folder to write to")
	}
	switch scenario {
	case "office":
		_, err := simulate.Office(dir, c.Seed)
		return err
	case "bench":
		return simulate.Bench(dir, flows, c.Seed)
	case "fleet":
		_, err := simulate.Fleet(dir, c)
		return err
	}
	return fmt.Errorf("-scenario: %q is none of office, bench and fleet", scenario)
}
