package agent

import (
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// A notes mapper takes every record with an "a" and gives a notice of it.
type notes struct{ closed int }

func (n *notes) Own(r *Record) bool { return r.Has("a") }

func (n *notes) Map(r *Record, b *event.Batch) Verdict {
	switch a := string(r.Text("a")); a {
	case "ignore":
		return Verdict{Ignored: "ignored"}
	case "skip":
		return Verdict{Skipped: "skipped"}
	default:
		b.Notices = append(b.Notices, event.Notice{Text: a + "/" + string(r.First("b", "c"))})
		return Verdict{}
	}
}

func (n *notes) Close(t *decode.Tally) { n.closed++; t.Warn("closed") }

func newNotes() Mapper { return new(notes) }

func read(t *testing.T, open func(io.Reader, *decode.Tally) decode.Decoder, text string) ([]string, *decode.Tally) {
	t.Helper()
	var b event.Batch
	var tally decode.Tally
	d := open(strings.NewReader(text), &tally)
	var err error
	for err == nil {
		err = d.Decode(&b)
	}
	if err != io.EOF || d.Decode(&b) != io.EOF {
		t.Fatal(err)
	}
	var texts []string
	for _, n := range b.Notices {
		texts = append(texts, n.Text)
	}
	if len(tally.Warnings) != 1 || tally.Events != int64(len(texts)) {
		t.Errorf("tally: %+v", tally)
	}
	return texts, &tally
}

func TestJSON(t *testing.T) {
	j := &JSON{Clock: "clock", New: newNotes, Marks: []string{`"a"`}}
	for _, tt := range []struct {
		name, text       string
		want             []string
		ignored, skipped int64
	}{
		{"lines", `{"a":1,"c":true}` + "\n" + `{"a":"x","b":null}`, []string{"1/true", "x/"}, 0, 0},
		{"verdicts", `{"a":"ignore"} {"a":"skip"} {"b":1} nonsense`, nil, 1, 3},
		{"hit", `{"_source":{"a":"x"}}`, []string{"x/"}, 0, 0},
		{"answer", `{"hits":{"total":1,"hits":[{"_source":{"a":"x"}},{"_source":{"a":"y"}}]}}`, []string{"x/", "y/"}, 0, 0},
		{"records", `{"records":[{"a":"x"},{"a":"y"},7]}`, []string{"x/", "y/"}, 0, 1},
		{"no records", `{"records":[]}`, nil, 1, 0},
		{"a field of that name is no envelope", `{"a":"x","result":"y"}`, []string{"x/"}, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, tally := read(t, j.Open, tt.text)
			if diff := cmp.Diff(tt.want, got); diff != "" || tally.IgnoredTotal() != tt.ignored || tally.SkippedTotal() != tt.skipped {
				t.Errorf("%s%+v", diff, tally)
			}
			if match := j.Match([]byte(tt.text)); match != (tt.name != "no records") {
				t.Errorf("match: %v", match)
			}
		})
	}
	deep := strings.Repeat(`{"records":[`, 400) + strings.Repeat(`]}`, 400)
	if _, tally := read(t, j.Open, deep); tally.SkippedTotal() == 0 {
		t.Errorf("nested envelopes: %+v", tally)
	}
	for text, want := range map[string]bool{
		`{"records":[{"a":"` + strings.Repeat("x", 1000): true, // the end is not in sight
		`{"records":[{"b":"` + strings.Repeat("x", 1000): false,
		`{"b":1}` + "\n" + `{"a":1}`:                     false,
	} {
		if got := j.Match([]byte(text)); got != want {
			t.Errorf("%.40s matches: %v", text, got)
		}
	}
}

func TestCSV(t *testing.T) {
	c := &CSV{Clock: "clock", New: newNotes}
	const head = "a,b,c,d,e,f\n"
	for _, tt := range []struct {
		name, text string
		want       []string
		skipped    string
	}{
		{"plain", head + "1,2,3,4,5,6\r\n\n,x,,,,", []string{"1/2", "/x"}, ""},
		{"quoted", head + `"1","a ""b"", c",3,4,5,""` + "\n", []string{`1/a "b", c`}, ""},
		{"a cell of lines", head + "1,\"a\n\nb\",3,4,5,6\n7,8,9,0,1,2\n", []string{"1/a\n\nb", "7/8"}, ""},
		{"too few", head + "1,2\n3,4,5,6,7,8\n", []string{"3/4"}, "not as many cells as columns"},
		{"misplaced quote", head + "\"1\"2,2,3,4,5,6\n3,4,5,6,7,8\n", []string{"3/4"}, "misplaced quote"},
		{"a quote is not closed", head + "1,\"2,3,4,5,6\n3,4,5,6,7,8\n", []string{"3/4"}, reasonQuote},
		{"nor to the end", head + "1,\"2,3,4,5,6\nx", nil, reasonQuote},
		{"nor for long", head + "1,\"2,3,4,5,6\n" + strings.Repeat("x\n", maxRowLines) + "3,4,5,6,7,8\n", []string{"3/4"}, reasonQuote},
		{"too long", head + "1,2,3,4,5," + strings.Repeat("x", maxRow) + "\n3,4,5,6,7,8\n", []string{"3/4"}, reasonLong},
		{"columns in another order", "f,e,d,c,b,a\n6,5,4,3,2,1\n", []string{"1/2"}, ""},
		{"quoted header", `"a","b","c"` + "\n1,2,3\n", []string{"1/2"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, tally := read(t, c.Open, tt.text)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if tt.skipped == "" && tally.SkippedTotal() != 0 || tt.skipped != "" && tally.Skipped[tt.skipped] != 1 {
				t.Errorf("tally: %+v", tally)
			}
			if !c.Match([]byte(tt.text)) {
				t.Error("no match")
			}
		})
	}
	for _, text := range []string{"", "b,c\n1,2\n", "a,a\n1,2\n", "a,\n", "a", `a,"b`, `"a"x,b`} {
		if c.Match([]byte(text)) {
			t.Errorf("%q matches", text)
		}
	}
}

