// Command bench times one whole hunt over a simulated estate, with its peak
// memory: what no benchmark of a part can tell.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/simulate"
)

func main() {
	flows := flag.Int("flows", 1_000_000, "Zeek conn rows, and as many Sysmon connects")
	seed := flag.Uint64("seed", 1, "of the simulation")
	flag.Parse()
	if err := run(context.Background(), *flows, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, flows int, seed uint64) error {
	dir, err := os.MkdirTemp("", "postern-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	data := filepath.Join(dir, "estate")
	if err := simulate.Bench(data, flows, seed); err != nil {
		return fmt.Errorf("making the estate: %w", err)
	}
	binary := filepath.Join(dir, "postern")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/postern").CombinedOutput(); err != nil {
		return fmt.Errorf("building postern: %w\n%s", err, out)
	}
	return hunt(ctx, binary, data)
}

// hunt runs the command as a user would and prints what it took.
func hunt(ctx context.Context, binary, data string) error {
	cmd := exec.CommandContext(ctx, binary, "hunt", "--json", data)
	cmd.Stderr = os.Stderr
	begin := time.Now()
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("hunt: %w", err)
	}
	took := time.Since(begin).Seconds()
	var doc finding.Document
	if err := json.Unmarshal(out, &doc); err != nil {
		return fmt.Errorf("hunt's output: %w", err)
	}
	s := &doc.Summary
	fmt.Printf("hunt: %s records (%s flows, %s connects) in %.1f s: %s records/s, %.1f s of processor, peak memory %s MiB\n",
		thousands(s.Records), thousands(s.Flows), thousands(s.Connects), took,
		thousands(int64(float64(s.Records)/took)), (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(),
		thousands(peak(cmd.ProcessState)>>20))
	return nil
}

// peak returns the greatest resident size of an ended process, in bytes.
func peak(s *os.ProcessState) int64 {
	usage, ok := s.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return usage.Maxrss * 1024
}

func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
