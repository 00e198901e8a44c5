package netflow

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// Whichever direction is told of first, and in whatever version, it is the same
// flow.
func TestVersions(t *testing.T) {
	there, back := call(0)[0], call(0)[1]
	six := func(p piece) piece {
		p.src, p.dst = client6, server6
		if p.bytes == 9000 {
			p.src, p.dst = server6, client6
		}
		return p
	}
	flow6 := theFlow(func(f *event.Flow) { f.Proto, f.Src, f.Dst = event.UDP, client6, server6 })
	for name, tt := range map[string]struct {
		datagrams [][]byte
		want      event.Flow
	}{
		"v5":                {[][]byte{export5(0, 0, there, back)}, theFlow()},
		"v5, answer first":  {[][]byte{export5(0, 0, back, there)}, theFlow()},
		"v5, two datagrams": {[][]byte{export5(0, 0, there), export5(1, 0, back)}, theFlow()},
		"v9":                {[][]byte{export9(0, there, back)}, theFlow()},
		"v9, template in advance": {[][]byte{export9(0), message9(1, func(w *writer) {
			w.set(300, func() { w.record9(there); w.record9(back) })
		})}, theFlow()},
		"IPFIX":            {[][]byte{exportIPFIX(0, "ssl", six(back), six(there))}, flow6},
		"IPFIX, long name": {[][]byte{exportIPFIX(0, strings.Repeat("x", 300), six(there), six(back))}, flow6},
	} {
		t.Run(name, func(t *testing.T) {
			got, tally := decoded(t, tt.datagrams...)
			expect(t, "flows", []event.Flow{tt.want}, got)
			expect(t, "skipped", map[string]int64(nil), tally.Skipped)
			expect(t, "warnings", []string{"bytes of 1 flows are of IP packets: upper bounds of the payload"}, tally.Warnings)
		})
	}
}

// TestSampling: counts are multiplied, however the rate is said.
func TestSampling(t *testing.T) {
	sampler := []spec{{48, 1, 0}}
	withSampler := append(append([]spec(nil), specs9...), sampler...)
	record := func(w *writer, id uint8) {
		w.record9(call(0)[0])
		w.u8(id)
	}
	// options writes an options template of v9 and a record of it.
	options := func(w *writer, specs []spec, fill func()) {
		w.set(1, func() {
			w.u16(310)
			w.u16(4)
			w.u16(uint16(4 * len(specs)))
			w.specs([]spec{{1, 4, 0}})
			w.specs(specs)
		})
		w.set(310, func() { w.u32(0); fill() })
	}
	for name, tt := range map[string]struct {
		datagram []byte
		rate     int64
	}{
		"v5":       {export5(0, 1<<14|100, call(0)[0]), 100},
		"v5, none": {export5(0, 0, call(0)[0]), 1},
		"v9, of all": {message9(0, func(w *writer) {
			options(w, []spec{{34, 4, 0}, {35, 1, 0}}, func() { w.u32(10); w.u8(1) })
			w.set(0, func() { w.u16(300); w.u16(uint16(len(specs9))); w.specs(specs9) })
			w.set(300, func() { w.record9(call(0)[0]) })
		}), 10},
		"v9, by sampler": {message9(0, func(w *writer) {
			options(w, []spec{{48, 1, 0}, {49, 1, 0}, {50, 4, 0}}, func() { w.u8(3); w.u8(2); w.u32(1000) })
			w.set(0, func() { w.u16(300); w.u16(uint16(len(withSampler))); w.specs(withSampler) })
			w.set(300, func() { record(w, 3) })
		}), 1000},
		"v9, of another sampler": {message9(0, func(w *writer) {
			options(w, []spec{{48, 1, 0}, {50, 4, 0}}, func() { w.u8(4); w.u32(1000) })
			w.set(0, func() { w.u16(300); w.u16(uint16(len(withSampler))); w.specs(withSampler) })
			w.set(300, func() { record(w, 3) })
		}), 1},
		"IPFIX, interval and space": {messageIPFIX(0, func(w *writer) {
			w.set(3, func() {
				w.u16(310)
				w.u16(3)
				w.u16(1)
				w.specs([]spec{{143, 4, 0}, {305, 4, 0}, {306, 4, 0}})
			})
			w.set(310, func() { w.u32(1); w.u32(1); w.u32(9) })
			boot := []spec{{160, 8, 0}}
			w.set(2, func() { w.u16(300); w.u16(uint16(len(specs9) + 1)); w.specs(specs9); w.specs(boot) })
			w.set(300, func() {
				p := call(0)[0]
				p.from, p.to = -uptime*time.Millisecond, (2000-uptime)*time.Millisecond
				w.record9(p)
				w.u64(uint64(began / 1000))
			})
		}), 10},
	} {
		t.Run(name, func(t *testing.T) {
			got, tally := decoded(t, tt.datagram)
			want := theFlow(func(f *event.Flow) {
				f.BytesOut, f.PacketsOut = event.Count(2000*tt.rate), event.Count(20*tt.rate)
				f.BytesIn, f.PacketsIn = event.Unknown, event.Unknown
			})
			expect(t, "flows", []event.Flow{want}, got)
			warned := strings.Contains(strings.Join(tally.Warnings, "\n"), fmt.Sprintf("estimates: sampled 1:%d", tt.rate))
			if warned != (tt.rate > 1) {
				t.Errorf("warnings %q", tally.Warnings)
			}
		})
	}
}

