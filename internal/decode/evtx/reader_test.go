package evtx_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/evtx"
	"github.com/postern/postern/internal/decode/evtx/evtxtest"
	"github.com/postern/postern/internal/event"
)

var noon = time.Date(2024, 3, 1, 12, 0, 0, 123456000, time.UTC)

func connect(port string) evtxtest.Event {
	return evtxtest.Event{
		Provider: "Microsoft-Windows-Sysmon", Channel: "Microsoft-Windows-Sysmon/Operational", Computer: "PC1", ID: 3, Time: noon,
		Data: []evtxtest.Data{
			{Name: "ProcessGuid", Value: [16]byte{0xb0, 0xca, 0x4b, 0xb3, 0x61, 0xca, 0x67, 0x5f, 8, 9, 10, 11, 12, 13, 14, 15}},
			{Name: "ProcessId", Value: uint32(4312)},
			{Name: "Image", Value: `C:\Möbel\日本🦊.exe`},
			{Name: "Initiated", Value: true},
			{Name: "LogonId", Value: uint64(0x3e7)},
			{Name: "DestinationPort", Value: port},
		},
	}
}

func TestEvent(t *testing.T) {
	got, tally := readAll(t, evtxtest.Log(connect("443"), connect("")))
	want := []evtx.Field{
		{Path: "System/Provider@Name", Value: "Microsoft-Windows-Sysmon"},
		{Path: "System/EventID", Value: "3"},
		{Path: "System/TimeCreated@SystemTime", Value: "2024-03-01T12:00:00.1234560Z"},
		{Path: "System/EventRecordID", Value: "1"},
		{Path: "System/Channel", Value: "Microsoft-Windows-Sysmon/Operational"},
		{Path: "System/Computer", Value: "PC1"},
		{Path: "EventData/ProcessGuid", Value: "{B34BCAB0-CA61-5F67-0809-0A0B0C0D0E0F}"},
		{Path: "EventData/ProcessId", Value: "4312"},
		{Path: "EventData/Image", Value: `C:\Möbel\日本🦊.exe`},
		{Path: "EventData/Initiated", Value: "true"},
		{Path: "EventData/LogonId", Value: "0x3e7"},
		{Path: "EventData/DestinationPort", Value: "443"},
	}
	if len(got) != 2 || tally.Records != 2 || tally.Warnings != nil {
		t.Fatalf("%d records, tally %+v", len(got), tally)
	}
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Errorf("first (-want +got):\n%s", diff)
	}
	if last := got[1][len(got[1])-1]; last.Value != "" {
		t.Errorf("empty string is %q", last.Value)
	}
}

// The logs that evtxtest makes must be logs for others too. The tool is wrong
// about characters outside the basic plane.
func TestEventLibevtx(t *testing.T) {
	e := connect("443")
	e.Data[2].Value = `C:\Möbel\日本.exe`
	compareFields(t, evtxtest.Log(e, e))
}

func TestSlots(t *testing.T) {
	log := evtxtest.Log(connect("443"))
	r := evtx.NewReader(bytes.NewReader(log), new(decode.Tally),
		"EventData/ProcessId", "System/TimeCreated@SystemTime", "EventData/Nothing", "EventData/Image", "System/EventID")
	rec, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	if n, ok := rec.Uint(0); !ok || n != 4312 {
		t.Errorf("ProcessId is %d, %v", n, ok)
	}
	if at, ok := rec.Time(1); !ok || at != event.At(noon) {
		t.Errorf("SystemTime is %v, %v", at.Std(), ok)
	}
	if b := rec.Text(2); b != nil {
		t.Errorf("a field that is not there is %q", b)
	}
	if _, ok := rec.Uint(3); ok {
		t.Error("a string is a number")
	}
	if _, ok := rec.Time(4); ok {
		t.Error("a number is a time")
	}
	if n, ok := rec.Uint(-1); ok || n != 0 {
		t.Error("slot -1 holds something")
	}
	if rec.ID != 1 || rec.Written != event.At(noon) {
		t.Errorf("record %d written %v", rec.ID, rec.Written.Std())
	}
	if got, want := string(rec.Text(3))+string(rec.Text(0)), `C:\Möbel\日本🦊.exe4312`; got != want {
		t.Errorf("texts are %q, want %q", got, want)
	}
}

