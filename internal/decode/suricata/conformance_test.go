package suricata

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/decodetest"
	"github.com/postern/postern/internal/event"
)

// generated returns a log of flows and handshakes.
func generated(lines int) []byte {
	var b bytes.Buffer
	rnd := rand.New(rand.NewPCG(1, 2))
	at := time.Date(2026, 11, 23, 8, 0, 0, 0, time.FixedZone("", 3600))
	const layout = "2006-01-02T15:04:05.000000-0700"
	for i := range lines {
		at = at.Add(time.Duration(rnd.IntN(500)) * time.Millisecond)
		tuple := fmt.Sprintf(`"src_ip":"10.0.%d.%d","src_port":%d,"dest_ip":"203.0.113.9","dest_port":443,"proto":"TCP"`, rnd.IntN(4), rnd.IntN(256), 1024+rnd.IntN(60000))
		head := fmt.Sprintf(`{"timestamp":"%s","flow_id":%d,"in_iface":"eth0",`, at.Format(layout), rnd.Int64N(1<<51))
		if i%3 == 2 {
			fmt.Fprintf(&b, head+`"event_type":"tls",`+tuple+`,"tls":{"sni":"www%d.example.net","version":"TLS 1.3","ja3":{"hash":"b5001237acdf006056b409cc433726b0","string":"771,4865-4866,0-23,29,0"},"ja3s":{"hash":"f4febc55ea12b31ae17cfb7e614afda8","string":"771,4865,43-51"}},"host":"dmz"}`+"\n", rnd.IntN(1000))
			continue
		}
		fmt.Fprintf(&b, head+`"event_type":"flow",`+tuple+`,"app_proto":"tls","flow":{"pkts_toserver":%d,"pkts_toclient":12,"bytes_toserver":%d,"bytes_toclient":%d,"start":"%s","end":"%s","age":1,"state":"closed","reason":"timeout","alerted":false},"tcp":{"tcp_flags":"1b","tcp_flags_ts":"1b","tcp_flags_tc":"1b","syn":true,"fin":true,"psh":true,"ack":true,"state":"closed"},"host":"dmz"}`+"\n",
			1+rnd.IntN(100), rnd.IntN(1e6), rnd.IntN(1e7), at.Add(-time.Second).Format(layout), at.Format(layout))
	}
	return b.Bytes()
}

// samples are events of every kind.
func samples() [][]byte {
	return [][]byte{
		[]byte(record("flow", flowRow) +
			record("tls", `"proto":"TCP","tls":{"sni":"ä.example","fingerprint":"2d:d1","notafter":"2022-03-20T09:44:08","version":"TLS 1.2","client_alpns":["h2"],"ja3":{"hash":"b7"}}`) +
			record("quic", `"proto":"UDP","quic":{"version":"1","sni":"b","ja4":"q13d"}`) +
			record("dns", `"proto":"UDP","dns":{"version":3,"type":"response","queries":[{"rrname":"c","rrtype":"A"}],"answers":[{"rrtype":"A","rdata":"192.0.2.1"}]}`) +
			record("dns", `"proto":"UDP","dns":{"type":"answer","rrname":"c","rrtype":"A","grouped":{"A":["192.0.2.1"]}}`) +
			record("http", `"proto":"TCP","http":{"url":"d:443","http_method":"CONNECT","status":200}`) +
			record("dhcp", `"dhcp":{"id":7,"client_mac":"00:50:56:AA:bb:cc","dhcp_type":"request","hostname":"PC01"}`) +
			record("dhcp", `"dhcp":{"id":7,"client_mac":"00:50:56:aa:bb:cc","dhcp_type":"ack","assigned_ip":"10.0.0.7","lease_time":3600}`) +
			record("alert", `"alert":{"signature":"\u0000\ud800"}`) +
			`{"timestamp":"2026-11-23T15:22:37.250000+0100","event_type":"stats","stats":{"uptime":1}}` + "\n"),
		generated(60),
	}
}

func TestConformance(t *testing.T) { decodetest.Run(t, Formats()[0], samples()...) }

func FuzzEVE(f *testing.F) { decodetest.Fuzz(f, Formats()[0], samples()...) }

func TestFormatsAreValid(t *testing.T) {
	if err := decode.Validate(Formats()); err != nil {
		t.Error(err)
	}
}

// benchLines is the length of a generated log.
const benchLines = 30_000

func BenchmarkEVE(b *testing.B) {
	log := generated(benchLines)
	b.ReportAllocs()
	b.SetBytes(int64(len(log)))
	batch := new(event.Batch)
	for b.Loop() {
		var tally decode.Tally
		d := Formats()[0].Open(bytes.NewReader(log), &tally)
		var err error
		for err == nil {
			batch.Reset()
			err = d.Decode(batch)
		}
		if err != io.EOF || tally.Events != benchLines {
			b.Fatalf("%v, %+v", err, tally)
		}
	}
	b.ReportMetric(benchLines*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