// TestBothDirections: a record of both says who began, whatever the ports.
func TestBothDirections(t *testing.T) {
	p := piece{server, client, 0, 2 * time.Second, 2000, 20, 0x1b}
	rfc5103 := append(append([]spec(nil), specs9...), spec{1, 4, reverse}, spec{2, 4, reverse}, spec{7, 2, 9}, spec{239, 1, 0})
	asa := append(append([]spec(nil), specs9[:4]...), spec{231, 4, 0}, spec{232, 4, 0}, spec{298, 4, 0}, spec{299, 4, 0}, spec{7, 2, 0}, spec{11, 2, 0}, spec{4, 1, 0}, spec{233, 1, 0})
	boot := spec{160, 8, 0}
	want := theFlow(func(f *event.Flow) { f.Src, f.Dst = server, client })
	relative := func(w *writer) { w.u32(0); w.u32(2000) }
	asaRecord := func(w *writer, firewall uint8) {
		w.b = append(append(w.b, p.src.Addr().AsSlice()...), p.dst.Addr().AsSlice()...)
		relative(w)
		w.u32(2000)
		w.u32(9000)
		w.u32(20)
		w.u32(15)
		w.u16(p.src.Port())
		w.u16(p.dst.Port())
		w.u8(6)
		w.u8(firewall)
		w.u64(uint64(began / 1000))
	}
	for name, tt := range map[string]struct {
		piece     piece
		back      [2]uint32
		direction uint8
		want      event.Flow
	}{
		"the source began":      {p, [2]uint32{9000, 15}, biflowInitiator, want},
		"the destination began": {p.reversed(9000, 15), [2]uint32{2000, 20}, biflowReverse, want},
		"no one says who began": {p.reversed(2000, 20), [2]uint32{9000, 15}, 0, theFlow()},
		"nor the other way":     {p.reversed(2000, 20).reversed(9000, 15), [2]uint32{2000, 20}, 0, theFlow()},
	} {
		got, _ := decoded(t, messageIPFIX(0, func(w *writer) {
			w.set(2, func() { w.u16(300); w.u16(uint16(len(rfc5103) + 1)); w.specs(rfc5103); w.specs([]spec{boot}) })
			w.set(300, func() {
				tt.piece.from, tt.piece.to = -uptime*time.Millisecond, (2000-uptime)*time.Millisecond
				w.record9(tt.piece)
				w.u32(tt.back[0])
				w.u32(tt.back[1])
				w.u16(1)
				w.u8(tt.direction)
				w.u64(uint64(began / 1000))
			})
		}))
		expect(t, "RFC 5103, "+name, []event.Flow{tt.want}, got)
	}
	got, tally := decoded(t, messageIPFIX(0, func(w *writer) {
		w.set(2, func() { w.u16(300); w.u16(uint16(len(asa) + 1)); w.specs(asa); w.specs([]spec{boot}) })
		w.set(300, func() { asaRecord(w, firewallCreated); asaRecord(w, 2); asaRecord(w, firewallDenied) })
	}))
	expect(t, "initiator and responder", []event.Flow{want}, got)
	expect(t, "events", map[string]int64{ignoreEvent: 2}, tally.Ignored)
}

