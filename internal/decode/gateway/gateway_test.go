package gateway

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

func micros(t *testing.T, s string) event.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return event.At(at)
}

func TestDateTime(t *testing.T) {
	zone := time.FixedZone("", 2*3600)
	for _, tt := range []struct{ date, clock, want string }{
		{"2026-11-23", "15:39:19", "2026-11-23T15:39:19+02:00"},
		{"2026/11/23", "15:39:19.25", "2026-11-23T15:39:19.25+02:00"},
		{"2026/11/23", "15:39:19.123456789", "2026-11-23T15:39:19.123456+02:00"},
		{"2024-02-29", "00:00:00", "2024-02-29T00:00:00+02:00"},
		{"2026-02-29", "00:00:00", ""}, {"2026-13-01", "00:00:00", ""}, {"2026-00-01", "00:00:00", ""},
		{"2026-01-00", "00:00:00", ""}, {"2026-11/23", "15:39:19", ""}, {"2026-11-23", "24:00:00", ""},
		{"2026-11-23", "15:39", ""}, {"2026-11-23", "15:39:19.", ""}, {"2026-11-23", "15:39:19Z", ""},
		{"2026-11-23", "15:39:19.12345678x", ""}, {"1926-11-23", "15:39:19", ""}, {"", "", ""}, {"23.11.2026", "15:39:19", ""},
	} {
		got, ok := DateTime([]byte(tt.date), []byte(tt.clock), zone)
		if ok != (tt.want != "") || ok && got != micros(t, tt.want) {
			t.Errorf("%s %s: %v, %v; want %q", tt.date, tt.clock, got.Std(), ok, tt.want)
		}
	}
}

func TestEpoch(t *testing.T) {
	const want event.Time = 1795448359123456
	for in, want := range map[string]event.Time{
		"1795448359": want / 1e6 * 1e6, "1795448359123": want / 1e3 * 1e3, "1795448359123456": want, "1795448359123456789": want,
		"1795448359.123456": want, "1795448359.5": want/1e6*1e6 + 500000,
		"": 0, "0": 0, "17954483591": 0, "1795448359123.5": 0, "179544835x": 0, "-179544835": 0, "0000000000": 0,
	} {
		if got, ok := Epoch([]byte(in)); ok != (want > 0) || ok && got != want {
			t.Errorf("%q: %d, %v; want %d", in, got, ok, want)
		}
	}
}

func TestClock(t *testing.T) {
	for _, tt := range []struct{ text, layout, want string }{
		{"Nov 23 2026 15:39:19", "Jan _2 2006 15:04:05", "2026-11-23T15:39:19Z"},
		{"Nov 23 2026 15:39:19 GMT", "Jan _2 2006 15:04:05 MST", "2026-11-23T15:39:19Z"},
		{"Nov 23 2026 15:39:19 UTC", "Jan _2 2006 15:04:05 MST", "2026-11-23T15:39:19Z"},
		{"Nov 23 2026 15:39:19 EST", "Jan _2 2006 15:04:05 MST", ""},
		{"2026-11-23T15:39:19+01:00", time.RFC3339, "2026-11-23T14:39:19Z"},
		{"1926-11-23T15:39:19Z", time.RFC3339, ""},
		{"x", time.RFC3339, ""},
	} {
		got, ok := Clock([]byte(tt.text), tt.layout, time.UTC)
		if ok != (tt.want != "") || ok && got != micros(t, tt.want) {
			t.Errorf("%s: %v, %v; want %q", tt.text, got.Std(), ok, tt.want)
		}
	}
}

func TestAsked(t *testing.T) {
	for _, tt := range []struct {
		method, scheme, url string
		want                decode.Target
	}{
		{"CONNECT", "", "Example.COM:443", decode.Target{Host: "example.com", Port: 443}},
		{"CONNECT", "https", "tcp.example:8443/", decode.Target{Host: "tcp.example", Port: 8443}},
		{"CONNECT", "", "https://example.com/", decode.Target{Host: "example.com", Port: 443}},
		{"GET", "https", "example.com/a?b=http://x/", decode.Target{Scheme: "https", Host: "example.com", Port: 443}},
		{"GET", "http", "example.com:8080", decode.Target{Scheme: "http", Host: "example.com", Port: 8080}},
		{"GET", "", "http://example.com/", decode.Target{Scheme: "http", Host: "example.com", Port: 80}},
		{"GET", "", "example.com?x", decode.Target{Host: "example.com"}},
		{"GET", "https", "[2001:db8::1]/", decode.Target{Scheme: "https", Host: "2001:db8::1", Port: 443}},
		{"GET", "", "ftp://example.com/", decode.Target{}},
		{"GET", "https", "/relative", decode.Target{Scheme: "https", Port: 443}},
	} {
		if d := cmp.Diff(tt.want, Asked(tt.method, tt.scheme, []byte(tt.url))); d != "" {
			t.Errorf("%s %s (-want +got):\n%s", tt.method, tt.url, d)
		}
	}
}

func TestValues(t *testing.T) {
	for in, want := range map[string]event.Count{"": event.Unknown, "-": event.Unknown, "0": 0, "12": 12, "x": -2, "-1": -2, "1234567890123456": -2} {
		got, ok := Count([]byte(in))
		if ok != (want != -2) || ok && got != want {
			t.Errorf("count %q: %d, %v", in, got, ok)
		}
	}
	for in, want := range map[string]event.Proto{"tcp": event.TCP, "UDP": event.UDP, "6": event.TCP, "icmp": 1, "256": 0, "x": 0} {
		if got, ok := Proto([]byte(in)); ok != (want != 0) || ok && got != want {
			t.Errorf("proto %q: %v, %v", in, got, ok)
		}
	}
	if a, ok := AddrPort([]byte("::ffff:10.0.0.5"), []byte("51000")); !ok || a != netip.MustParseAddrPort("10.0.0.5:51000") {
		t.Errorf("%v, %v", a, ok)
	}
	for _, bad := range [][2]string{{"pc01", "1"}, {"10.0.0.5", "65536"}, {"", ""}} {
		if a, ok := AddrPort([]byte(bad[0]), []byte(bad[1])); ok {
			t.Errorf("%v gives %v", bad, a)
		}
	}
	if got := Times(3, 1e3); got != 3000 {
		t.Error(got)
	}
	if got := Times(1<<62, 1e3); got.Known() {
		t.Error(got)
	}
}

func TestAppend(t *testing.T) {
	ask := func(change func(*Request)) (event.Batch, Verdict) {
		r := Request{Sensor: "px", End: 5e6, Duration: 2e6, Target: decode.Target{Host: "h"}}
		change(&r)
		var b event.Batch
		v := r.Append(&b)
		return b, v
	}
	if b, v := ask(func(*Request) {}); v != Done || len(b.Requests) != 1 || b.Requests[0].Time != 3e6 {
		t.Errorf("%+v, %+v", b.Requests, v)
	}
	if b, v := ask(func(r *Request) { r.Duration = event.Unknown }); v != Done || b.Requests[0].Time != 5e6 {
		t.Errorf("%+v, %+v", b.Requests, v)
	}
	for want, change := range map[string]func(*Request){
		noHost:   func(r *Request) { r.Target.Host = "" },
		longHost: func(r *Request) { r.Target.Host = string(make([]byte, maxHost+1)) },
		early:    func(r *Request) { r.Duration = 5e6 },
	} {
		if b, v := ask(change); v.Skipped != want || b.Len() > 0 {
			t.Errorf("%q: %+v", want, v)
		}
	}
}
