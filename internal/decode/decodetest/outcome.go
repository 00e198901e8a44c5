package decodetest

import (
	"fmt"
	"io"
	"maps"
	"net/netip"
	"reflect"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"unicode/utf8"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// maxIdle is how often in a row Decode may return nothing at all. It may
// return no events for a stretch of records that are of no use.
const maxIdle = 10_000

// An outcome is what came of decoding an input.
type outcome struct {
	batch    event.Batch
	tally    decode.Tally
	err      error // that ended it, io.EOF at the end
	panicked string
	idle     bool // Decode did not come to an end
}

// decodeAll decodes r to the end.
func decodeAll(f *decode.Format, r io.Reader) outcome {
	var o outcome
	o.guard(func() { o.drain(f.Open(r, &o.tally), func() {}) })
	return o
}

// detectAndDecode finds the format of r and decodes it.
func detectAndDecode(f *decode.Format, r io.Reader) outcome {
	var o outcome
	o.guard(func() {
		_, d, err := decode.Open([]*decode.Format{f}, nil, r, &o.tally)
		if err != nil {
			o.err = err
			return
		}
		o.drain(d, func() {})
	})
	return o
}

// guard calls fn and catches its panic.
func (o *outcome) guard(fn func()) {
	defer func() {
		if p := recover(); p != nil {
			o.panicked = fmt.Sprintf("%v\n%s", p, debug.Stack())
		}
	}()
	fn()
}

// drain decodes to the end and calls after each Decode.
func (o *outcome) drain(d decode.Decoder, after func()) {
	idle := 0
	for o.err == nil {
		before, records := o.batch.Len(), o.tally.Records
		o.err = d.Decode(&o.batch)
		after()
		if o.batch.Len() > before || o.tally.Records > records {
			idle = 0
		} else if idle++; idle > maxIdle {
			o.idle = true
			return
		}
	}
}

// sane checks what holds of every outcome.
func (o *outcome) sane(r reporter, binary bool) {
	r.Helper()
	if o.panicked != "" {
		r.Errorf("panic: %s", o.panicked)
		return
	}
	if o.idle {
		r.Errorf("Decode does not come to an end")
	}
	if bad := invalidText(reflect.ValueOf(o.batch), "Batch"); bad != "" {
		r.Errorf("%s is not valid UTF-8", bad)
	}
	if bad := invalidText(reflect.ValueOf(o.tally), "Tally"); bad != "" {
		r.Errorf("%s is not valid UTF-8", bad)
	}
	o.saneTally(r, binary)
}

// saneTally checks that the tally accounts for every record.
func (o *outcome) saneTally(r reporter, binary bool) {
	r.Helper()
	t := &o.tally
	if t.Events != int64(o.batch.Len()) {
		r.Errorf("the tally counts %d events of %d", t.Events, o.batch.Len())
	}
	if told := t.Events + t.IgnoredTotal() + t.SkippedTotal(); t.Records > told {
		r.Errorf("%d records, but only %d events, ignored and skipped", t.Records, told)
	}
	if left := t.IgnoredTotal() + t.SkippedTotal(); t.Records < left {
		r.Errorf("%d records, but %d ignored and skipped", t.Records, left)
	}
	if t.SkippedTotal() > 0 && len(t.Positions) == 0 {
		r.Errorf("records were skipped without a position")
	}
	for _, p := range t.Positions {
		if p.Reason == "" || t.Skipped[p.Reason] == 0 || !isPlace(p.Where, binary) {
			r.Errorf("a record was skipped at %q for %q: want a line or record, and a reason", p.Where, p.Reason)
		}
	}
}

// isPlace reports whether a person finds the record there.
func isPlace(where string, binary bool) bool {
	return strings.Contains(where, "line") || strings.Contains(where, "record") ||
		binary && (strings.Contains(where, "chunk") || strings.Contains(where, "byte") || strings.Contains(where, "offset"))
}

// invalidText returns the path of a text in v that is not valid UTF-8, or "".
func invalidText(v reflect.Value, path string) string {
	switch v.Kind() {
	case reflect.String:
		if !utf8.ValidString(v.String()) {
			return fmt.Sprintf("%s (%q)", path, v.String())
		}
	case reflect.Slice:
		for i := range v.Len() {
			if bad := invalidText(v.Index(i), fmt.Sprintf("%s[%d]", path, i)); bad != "" {
				return bad
			}
		}
	case reflect.Map:
		for k, e := range v.Seq2() {
			if bad := invalidText(k, path+" key") + invalidText(e, path+" value"); bad != "" {
				return bad
			}
		}
	case reflect.Struct:
		return invalidField(v, path)
	}
	return ""
}

func invalidField(v reflect.Value, path string) string {
	switch a := v.Interface().(type) {
	case netip.Addr: // its zone is text
		return invalidText(reflect.ValueOf(a.Zone()), path+".Zone")
	case netip.AddrPort:
		return invalidText(reflect.ValueOf(a.Addr().Zone()), path+".Zone")
	}
	for i := range v.NumField() {
		if bad := invalidText(v.Field(i), path+"."+v.Type().Field(i).Name); bad != "" {
			return bad
		}
	}
	return ""
}

// sameEvents reports how the events of got differ from those of want, or "".
func sameEvents(want, got *event.Batch) string {
	return compareEvents(want, got, func(want, got int) int {
		if want != got {
			return -1
		}
		return got
	})
}

// beginning reports how the events of got differ from the first of want, of
// each kind, or "". Of the last got it allows the last loose ones to differ,
// which may be of records that were cut.
func beginning(want, got *event.Batch, loose int) string {
	return compareEvents(want, got, func(want, got int) int {
		if got > want+loose {
			return -1
		}
		return min(want, max(0, got-loose))
	})
}

// compareEvents compares, of each kind, as many of the first events as count
// says, which returns -1 when the numbers themselves are wrong.
func compareEvents(want, got *event.Batch, count func(want, got int) int) string {
	w, g := reflect.ValueOf(*want), reflect.ValueOf(*got)
	for i := range w.NumField() {
		kind := w.Type().Field(i).Name
		n := count(w.Field(i).Len(), g.Field(i).Len())
		if n < 0 {
			return fmt.Sprintf("%d %s, want %d", g.Field(i).Len(), kind, w.Field(i).Len())
		}
		for j := range n {
			a, b := w.Field(i).Index(j).Interface(), g.Field(i).Index(j).Interface()
			if !reflect.DeepEqual(a, b) {
				return fmt.Sprintf("%s[%d] is\n%+v, want\n%+v", kind, j, b, a)
			}
		}
	}
	return ""
}

// sameSkips reports whether two tallies skipped the same.
func sameSkips(a, b *decode.Tally) bool { return maps.Equal(a.Skipped, b.Skipped) }

// allocated returns how many bytes have been allocated so far.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// memoryFor returns how many bytes decoding n may allocate: buffers, and a
// few kilobytes for each byte, as the smallest records make large events.
func memoryFor(n int) uint64 { return 64<<20 + 4096*uint64(n) }
