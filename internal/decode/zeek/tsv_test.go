package zeek

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

func TestConn(t *testing.T) {
	all, tally := decodeAll(t, "zeek-tsv", tsvLog("conn", connFields,
		connRow,
		"1714420899.000001 C2 10.0.0.111 53412 203.0.113.9 8080 tcp - - - - SHR T F 0 ^hadf 0 0 5 615 -",
		"1714420899.000002 C3 fe80::1 134 ff02::1 133 icmp - - - - OTH - - 0 - 1 96 0 0 -",
		"1714420899.000003 C4 10.0.0.1 1 10.0.0.2 2 unknown_transport (empty) 0.000000 0 0 OTH - - 0 D 1 96 0 0 (empty)",
	))
	second := event.Flow{
		Sensor: "zeek", Time: 1714420899000001, UID: "C2", Proto: event.TCP,
		Src: netip.MustParseAddrPort("10.0.0.111:53412"), Dst: netip.MustParseAddrPort("203.0.113.9:8080"),
		Duration: event.Unknown, BytesOut: event.Unknown, BytesIn: event.Unknown, PacketsOut: event.Unknown, PacketsIn: 5,
		State: "SHR", History: "^hadf",
	}
	third := event.Flow{
		Sensor: "zeek", Time: 1714420899000002, UID: "C3", Proto: 58,
		Src: netip.MustParseAddrPort("[fe80::1]:134"), Dst: netip.MustParseAddrPort("[ff02::1]:133"),
		Duration: event.Unknown, BytesOut: event.Unknown, BytesIn: event.Unknown, PacketsOut: 1, PacketsIn: 0,
		State: "OTH",
	}
	fourth := event.Flow{
		Sensor: "zeek", Time: 1714420899000003, UID: "C4",
		Src: netip.MustParseAddrPort("10.0.0.1:1"), Dst: netip.MustParseAddrPort("10.0.0.2:2"),
		PacketsOut: 1, State: "OTH", History: "D",
	}
	expect(t, "flows", []event.Flow{connFlow(), second, third, fourth}, all.Flows)
	expect(t, "warnings", []string{"originator not seen in 1 flows: their outbound bytes are unknown"}, tally.Warnings)
}

func TestColumnsInAnyOrderAndExtraOnes(t *testing.T) {
	fields, row := strings.Fields(connFields), strings.Fields(connRow)
	for i, j := 0, len(fields)-1; i < j; i, j = i+1, j-1 {
		fields[i], fields[j] = fields[j], fields[i]
		row[i], row[j] = row[j], row[i]
	}
	all, _ := decodeAll(t, "zeek-tsv", tsvLog("conn",
		"community_id _node_name "+strings.Join(fields, " ")+" ts",
		"1:abc= worker-1 "+strings.Join(row, " ")+" 99.0"))
	want := connFlow()
	want.Sensor, want.CommunityID = "worker-1", "1:abc="
	expect(t, "flows", []event.Flow{want}, all.Flows)
}

func TestOpenLogs(t *testing.T) {
	want := connFlow()
	want.Open = true
	for _, path := range []string{"open_conn", "conn_long"} {
		all, _ := decodeAll(t, "zeek-tsv", tsvLog(path, connFields, connRow))
		expect(t, path, []event.Flow{want}, all.Flows)
	}
}

