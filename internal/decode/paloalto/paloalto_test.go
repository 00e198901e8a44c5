package paloalto

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/decodetest"
	"github.com/postern/postern/internal/event"
)

var compare = cmp.Options{
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }),
}

func expect(t *testing.T, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got, compare); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func format() *decode.Format { return Formats()[0] }

// at is 2026-11-23 15:39:19 UTC, which the firewall shows an hour later.
const at event.Time = 1795448359000000

// The published orders of fields, of PAN-OS 11.1.
var orders = map[string]string{
	"TRAFFIC":    "FUTURE_USE,receive_time,serial,type,subtype,FUTURE_USE,time_generated,src,dst,natsrc,natdst,rule,srcuser,dstuser,app,vsys,from,to,inbound_if,outbound_if,logset,FUTURE_USE,sessionid,repeatcnt,sport,dport,natsport,natdport,flags,proto,action,bytes,bytes_sent,bytes_received,packets,start,elapsed,category,FUTURE_USE,seqno,actionflags,srcloc,dstloc,FUTURE_USE,pkts_sent,pkts_received,session_end_reason,dg_hier_level_1,dg_hier_level_2,dg_hier_level_3,dg_hier_level_4,vsys_name,device_name,action_source,src_uuid,dst_uuid,tunnelid,monitortag,parent_session_id,parent_start_time,tunnel,assoc_id,chunks,chunks_sent,chunks_received,rule_uuid,http2_connection,link_change_count,policy_id,link_switches,sdwan_cluster,sdwan_device_type,sdwan_cluster_type,sdwan_site,dynusergroup_name,xff_ip,src_category,src_profile,src_model,src_vendor,src_osfamily,src_osversion,src_host,src_mac,dst_category,dst_profile,dst_model,dst_vendor,dst_osfamily,dst_osversion,dst_host,dst_mac,container_id,pod_namespace,pod_name,src_edl,dst_edl,hostid,serialnumber,src_dag,dst_dag,session_owner,high_res_timestamp,nssai_sst",
	"THREAT":     "FUTURE_USE,receive_time,serial,type,subtype,FUTURE_USE,time_generated,src,dst,natsrc,natdst,rule,srcuser,dstuser,app,vsys,from,to,inbound_if,outbound_if,logset,FUTURE_USE,sessionid,repeatcnt,sport,dport,natsport,natdport,flags,proto,action,misc,threatid,category,severity,direction,seqno,actionflags,srcloc,dstloc,FUTURE_USE,contenttype,pcap_id,filedigest,cloud,url_idx,user_agent,filetype,xff,referer,sender,subject,recipient,reportid,dg_hier_level_1,dg_hier_level_2,dg_hier_level_3,dg_hier_level_4,vsys_name,device_name,FUTURE_USE,src_uuid,dst_uuid,http_method,tunnelid,monitortag,parent_session_id,parent_start_time,tunnel,thr_category,contentver,FUTURE_USE,assoc_id,ppid,http_headers,url_category_list,rule_uuid,http2_connection,dynusergroup_name,xff_ip,src_category,src_profile,src_model,src_vendor,src_osfamily,src_osversion,src_host,src_mac,dst_category,dst_profile,dst_model,dst_vendor,dst_osfamily,dst_osversion,dst_host,dst_mac,container_id,pod_namespace,pod_name,src_edl,dst_edl,hostid,serialnumber,domain_edl,src_dag,dst_dag,partial_hash,high_res_timestamp,reason",
	"DECRYPTION": "FUTURE_USE,receive_time,serial,type,subtype,config_ver,time_generated,src,dst,natsrc,natdst,rule,srcuser,dstuser,app,vsys,from,to,inbound_if,outbound_if,logset,time_received,sessionid,repeatcnt,sport,dport,natsport,natdport,flags,proto,action,tunnel,FUTURE_USE,FUTURE_USE,src_uuid,dst_uuid,rule_uuid,hs_stage_c2f,hs_stage_f2s,tls_version,tls_keyxchg,tls_enc,tls_auth,policy_name,ec_curve,err_index,root_status,chain_status,proxy_type,cert_serial,fingerprint,notbefore,notafter,cert_ver,cert_size,cn_len,issuer_len,rootcn_len,sni_len,cert_flags,cn,issuer_cn,root_cn,sni,error,container_id,pod_namespace,pod_name,src_edl,dst_edl,src_dag,dst_dag,high_res_timestamp,src_category",
	"SYSTEM":     "FUTURE_USE,receive_time,serial,type,subtype,FUTURE_USE,time_generated,vsys,eventid,object,FUTURE_USE,FUTURE_USE,module,severity,opaque,seqno,actionflags,dg_hier_level_1,dg_hier_level_2,dg_hier_level_3,dg_hier_level_4,vsys_name,device_name,FUTURE_USE,FUTURE_USE,FUTURE_USE,FUTURE_USE,FUTURE_USE,FUTURE_USE,FUTURE_USE,FUTURE_USE,high_res_timestamp",
}