func TestSelect(t *testing.T) {
	tally := new(decode.Tally)
	r := evtx.NewReader(bytes.NewReader(evtxtest.Log(connect("1"), connect("2"), connect("3"))), tally, "System/EventRecordID", "EventData/DestinationPort")
	var asked []uint64
	r.Select = func(rec *evtx.Record) bool {
		n, _ := rec.Uint(0)
		asked = append(asked, n)
		return n == 2
	}
	rec, err := r.Next()
	if err != nil || string(rec.Text(1)) != "2" {
		t.Fatalf("got %v, %v", rec, err)
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("error %v at the end", err)
	}
	if diff := cmp.Diff([]uint64{1, 2, 3}, asked); diff != "" || tally.Records != 3 {
		t.Errorf("asked (-want +got):\n%s, %d records", diff, tally.Records)
	}
}

// Chunks that are whole are read whatever their checksums and neighbours are.
func TestDamage(t *testing.T) {
	const chunk, size = 4096, 64 << 10
	many := make([]evtxtest.Event, 400)
	for i := range many {
		many[i] = connect(fmt.Sprint(i))
	}
	whole := evtxtest.Log(many...)
	n := (len(whole) - chunk) / size
	if n < 2 {
		t.Fatalf("the log has %d chunks", n)
	}
	all, _ := readAll(t, whole)
	if len(all) != len(many) {
		t.Fatalf("%d records, want %d", len(all), len(many))
	}
	first := 0 // records in the first chunk
	for all, _ := readAll(t, whole[:chunk+size]); first < len(all); first++ {
	}

	tests := []struct {
		name    string
		damage  func(b []byte) []byte
		records int
		skipped map[string]int64
		where   string
		warning string
	}{
		{name: "none", damage: func(b []byte) []byte { return b }, records: 400},
		{name: "checksum", damage: func(b []byte) []byte { b[chunk+52]++; return b }, records: 400, warning: "wrong checksum"},
		{name: "no checksums", damage: func(b []byte) []byte { b[120] = 4; b[chunk+52]++; return b }, records: 400},
		{name: "chunk magic", damage: func(b []byte) []byte { b[chunk] = 'x'; return b }, records: 400 - first,
			skipped: map[string]int64{"bad chunk header": 1}, where: "chunk 1"},
		{name: "chunk never written", damage: func(b []byte) []byte { clear(b[chunk : chunk+size]); return b }, records: 400 - first},
		{name: "record magic", damage: func(b []byte) []byte { b[chunk+512] = 'x'; return b }, records: 400 - 1,
			skipped: map[string]int64{"bad record header": 1}, where: "record 1 in chunk 1", warning: "wrong checksum"},
		{name: "record size", damage: func(b []byte) []byte { b[chunk+512+5] = 0xff; return b }, records: 400 - 1,
			skipped: map[string]int64{"bad record header": 1}, where: "record 1 in chunk 1", warning: "wrong checksum"},
		{name: "record content", damage: func(b []byte) []byte { b[chunk+512+24] = 0x77; return b }, records: 400 - 1,
			skipped: map[string]int64{"bad binary XML": 1}, where: "record 1 in chunk 1", warning: "wrong checksum"},
		{name: "free space", damage: func(b []byte) []byte { b[chunk+51] = 0xff; return b }, records: 400, warning: "wrong checksum"},
		{name: "cut in the header block", damage: func(b []byte) []byte { return b[:2000] }},
		{name: "cut in a chunk header", damage: func(b []byte) []byte { return b[:chunk+size+300] }, records: first,
			skipped: map[string]int64{"bad chunk header": 1}, where: "chunk 2", warning: "cut short"},
		{name: "cut in the last chunk's free space", damage: func(b []byte) []byte { return b[:len(b)-10] }, records: 400, warning: "cut short"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, tally := readAll(t, tt.damage(bytes.Clone(whole)))
			if len(got) != tt.records {
				t.Errorf("%d records, want %d", len(got), tt.records)
			}
			if diff := cmp.Diff(tt.skipped, tally.Skipped); diff != "" {
				t.Errorf("skipped (-want +got):\n%s", diff)
			}
			if tt.where != "" && tally.Positions[0].Where != tt.where {
				t.Errorf("skipped at %q, want %q", tally.Positions[0].Where, tt.where)
			}
			if warnings := strings.Join(tally.Warnings, "; "); !strings.Contains(warnings, tt.warning) || (tt.warning == "") != (warnings == "") {
				t.Errorf("warnings %q, want one of %q", warnings, tt.warning)
			}
			if want := int64(len(got)) + tally.SkippedTotal(); tally.Records != want {
				t.Errorf("%d records counted, want %d", tally.Records, want)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	broken := errors.New("broken pipe")
	log := evtxtest.Log(connect("443"))
	tests := []struct {
		name string
		r    io.Reader
		want error
	}{
		{"empty", strings.NewReader(""), evtx.ErrNotEVTX},
		{"short", strings.NewReader("ElfFile\x00"), evtx.ErrNotEVTX},
		{"other", strings.NewReader(strings.Repeat("x", 5000)), evtx.ErrNotEVTX},
		{"reader", io.MultiReader(bytes.NewReader(log[:9000]), iotest.ErrReader(broken)), broken},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := evtx.NewReader(tt.r, new(decode.Tally))
			for range 2 { // the error stays
				if _, err := r.Next(); !errors.Is(err, tt.want) {
					t.Errorf("error %v, want %v", err, tt.want)
				}
			}
		})
	}
}

// A small file must not make a reader do a large amount of work: here each
// value stands for the same text many times over, on many levels.
func TestExpansion(t *testing.T) {
	c := evtxtest.NewChunk()
	at := 0
	c.Record(1, noon, func(x *evtxtest.XML) {
		at = x.Template(0, func() {
			x.Open("Event")
			x.Open("A")
			for range 2000 {
				x.Open("B")
				x.Sub(0, 0x21)
				x.Close()
			}
			x.Close()
			x.Close()
			x.End()
		}, evtxtest.Value{Type: 0x01, Data: evtxtest.UTF16("small")})
	})
	var wrap func(x *evtxtest.XML, depth int) evtxtest.Value
	wrap = func(x *evtxtest.XML, depth int) evtxtest.Value {
		if depth == 0 {
			return evtxtest.Value{Type: 0x01, Data: evtxtest.UTF16("bomb")}
		}
		return x.Nested(1, func(x *evtxtest.XML) { x.Template(at, nil, wrap(x, depth-1)) })
	}
	c.Record(2, noon, func(x *evtxtest.XML) { x.Template(at, nil, wrap(x, 6)) })
	c.Record(3, noon, func(x *evtxtest.XML) {
		x.Template(at, nil, evtxtest.Value{Type: 0x01, Data: evtxtest.UTF16(strings.Repeat("long", 1000))})
	})
	start := time.Now()
	got, tally := readAll(t, evtxtest.File(c.Bytes()))
	if len(got) != 1 || tally.Skipped["bad binary XML"] != 2 {
		t.Errorf("%d records, skipped %v", len(got), tally.Skipped)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("took %v", d)
	}
}

// Whatever is made of a log, reading it ends and all records are accounted
// for; and what can be read for all fields can be read for some, which takes
// less.
func FuzzReader(f *testing.F) {
	f.Add(evtxtest.Log(connect("443"), connect("80"))[:6000])
	c := evtxtest.NewChunk()
	c.Record(1, noon, func(x *evtxtest.XML) {
		x.Fragment()
		x.Open("Event", evtxtest.Attr{Name: "a", Value: "b"})
		x.CDATA("c")
		x.EntityRef("lt")
		x.Close()
		x.End()
	})
	f.Add(evtxtest.File(c.Bytes())[:5000])
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 200_000 {
			t.Skip()
		}
		full, wanted := drain(t, b), drain(t, b, "EventData/Image", "System/EventID")
		if full.records > wanted.records {
			t.Errorf("all fields: %+v, wanted ones: %+v", full, wanted)
		}
	})
}