func TestLogWithoutAPathIsInferred(t *testing.T) {
	for _, tt := range []struct {
		fields string
		want   log
	}{
		{connFields, connLog},
		{"ts uid id.orig_h id.orig_p id.resp_h id.resp_p version cipher server_name established", sslLog},
		{"ts uid id.orig_h id.orig_p id.resp_h id.resp_p version client_initial_dcid server_name", quicLog},
		{"ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto trans_id query qtype_name answers", dnsLog},
		{"ts uid id.orig_h id.orig_p id.resp_h id.resp_p trans_depth method host uri request_body_len", httpLog},
		{"ts fingerprint certificate.version certificate.subject", x509Log},
		{"ts uid id.orig_h id.orig_p id.resp_h id.resp_p trans_depth method uri call_id request_body_len", otherLog},
		{"ts uid id.orig_h id.orig_p id.resp_h id.resp_p name addl notice peer", otherLog},
		{"ts uid id.orig_h id.orig_p id.resp_h id.resp_p request_type client service success cipher", otherLog},
		{"ts host port_num subject issuer_subject serial", otherLog},
		{"ts uids mac host_name assigned_addr msg_types", dhcpLog},
		{"ts host mac", otherLog},
	} {
		text := tsvLog("", tt.fields)
		if got := matchTSV([]byte(text)); got != (tt.want != otherLog) {
			t.Errorf("matchTSV is %v without a path and with columns %s", got, tt.fields)
		}
		h := newHeader()
		h.line([]byte("#fields\t" + tabs(tt.fields)))
		if h.resolve(); h.log != tt.want {
			t.Errorf("columns %s are taken for log %d, want %d", tt.fields, h.log, tt.want)
		}
	}
}

func TestConcatenatedLogs(t *testing.T) {
	other := strings.NewReplacer("\\x09", ",", "#set_separator\t,", "#set_separator,;", "#unset_field\t-", "#unset_field,NULL", "\t", ",").
		Replace(tsvLog("conn", "uid ts id.orig_h id.orig_p id.resp_h id.resp_p proto service conn_state",
			"C2 1714420898.610732 10.0.0.111 1 10.0.0.2 2 udp NULL -"))
	all, tally := decodeAll(t, "zeek-tsv",
		tsvLog("conn", connFields, connRow)+other+tsvLog("weird", "ts uid name", "1.0 C3 x")+tsvLog("conn", connFields, connRow))
	second := event.Flow{
		Sensor: "zeek", Time: 1714420898610732, UID: "C2", Proto: event.UDP,
		Src: netip.MustParseAddrPort("10.0.0.111:1"), Dst: netip.MustParseAddrPort("10.0.0.2:2"),
		Duration: event.Unknown, BytesOut: event.Unknown, BytesIn: event.Unknown, PacketsOut: event.Unknown, PacketsIn: event.Unknown,
		State: "-",
	}
	expect(t, "flows", []event.Flow{connFlow(), second, connFlow()}, all.Flows)
	expect(t, "ignored", map[string]int64{"zeek weird": 1}, tally.Ignored)
}

func TestHeaderInAnyOrder(t *testing.T) {
	all, _ := decodeAll(t, "zeek-tsv", "#fields\t"+tabs(connFields)+"\n#unset_field\t?\n#path\topen_conn\n"+
		strings.ReplaceAll(tabs(connRow), "-", "?")+"\n")
	want := connFlow()
	want.Open = true
	expect(t, "flows", []event.Flow{want}, all.Flows)
}

func TestBadRowsAreSkippedWithTheirLine(t *testing.T) {
	row := tabs(connRow)
	_, tally := decodeAll(t, "zeek-tsv", strings.Join([]string{
		"cut off\trow",
		"#separator \\x09",
		"#path\tconn",
		"#fields\t" + tabs(connFields),
		row + "\t1",
		strings.TrimSuffix(row, "\t-"),
		"",
		strings.Replace(row, "1714420898.610732", "yesterday", 1),
		strings.Replace(row, "10.0.0.111", "10.0.0.300", 1),
		strings.Replace(row, "203.0.113.9", "-", 1),
		strings.Replace(row, "53411", "70000", 1),
		strings.Replace(row, "700", "7e2", 1),
		row,
		strings.Repeat("x", maxRecord+1),
		"#separator \\x09\\x09",
		"#path\tconn",
		"#fields\t" + tabs(connFields),
		row,
		"#separator \\x09",
		"#fields",
		row,
	}, "\n"))
	expect(t, "positions", []decode.Position{
		{Where: "line 1", Reason: noHeader},
		{Where: "line 5", Reason: "too many columns"},
		{Where: "line 6", Reason: "too few columns"},
		{Where: "line 8", Reason: badTime},
		{Where: "line 9", Reason: badAddress},
		{Where: "line 10", Reason: badAddress},
		{Where: "line 11", Reason: badPort},
		{Where: "line 12", Reason: badCount},
		{Where: "line 14", Reason: "line too long"},
		{Where: "line 18", Reason: badSeparator},
		{Where: "line 21", Reason: badFields},
	}, tally.Positions)
	if tally.Events != 1 {
		t.Errorf("%d events, want 1", tally.Events)
	}
}

