package squid

import (
	"strings"
	"testing"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// Squid 5.7 wrote most of these lines; the addresses were changed.
func TestNative(t *testing.T) {
	got, tally := decodeAll(t, "squid", strings.Join([]string{
		`1795448359.000      2 10.0.0.5 TCP_MISS/200 720 GET http://www.example.com/ - HIER_DIRECT/127.0.0.1 text/html`,
		`1795448359.000   3500 10.0.0.5 TCP_TUNNEL/200 559 CONNECT www.example.com:443 - HIER_DIRECT/127.0.0.1 -`,
		`1795448359.000      0 10.0.0.5 TCP_DENIED/403 3417 CONNECT www.example.com:443 - HIER_NONE/- text/html`,
		`1795448359.000      0 10.0.0.5 TCP_DENIED/407 3503 GET http://www.example.com/ - HIER_NONE/- text/html`,
		`1795448359.000  35005 10.0.0.5 NONE_NONE/500 0 CONNECT www.example.com:443 - HIER_NONE/- -`,
		`1795448359.000      0 10.0.0.5 TCP_MISS_ABORTED/000 0 GET http://www.example.com/ - HIER_NONE/- -`,
		`1795448359.000      0 10.0.0.5 TCP_MISS/502 3398 GET http://www.example.com/ corp\\bob %c3%a9x%5b1%5d%25 HIER_NONE/- text/html`,
		`1795448359.000     -7 10.0.0.5 TCP_MISS/200 720 GET http://www.example.com/ bob FIRSTUP_PARENT/parent.example text/ht ml HIER_NONE/-`,
		`1795448359.000      0 2001:db8::5 TCP_MISS/200 720 GET http://www.example.com/ - DIRECT/192.0.2.1 text/html`,
		`1795448359.000      0 fe80::5%eth0 TCP_MISS/200 720 GET http://www.example.com/ - ORIGINAL_DST/192.0.2.1 text/html`,
		`1795448359.000      0 ::ffff:10.0.0.5 TCP_MISS/200 - GET http://www.example.com/ - PINNED/192.0.2.1 text/html`,
		`1795448359.000 123456789 10.0.0.5 TCP_MISS/200 720 GET http://www.example.com/ - HIER_DIRECT/127.0.0.1 text/html [Host: x\r\n] [HTTP/1.1 200 OK\r\n]`,
		`1795448359.000      0 - TCP_MISS/200 720 GET http://www.example.com/ca.crt - HIER_DIRECT/127.0.0.1 text/html`,
	}, "\n"))
	expect(t, "requests", []event.Request{
		request(lasting(2e3)),
		request(lasting(3.5e6), connect("www.example.com", 443), ended(200, 559)),
		request(connect("www.example.com", 443), ended(403, 3417)),
		request(ended(407, 3503)),
		request(lasting(35.005e6), connect("www.example.com", 443), ended(500, 0)),
		request(ended(0, 0)),
		request(ended(502, 3398), by(`corp\bob éx[1]%`)),
		request(lasting(event.Unknown), by("bob")),
		request(from("2001:db8::5")),
		request(from("fe80::5")),
		request(ended(200, event.Unknown)),
		request(lasting(123456789e3)),
	}, got)
	expect(t, "ignored", map[string]int64{"squid, of the proxy itself": 1}, tally.Ignored)
	expect(t, "clocks", map[string]int64{native.clock: 12}, tally.Clocks)
}

func TestNativeLinesThatCannotBeRead(t *testing.T) {
	const line = `1795448359.000      2 10.0.0.5 TCP_MISS/200 720 GET http://www.example.com/ - HIER_DIRECT/127.0.0.1 text/html`
	const notOne = "not a line of the format squid"
	for _, tt := range []struct{ name, old, new, reason string }{
		{"client's name", "10.0.0.5", "pc01.corp.example", badClient},
		{"client's address and more", "10.0.0.5", "10.0.0.5:1234", badClient},
		{"long client", "10.0.0.5", strings.Repeat("1", 1000), badClient},
		{"elapsed since before the epoch", "2 10", "1795448359000 10", badElapsed},
		{"no fraction", ".000", "", notOne},
		{"short fraction", ".000", ".00", notOne},
		{"no time", "1795448359.000", "x.000", notOne},
		{"huge time", "1795448359.000", "99999999999.000", notOne},
		{"huge elapsed", "     2", strings.Repeat("9", 17), notOne},
		{"no elapsed", "     2", "-", notOne},
		{"no status", "/200", "/", notOne},
		{"bad status", "/200", "/2x0", notOne},
		{"long status", "/200", "/2000", notOne},
		{"bad code", "TCP_MISS", "tcp_miss", notOne},
		{"no code", "TCP_MISS/200", "200", notOne},
		{"bad bytes", "720", "7e2", notOne},
		{"huge bytes", "720", strings.Repeat("9", 20), notOne},
		{"no peer", "HIER_DIRECT/127.0.0.1", "-", notOne},
		{"no type", " text/html", "", notOne},
		{"no user", " -", "", notOne},
		{"cut", "www.example.com/ - HIER_DIRECT/127.0.0.1 text/html", "www.exam", notOne},
	} {
		got, tally := decodeAll(t, "squid", strings.Replace(line, tt.old, tt.new, 1))
		if len(got) > 0 {
			t.Errorf("%s: %+v", tt.name, got)
		}
		expect(t, tt.name, []decode.Position{{Where: "line 1", Reason: tt.reason}}, tally.Positions)
	}
}
