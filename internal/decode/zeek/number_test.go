package zeek

import (
	"math/big"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/postern/postern/internal/event"
)

func TestInstant(t *testing.T) {
	micros := func(s string) event.Time {
		at, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return event.At(at)
	}
	tests := []struct {
		in   string
		want event.Time // Never where it cannot be read
	}{
		{"1714420737.556099", 1714420737556099},
		{"1714420737.5561", 1714420737556100},
		{"1714420737", 1714420737000000},
		{"1517336042.2796519", 1517336042279652},
		{"1517336042.9999999", 1517336043000000},
		{"1714420737556", 1714420737556000},
		{"0.000001", 1},
		{"2024-04-29T16:00:01.123456Z", micros("2024-04-29T16:00:01.123456Z")},
		{"2024-04-29T16:00:01Z", micros("2024-04-29T16:00:01Z")},
		{"2024-04-29T18:00:01.5+02:00", micros("2024-04-29T16:00:01.5Z")},
		{"2024-04-29T16:00:59.1000000Z", micros("2024-04-29T16:01:00Z")},
		{"", event.Never},
		{"-", event.Never},
		{"0.000000", event.Never},
		{"-1.5", event.Never},
		{"1714420737.", event.Never},
		{".5", event.Never},
		{"1714420737.55x", event.Never},
		{"1714420737,5", event.Never},
		{"17144207375560991", event.Never},
		{"999999999999999999999", event.Never},
		{"2024-04-29 16:00:01", event.Never},
		{"2024-13-29T16:00:01Z", event.Never},
		{"1969-04-29T16:00:01Z", event.Never},
	}
	for _, tt := range tests {
		got, ok := instant([]byte(tt.in))
		if ok != (tt.want != event.Never) || ok && got != tt.want {
			t.Errorf("instant(%q) = %d, %v, want %d", tt.in, got, ok, tt.want)
		}
	}
}

func TestInterval(t *testing.T) {
	tests := []struct {
		in   string
		want event.Count
		ok   bool
	}{
		{"3.028503", 3028503, true},
		{"0.000000", 0, true},
		{"108.985496", 108985496, true},
		{"0.06998205184936523", 69982, true},
		{"9.5367431640625e-7", 1, true},
		{"1.1E+1", 11000000, true},
		{"", event.Unknown, true},
		{"-0.000123", event.Unknown, true},
		{"1e999", event.Unknown, false},
		{"x", event.Unknown, false},
		{"1.2.3", event.Unknown, false},
	}
	for _, tt := range tests {
		got, ok := interval([]byte(tt.in))
		if ok != tt.ok || ok && got != tt.want {
			t.Errorf("interval(%q) = %d, %v, want %d, %v", tt.in, got, ok, tt.want, tt.ok)
		}
	}
}

// What micros reads is what exact arithmetic gives.
func TestMicrosIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`-?[0-9]{1,10}(\.[0-9]{1,20})?`).Draw(t, "s")
		got, ok := micros([]byte(s))
		if !ok {
			t.Fatalf("micros(%q) failed", s)
		}
		r, _ := new(big.Rat).SetString(s)
		r.Sub(r.Mul(r, big.NewRat(1e6, 1)), new(big.Rat).SetInt64(got))
		if r.Abs(r).Cmp(big.NewRat(1, 2)) > 0 {
			t.Fatalf("micros(%q) = %d", s, got)
		}
	})
}

func TestCount(t *testing.T) {
	tests := []struct {
		in   string
		want event.Count
		ok   bool
	}{
		{"0", 0, true},
		{"719", 719, true},
		{"", event.Unknown, true},
		{"18446744073709551615", event.Unknown, true}, // Zeek's, of a count below 0
		{"12x", event.Unknown, false},
		{"1.5", event.Unknown, false},
		{"-1", event.Unknown, false},
	}
	for _, tt := range tests {
		got, ok := count([]byte(tt.in))
		if ok != tt.ok || ok && got != tt.want {
			t.Errorf("count(%q) = %d, %v, want %d, %v", tt.in, got, ok, tt.want, tt.ok)
		}
	}
}

func TestPort(t *testing.T) {
	for in, want := range map[string]int{"0": 0, "443": 443, "65535": 65535, "65536": -1, "": -1, "4a": -1, "-1": -1, "99999999999999999999": -1} {
		got, ok := port([]byte(in))
		if ok != (want >= 0) || ok && int(got) != want {
			t.Errorf("port(%q) = %d, %v, want %d", in, got, ok, want)
		}
	}
}

func TestAddress(t *testing.T) {
	tests := []struct{ in, want string }{
		{"10.0.0.111", "10.0.0.111"},
		{"255.255.255.255", "255.255.255.255"},
		{"::ffff:10.0.0.1", "10.0.0.1"},
		{"2601:19e:8200:91e0::1ec7", "2601:19e:8200:91e0::1ec7"},
		{"fe80::1%eth0", "fe80::1"},
	}
	for _, tt := range tests {
		if got, ok := address([]byte(tt.in)); !ok || got.String() != tt.want {
			t.Errorf("address(%q) = %v, %v, want %v", tt.in, got, ok, tt.want)
		}
	}
}

// The fast way reads what package netip reads, and nothing else.
func TestAddress4AgreesWithNetip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(
			rapid.StringMatching(`[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}`),
			rapid.StringMatching(`[0-9.x]{0,16}`),
		).Draw(t, "s")
		want, err := netip.ParseAddr(s)
		got, ok := address4([]byte(s))
		if ok != (err == nil) || got != want {
			t.Fatalf("address4(%q) = %v, %v; netip: %v, %v", s, got, ok, want, err)
		}
	})
}