func TestSSL(t *testing.T) {
	all, _ := decodeAll(t, "zeek-tsv", strings.ReplaceAll(tsvLog("ssl",
		"ts uid id.orig_h id.orig_p id.resp_h id.resp_p version cipher server_name next_protocol established cert_chain_fps cert_chain_fuids subject issuer ja3 ja3s ja4",
		"1.5 C1 10.0.0.1 1 10.0.0.2 443 TLSv13 x WWW.Example.NET. h2 T - - - - j3 j3s t13d1516h2_x_y",
		`1.5 C2 10.0.0.1 1 10.0.0.2 443 TLSv12 x bad\xff\x09name - F aa,bb F1,F2 CN=x,O=Nativo\\,_Inc. CN=y - - -`,
		"1.5 C3 10.0.0.1 1 10.0.0.2 443 DTLSv12 x - - - (empty) F1,F2 - - - - -",
		"1.5 C4 10.0.0.1 1 10.0.0.2 443 QUICv1 x - - - - - - - - - -",
	), "_Inc", " Inc"))
	base := event.Handshake{
		Sensor: "zeek", Time: 1500000, Proto: event.TCP,
		Src: netip.MustParseAddrPort("10.0.0.1:1"), Dst: netip.MustParseAddrPort("10.0.0.2:443"),
	}
	with := func(change func(h *event.Handshake)) event.Handshake {
		h := base
		change(&h)
		return h
	}
	expect(t, "handshakes", []event.Handshake{
		with(func(h *event.Handshake) {
			h.UID, h.Version, h.SNI, h.ALPN, h.Established = "C1", "TLSv13", "www.example.net", "h2", event.Yes
			h.JA3, h.JA3S, h.JA4 = "j3", "j3s", "t13d1516h2_x_y"
		}),
		with(func(h *event.Handshake) {
			h.UID, h.Version, h.SNI, h.Established = "C2", "TLSv12", "bad\uFFFD\tname", event.No
			h.CertID, h.Subject, h.Issuer = "aa", `CN=x,O=Nativo\, Inc.`, "CN=y"
		}),
		with(func(h *event.Handshake) { h.UID, h.Version, h.Proto, h.CertID = "C3", "DTLSv12", event.UDP, "F1" }),
		with(func(h *event.Handshake) { h.UID, h.Version, h.Proto = "C4", "QUICv1", event.UDP }),
	}, all.Handshakes)
}

func TestQUIC(t *testing.T) {
	all, _ := decodeAll(t, "zeek-tsv", tsvLog("quic",
		"ts uid id.orig_h id.orig_p id.resp_h id.resp_p version client_initial_dcid client_scid server_scid server_name client_protocol history",
		"1.5 C1 10.0.0.1 1 10.0.0.2 443 1 11 22 33 blog.example.com h3 ISisH",
		"1.5 C2 10.0.0.1 1 10.0.0.2 443 quicv2 11 22 33 - - I"))
	want := event.Handshake{
		Sensor: "zeek", Time: 1500000, UID: "C1", Proto: event.UDP,
		Src: netip.MustParseAddrPort("10.0.0.1:1"), Dst: netip.MustParseAddrPort("10.0.0.2:443"),
		SNI: "blog.example.com", Version: "QUICv1", ALPN: "h3",
	}
	second := want
	second.UID, second.SNI, second.Version, second.ALPN = "C2", "", "quicv2", ""
	expect(t, "handshakes", []event.Handshake{want, second}, all.Handshakes)
}

