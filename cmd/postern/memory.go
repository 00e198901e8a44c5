package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// The heap may grow to heapRoom before it is collected often: collecting at
// each doubling of a small heap costs a tenth of a hunt. Where more than that
// is in use, the room grows with it.
const (
	heapRoom  = 400 << 20
	lazy      = 400 // percent, as GOGC
	roomShare = 0.6 // of the room that may be in use
)

// roomyHeap collects garbage lazily while the heap is small, until ctx ends.
// It leaves alone what the environment has set.
func roomyHeap(ctx context.Context) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetGCPercent(lazy)
	debug.SetMemoryLimit(heapRoom)
	go func() {
		for tick := time.NewTicker(time.Second); ; {
			select {
			case <-ctx.Done():
				tick.Stop()
				return
			case <-tick.C:
				debug.SetMemoryLimit(max(heapRoom, int64(float64(live())/roomShare)))
			}
		}
	}()
}

// live returns the bytes that the last collection found in use.
func live() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}
