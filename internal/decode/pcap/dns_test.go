package pcap

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/postern/postern/internal/event"
	"golang.org/x/net/dns/dnsmessage"
)

var resolver = netip.MustParseAddrPort("10.0.0.53:53")

// dnsQuestion makes a query.
func dnsQuestion(t testing.TB, id uint16, name string, kind dnsmessage.Type) []byte {
	t.Helper()
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: id, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: kind, Class: dnsmessage.ClassINET}},
	}
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// dnsAnswer makes the answer to a query: a CNAME, and addresses.
func dnsAnswer(t testing.TB, query []byte, addrs ...string) []byte {
	t.Helper()
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil {
		t.Fatal(err)
	}
	m.Response = true
	header := dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Class: dnsmessage.ClassINET}
	m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName("cdn.example.")}})
	for _, s := range addrs {
		a := netip.MustParseAddr(s)
		var body dnsmessage.ResourceBody = &dnsmessage.AAAAResource{AAAA: a.As16()}
		if a.Is4() {
			body = &dnsmessage.AResource{A: a.As4()}
		}
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: body})
	}
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func addresses(texts ...string) (all []netip.Addr) {
	for _, s := range texts {
		all = append(all, netip.MustParseAddr(s))
	}
	return all
}

func TestLookups(t *testing.T) {
	asker := netip.AddrPortFrom(client.Addr(), 55555)
	a := dnsQuestion(t, 7, "WWW.Example.COM.", dnsmessage.TypeA)
	txt := dnsQuestion(t, 8, "x.example.", dnsmessage.TypeTXT)
	https := dnsQuestion(t, 9, "h.example.", typeHTTPS)
	got := func(name string, at time.Duration, answers ...string) event.Lookup {
		return event.Lookup{Sensor: sensor, Time: event.At(epoch.Add(at)), Client: asker.Addr(), Name: name, Answers: addresses(answers...)}
	}
	const ms = time.Millisecond
	type turn struct {
		from int
		data []byte
	}
	short := dnsAnswer(t, a, "192.0.2.1", "192.0.2.2")
	short = short[:len(short)-3]
	tests := []struct {
		name     string
		resolver netip.AddrPort
		turns    []turn // a millisecond apart
		want     []event.Lookup
		service  string
	}{
		{"answered", resolver, []turn{{0, a}, {1, dnsAnswer(t, a, "192.0.2.1", "2001:db8::7", "::ffff:192.0.2.2")}},
			[]event.Lookup{got("www.example.com", 0, "192.0.2.1", "2001:db8::7", "192.0.2.2")}, "dns"},
		{"asked twice", resolver, []turn{{0, a}, {0, a}, {1, dnsAnswer(t, a, "192.0.2.1")}}, []event.Lookup{got("www.example.com", 0, "192.0.2.1")}, "dns"},
		{"unanswered", resolver, []turn{{0, a}}, []event.Lookup{got("www.example.com", 0)}, "dns"},
		{"two questions, answered crosswise", resolver, []turn{{0, a}, {0, https}, {1, dnsAnswer(t, https)}, {1, dnsAnswer(t, a, "192.0.2.1")}},
			[]event.Lookup{got("h.example", ms), got("www.example.com", 0, "192.0.2.1")}, "dns"},
		{"only the answer", resolver, []turn{{1, dnsAnswer(t, a, "192.0.2.1")}}, []event.Lookup{got("www.example.com", 0, "192.0.2.1")}, "dns"},
		{"another question's answer", resolver, []turn{{0, a}, {1, dnsAnswer(t, https)}}, []event.Lookup{got("h.example", ms), got("www.example.com", 0)}, "dns"},
		{"not for an address", resolver, []turn{{0, txt}, {1, dnsAnswer(t, txt)}}, nil, "dns"},
		{"not for an address, but with one", resolver, []turn{{0, txt}, {1, dnsAnswer(t, txt, "192.0.2.1")}}, []event.Lookup{got("x.example", 0, "192.0.2.1")}, "dns"},
		{"on another port", netip.AddrPortFrom(resolver.Addr(), 5300), []turn{{0, a}, {1, dnsAnswer(t, a, "192.0.2.1")}}, []event.Lookup{got("www.example.com", 0, "192.0.2.1")}, "dns"},
		{"multicast", netip.MustParseAddrPort("224.0.0.251:5353"), []turn{{0, a}}, nil, ""},
		{"LLMNR", netip.AddrPortFrom(resolver.Addr(), 5355), []turn{{0, a}, {1, dnsAnswer(t, a, "192.0.2.1")}}, nil, ""},
		{"answer cut short", resolver, []turn{{0, a}, {1, short}}, []event.Lookup{got("www.example.com", 0, "192.0.2.1")}, "dns"},
		{"noise on port 53", resolver, []turn{{0, []byte("\x00\x01\x02")}, {1, make([]byte, 300)}}, nil, ""},
		{"noise elsewhere", server, []turn{{0, a[:len(a)-1]}, {1, dnsAnswer(t, a, "192.0.2.1")}}, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var shots []shot
			for i, u := range tt.turns {
				from, to := asker, tt.resolver
				if u.from == fromServer {
					from, to = to, from
				}
				shots = append(shots, shot{at: time.Duration(i) * ms, data: udpFrame(from, to, u.data)})
			}
			b, _ := decodeShots(t, shots...)
			if diff := cmp.Diff(tt.want, b.Lookups, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
				t.Errorf("lookups (-want +got):\n%s", diff)
			}
			if f := only(t, b.Flows); f.Service != tt.service || f.Src != asker {
				t.Errorf("flow %+v", f)
			}
		})
	}
}

// Over TCP, messages have a length before them and may come in pieces.
func TestLookupsOverTCP(t *testing.T) {
	a, https := dnsQuestion(t, 7, "a.example.", dnsmessage.TypeA), dnsQuestion(t, 9, "h.example.", typeHTTPS)
	prefixed := func(m []byte) []byte { return append(be.AppendUint16(nil, uint16(len(m))), m...) }
	for _, mss := range []int{1, 13, 1400} {
		k := newTalk(client, resolver, 0).open()
		k.mss = mss
		k.say(fromClient, append(prefixed(a), prefixed(https)...))
		k.say(fromServer, append(prefixed(dnsAnswer(t, a, "192.0.2.1")), prefixed(dnsAnswer(t, https))...)).close()
		b, _ := decodeShots(t, k.shots...)
		var names []string
		for _, l := range b.Lookups {
			names = append(names, l.Name)
		}
		if f := only(t, b.Flows); strings.Join(names, " ") != "a.example h.example" || f.Service != "dns" || len(b.Lookups[0].Answers) != 1 {
			t.Errorf("segments of %d: %+v, %+v", mss, b.Lookups, f)
		}
	}
	b, _ := decodeShots(t, newTalk(client, resolver, 0).open().say(fromClient, make([]byte, 5000)).shots...)
	if f := only(t, b.Flows); f.Service != "" || f.BytesOut != 5000 {
		t.Errorf("flow %+v", f)
	}
}