// The identity of a certificate is the one that ssl.log of the same version
// of Zeek gives.
func TestCertificatesMeetHandshakes(t *testing.T) {
	const ids = "ts uid id.orig_h id.orig_p id.resp_h id.resp_p established "
	const row = "1.5 C1 10.0.0.1 1 10.0.0.2 443 T "
	for _, tt := range []struct{ name, sslFields, ssl, x509Fields, x509, want string }{
		{"4.0 and before", "cert_chain_fuids subject", "F1,F2 CN=x", "id certificate.subject", "F1 CN=x", "F1"},
		{"since 4.1", "cert_chain_fps", "aa,bb", "fingerprint certificate.subject", "aa CN=x", "aa"},
		{"both", "cert_chain_fuids cert_chain_fps", "F1,F2 aa,bb", "id fingerprint certificate.subject", "F1 aa CN=x", "aa"},
	} {
		all, _ := decodeAll(t, "zeek-tsv", tsvLog("ssl", ids+tt.sslFields, row+tt.ssl)+
			tsvLog("x509", "ts certificate.not_valid_before certificate.not_valid_after "+tt.x509Fields, "1.5 1693195200.000000 - "+tt.x509))
		expect(t, tt.name, []event.Certificate{{
			Sensor: "zeek", Time: 1500000, ID: tt.want, Subject: "CN=x", NotBefore: 1693195200000000,
		}}, all.Certificates)
		expect(t, tt.name, tt.want, all.Handshakes[0].CertID)
	}
}

func TestDNS(t *testing.T) {
	all, tally := decodeAll(t, "zeek-tsv", tsvLog("dns",
		"ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto query qtype qtype_name answers",
		"1.5 C1 10.0.0.1 1 10.0.0.2 53 udp WWW.Example.com 1 A cdn.example.com,203.0.113.9,203.0.113.10",
		"1.5 C2 10.0.0.1 1 10.0.0.2 853 tcp www.example.com. 28 AAAA 2001:db8::1",
		"1.5 C3 10.0.0.1 1 10.0.0.2 5300 udp www.example.com 65 HTTPS -",
		"1.5 C4 10.0.0.1 1 10.0.0.2 53 udp only.number.example 28 - -",
		"1.5 C5 10.0.0.1 1 10.0.0.2 53 udp any.example 255 * 203.0.113.11",
		`1.5 C6 10.0.0.1 1 10.0.0.2 53 udp x.example 16 TXT TXT\x202\x201.2.3.4`,
		"1.5 C7 10.0.0.1 1 10.0.0.2 53 udp - - - -",
		"1.5 C8 10.0.0.1 5353 224.0.0.251 5353 udp x.local 1 A -",
		"1.5 C9 10.0.0.1 137 10.0.0.255 137 udp WPAD 32 NB -",
		"1.5 CA 10.0.0.1 1 ff02::1:3 5355 udp wpad 1 A -",
	))
	ask := func(name string, answers ...string) event.Lookup {
		l := event.Lookup{Sensor: "zeek", Time: 1500000, Client: netip.MustParseAddr("10.0.0.1"), Name: name}
		for _, a := range answers {
			l.Answers = append(l.Answers, netip.MustParseAddr(a))
		}
		return l
	}
	expect(t, "lookups", []event.Lookup{
		ask("www.example.com", "203.0.113.9", "203.0.113.10"),
		ask("www.example.com", "2001:db8::1"),
		ask("www.example.com"),
		ask("only.number.example"),
		ask("any.example", "203.0.113.11"),
	}, all.Lookups)
	expect(t, "ignored", map[string]int64{
		"zeek dns, not for an address": 1, "zeek dns, no question": 1, "zeek dns, multicast or NetBIOS": 3,
	}, tally.Ignored)
}

