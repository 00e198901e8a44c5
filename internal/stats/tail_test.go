package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// sampleOf draws n normal values.
func sampleOf(r *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = r.NormFloat64()
	}
	return x
}

func TestTailBody(t *testing.T) {
	ref := make([]float64, 100)
	for i := range ref {
		ref[i] = float64(100 - i) // 1..100, falling
	}
	tail := NewTail(ref)
	for _, c := range []struct{ x, want float64 }{
		{-5, 1}, {1, 1}, {51, 51.0 / 101}, {81, 21.0 / 101}, {math.NaN(), 1}, {math.Inf(-1), 1},
		{93.07, 8.0 / 101}, // Q93 itself: seven are higher
		// β = (93.07 − 50.5)/ln(0.50/0.07), as the fit from 70 % is faster
		{93.07 + 42.57/math.Log(0.50/0.07), 0.07 / math.E},
		{math.Inf(1), leastP},
	} {
		if got := tail.P(c.x); math.Abs(got/c.want-1) > 1e-9 {
			t.Errorf("P(%v) = %v, want %v", c.x, got, c.want)
		}
	}
}

// TestTailFew: few values, or one value many times, tell nothing of a tail.
func TestTailFew(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for n := range fewest {
		if got, want := NewTail(sampleOf(r, n)).P(1e6), 1/float64(n+1); got != want {
			t.Errorf("%d values: %v, want %v", n, got, want)
		}
	}
	if got := NewTail(make([]float64, 1000)).P(1); got != 1.0/1001 {
		t.Errorf("1,000 zeros: P(1) = %v", got)
	}
	// Of few values one may be at both quantiles but for the last bit.
	atoms := make([]float64, 100)
	for i := range atoms {
		atoms[i] = []float64{1, 2, 2 + 1e-15, 3}[min(i/32, 3)]
	}
	if got := NewTail(atoms).P(3); got < 0.01 {
		t.Errorf("three in a hundred are as high: %v", got)
	}
	unknown := append(sampleOf(r, 5), math.NaN(), math.NaN())
	if got := NewTail(unknown).P(1e6); got != 1.0/6 {
		t.Errorf("five values and two unknown: %v", got)
	}
	for _, p := range []float64{(Tail{}).P(1e6), NewTail(nil).P(1e6)} {
		if p != 1 {
			t.Errorf("no reference: %v", p)
		}
	}
}

// TestTailContaminated: the tail of a clean reference promises about what it
// should of exponential data, and 3 % of what is looked for hardly change it.
func TestTailContaminated(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	ref := make([]float64, 10_000)
	for i := range ref {
		ref[i] = r.ExpFloat64()
	}
	x := -math.Log(1e-4)
	clean := NewTail(ref).P(x)
	for i := range 300 {
		ref[i] = 20 + r.Float64()
	}
	dirty := NewTail(ref).P(x)
	if clean < 0.3e-4 || clean > 3e-4 || dirty < clean || dirty > 20*clean {
		t.Errorf("P(%.2f) = %.2g of a clean reference, %.2g of a contaminated one, want about 1e-4", x, clean, dirty)
	}
}

// TestTailProperties: a p-value is one, falls as the value rises, does not
// depend on the order of the reference, and moves with it.
func TestTailProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.Float64Range(-1e6, 1e6)
		ref := rapid.SliceOfN(value, 0, 200).Draw(t, "reference")
		other := rapid.SliceOfN(value, 0, 200).Draw(t, "other")
		n := rapid.IntRange(-1, 10_000).Draw(t, "n")
		x, y := value.Draw(t, "x"), value.Draw(t, "y")
		x, y = min(x, y), max(x, y)
		one := NewTail(ref)
		for _, tail := range []Tail{one, Blend(one, NewTail(other), n), Blend(one, Tail{}, n), Blend(Tail{}, one, n)} {
			p, q := tail.P(x), tail.P(y)
			if !(q > 0 && q <= p && p <= 1) {
				t.Fatalf("P(%v) = %v, P(%v) = %v", x, p, y, q)
			}
		}
		if p, q := one.P(y), NewTail(rapid.Permutation(ref).Draw(t, "permutation")).P(y); p != q {
			t.Fatalf("%v, and %v in another order", p, q)
		}
		for i := range ref {
			ref[i] *= 4 // exact, as is scaling the value
		}
		if p, q := one.P(y), NewTail(ref).P(4*y); math.Abs(p-q) > 1e-9*p {
			t.Fatalf("%v, and %v on another scale", p, q)
		}
	})
}

func TestBlend(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	shipped, local := NewTail(sampleOf(r, 1000)), NewTail(sampleOf(r, 2000))
	const x = 1.5
	if got, want := Blend(shipped, local, 2000).P(x), (shipped.P(x)+local.P(x))/2; math.Abs(got-want) > 1e-12 {
		t.Errorf("half and half: %v, want %v", got, want)
	}
	if got, want := Blend(shipped, local, 0).P(x), shipped.P(x); got != want {
		t.Errorf("nothing local: %v, want %v", got, want)
	}
	twice := Blend(Blend(shipped, local, 2000), local, 2000)
	if got, want := twice.P(x), shipped.P(x)/4+local.P(x)*3/4; math.Abs(got-want) > 1e-12 {
		t.Errorf("blended twice: %v, want %v", got, want)
	}
}