func TestTimes(t *testing.T) {
	seconds := uint64(began / 1e6)
	ntp := func(add uint64) uint64 { return (seconds+2208988800)<<32 + add }
	for name, tt := range map[string]struct {
		specs  []spec
		values []uint64
		want   event.Time
		lasted event.Count
	}{
		"seconds":              {[]spec{{150, 4, 0}, {151, 4, 0}}, []uint64{seconds, seconds + 2}, began, 2e6},
		"NTP":                  {[]spec{{154, 8, 0}, {157, 8, 0}}, []uint64{ntp(1 << 31), ntp(3 << 31)}, began + 500_000, 1e6},
		"before the export":    {[]spec{{158, 4, 0}, {159, 4, 0}}, []uint64{60e6, 58e6}, began, 2e6},
		"start and duration":   {[]spec{{152, 8, 0}, {161, 4, 0}}, []uint64{seconds * 1000, 1500}, began, 1500e3},
		"end and duration":     {[]spec{{153, 8, 0}, {162, 4, 0}}, []uint64{seconds*1000 + 2000, 2e6}, began, 2e6},
		"end alone":            {[]spec{{153, 8, 0}}, []uint64{seconds * 1000}, began, event.Unknown},
		"end before the start": {[]spec{{150, 4, 0}, {151, 4, 0}}, []uint64{seconds, seconds - 9}, began, event.Unknown},
		"uptime of no one":     {[]spec{{22, 4, 0}, {21, 4, 0}}, []uint64{5, 6}, event.Never, 0},
		"none":                 {[]spec{{5, 1, 0}}, []uint64{5}, event.Never, 0},
		"too late":             {[]spec{{152, 8, 0}}, []uint64{1<<64 - 1}, maxTime, event.Unknown},
	} {
		ends := append([]spec{{8, 4, 0}, {12, 4, 0}, {4, 1, 0}}, tt.specs...)
		got, tally := decoded(t, messageIPFIX(0, func(w *writer) {
			w.set(2, func() { w.u16(300); w.u16(uint16(len(ends))); w.specs(ends) })
			w.set(300, func() {
				w.b = append(append(w.b, client.Addr().AsSlice()...), server.Addr().AsSlice()...)
				w.u8(6)
				for i, s := range tt.specs {
					for n := int(s.length) - 1; n >= 0; n-- {
						w.u8(uint8(tt.values[i] >> (8 * n)))
					}
				}
			})
		}))
		if tt.want == event.Never {
			expect(t, name, map[string]int64{badTime: 1}, tally.Skipped)
			continue
		}
		if len(got) != 1 || got[0].Time != tt.want || got[0].Duration != tt.lasted || got[0].BytesOut != event.Unknown {
			t.Errorf("%s: %+v, want from %v for %d", name, got, tt.want, tt.lasted)
		}
	}
}

func TestDamage(t *testing.T) {
	whole5, whole9 := export5(0, 0, call(0)...), export9(0, call(0)...)
	template := func(fields uint16, specs ...spec) []byte {
		return messageIPFIX(0, func(w *writer) {
			w.set(2, func() { w.u16(300); w.u16(fields); w.specs(specs) })
			w.set(300, func() { w.u64(0) })
		})
	}
	for name, tt := range map[string]struct {
		datagram []byte
		want     map[string]int64
	}{
		"nothing":              {nil, map[string]int64{skipCut: 1}},
		"version 7":            {append([]byte{0, 7}, make([]byte, 40)...), map[string]int64{skipVersion: 1}},
		"v5, half a header":    {whole5[:20], map[string]int64{skipCut: 1}},
		"v5, half a record":    {whole5[:len(whole5)-1], map[string]int64{skipCut: 1}},
		"v9, half a set":       {whole9[:len(whole9)-9], map[string]int64{skipCut: 1}},
		"no template":          {message9(0, func(w *writer) { w.set(300, func() { w.u64(0) }) }), map[string]int64{skipUntold: 1}},
		"template without end": {template(9, spec{8, 4, 0}), map[string]int64{skipTemplate: 1, skipUntold: 1}},
		"empty records":        {template(2, spec{8, 0, 0}, spec{9, 0, 0}), map[string]int64{skipTemplate: 1, skipUntold: 1}},
		"endless value":        {template(1, spec{96, variable, 0}), nil},
		"withdrawn": {messageIPFIX(0, func(w *writer) {
			w.set(2, func() { w.u16(300); w.u16(1); w.specs([]spec{{8, 4, 0}}); w.u16(300); w.u16(0) })
			w.set(300, func() { w.u32(0) })
		}), map[string]int64{skipUntold: 1}},
	} {
		_, tally := decoded(t, tt.datagram)
		expect(t, name, tt.want, tally.Skipped)
	}
}

