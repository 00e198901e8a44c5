package evtx_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/evtx"
	"github.com/postern/postern/internal/decode/evtx/evtxtest"
)

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