type summary struct{ records, skipped int64 }

func drain(t *testing.T, b []byte, paths ...string) summary {
	tally := new(decode.Tally)
	r := evtx.NewReader(bytes.NewReader(b), tally, paths...)
	var s summary
	for {
		rec, err := r.Next()
		if err != nil {
			break
		}
		s.records++
		rec.Fields()
		for i := range paths {
			rec.Text(i)
			rec.Texts(i)
		}
	}
	s.skipped = tally.SkippedTotal()
	if tally.Records != s.records+s.skipped {
		t.Errorf("%d records counted, %+v", tally.Records, s)
	}
	if tally.Skipped["fault of the decoder"] > 0 {
		t.Errorf("a fault: %v", tally.Positions)
	}
	return s
}

// A fault in reading a record costs that record only. Select stands for the
// code that could have one.
func TestFault(t *testing.T) {
	tally := new(decode.Tally)
	r := evtx.NewReader(bytes.NewReader(evtxtest.Log(connect("1"), connect("2"), connect("3"))), tally, "System/EventRecordID")
	r.Select = func(rec *evtx.Record) bool {
		if n, _ := rec.Uint(0); n == 2 {
			panic("a fault")
		}
		return true
	}
	var got []uint64
	for {
		rec, err := r.Next()
		if err != nil {
			break
		}
		got = append(got, rec.ID)
	}
	if diff := cmp.Diff([]uint64{1, 3}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	want := []decode.Position{{Where: "record 2 in chunk 1", Reason: "fault of the decoder"}}
	if diff := cmp.Diff(want, tally.Positions); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
