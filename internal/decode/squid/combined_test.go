package squid

import (
	"strings"
	"testing"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// Squid 5.7 wrote most of these lines; the addresses were changed. It escapes
// no quotes.
func TestCombined(t *testing.T) {
	got, tally := decodeAll(t, "squid-combined", strings.Join([]string{
		`10.0.0.5 - - [23/Nov/2026:15:39:19 +0000] "GET http://www.example.com/ HTTP/1.1" 200 720 "-" "curl/7.88.1" TCP_MISS:HIER_DIRECT`,
		`10.0.0.5 - - [23/Nov/2026:15:39:19 +0000] "CONNECT www.example.com:443 HTTP/1.1" 407 3503 TCP_DENIED:HIER_NONE`,
		`10.0.0.5 - corp\\bob %c3%a9x%5b1%5d%25 [23/Nov/2026:16:39:19 +0100] "GET http://www.example.com/ HTTP/1.1" 502 3398 "-" "curl/7.88.1" TCP_MISS:HIER_NONE`,
		`2001:db8::5 ident bob [23/Nov/2026:11:09:19 -0430] "GET http://www.example.com/a"b%20c%22[x]é)\y HTTP/1.1" 200 262 "http://r/"q" "x" 200 [5] "y\z" TCP_MISS:HIER_DIRECT`,
		`10.0.0.5 - - [23/Nov/2026:15:39:19 +0000] "GET http://www.example.com/a b" 500 1 HTTP/1.0" 0 0 "-" "-" TCP_MISS_ABORTED:HIER_NONE`,
		`10.0.0.5 - - [23/Nov/2026:15:39:19 +0000] "GET http://www.example.com/ HTTP/1.1" 200 - TCP_MISS:HIER_DIRECT [Host: x TCP_HIT:NONE\r\n] [HTTP/1.1 200 OK\r\n]`,
		`10.0.0.5 - - [23/Nov/2026:15:39:19 +0000] "- error:transaction-end-before-headers NONE/0.0" 0 0 "-" "-" NONE_NONE:HIER_NONE`,
	}, "\n"))
	unknown := lasting(event.Unknown)
	expect(t, "requests", []event.Request{
		request(unknown),
		request(unknown, connect("www.example.com", 443), ended(407, 3503)),
		request(unknown, ended(502, 3398), by(`corp\bob éx[1]%`)),
		request(unknown, ended(200, 262), from("2001:db8::5"), by("bob")),
		request(unknown, ended(0, 0)),
		request(unknown, ended(200, event.Unknown)),
	}, got)
	expect(t, "ignored", map[string]int64{"squid, no request": 1}, tally.Ignored)
	expect(t, "clocks", map[string]int64{combined.clock: 6}, tally.Clocks)
	expect(t, "warnings", []string{combined.warning}, tally.Warnings)
}

func TestCombinedLinesThatCannotBeRead(t *testing.T) {
	const line = `10.0.0.5 - - [23/Nov/2026:15:39:19 +0000] "GET http://www.example.com/ HTTP/1.1" 200 720 "-" "x" TCP_MISS:HIER_DIRECT`
	const notOne = "not a line of the format squid-combined"
	for _, tt := range []struct{ name, old, new, reason string }{
		{"client's name", "10.0.0.5", "pc01.corp.example", badClient},
		{"no code", " TCP_MISS:HIER_DIRECT", "", notOne},
		{"code cut", ":HIER_DIRECT", "", notOne},
		{"code of half a list of headers", "HIER_DIRECT", "HIER_DIRECT [x]", notOne},
		{"no time", "[23/Nov/2026:15:39:19 +0000] ", "", notOne},
		{"bad time", "Nov", "Nop", notOne},
		{"time not closed", "+0000]", "+0000", notOne},
		{"before the epoch", "2026", "1926", notOne},
		{"no quote", `"GET`, "GET", notOne},
		{"no version", " HTTP/1.1", "", notOne},
		{"no end of the request", `HTTP/1.1"`, "HTTP/1.1", notOne},
		{"no status", "200", "x", notOne},
		{"no bytes", "720", "x", notOne},
		{"only a code", line[:strings.LastIndexByte(line, ' ')+1], "", notOne},
	} {
		got, tally := decodeAll(t, "squid-combined", strings.Replace(line, tt.old, tt.new, 1))
		if len(got) > 0 {
			t.Errorf("%s: %+v", tt.name, got)
		}
		expect(t, tt.name, []decode.Position{{Where: "line 1", Reason: tt.reason}}, tally.Positions)
	}
}