func TestHTTP(t *testing.T) {
	all, tally := decodeAll(t, "zeek-tsv", strings.ReplaceAll(tsvLog("http",
		"ts uid id.orig_h id.orig_p id.resp_h id.resp_p method host uri status_code username proxied",
		"1.5 C1 10.0.0.1 1 10.0.0.2 3128 CONNECT www.Example.com:443 www.Example.com:443 200 bob PROXY-CONNECTION_->_keep-alive",
		"1.5 C2 10.0.0.1 1 10.0.0.2 3128 CONNECT - [2001:db8::1]:8443 407 - -",
		"1.5 C3 10.0.0.1 1 10.0.0.2 3128 GET www.example.com HTTP://u@www.example.com/a:1?b 200 - -",
		"1.5 C4 10.0.0.1 1 10.0.0.2 3128 GET x https://www.example.com:444 - - -",
		"1.5 C5 10.0.0.1 1 10.0.0.2 3128 GET www.example.com /a 200 - ACCEPT_->_x,PROXY-CONNECTION_->_close",
		"1.5 C6 10.0.0.1 1 10.0.0.2 80 GET www.example.com /a 200 - VIA_->_1.1_squid,X-FORWARDED-FOR_->_10.0.0.9",
		"1.5 C7 10.0.0.1 1 10.0.0.2 80 GET www.example.com /?u=http://x 200 - -",
		"1.5 C8 10.0.0.1 1 10.0.0.2 80 - - - 200 - -",
		"1.5 C9 10.0.0.1 1 10.0.0.2 3128 CONNECT - :443 200 - -",
	), "_->_", " -> "))
	request := func(uid, method, scheme, host string, port uint16, user string, status int) event.Request {
		return event.Request{
			Sensor: "zeek", Time: 1500000, UID: uid,
			Src: netip.MustParseAddrPort("10.0.0.1:1"), Dst: netip.MustParseAddrPort("10.0.0.2:3128"),
			Method: method, Scheme: scheme, Host: host, Port: port, User: user, Status: status,
		}
	}
	expect(t, "requests", []event.Request{
		request("C1", "CONNECT", "", "www.example.com", 443, "bob", 200),
		request("C2", "CONNECT", "", "2001:db8::1", 8443, "", 407),
		request("C3", "GET", "http", "www.example.com", 80, "", 200),
		request("C4", "GET", "https", "www.example.com", 444, "", 0),
		request("C5", "GET", "", "www.example.com", 0, "", 200),
	}, all.Requests)
	expect(t, "ignored", map[string]int64{"zeek http, not proxied": 3}, tally.Ignored)
	expect(t, "skipped", map[string]int64{noHost: 1}, tally.Skipped)
}

func TestNamesOfIgnoredLogsAreBounded(t *testing.T) {
	var b strings.Builder
	for i := range 3 * maxLabels {
		b.WriteString(tsvLog("log"+strings.Repeat("x", i%40)+string(rune('a'+i%26))+string(rune('a'+i/26)), "ts x", "1.0 y"))
	}
	b.WriteString(tsvLog("<script>", "ts x", "1.0 y"))
	_, tally := decodeAll(t, "zeek-tsv", b.String())
	if n := len(tally.Ignored); n > maxLabels+1 {
		t.Errorf("%d names", n)
	}
	for name := range tally.Ignored {
		if strings.Contains(name, "<") {
			t.Errorf("ignored %q", name)
		}
	}
}

func TestMatchTSV(t *testing.T) {
	log := tsvLog("weird", "ts uid name", "1.0 C1 x")
	for _, tt := range []struct {
		name, head string
		want       bool
	}{
		{"a log", log, true},
		{"header only", strings.SplitN(log, "1.0", 2)[0], true},
		{"behind half a row", "C1\tx\n" + log, true},
		{"comma-separated", strings.NewReplacer("\\x09", "\\x2c", "\t", ",").Replace(log), true},
		{"behind text", "a\nb\n" + log, false},
		{"rows only", tabs(connRow) + "\n", false},
		{"IIS", "#Software: Microsoft Internet Information Services 10.0\n#Fields: date time s-ip\n", false},
		{"shell script", "#!/bin/sh\n#fields\n", false},
		{"nothing", "", false},
		{"hash", "#", false},
	} {
		if got := matchTSV([]byte(tt.head)); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