// TestState: what one exporter says is not what another means, and no number
// of either fills the memory.
func TestState(t *testing.T) {
	var out event.Batch
	tally := new(decode.Tally)
	d := NewDecoder(tally)
	d.Datagram(exporter, export9(0), &out)
	data := message9(1, func(w *writer) { w.set(300, func() { w.record9(call(0)[0]) }) })
	d.Datagram(netip.MustParseAddrPort("192.0.2.2:4444"), data, &out)
	expect(t, "another exporter's template", map[string]int64{skipUntold: 1}, tally.Skipped)
	d.Datagram(netip.AddrPortFrom(exporter.Addr(), 1), data, &out)
	expect(t, "another port", map[string]int64{skipUntold: 1}, tally.Skipped)
	d.Close(&out)
	expect(t, "flows", 1, len(out.Flows))

	for i := range maxSources + 10 {
		for id := range uint16(8) {
			d.Datagram(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), 1), message9(0, func(w *writer) {
				w.set(0, func() { w.u16(300 + id); w.u16(1); w.specs([]spec{{8, 4, 0}}) })
			}), &out)
		}
	}
	if len(d.sources) > maxSources || d.templates > maxTemplates || len(d.sensors) > maxSensors {
		t.Errorf("%d sources, %d templates, %d sensors", len(d.sources), d.templates, len(d.sensors))
	}
	if tally.Skipped[skipTemplates] == 0 {
		t.Error("more templates than are held, and none refused")
	}
}

// TestLost: the sequence counts records in v5, and messages in v9.
func TestLost(t *testing.T) {
	const lost = "exporters sent about 5 records or datagrams that did not arrive"
	for name, datagrams := range map[string][][]byte{
		"v5":    {export5(100, 0, call(0)...), export5(107, 0, call(time.Hour)...)},
		"v9":    {export9(100, call(0)...), export9(106)},
		"IPFIX": {exportIPFIX(100, "", call(0)[:0]...), exportIPFIX(105, "")},
	} {
		_, tally := decoded(t, datagrams...)
		if !strings.Contains(strings.Join(tally.Warnings, "\n"), lost) {
			t.Errorf("%s: warnings %q", name, tally.Warnings)
		}
	}
	_, tally := decoded(t, export9(100), export9(101), export9(0), export9(1), export9(1<<31))
	expect(t, "begun anew", []string(nil), tally.Warnings)
}

// TestExpire: a collector tells of flows that are silent.
func TestExpire(t *testing.T) {
	var out event.Batch
	d := NewDecoder(new(decode.Tally))
	later := call(time.Hour)
	later[0].src = netip.MustParseAddrPort("10.0.0.6:50000")
	d.Datagram(exporter, export5(0, 0, append(call(0), later[0])...), &out)
	d.Expire(began.Add(time.Second), &out)
	expect(t, "too early", 0, len(out.Flows))
	d.Expire(began.Add(time.Minute), &out)
	expect(t, "flows", []event.Flow{theFlow()}, out.Flows)
}

// TestFramings: the same datagrams in each framing are the same flows.
func TestFramings(t *testing.T) {
	datagrams := [][]byte{exportIPFIX(0, "", call6()...), exportIPFIX(2, "", call6()...)}
	var plain, short, long writer
	for _, b := range datagrams {
		plain.b = append(plain.b, b...)
		short.u16(uint16(len(b)))
		short.b = append(short.b, b...)
		long.u32(uint32(len(b)))
		long.b = append(long.b, b...)
	}
	for name, b := range map[string][]byte{"none": plain.b, "two bytes": short.b, "four bytes": long.b} {
		got, tally := decodeFile(t, "netflow-datagrams", bytes.NewReader(b))
		expect(t, name, []event.Flow{theFlow(func(f *event.Flow) { f.Sensor, f.Proto, f.Src, f.Dst = "netflow", event.UDP, client6, server6 })}, got)
		expect(t, name, map[string]int64{ignoreFurther: 1, ignoreAgain: 2}, tally.Ignored)
	}
}

// The first datagram decides the framing, whatever its version.
func TestFramingOf(t *testing.T) {
	for name, first := range map[string][]byte{
		"v5": export5(0, 0, call(0)...), "v9": export9(0, call(0)...), "IPFIX": exportIPFIX(0, "", call6()...), "v9, a header": message9(0, func(*writer) {}),
	} {
		_, tally := decodeFile(t, "netflow-datagrams", bytes.NewReader(framed(first, export5(0, 0, call(0)...))))
		if tally.Events == 0 || tally.SkippedTotal() > 0 {
			t.Errorf("%s: %d flows, skipped %v", name, tally.Events, tally.Positions)
		}
	}
}

func call6() []piece {
	p := piece{client6, server6, 0, 2 * time.Second, 2000, 20, 0}
	return []piece{p, p.reversed(9000, 15)}
}
