package zeek

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// dhcpFields are the columns of dhcp.log since Zeek 2.6.
const dhcpFields = "ts uids client_addr server_addr mac host_name client_fqdn domain requested_addr assigned_addr lease_time client_message server_message msg_types duration"

func TestDHCP(t *testing.T) {
	all, tally := decodeAll(t, "zeek-tsv", tsvLog("dhcp", dhcpFields,
		"1.5 C1,C2 - 10.0.0.1 00:50:56:AA:BB:01 PC01 - corp.example 10.0.0.4 10.0.0.5 691200.000000 - - DISCOVER,OFFER,REQUEST,ACK 0.1",
		"2.5 C1 10.0.0.6 10.0.0.1 00:50:56:aa:bb:02 PC02 Pc02.Corp.Example. - - - - - - REQUEST 0.0",
		"3.5 C1 0.0.0.0 - 00:50:56:aa:bb:03 PC03 (empty) - 10.0.0.7 - - - - DISCOVER,REQUEST 0.0",
		"4.5 C1 - 10.0.0.1 00:50:56:aa:bb:04 - - - - 10.0.0.8 60.5 - - REQUEST,ACK 0.0",
		"5.5 C1 10.0.0.9 10.0.0.1 not-a-mac PC05 - - - - - - - INFORM,ACK 0.0",
		"6.5 C1 - 10.0.0.1 00:50:56:aa:bb:06 PC06 - - 10.0.0.10 10.0.0.11 60.0 - - REQUEST,NAK,DISCOVER,OFFER,REQUEST,ACK 0.0",
		`7.5 C1 - 10.0.0.1 00:50:56:aa:bb:07 bad\xff\x00name - - - 10.0.0.12 -1.0 - - ACK 0.0`,
		"8.5 C1 - 10.0.0.1 00:50:56:aa:bb:08 PC08 - - 10.0.0.13 - - - no REQUEST,NAK 0.0",
		"8.5 C1 10.0.0.13 10.0.0.1 00:50:56:aa:bb:08 PC08 - - - - - - - RELEASE 0.0",
		"8.5 C1 - 10.0.0.1 00:50:56:aa:bb:08 PC08 - - - 10.0.0.13 60.0 - - REQUEST,ACK,DECLINE 0.0",
		"8.5 C1 - 10.0.0.1 00:50:56:aa:bb:08 PC08 - - - 10.0.0.13 60.0 - - DISCOVER,OFFER 0.0",
		"8.5 C1 - - 00:50:56:aa:bb:08 PC08 - - - - - - - REQUEST 0.0",
		"8.5 C1 - 10.0.0.1 - - - - - 10.0.0.13 60.0 - - ACK 0.0",
		"never C1 - 10.0.0.1 - PC09 - - - 10.0.0.13 60.0 - - ACK 0.0",
		"8.5 C1 - 10.0.0.1 - PC09 - - - nowhere 60.0 - - ACK 0.0",
		"8.5 C1 - 10.0.0.1 - PC09 - - - 10.0.0.13 long - - ACK 0.0",
	))
	lease := func(at event.Time, host, addr, mac string, duration event.Count) event.Lease {
		return event.Lease{Sensor: "zeek", Time: at, Host: host, Addr: netip.MustParseAddr(addr), MAC: mac, Duration: duration}
	}
	expect(t, "leases", []event.Lease{
		lease(1500000, "pc01", "10.0.0.5", "00:50:56:aa:bb:01", 691200e6),
		lease(2500000, "pc02.corp.example", "10.0.0.6", "00:50:56:aa:bb:02", event.Unknown),
		lease(3500000, "pc03", "10.0.0.7", "00:50:56:aa:bb:03", event.Unknown),
		lease(4500000, "", "10.0.0.8", "00:50:56:aa:bb:04", 60500000),
		lease(5500000, "pc05", "10.0.0.9", "", event.Unknown),
		lease(6500000, "pc06", "10.0.0.11", "00:50:56:aa:bb:06", 60e6),
		lease(7500000, "bad\uFFFD\x00name", "10.0.0.12", "00:50:56:aa:bb:07", event.Unknown),
	}, all.Leases)
	expect(t, "ignored", map[string]int64{
		"zeek dhcp, no lease": 4, "zeek dhcp, no address": 1, "zeek dhcp, no client": 1,
	}, tally.Ignored)
	expect(t, "positions", []decode.Position{
		{Where: "line 21", Reason: badTime},
		{Where: "line 22", Reason: badAddress},
		{Where: "line 23", Reason: badCount},
	}, tally.Positions)
}

func TestDHCPBeforeZeek26(t *testing.T) {
	all, _ := decodeAll(t, "zeek-tsv", tsvLog("dhcp",
		"ts uid id.orig_h id.orig_p id.resp_h id.resp_p mac assigned_ip lease_time trans_id",
		"1.5 C1 10.0.0.5 68 10.0.0.1 67 00:50:56:aa:bb:01 10.0.0.5 3600.0 7"))
	expect(t, "leases", []event.Lease{{
		Sensor: "zeek", Time: 1500000, Addr: netip.MustParseAddr("10.0.0.5"), MAC: "00:50:56:aa:bb:01", Duration: 3600e6,
	}}, all.Leases)
}

func TestDHCPJSON(t *testing.T) {
	all, tally := decodeAll(t, "zeek-json", strings.Join([]string{
		`{"ts":1.5,"uids":["C1","C2"],"server_addr":"10.0.0.1","mac":"00:50:56:aa:bb:01","host_name":"PC01","requested_addr":"10.0.0.5","assigned_addr":"10.0.0.5","lease_time":3600.0,"msg_types":["REQUEST","ACK"],"duration":0.1}`,
		`{"_path":"dhcp","_system_name":"s1","ts":2.5,"uids":["C1"],"client_addr":"10.0.0.6","mac":"00:50:56:aa:bb:02","client_fqdn":"PC02.corp.example","msg_types":["RELEASE"],"duration":0.0}`,
		`{"_path":"dhcp","_system_name":"s1","ts":2.5,"uids":["C1"],"client_addr":"10.0.0.6","mac":"00:50:56:aa:bb:02","client_fqdn":"PC02.corp.example","msg_types":[],"duration":0.0}`,
	}, "\n"))
	expect(t, "leases", []event.Lease{
		{Sensor: "zeek", Time: 1500000, Host: "pc01", Addr: netip.MustParseAddr("10.0.0.5"), MAC: "00:50:56:aa:bb:01", Duration: 3600e6},
		{Sensor: "s1", Time: 2500000, Host: "pc02.corp.example", Addr: netip.MustParseAddr("10.0.0.6"), MAC: "00:50:56:aa:bb:02", Duration: event.Unknown},
	}, all.Leases)
	expect(t, "ignored", map[string]int64{"zeek dhcp, no lease": 1}, tally.Ignored)
}