// usual are the values that a log has unless told otherwise.
var usual = map[string]string{
	"FUTURE_USE": "1", "receive_time": "2026/11/23 16:39:20", "serial": "012501002341", "time_generated": "2026/11/23 16:39:19",
	"src": "10.0.0.5", "dst": "203.0.113.9", "natsrc": "198.51.100.1", "natdst": "203.0.113.9", "rule": `"out, all"`, "srcuser": `corp\bob`,
	"app": "ssl", "sessionid": "72568134", "sport": "51000", "dport": "443", "natsport": "50464", "natdport": "443", "flags": "0x400019", "proto": "tcp", "action": "allow",
	"bytes": "7312", "bytes_sent": "2228", "bytes_received": "5084", "packets": "22", "start": "2026/11/23 16:38:47", "elapsed": "16", "pkts_sent": "12", "pkts_received": "10",
	"misc": `"www.Example.com/a,b"`, "user_agent": `"Mozilla, ""x"" 2026-01-01T00:00:00.000+09:00"`, "high_res_timestamp": "2026-11-23T16:39:19.443+01:00",
	"tls_version": "TLS1.3", "cn": "www.example.com", "issuer_cn": "Example CA", "sni": "www.example.com", "sni_len": "15", "device_name": "fw01",
}

// logOf writes a log with pairs of changed values.
func logOf(kind, sub string, changes ...string) string {
	var b strings.Builder
	for i, name := range strings.Split(orders[kind], ",") {
		value := usual[name]
		switch name {
		case "type":
			value = kind
		case "subtype":
			value = sub
		}
		for j := 0; j < len(changes); j += 2 {
			if changes[j] == name {
				value = changes[j+1]
			}
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(value)
	}
	return b.String() + "\n"
}

const uid = "012501002341/72568134/10.0.0.5:51000"

func flow(change func(*event.Flow)) event.Flow {
	f := event.Flow{
		Sensor: "012501002341", Time: at - 32e6, UID: uid, Proto: event.TCP,
		Src: netip.MustParseAddrPort("10.0.0.5:51000"), Dst: netip.MustParseAddrPort("203.0.113.9:443"),
		Duration: 16e6, BytesOut: 2228, BytesIn: 5084, PacketsOut: 12, PacketsIn: 10, Service: "ssl",
	}
	if change != nil {
		change(&f)
	}
	return f
}

func TestTraffic(t *testing.T) {
	for _, tt := range []struct {
		name, log string
		want      func(*event.Flow)
	}{
		{"end", logOf("TRAFFIC", "end"), nil},
		{"behind a header of syslog", "<14>Nov 23 16:39:20 fw01 " + logOf("TRAFFIC", "end"), nil},
		{"start", logOf("TRAFFIC", "start"), func(f *event.Flow) {
			f.Open, f.Duration, f.BytesOut, f.BytesIn, f.PacketsOut, f.PacketsIn = true, -1, -1, -1, -1, -1
		}},
		{"a service", logOf("TRAFFIC", "end", "app", "ms-office365-base"), func(f *event.Flow) { f.Service = "" }},
		{"nothing came back", logOf("TRAFFIC", "drop", "app", "not-applicable", "bytes_sent", "70", "bytes_received", "0"), func(f *event.Flow) { f.Service, f.BytesOut, f.BytesIn = "", 0, 0 }},
		{"incomplete", logOf("TRAFFIC", "end", "app", "incomplete", "bytes_sent", "70", "bytes_received", "66"), func(f *event.Flow) { f.Service, f.BytesOut, f.BytesIn = "", 0, 0 }},
		{"UDP without an answer", logOf("TRAFFIC", "end", "app", "quic", "proto", "udp", "bytes_received", "0"), func(f *event.Flow) {
			f.Proto, f.Service, f.BytesIn = event.UDP, "quic", 0
		}},
		{"session unsaid", logOf("TRAFFIC", "end", "sessionid", "0"), func(f *event.Flow) { f.UID = "" }},
		{"before a new day of the firewall", logOf("TRAFFIC", "end", "time_generated", "2026/11/24 00:39:19", "start", "2026/11/24 00:38:47", "high_res_timestamp", "2026-11-24T00:39:19.1+09:00"), nil},
	} {
		got, tally := decodetest.Decode(t, format(), tt.log)
		expect(t, tt.name, []event.Flow{flow(tt.want)}, got.Flows)
		if len(tally.Warnings) > 0 {
			t.Errorf("%s: %v", tt.name, tally.Warnings)
		}
	}
	// PAN-OS 9.1 ends before the time with a zone, and no time elsewhere counts.
	for _, old := range []string{
		strings.Join(strings.Split(logOf("TRAFFIC", "end"), ",")[:69], ",") + "\n",
		logOf("TRAFFIC", "end", "high_res_timestamp", "2026-11-23T11:39:19.443+01:00"),
	} {
		got, tally := decodetest.Decode(t, format(), old)
		expect(t, "without a zone", []event.Flow{flow(func(f *event.Flow) { f.Time += 3600e6 })}, got.Flows)
		expect(t, "warnings", []string{"times have no zone and are taken for UTC"}, tally.Warnings)
	}
}

func TestHandshakes(t *testing.T) {
	shake := func(change func(*event.Handshake)) []event.Handshake {
		h := event.Handshake{Sensor: "012501002341", Time: at, UID: uid, Proto: event.TCP, Src: flow(nil).Src, Dst: flow(nil).Dst, SNI: "www.example.com"}
		if change != nil {
			change(&h)
		}
		return []event.Handshake{h}
	}
	full := func(h *event.Handshake) {
		h.Version, h.Subject, h.Issuer, h.Established = "TLS1.3", "CN=www.example.com", "CN=Example CA", event.Yes
	}
	for _, tt := range []struct {
		name, log, ignored string
		want               []event.Handshake
	}{
		{"ssl", logOf("THREAT", "url"), "", shake(nil)},
		{"a service on 443", logOf("THREAT", "url", "app", "google-base", "misc", "www.example.com:443/"), "", shake(nil)},
		{"decrypted", logOf("THREAT", "url", "app", "web-browsing", "flags", "0x1400019", "dport", "8443"), "", shake(func(h *event.Handshake) { h.Dst = netip.AddrPortFrom(h.Dst.Addr(), 8443) })},
		{"plain", logOf("THREAT", "url", "app", "web-browsing", "dport", "80"), "PAN-OS URL without TLS", nil},
		{"plain on 443", logOf("THREAT", "url", "app", "web-browsing"), "PAN-OS URL without TLS", nil},
		{"address", logOf("THREAT", "url", "misc", "203.0.113.9/"), "PAN-OS URL without a name", nil},
		{"file", logOf("THREAT", "file"), "PAN-OS THREAT, no url", nil},
		{"system", logOf("SYSTEM", "general"), "PAN-OS SYSTEM", nil},
		{"decryption", logOf("DECRYPTION", "start"), "", shake(full)},
		{"without SNI", logOf("DECRYPTION", "start", "sni", ""), "", shake(func(h *event.Handshake) { full(h); h.SNI = "" })},
		{"failed", logOf("DECRYPTION", "start", "error", `"Received fatal alert, UnknownCA"`), "", shake(func(h *event.Handshake) { full(h); h.Established = event.No })},
	} {
		got, tally := decodetest.Decode(t, format(), tt.log)
		expect(t, tt.name, tt.want, got.Handshakes)
		if tt.ignored != "" && tally.Ignored[tt.ignored] != 1 || tally.SkippedTotal() > 0 {
			t.Errorf("%s: ignored %v, skipped %v", tt.name, tally.Ignored, tally.Skipped)
		}
	}
}

func TestLogsThatCannotBeRead(t *testing.T) {
	for _, tt := range []struct{ log, reason string }{
		{logOf("TRAFFIC", "end", "type", "TRAFFIK"), "no log of PAN-OS"},
		{logOf("TRAFFIC", "end", "receive_time", "now"), "no log of PAN-OS"},
		{logOf("TRAFFIC", "end")[:80], "no log of PAN-OS"},
		{logOf("TRAFFIC", "end", "src", "pc01"), "no client's address"},
		{logOf("TRAFFIC", "end", "dst", ""), "no far end's address"},
		{logOf("TRAFFIC", "end", "proto", ""), "no transport protocol"},
		{logOf("TRAFFIC", "end", "start", "2026/13/23 16:38:47"), "no time that can be read"},
		{logOf("TRAFFIC", "end", "bytes_sent", "2k"), "a number that is none"},
		{logOf("DECRYPTION", "start", "tls_version", "RSA"), "DECRYPTION in another order of fields"},
	} {
		got, tally := decodetest.Decode(t, format(), tt.log)
		if got.Len() > 0 || tally.Skipped[tt.reason] != 1 {
			t.Errorf("skipped %v, want %q of\n%s", tally.Skipped, tt.reason, tt.log)
		}
	}
	// A short log after a long one has nothing of it.
	_, tally := decodetest.Decode(t, format(), logOf("DECRYPTION", "start")+strings.Join(strings.Split(logOf("DECRYPTION", "start"), ",")[:40], ",")+"\n")
	if tally.Skipped["DECRYPTION in another order of fields"] != 1 {
		t.Errorf("skipped %v", tally.Skipped)
	}
}

func TestMatch(t *testing.T) {
	for head, want := range map[string]bool{
		logOf("TRAFFIC", "end"):                                       true,
		"half, a, line\n" + logOf("SYSTEM", "general"):                true,
		"Domain,Receive Time,Serial #\n" + logOf("THREAT", "url"):     true,
		logOf("TRAFFIC", "end", "type", "traffic"):                    false,
		"CEF:0|Palo Alto Networks|LF|2.0|TRAFFIC|end|3|a=1":           false,
		strings.Repeat("x\n", maxHeadLines) + logOf("TRAFFIC", "end"): false,
	} {
		if got := format().Match([]byte(head)); got != want {
			t.Errorf("%v for %s", got, head)
		}
	}
}

func generated(lines int) []byte {
	var b bytes.Buffer
	rnd := rand.New(rand.NewPCG(1, 2))
	begin := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	for i := range lines {
		now := begin.Add(time.Duration(i) * time.Second)
		kind, sub := "TRAFFIC", "end"
		if i%3 == 0 {
			kind, sub = "THREAT", "url"
		}
		b.WriteString(logOf(kind, sub, "time_generated", now.Format("2006/01/02 15:04:05"), "start", now.Format("2006/01/02 15:04:05"), "rule", "Büro",
			"high_res_timestamp", now.Format("2006-01-02T15:04:05.000-07:00"), "sessionid", fmt.Sprint(i+1), "sport", fmt.Sprint(1024+rnd.IntN(60000)), "bytes_sent", fmt.Sprint(rnd.IntN(1e6))))
	}
	return b.Bytes()
}

func TestConformance(t *testing.T) {
	if err := decode.Validate(Formats()); err != nil {
		t.Error(err)
	}
	decodetest.Run(t, format(), generated(50))
}

func FuzzPaloAlto(f *testing.F) {
	decodetest.Fuzz(f, format(), generated(3), []byte(logOf("DECRYPTION", "start")), []byte(logOf("SYSTEM", "x")))
}

func BenchmarkPaloAlto(b *testing.B) { decodetest.Bench(b, format(), generated(20_000), 20_000) }
