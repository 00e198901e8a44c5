package owner

import (
	"fmt"
	"slices"
	"testing"
)

// BenchmarkTranslate finds 200 hosts with 500 connections each: all behind one
// address, and behind 50; half of the connections go to 50 popular far ends.
func BenchmarkTranslate(b *testing.B) {
	for _, addresses := range []int{1, 50} {
		b.Run(fmt.Sprint(addresses, "-addresses"), func(b *testing.B) {
			e := newEnds()
			for h := range 200 {
				for range 500 {
					far := Far(1000 + e.rand.IntN(20_000))
					if e.rand.IntN(2) == 0 {
						far = Far(e.rand.IntN(50))
					}
					e.open(fmt.Sprint("192.0.2.", h%addresses), fmt.Sprint("h", h), 86_400*e.rand.Float64(), far)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				l := Loose{Outside: slices.Clone(e.Outside), Inside: slices.Clone(e.Inside)}
				if tr := Translate(&l); len(tr.Seats) != 200 {
					b.Fatalf("%d seats", len(tr.Seats))
				}
			}
			b.ReportMetric(float64(len(e.Outside))*float64(b.N)/b.Elapsed().Seconds(), "flows/s")
		})
	}
}
