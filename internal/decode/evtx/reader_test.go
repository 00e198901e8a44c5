package evtx_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
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

// one returns the fields of the only record, whose content body writes.
func one(t *testing.T, body func(*evtxtest.XML)) []evtx.Field {
	t.Helper()
	c := evtxtest.NewChunk()
	c.Record(1, noon, body)
	got, tally := readAll(t, evtxtest.File(c.Bytes()))
	if len(got) != 1 {
		t.Fatalf("%d records: %v", len(got), tally.Positions)
	}
	return got[0]
}

func TestText(t *testing.T) {
	got := one(t, func(x *evtxtest.XML) {
		x.Fragment()
		x.Template(0, func() {
			x.Fragment()
			x.Open("Event")
			x.Text(" \r\n ")
			x.Open("UserData", evtxtest.Attr{Name: "Name", Value: "kept"}, evtxtest.Attr{Name: "Id", Sub: 0})
			x.Instruction("xml-thing", "ignored")
			x.Text("a<b")
			x.EntityRef("amp")
			x.CharRef(0xe9)
			x.CDATA("<c/>")
			x.Sub(0, 0x08)
			x.Text("!")
			x.Close()
			x.Empty("Nothing")
			x.Open("Data", evtxtest.Attr{Name: "Name", Sub: 1})
			x.Text("unnamed")
			x.Close()
			x.Close()
			x.End()
		}, evtxtest.Value{Type: 0x08, Data: []byte{7, 0, 0, 0}}, evtxtest.Value{})
		x.End()
	})
	want := []evtx.Field{
		{Path: "UserData@Name", Value: "kept"},
		{Path: "UserData@Id", Value: "7"},
		{Path: "UserData", Value: "a<b&é<c/>7!"},
		{Path: "Data", Value: "unnamed"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNested(t *testing.T) {
	c := evtxtest.NewChunk()
	at := 0
	c.Record(1, noon, func(x *evtxtest.XML) {
		x.Fragment()
		at = x.Template(0, func() {
			x.Fragment()
			x.Open("Event")
			x.Open("UserData")
			x.Sub(0, 0x21)
			x.Close()
			x.Close()
			x.End()
		}, evtxtest.Value{})
		x.End()
	})
	c.Record(2, noon, func(x *evtxtest.XML) {
		x.Fragment()
		inner := x.Nested(1, func(x *evtxtest.XML) {
			x.Fragment()
			x.Open("EventXML")
			x.Open("Param")
			x.Text("deep")
			x.Close()
			x.Close()
			x.End()
		})
		x.Template(at, nil, inner)
		x.End()
	})
	got, tally := readAll(t, evtxtest.File(c.Bytes()))
	want := [][]evtx.Field{{}, {{Path: "UserData/EventXML/Param", Value: "deep"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s%v", diff, tally.Positions)
	}
}

func TestLists(t *testing.T) {
	log := func() []byte {
		c := evtxtest.NewChunk()
		c.Record(1, noon, func(x *evtxtest.XML) {
			x.Template(0, func() {
				x.Open("Event")
				x.Open("EventData")
				for i := range 2 {
					x.Open("Data")
					x.Sub(i, 0)
					x.Close()
				}
				x.Close()
				x.Close()
				x.End()
			}, evtxtest.Value{Type: 0x01, Data: evtxtest.UTF16("first")},
				evtxtest.Value{Type: 0x81, Data: evtxtest.UTF16("a\x00\x00bc\x00")})
			x.End()
		})
		return evtxtest.File(c.Bytes())
	}()
	r := evtx.NewReader(bytes.NewReader(log), new(decode.Tally), "EventData/Data")
	rec, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"first", "a", "", "bc"}, rec.Texts(0)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestValues(t *testing.T) {
	le := binary.LittleEndian
	stamp := []byte{0xe8, 7, 2, 0, 4, 0, 29, 0, 23, 0, 59, 0, 58, 0, 0xe7, 3}
	guid := []byte{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15}
	sid := []byte{1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0}
	tests := []struct {
		name string
		kind byte
		data []byte
		want []string
	}{
		{"null", 0x00, nil, nil},
		{"string", 0x01, evtxtest.UTF16("ab\x00\x00"), []string{"ab"}},
		{"lone surrogate", 0x01, []byte{'a', 0, 0x00, 0xd8, 'b', 0}, []string{"a\ufffdb"}},
		{"cut surrogate", 0x01, []byte{0x3e, 0xd8}, []string{"\ufffd"}},
		{"odd size", 0x01, []byte{'a', 0, 'b'}, []string{"a"}},
		{"ansi", 0x02, []byte("caf\xe9\x00x"), []string{"café"}},
		{"int8", 0x03, []byte{0xff}, []string{"-1"}},
		{"uint8", 0x04, []byte{0xff}, []string{"255"}},
		{"int16", 0x05, []byte{0xfe, 0xff}, []string{"-2"}},
		{"uint16", 0x06, []byte{0xfe, 0xff}, []string{"65534"}},
		{"int32", 0x07, []byte{0xfd, 0xff, 0xff, 0xff}, []string{"-3"}},
		{"uint32", 0x08, []byte{0xfd, 0xff, 0xff, 0xff}, []string{"4294967293"}},
		{"int64", 0x09, le.AppendUint64(nil, math.MaxUint64), []string{"-1"}},
		{"uint64", 0x0a, le.AppendUint64(nil, math.MaxUint64), []string{"18446744073709551615"}},
		{"float32", 0x0b, le.AppendUint32(nil, math.Float32bits(1.5)), []string{"1.5"}},
		{"float64", 0x0c, le.AppendUint64(nil, math.Float64bits(-0.25)), []string{"-0.25"}},
		{"bool", 0x0d, []byte{1, 0, 0, 0}, []string{"true"}},
		{"binary", 0x0e, []byte{0, 0xab}, []string{"00AB"}},
		{"guid", 0x0f, guid, []string{"{00010203-0405-0607-0809-0A0B0C0D0E0F}"}},
		{"size 32", 0x10, []byte{1, 2, 0, 0}, []string{"0x201"}},
		{"size 64", 0x10, []byte{1, 2, 0, 0, 0, 0, 0, 0x80}, []string{"0x8000000000000201"}},
		{"filetime", 0x11, le.AppendUint64(nil, evtxtest.FileTime(noon)+7), []string{"2024-03-01T12:00:00.1234567Z"}},
		{"filetime zero", 0x11, make([]byte, 8), []string{"1601-01-01T00:00:00.0000000Z"}},
		{"systemtime", 0x12, stamp, []string{"2024-02-29T23:59:58.9990000Z"}},
		{"sid", 0x13, sid, []string{"S-1-5-32-544"}},
		{"short sid", 0x13, sid[:9], []string{"010200000000000520"}},
		{"hex32", 0x14, []byte{0x18, 0x1d, 0, 0}, []string{"0x1d18"}},
		{"hex64", 0x15, make([]byte, 8), []string{"0x0"}},
		{"wrong size", 0x08, []byte{1, 2, 3}, []string{"010203"}},
		{"unknown type", 0x33, []byte{1, 2}, []string{"0102"}},
		{"strings", 0x81, evtxtest.UTF16("a\x00bc"), []string{"a", "bc"}},
		{"ansi strings", 0x82, []byte("a\x00bc\x00"), []string{"a", "bc"}},
		{"uint16s", 0x86, []byte{1, 0, 2, 0, 3}, []string{"1", "2", "03"}},
		{"guids", 0x8f, append(guid, guid...), []string{"{00010203-0405-0607-0809-0A0B0C0D0E0F}", "{00010203-0405-0607-0809-0A0B0C0D0E0F}"}},
		{"sids", 0x93, append(sid, sid...), []string{"S-1-5-32-544", "S-1-5-32-544"}},
		{"unknown types", 0xb3, []byte{1, 2}, []string{"0102"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fields := one(t, func(x *evtxtest.XML) {
				x.Template(0, func() {
					x.Open("Event")
					x.Open("V")
					x.Sub(0, tt.kind)
					x.Close()
					x.Close()
				}, evtxtest.Value{Type: tt.kind, Data: tt.data})
			})
			var got []string
			for _, f := range fields {
				got = append(got, f.Value)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
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
