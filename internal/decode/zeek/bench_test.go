package zeek

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// benchRows is the length of a generated log.
const benchRows = 50_000

func BenchmarkConnTSV(b *testing.B) { benchmark(b, "zeek-tsv", connTSV(benchRows)) }

func BenchmarkSSLTSV(b *testing.B) { benchmark(b, "zeek-tsv", sslTSV(benchRows)) }

func BenchmarkWeirdTSV(b *testing.B) {
	log := bytes.NewBuffer(nil)
	log.WriteString("#separator \\x09\n#path\tweird\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tname\taddl\tnotice\tpeer\n")
	for _, c := range conns(benchRows) {
		fmt.Fprintf(log, "%s\t%s\t%s\t%d\t203.0.113.9\t443\tdata_before_established\t-\tF\tzeek\n", c.ts, c.uid, c.host, c.port)
	}
	benchmark(b, "zeek-tsv", log.Bytes())
}

func BenchmarkConnJSON(b *testing.B) { benchmark(b, "zeek-json", connJSON(benchRows)) }

func benchmark(b *testing.B, format string, log []byte) {
	f, err := decode.ByName(Formats(), format)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(log)))
	batch := new(event.Batch)
	for b.Loop() {
		var tally decode.Tally
		d := f.Open(bytes.NewReader(log), &tally)
		for err = nil; err == nil; {
			batch.Reset()
			err = d.Decode(batch)
		}
		if err != io.EOF || tally.Records != benchRows || tally.SkippedTotal() != 0 {
			b.Fatalf("%v, %+v", err, tally)
		}
	}
	b.ReportMetric(float64(benchRows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// A conn is what a generated row says.
type conn struct {
	ts, uid, host, service, duration, state, history string
	port, out, in                                    int
}

func conns(n int) []conn {
	rnd := rand.New(rand.NewPCG(1, 2))
	histories := []string{"ShADadFf", "ShADadtFf", "Dd", "ShADadfF", "S"}
	services := []string{"ssl", "-", "dns", "http", "ssl,http"}
	all := make([]conn, n)
	for i := range all {
		k := rnd.IntN(len(histories))
		all[i] = conn{
			ts:       fmt.Sprintf("%d.%06d", 1714420800+i/20, rnd.IntN(1e6)),
			uid:      fmt.Sprintf("C%017x", rnd.Uint64()>>4),
			host:     fmt.Sprintf("10.0.%d.%d", rnd.IntN(4), rnd.IntN(256)),
			port:     1024 + rnd.IntN(60000),
			service:  services[k],
			duration: fmt.Sprintf("%d.%06d", rnd.IntN(300), rnd.IntN(1e6)),
			out:      rnd.IntN(1e6), in: rnd.IntN(1e7),
			state: "SF", history: histories[k],
		}
	}
	return all
}

func connTSV(n int) []byte {
	var b bytes.Buffer
	b.WriteString("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n" +
		"#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tlocal_orig\tlocal_resp\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\ttunnel_parents\n")
	for _, c := range conns(n) {
		fmt.Fprintf(&b, "%s\t%s\t%s\t%d\t203.0.113.9\t443\ttcp\t%s\t%s\t%d\t%d\t%s\tT\tF\t0\t%s\t10\t%d\t12\t%d\t-\n",
			c.ts, c.uid, c.host, c.port, c.service, c.duration, c.out, c.in, c.state, c.history, c.out+400, c.in+480)
	}
	return b.Bytes()
}

func connJSON(n int) []byte {
	var b bytes.Buffer
	for _, c := range conns(n) {
		fmt.Fprintf(&b, `{"_path":"conn","ts":%s,"uid":"%s","id.orig_h":"%s","id.orig_p":%d,"id.resp_h":"203.0.113.9","id.resp_p":443,"proto":"tcp","service":"%s","duration":%s,"orig_bytes":%d,"resp_bytes":%d,"conn_state":"%s","local_orig":true,"local_resp":false,"missed_bytes":0,"history":"%s","orig_pkts":10,"orig_ip_bytes":%d,"resp_pkts":12,"resp_ip_bytes":%d}`+"\n",
			c.ts, c.uid, c.host, c.port, c.service, c.duration, c.out, c.in, c.state, c.history, c.out+400, c.in+480)
	}
	return b.Bytes()
}

func sslTSV(n int) []byte {
	var b bytes.Buffer
	b.WriteString("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tssl\n" +
		"#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tversion\tcipher\tcurve\tserver_name\tresumed\tlast_alert\tnext_protocol\testablished\tssl_history\tcert_chain_fps\tclient_cert_chain_fps\tsni_matches_cert\tja3\tja3s\n")
	for _, c := range conns(n) {
		fmt.Fprintf(&b, "%s\t%s\t%s\t%d\t203.0.113.9\t443\tTLSv13\tTLS_AES_128_GCM_SHA256\tx25519\twww%d.example.net\tF\t-\th2\tT\tCsiI\t-\t-\t-\tb5001237acdf006056b409cc433726b0\tf4febc55ea12b31ae17cfb7e614afda8\n",
			c.ts, c.uid, c.host, c.port, c.out%1000)
	}
	return b.Bytes()
}
