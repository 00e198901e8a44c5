package winlog

import (
	"fmt"
	"testing"
	"time"

	"github.com/postern/postern/internal/event"
)

func TestParseTime(t *testing.T) {
	noon := time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		in   string
		want time.Time // zero when it is none
	}{
		{"2024-03-01T12:00:00Z", noon},
		{"2024-03-01 12:00:00", noon},
		{"2024-03-01T12:00:00.5Z", noon.Add(500 * time.Millisecond)},
		{"2024-03-01T12:00:00.123456789Z", noon.Add(123456 * time.Microsecond)},
		{"2024-03-01 12:00:00.001", noon.Add(time.Millisecond)},
		{"2024-03-01T14:30:00+02:30", noon},
		{"2024-03-01T07:00:00.0-05:00", noon},
		{"2024-02-29T23:59:60Z", noon.Add(-12 * time.Hour)}, // a leap second
		{"2024-03-01T12:00:00.Z", noon},
		{"", time.Time{}},
		{"2024-03-01", time.Time{}},
		{"2024-13-01T12:00:00Z", time.Time{}},
		{"2024-03-32T12:00:00Z", time.Time{}},
		{"2024-03-01T24:00:00Z", time.Time{}},
		{"2024-03-01T12:0x:00Z", time.Time{}},
		{"2024/03/01 12:00:00Z", time.Time{}},
		{"2024-03-01T12:00:00 UTC", time.Time{}},
		{"3/1/2024 12:00:00 PM", time.Time{}},
	}
	for _, tt := range tests {
		got, ok := parseTime([]byte(tt.in))
		if tt.want.IsZero() {
			if ok {
				t.Errorf("%q is %v", tt.in, got.Std())
			}
			continue
		}
		if !ok || got != event.At(tt.want) {
			t.Errorf("%q is %v, %v, want %v", tt.in, got.Std(), ok, tt.want)
		}
	}
}

func TestParseUnix(t *testing.T) {
	for in, want := range map[string]event.Time{
		"1709294400.5": 1709294400_500000, "1709294400": 1709294400_000000, "": 0, "x": 0, "-1": 0, "NaN": 0, "1e300": 0, "Inf": 0,
	} {
		if got := parseUnix([]byte(in)); got != want {
			t.Errorf("%q is %d, want %d", in, got, want)
		}
	}
}

func TestDrift(t *testing.T) {
	const utc = "2024-03-01 12:00:00.000"
	base, _ := parseTime([]byte(utc))
	tests := []struct {
		name  string
		drift func(i int) time.Duration
		want  string
	}{
		{"none", func(int) time.Duration { return 2 * time.Second }, ""},
		{"zone, with lags and strays", func(i int) time.Duration {
			if i%20 == 0 {
				return time.Hour
			}
			return -19*time.Hour + time.Duration(i%3)*time.Second
		}, "record times differ from Sysmon 1 UtcTime by -19h0m0s: local time marked as UTC"},
		{"not constant", func(i int) time.Duration { return time.Duration(i) * time.Minute }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var d drift
			for i := range 100 {
				d.add(base.Add(tt.drift(i)), []byte(utc))
			}
			d.add(base, []byte("no time"))
			if got := d.warning(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestNumber(t *testing.T) {
	for in, want := range map[string]uint32{
		"0": 0, "4312": 4312, "0x1d18": 0x1d18, "0X1D18": 0x1d18, "0x0000000000001d18": 0x1d18, "4294967295": 4294967295,
		"": 0, "-": 0, "-1": 0, "4294967296": 0, "0x": 0, "1d18": 0, "12\x20": 0, "00000000000000000000000001": 0,
	} {
		if got := number([]byte(in)); got != want {
			t.Errorf("%q is %d, want %d", in, got, want)
		}
	}
}

func TestAnswers(t *testing.T) {
	tests := []struct{ in, want string }{
		{"type:  5 github.map.fastly.net;::ffff:151.101.248.133;", "[151.101.248.133]"},
		{"type:  5 a;type:  5 b;::ffff:168.62.57.154;2001:db8::1;", "[168.62.57.154 2001:db8::1]"},
		{"fe80::5d91:ea18:e2b5:9755%12;172.18.39.6;", "[fe80::5d91:ea18:e2b5:9755 172.18.39.6]"},
		{"-", "[]"},
		{"", "[]"},
		{";;1.2.3.4", "[1.2.3.4]"},
	}
	for _, tt := range tests {
		var texts texts
		if got := fmt.Sprint(texts.answers([]byte(tt.in))); got != tt.want {
			t.Errorf("%q has %v, want %v", tt.in, got, tt.want)
		}
	}
}

// What a decoder remembers is bounded, and forgetting changes nothing.
func TestMemory(t *testing.T) {
	var texts texts
	for i := range 3 * maxMemory {
		in := fmt.Sprintf("Host%d", i)
		if got, want := texts.host([]byte(in)), fmt.Sprintf("host%d", i); got != want {
			t.Fatalf("%q is %q", in, got)
		}
	}
	if n := len(texts.lowered); n > maxMemory {
		t.Errorf("%d texts remembered", n)
	}
	if got := texts.short([]byte("\xff\xfea")); got != "\ufffda" {
		t.Errorf("invalid text is %q", got)
	}
}
