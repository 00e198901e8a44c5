package squid

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/decodetest"
	"github.com/postern/postern/internal/event"
)

// generated returns the log of a day's beginning in each layout.
func generated(lines int) (native, combined []byte) {
	var n, c bytes.Buffer
	rnd := rand.New(rand.NewPCG(1, 2))
	end := time.Date(2026, 11, 23, 8, 0, 0, 0, time.FixedZone("", 3600))
	for range lines {
		end = end.Add(time.Duration(rnd.IntN(500)) * time.Millisecond)
		client := fmt.Sprintf("10.0.%d.%d", rnd.IntN(4), rnd.IntN(256))
		code, what, kind := "TCP_TUNNEL", fmt.Sprintf("CONNECT www%d.example.net:443", rnd.IntN(1000)), "-"
		if rnd.IntN(4) == 0 {
			code, what, kind = "TCP_MISS", fmt.Sprintf("GET http://www%d.example.net/a/%x?q=%d", rnd.IntN(1000), rnd.Uint64(), rnd.IntN(10)), "text/html"
		}
		size := rnd.IntN(1e6)
		fmt.Fprintf(&n, "%d.%03d %6d %s %s/200 %d %s corp\\\\user%d HIER_DIRECT/203.0.113.9 %s\n",
			end.Unix(), end.UnixMilli()%1000, rnd.IntN(60000), client, code, size, what, rnd.IntN(100), kind)
		fmt.Fprintf(&c, "%s - user%d [%s] \"%s HTTP/1.1\" 200 %d \"-\" \"Mozilla/5.0 (Windows NT 10.0; Win64; x64)\" %s:HIER_DIRECT\n",
			client, rnd.IntN(100), end.Format(timeLayout), what, size, code)
	}
	return n.Bytes(), c.Bytes()
}

func TestConformance(t *testing.T) {
	native, combined := generated(60)
	for i, sample := range [][]byte{native, combined} {
		f := Formats()[i]
		t.Run(f.Name, func(t *testing.T) { decodetest.Run(t, f, sample) })
	}
}

// seeds are lines of every kind, good and bad, of a layout.
func seeds(write func(code, method, url string) string) [][]byte {
	var all [][]byte
	for _, tt := range targets {
		all = append(all, []byte(write(tt.code, tt.method, tt.url)+"\n"))
	}
	return all
}

func FuzzNative(f *testing.F) {
	decodetest.Fuzz(f, Formats()[0], seeds(func(code, method, url string) string {
		return `1795448359.000  -1 ::1 ` + code + "/000 - " + method + " " + url + ` a\\b %41 HIER_NONE/- a b`
	})...)
}

func FuzzCombined(f *testing.F) {
	decodetest.Fuzz(f, Formats()[1], seeds(func(code, method, url string) string {
		return `::1 - a\\b %41 [23/Nov/2026:15:39:19 +0000] "` + method + " " + url + ` HTTP/1.1" 0 - "-" "-" ` + code + ":NONE [a] [b]"
	})...)
}

// TestLongRunsTakeLinearTime: a line of blanks, or of what almost is a field,
// must not cost more than others of its length.
func TestLongRunsTakeLinearTime(t *testing.T) {
	n := maxLine - 1000
	for _, tt := range []struct{ format, before, run, after string }{
		{"squid", "1795448359.000 2 10.0.0.5 TCP_MISS/200 720 GET http://x/ ", " ", "- HIER_DIRECT/1 -"},
		{"squid", "1795448359.000 2 10.0.0.5 TCP_MISS/200 720 GET http://x/ ", "A/ ", "-"},
		{"squid-combined", `10.0.0.5 - - [23/Nov/2026:15:39:19 +0000] "GET http://x/`, " ", `HTTP/1.1" 200 1 AAA:BBB`},
		{"squid-combined", `10.0.0.5 - - [23/Nov/2026:15:39:19 +0000] "GET http://x/`, " AAA/", ` 200 1 AAA:BBB`},
		{"squid-combined", `10.0.0.5 - - `, " [", ` AAA:BBB`},
	} {
		line := tt.before + strings.Repeat(tt.run, n/len(tt.run)) + tt.after
		began := time.Now()
		decodeAll(t, tt.format, line)
		if d := time.Since(began); d > 5*time.Second {
			t.Errorf("%s, a run of %q took %v", tt.format, tt.run, d)
		}
	}
}

func BenchmarkNative(b *testing.B) {
	log, _ := generated(benchLines)
	benchmark(b, "squid", log)
}

func BenchmarkCombined(b *testing.B) {
	_, log := generated(benchLines)
	benchmark(b, "squid-combined", log)
}

// benchLines is the length of a generated log.
const benchLines = 50_000

func benchmark(b *testing.B, format string, log []byte) {
	f := formatOf(b, format)
	b.ReportAllocs()
	b.SetBytes(int64(len(log)))
	batch := new(event.Batch)
	for b.Loop() {
		var tally decode.Tally
		d := f.Open(bytes.NewReader(log), &tally)
		var err error
		for err == nil {
			batch.Reset()
			err = d.Decode(batch)
		}
		if err != io.EOF || tally.Events != benchLines {
			b.Fatalf("%v, %+v", err, tally)
		}
	}
	b.ReportMetric(float64(benchLines)*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}
