package netflow

import (
	"strings"
	"testing"
	"time"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

const csvHeader = "ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt,in,out,sas,das,smk,dmk,dtos,dir,nh,nhb,svln,dvln,ismc,odmc,idmc,osmc,mpls1,mpls2,mpls3,mpls4,mpls5,mpls6,mpls7,mpls8,mpls9,mpls10,cl,sl,al,ra,eng,exid,tr\n"

// unused is what stands between a record's counts and the exporter.
const unused = ",0,0,0,0,0,0,0,0,0.0.0.0,0.0.0.0,0,0,00:00:00:00:00:00,00:00:00:00:00:00,00:00:00:00:00:00,00:00:00:00:00:00,0-0-0,0-0-0,0-0-0,0-0-0,0-0-0,0-0-0,0-0-0,0-0-0,0-0-0,0-0-0,    0.000,    0.000,    0.000,"

// csvLine returns a record as nfdump 1.7.1 writes it.
func csvLine(ends, pkt, byt, opkt, obyt string) string {
	return "2026-11-23 08:00:00,2026-11-23 08:00:02,2.000," + ends + ",TCP,...AP.SF,0,0," + pkt + "," + byt + "," + opkt + "," + obyt + unused + "192.0.2.1,0/0,1,2026-11-23 08:01:00.000\n"
}

const there, backwards = "10.0.0.5,203.0.113.9,50000,443", "203.0.113.9,10.0.0.5,443,50000"

func TestCSV(t *testing.T) {
	summary := "Summary\nflows,bytes,packets,avg_bps,avg_pps,avg_bpp\n6,53506,179,4826,2,298\n"
	for name, tt := range map[string]struct {
		text    string
		ignored map[string]int64
	}{
		"two directions": {csvHeader + csvLine(backwards, "15", "9000", "0", "0") + csvLine(there, "20", "2000", "0", "0") + summary, map[string]int64{ignoreFurther: 1, "nfdump summary": 3}},
		"bidirectional":  {csvHeader + csvLine(there, "20", "2000", "15", "9000"), nil},
		"concatenated":   {csvHeader + summary + csvHeader + csvLine(there, "20", "2000", "15", "9000"), map[string]int64{"nfdump summary": 3}},
		"other columns": {"firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes,flows,router\n" +
			"2026-11-23 08:00:00.000,2.000,TCP,203.0.113.9,443,10.0.0.5,50000,15,9000,1,192.0.2.1\n" +
			"2026-11-23 08:00:00.000,2.000,6,10.0.0.5,50000,203.0.113.9,443,20,2000,1,192.0.2.1\n", map[string]int64{ignoreFurther: 1}},
	} {
		got, tally := decodeFile(t, "nfdump-csv", strings.NewReader(tt.text))
		expect(t, name, []event.Flow{theFlow()}, got)
		expect(t, name, tt.ignored, tally.Ignored)
		expect(t, name, zoneWarning, tally.Warnings[0])
	}
	good := csvLine(there, "20", "2000", "0", "0")
	for old, want := range map[string]string{
		"2026-11-23 08:00:00,": badTime, "10.0.0.5": badAddress, "50000": badPort, "2000,": badCount,
		",0/0,1,2026-11-23 08:01:00.000": "too few columns",
	} {
		replacement := "x,"
		if !strings.HasSuffix(old, ",") {
			replacement = "x"
		}
		if strings.HasPrefix(old, ",") {
			replacement = ""
		}
		_, tally := decodeFile(t, "nfdump-csv", strings.NewReader(csvHeader+strings.Replace(good, old, replacement, 1)))
		expect(t, old, []decode.Position{{Where: "line 2", Reason: want}}, tally.Positions)
	}
	_, tally := decodeFile(t, "nfdump-csv", strings.NewReader(good))
	expect(t, "no header", map[string]int64{"no header before it": 1}, tally.Skipped)
}

// nfdumpObject returns a record as nfdump 1.7.1 writes it.
func nfdumpObject(src, dst string, sport, dport, packets, bytes string) string {
	return `{
	"type" : "FLOW",
	"sampled" : 0,
	"export_sysid" : 1,
	"first" : "2026-11-23T08:00:00.000",
	"last" : "2026-11-23T08:00:02.000",
	"received" : "2026-11-23T08:01:00.452",
	"in_packets" : ` + packets + `,
	"in_bytes" : ` + bytes + `,
	"proto" : 6,
	"tcp_flags" : "...APRSF",
	"src_port" : ` + sport + `,
	"dst_port" : ` + dport + `,
	"src4_addr" : "` + src + `",
	"dst4_addr" : "` + dst + `",
	"ip4_router" : "192.0.2.1",
	"label" : "<none>"
}`
}

func nfdumpPair() string {
	return "[\n" + nfdumpObject("203.0.113.9", "10.0.0.5", "443", "50000", "15", "9000") + ",\n" +
		nfdumpObject("10.0.0.5", "203.0.113.9", "50000", "443", "20", "2000") + "]\n"
}

func TestNfdumpJSON(t *testing.T) {
	one := nfdumpObject("10.0.0.5", "203.0.113.9", "50000", "443", "20", "2000")
	both := strings.Replace(one, `"proto"`, `"out_packets" : 15, "out_bytes" : 9000, "proto"`, 1)
	old := strings.NewReplacer(`"first"`, `"t_first"`, `"last"`, `"t_last"`).Replace(both)
	for name, text := range map[string]string{"two directions": nfdumpPair(), "bidirectional": both, "nfdump 1.6": old} {
		got, _ := decodeFile(t, "nfdump-json", strings.NewReader(text))
		expect(t, name, []event.Flow{theFlow()}, got)
	}
	sampled := strings.Replace(one, `"sampled" : 0`, `"sampled" : 1`, 1)
	_, tally := decodeFile(t, "nfdump-json", strings.NewReader(sampled))
	expect(t, "sampled", "estimates: sampled, and multiplied by nfdump", tally.Warnings[0])
	for old, want := range map[string]string{"10.0.0.5": badAddress, "50000": badPort, "2026-11-23T08:00:00.000": badTime, ": 2000": badCount, `"first"`: "not a flow record"} {
		_, tally := decodeFile(t, "nfdump-json", strings.NewReader(strings.Replace(one, old, ": -1"[:min(4, len(old))], 1)))
		if tally.SkippedTotal() != 1 {
			t.Errorf("%s: skipped %v, want %s", old, tally.Skipped, want)
		}
	}
	_, tally = decodeFile(t, "nfdump-json", strings.NewReader(strings.Replace(one, `"FLOW"`, `"EVENT"`, 1)+strings.Replace(one, `"proto" : 6`, `"proto" : 1`, 1)))
	expect(t, "ignored", map[string]int64{ignoreEvent: 1, ignoreTransport: 1}, tally.Ignored)
}

// goflow2Object returns a record of goflow2 2.
func goflow2Object(src, dst, sport, dport, packets, bytes string) string {
	return `{"type":"NETFLOW_V9","time_received_ns":1795420860000000000,"sequence_num":3,"sampling_rate":0,"sampler_address":"192.0.2.1",` +
		`"time_flow_start_ns":1795420800000000000,"time_flow_end_ns":1795420802000000000,"bytes":` + bytes + `,"packets":` + packets +
		`,"src_addr":"` + src + `","dst_addr":"` + dst + `","etype":"IPv4","proto":"TCP","src_port":` + sport + `,"dst_port":` + dport + `,"tcp_flags":27}` + "\n"
}

func goflow2Pair() string {
	return goflow2Object("10.0.0.5", "203.0.113.9", "50000", "443", "20", "2000") + goflow2Object("203.0.113.9", "10.0.0.5", "443", "50000", "15", "9000")
}

func TestGoflow2(t *testing.T) {
	pair := goflow2Pair()
	v1 := strings.NewReplacer(`start_ns":1795420800000000000`, `start":1795420800`, `end_ns":1795420802000000000`, `end_ms":"1795420802000"`, `"TCP"`, `6`).Replace(pair)
	for name, text := range map[string]string{"version 2": pair, "version 1": v1} {
		got, _ := decodeFile(t, "goflow2", strings.NewReader(text))
		expect(t, name, []event.Flow{theFlow()}, got)
	}
	got, tally := decodeFile(t, "goflow2", strings.NewReader(strings.ReplaceAll(pair, `"sampling_rate":0`, `"sampling_rate":100`)))
	expect(t, "sampled", []event.Flow{theFlow(func(f *event.Flow) {
		f.BytesOut, f.PacketsOut, f.BytesIn, f.PacketsIn = 200_000, 2000, 900_000, 1500
	})}, got)
	expect(t, "sampled", "estimates: sampled 1:100", tally.Warnings[0])
	_, tally = decodeFile(t, "goflow2", strings.NewReader(strings.Replace(pair, "NETFLOW_V9", "SFLOW_5", 1)))
	expect(t, "sFlow", map[string]int64{"sFlow sample, no flow": 1}, tally.Ignored)
}

func TestPrinted(t *testing.T) {
	at := event.At(time.Date(2026, 11, 23, 8, 0, 1, 0, time.UTC))
	for in, want := range map[string]event.Time{
		"2026-11-23 08:00:01": at, "2026-11-23T08:00:01.5": at + 500_000, "2026-11-23T08:00:01.1234567Z": at + 123_456,
		"2026-11-23": event.Never, "2026-11-23 08:00:01.": event.Never, "2026-11-23x08:00:01": event.Never,
		"2026-13-23 08:00:01": event.Never, "0000-11-23 08:00:01": event.Never, "": event.Never, "2026-11-23 08:00:01+01": event.Never,
	} {
		if got, ok := printed([]byte(in)); ok != (want != event.Never) || ok && got != want {
			t.Errorf("%q: %v (%v), want %v", in, got.Std(), ok, want.Std())
		}
	}
}
