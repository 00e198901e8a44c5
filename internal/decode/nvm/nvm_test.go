package nvm

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/decodetest"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/inventory"
	"github.com/postern/postern/internal/owner"
)

var format = Formats()[0]

func decodeText(t testing.TB, text string) (*event.Batch, *decode.Tally) {
	t.Helper()
	var b event.Batch
	var tally decode.Tally
	d := format.Open(strings.NewReader(text), &tally)
	var err error
	for err == nil {
		err = d.Decode(&b)
	}
	if err != io.EOF {
		t.Fatal(err)
	}
	return &b, &tally
}

const (
	endpoint = `{"fv":"nvzFlow_v2","udid":"4D1E9AB2","vsn":"WS-1","osn":"WinNT","osv":"10.0.19045","sm":"Example"}` + "\n"
	flow     = `{"fv":"nvzFlow_v2","udid":"4D1E9AB2","pr":"6","sa":"10.0.0.5","sp":"50000","da":"203.0.113.9","dp":"443",` +
		`"ibc":"4923","obc":"498","fss":"1795420800","fes":"1795420830","liuid":"CORP\\ann","liuat":"2","pa":"CORP\\ann","pn":"app.exe",` +
		`"ph":"AB12","ppa":"CORP\\ann","ppn":"explorer.exe","pph":"CD34","ds":"corp.example","dh":"Www.Example.NET","mnl":["a.dll"],"mhl":["EF"],"iid":"7"}` + "\n"
)

// connect is what the flow gives, but for the host.
func connect() event.Connect {
	return event.Connect{
		Host: "ws-1", Time: 1795420800e6, Source: event.Agent, Image: "app.exe", User: `CORP\ann`, Proto: event.TCP,
		Src: netip.MustParseAddrPort("10.0.0.5:50000"), Dst: netip.MustParseAddrPort("203.0.113.9:443"),
		Outbound: true, DstName: "www.example.net",
		Volume: event.Volume{Counted: true, Duration: 30e6, BytesOut: 498, BytesIn: 4923},
	}
}

func TestFlow(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		change     func(*event.Connect)
	}{
		{"named by the endpoint record", endpoint + flow, func(*event.Connect) {}},
		{"named by itself", strings.Replace(flow, `"pr"`, `"vsn":"WS-1","pr"`, 1), func(*event.Connect) {}},
		{"not named", flow, func(k *event.Connect) { k.Host = "4d1e9ab2" }},
		{"a result of Splunk", `{"preview":false,"result":` + strings.Replace(flow, `"pr"`, `"vsn":"WS-1","pr"`, 1) + "}", func(*event.Connect) {}},
		{"a newer agent", endpoint + strings.Replace(flow, `"fss"`, `"fsms":1795420800123,"fems":1795420801123,"pid":4711,"ppath":"C:\\App\\app.exe","fss"`, 1),
			func(k *event.Connect) {
				k.Time, k.PID, k.Image, k.Volume.Duration = 1795420800123e3, 4711, `C:\App\app.exe`, 1e6
			}},
		{"no account", endpoint + strings.Replace(flow, `"pa":"CORP\\ann"`, `"pa":""`, 1), func(*event.Connect) {}},
		{"ends before it begins", endpoint + strings.Replace(flow, `"fes":"1795420830"`, `"fes":"1795420799"`, 1),
			func(k *event.Connect) { k.Volume.Duration = event.Unknown }},
		{"numbers, and one side not counted", endpoint + strings.NewReplacer(`"6"`, `6`, `"50000"`, `50000`, `"443"`, `443`, `"4923"`, `null`, `"498"`, `498`).Replace(flow),
			func(k *event.Connect) { k.Volume.BytesIn = event.Unknown }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, tally := decodeText(t, tt.text)
			want := connect()
			tt.change(&want)
			if diff := cmp.Diff([]event.Connect{want}, got.Connects, cmpopts.EquateComparable(netip.AddrPort{})); diff != "" {
				t.Error(diff)
			}
			if tally.SkippedTotal() != 0 || tally.Events != 1 {
				t.Errorf("tally: %+v", tally)
			}
			if unnamed := want.Host != "ws-1"; (len(tally.Warnings) == 1) != unnamed {
				t.Errorf("warnings: %v", tally.Warnings)
			}
			if !format.Match([]byte(tt.text)) {
				t.Error("no match")
			}
		})
	}
}

func TestLeftOut(t *testing.T) {
	for _, tt := range []struct{ text, reason string }{
		{strings.Replace(flow, `"fss":"1795420800"`, `"fss":"0"`, 1), "no time"},
		{strings.Replace(flow, "203.0.113.9", "www.example.net", 1), "no address"},
		{strings.Replace(flow, `"pr":"6"`, `"pr":""`, 1), "no transport"},
		{strings.Replace(flow, "4D1E9AB2", "", 1), "no host name"},
		{`{"sa":"10.0.0.5","da":"203.0.113.9"}`, "not a record of the format"},
	} {
		b, tally := decodeText(t, tt.text)
		if b.Len() != 0 || tally.Skipped[tt.reason] != 1 {
			t.Errorf("%s: %d events, %+v", tt.reason, b.Len(), tally)
		}
	}
}

// TestNative: the endpoint's own count is a session without any wire.
func TestNative(t *testing.T) {
	networks, err := inventory.NewNetworks(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := decodeText(t, endpoint+flow)
	r := owner.Join(owner.Window{Events: b, Networks: networks}, owner.Defaults())
	if len(r.Sessions) != 1 || r.Sessions[0].Rung != event.RungNative || r.Sessions[0].BytesOut != 498 || r.Sessions[0].Name != "www.example.net" {
		t.Errorf("sessions: %+v", r.Sessions)
	}
}

func sample(n int) []byte {
	var text bytes.Buffer
	text.WriteString(endpoint)
	for i := range n {
		text.WriteString(strings.Replace(flow, `"50000"`, fmt.Sprintf(`"%d"`, 40000+i%20000), 1))
	}
	return text.Bytes()
}

func TestConformance(t *testing.T) { decodetest.Run(t, format, sample(30)) }

func FuzzNVM(f *testing.F) { decodetest.Fuzz(f, format, sample(3)) }

func BenchmarkNVM(b *testing.B) {
	text := sample(20_000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	batch := new(event.Batch)
	for b.Loop() {
		var tally decode.Tally
		d := format.Open(bytes.NewReader(text), &tally)
		var err error
		for err == nil {
			batch.Reset()
			err = d.Decode(batch)
		}
		if err != io.EOF || tally.Events != 20_000 {
			b.Fatalf("%v, %+v", err, tally)
		}
	}
}