func TestTime(t *testing.T) {
	want := event.At(time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC))
	for text, want := range map[string]event.Time{
		"2026-11-23T08:00:00Z":         want,
		"2026-11-23T08:00:00.1234567Z": want + 123456,
		"2026-11-23 08:00:00Z":         want,
		"2026-11-23 08:00:00 UTC":      want,
		"2026-11-23T09:00:00+01:00":    want,
		"2026-11-23T09:00:00+0100":     want,
		"2026-11-23T09:00:00.5+0100":   want + 500000,
		"1795420800":                   want,
		"1795420800.25":                want + 250000,
		"1795420800.1234567":           want + 123456,
		"1795420800123":                want + 123000,
		"1795420800123456":             want + 123456,
		"1795420800123456789":          want + 123456,
		"2026-11-23T08:00:00":          event.Never, // of which zone?
		"2026-11-23":                   event.Never,
		"11/23/2026 08:00:00":          event.Never,
		"":                             event.Never,
		"0":                            event.Never,
		"-5":                           event.Never,
		"1795420800.x":                 event.Never,
		"99999999999999999999":         event.Never,
		"1601-01-01T00:00:00Z":         event.Never,
	} {
		if got := Time([]byte(text)); got != want {
			t.Errorf("%q is %v, want %v", text, got.Std(), want.Std())
		}
	}
}

func TestValues(t *testing.T) {
	var v Values
	for _, tt := range []struct{ got, want any }{
		{v.Addr([]byte("::ffff:192.0.2.1")), netip.MustParseAddr("192.0.2.1")},
		{v.Addr([]byte("fe80::1%eth0")), netip.MustParseAddr("fe80::1")},
		{v.Addr([]byte("x")), netip.Addr{}},
		{v.End([]byte("192.0.2.1"), []byte("70000")), netip.MustParseAddrPort("192.0.2.1:0")},
		{v.Image([]byte("<unknown>")), ""},
		{v.Image([]byte("-")), ""},
		{v.ID([]byte("{AB-CD}")), "ab-cd"},
		{v.Name([]byte("Example.NET.")), "example.net"},
		{v.Account([]byte("CORP"), []byte("ann")), `CORP\ann`},
		{v.Account(nil, []byte("ann")), "ann"},
		{v.Account([]byte("CORP"), nil), ""},
		{v.Hashes([]byte("MD5"), nil, []byte("SHA256"), []byte("ab")), "SHA256=AB"},
		{v.Text([]byte("a\xffb")), "a\ufffdb"},
		{len(v.Text([]byte(strings.Repeat("é", maxText)))), maxText},
		{PID([]byte("0x1f")), uint32(31)},
		{PID([]byte("4294967296")), uint32(0)},
		{Count([]byte("x")), event.Unknown},
		{Count([]byte("0")), event.Count(0)},
		{Proto([]byte("Tcp")), event.TCP},
		{Proto([]byte("17")), event.UDP},
		{Proto([]byte("999")), event.Proto(0)},
		{Between(event.Never, 5), event.Unknown},
		{Between(6, 5), event.Unknown},
		{Between(3, 5), event.Count(2)},
	} {
		if tt.got != tt.want {
			t.Errorf("%v, want %v", tt.got, tt.want)
		}
	}
	var tally decode.Tally
	v.Close(&tally)
	if len(tally.Warnings) != 1 {
		t.Errorf("%q", tally.Warnings)
	}
}

// TestHosts: a host has one name in an input, that of its first event.
func TestHosts(t *testing.T) {
	var h Hosts
	h.Learn("A1", "alpha")
	for _, tt := range []struct{ id, want string }{{"A1", "alpha"}, {"B2", "b2"}, {"", ""}} {
		if got := h.Of(tt.id); got != tt.want {
			t.Errorf("%q is %q, want %q", tt.id, got, tt.want)
		}
	}
	h.Learn("B2", "beta")
	if got := h.Of("B2"); got != "b2" {
		t.Errorf("B2 became %q", got)
	}
	var tally decode.Tally
	h.Close(&tally)
	if len(tally.Warnings) != 1 || !strings.HasPrefix(tally.Warnings[0], "1 hosts") {
		t.Errorf("%q", tally.Warnings)
	}
}
