package pcap

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/postern/postern/internal/event"
)

// A wish is what a request asks of a proxy.
type wish struct {
	Method, Scheme, Host string
	Port                 uint16
	User                 string
	Status               int
}

func TestRequests(t *testing.T) {
	tests := []struct {
		name string
		said []string // by turns, the client first
		want []wish
	}{
		{"CONNECT", []string{"CONNECT A.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"},
			[]wish{{"CONNECT", "", "a.example", 443, "", 200}}},
		{"CONNECT to an address", []string{"CONNECT [2001:DB8::1]:8443 HTTP/1.0\r\n\r\n", "HTTP/1.0 503 no\r\n\r\n"},
			[]wish{{"CONNECT", "", "2001:db8::1", 8443, "", 503}}},
		{"CONNECT, unanswered", []string{"CONNECT a.example.:443 HTTP/1.1\r\n\r\n"},
			[]wish{{"CONNECT", "", "a.example", 443, "", 0}}},
		{"with a name", []string{"CONNECT a.example:443 HTTP/1.1\r\nproxy-authorization: basic Ym9iOnNlY3JldA==\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"},
			[]wish{{"CONNECT", "", "a.example", 443, "bob", 200}}},
		{"asked for a name", []string{
			"CONNECT a.example:443 HTTP/1.1\n\n", "HTTP/1.1 407 who?\r\n\r\nbody",
			"CONNECT a.example:443 HTTP/1.1\r\nProxy-Authorization: NTLM xyz\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n",
		}, []wish{{"CONNECT", "", "a.example", 443, "", 407}, {"CONNECT", "", "a.example", 443, "", 200}}},
		{"absolute URIs", []string{
			"GET HTTP://u:p@A.example/x?http://b HTTP/1.1\r\n\r\n", "HTTP/1.1 304 same\r\n\r\n",
			"POST https://b.example:8443 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 100 go on\r\n\r\n",
			"more of the body", "HTTP/1.1 200 OK\r\n\r\n",
			"GET ftp://c.example/ HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n",
		}, []wish{
			{"GET", "http", "a.example", 80, "", 304}, {"POST", "https", "b.example", 8443, "", 200}, {"GET", "ftp", "c.example", 21, "", 200},
		}},
		{"Proxy-Connection", []string{"GET /x HTTP/1.1\r\nHost: a.example:81\r\nProxy-Connection: keep-alive\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"},
			[]wish{{"GET", "", "a.example", 81, "", 200}}},
		{"to the server itself", []string{"GET /CONNECT HTTP/1.1\r\nHost: a.example\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", "CONNECT b:1 HTTP/1.1\r\n\r\n"}, nil},
		{"no host", []string{"CONNECT  HTTP/1.1\r\n\r\n"}, nil},
		{"no end", []string{"CONNECT a.example:443 HTTP/1.1\r\nX: " + strings.Repeat("x", maxHead)}, nil},
		{"not UTF-8", []string{"CONNECT a\xffb:443 HTTP/1.1\r\n\r\n"}, []wish{{"CONNECT", "", "a\uFFFDb", 443, "", 0}}},
	}
	for _, tt := range tests {
		for _, mss := range []int{1400, 9} {
			k := newTalk(client, proxy, 0).open()
			for i, s := range tt.said {
				// What is cut into small segments would be another piece.
				if k.mss = mss; i%2 == 1 {
					k.mss = 1400
				}
				k.say(i%2, []byte(s))
			}
			if mss == 9 && (tt.name == "absolute URIs" || tt.name == "to the server itself") {
				continue
			}
			b, _ := decodeShots(t, k.shots...)
			f := only(t, b.Flows)
			var got []wish
			for _, r := range b.Requests {
				got = append(got, wish{r.Method, r.Scheme, r.Host, r.Port, r.User, r.Status})
				if r.UID != f.UID || r.Src != client || r.Dst != proxy || r.Sensor != sensor || r.Time < f.Time {
					t.Errorf("%s: %+v of %+v", tt.name, r, f)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s, segments of %d (-want +got):\n%s", tt.name, mss, diff)
			}
			if want := "http"; f.Service != want && tt.name != "no end" {
				t.Errorf("%s: service %q", tt.name, f.Service)
			}
		}
	}
}

// Services are named in Zeek's words, and what is said to a proxy goes with
// the TLS behind it.
func TestServices(t *testing.T) {
	said := sessions(t)[0].said
	want := map[string]string{
		"CONNECT": "http,ssl", "CONNECT, after a refusal": "http,ssl", "STARTTLS": "ssl",
		"SOCKS 4": "socks,ssl", "SOCKS 4a": "socks,ssl", "SOCKS 5": "socks,ssl",
	}
	for name, preamble := range preambles() {
		b, _ := decodeShots(t, newTalk(client, proxy, 0).open().replay(preamble).replay(said).close().shots...)
		f, h := only(t, b.Flows), only(t, b.Handshakes)
		if f.Service != want[name] || h.UID != f.UID {
			t.Errorf("%s: service %q, want %q", name, f.Service, want[name])
		}
		for _, r := range b.Requests {
			if r.Host != "c2.example" || r.Port != 443 || r.UID != f.UID {
				t.Errorf("%s: request %+v", name, r)
			}
		}
	}
	for name, text := range map[string]string{"": "\x00\x01binary", "http": "GET / HTTP/1.1\r\n\r\n"} {
		b, _ := decodeShots(t, newTalk(client, server, 0).open().say(fromClient, []byte(text)).shots...)
		if f := only(t, b.Flows); f.Service != name {
			t.Errorf("%q: service %q", text, f.Service)
		}
	}
}

// A stream of which the capture lost a part is read on behind it.
func TestRequestsAfterALoss(t *testing.T) {
	k := newTalk(client, proxy, 0).open()
	ask := func(host string) { k.say(fromClient, []byte("GET http://"+host+"/ HTTP/1.1\r\n\r\n")) }
	ask("a.example")
	ask("lost.example")
	k.shots = k.shots[:len(k.shots)-1]
	for range maxPending + 1 {
		ask("b.example")
	}
	b, _ := decodeShots(t, k.shots...)
	var hosts []string
	for _, r := range b.Requests {
		hosts = append(hosts, r.Host)
	}
	if len(hosts) != maxPending+2 || hosts[0] != "a.example" || hosts[1] != "b.example" {
		t.Errorf("hosts %q", hosts)
	}
	if f := only(t, b.Flows); f.BytesOut != event.Count((maxPending+2)*len("GET http://b.example/ HTTP/1.1\r\n\r\n")) {
		t.Errorf("%d bytes", f.BytesOut)
	}
}
