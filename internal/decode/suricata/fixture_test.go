package suricata

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// fixtures returns the folder of the public captures.
func fixtures(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("POSTERN_FIXTURES")
	if dir == "" {
		root, err := filepath.Abs(".")
		if err != nil {
			t.Fatal(err)
		}
		for !exists(filepath.Join(root, "go.mod")) && root != filepath.Dir(root) {
			root = filepath.Dir(root)
		}
		dir = filepath.Join(root, "..", "shared", "fixtures")
	}
	if !exists(dir) {
		t.Skipf("no fixtures at %s: set POSTERN_FIXTURES", dir)
	}
	return dir
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// A plain is an event as encoding/json reads it.
type plain struct {
	Kind     string      `json:"event_type"`
	ID       json.Number `json:"flow_id"`
	Src      string      `json:"src_ip"`
	SrcPort  uint16      `json:"src_port"`
	Dst      string      `json:"dest_ip"`
	DstPort  uint16      `json:"dest_port"`
	Protocol string      `json:"app_proto"`
	Host     string      `json:"host"`
	Flow     struct {
		Out   int64  `json:"bytes_toserver"`
		In    int64  `json:"bytes_toclient"`
		POut  int64  `json:"pkts_toserver"`
		PIn   int64  `json:"pkts_toclient"`
		Start string `json:"start"`
		End   string `json:"end"`
	} `json:"flow"`
	DNS struct {
		Type    string `json:"type"`
		Name    string `json:"rrname"`
		Answers []struct {
			Type string `json:"rrtype"`
			Data string `json:"rdata"`
		} `json:"answers"`
	} `json:"dns"`
	HTTP struct {
		URL string `json:"url"`
	} `json:"http"`
}

// TestRealSuricata reads what a Suricata wrote, and holds each event against
// the plainest reading of its line.
func TestRealSuricata(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(fixtures(t), "suricata", "*.json.gz"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no logs: %v", err)
	}
	for _, file := range files {
		text := unpacked(t, file)
		if f, err := decode.Detect(Formats(), text[:decode.HeadSize], text[:decode.HeadSize]); err != nil {
			t.Fatalf("%s: %v, %v", file, f, err)
		}
		got, tally := decodeAll(t, string(text))
		kinds := make(map[string][]plain)
		for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
			var p plain
			if err := json.Unmarshal(s.Bytes(), &p); err != nil {
				t.Fatal(err)
			}
			kinds[p.Kind] = append(kinds[p.Kind], p)
		}
		expect(t, "skipped", map[string]int64(nil), tally.Skipped)
		expect(t, "handshakes", len(kinds["tls"]), len(got.Handshakes))
		expect(t, "certificates", len(kinds["tls"]), len(got.Certificates))
		expect(t, "requests to proxies", 0, len(got.Requests))
		for _, kind := range []string{"alert", "anomaly", "fileinfo"} {
			expect(t, kind, int64(len(kinds[kind])), tally.Ignored["suricata "+kind])
		}
		checkFlows(t, kinds["flow"], got.Flows)
		checkLookups(t, kinds["dns"], got.Lookups)
	}
}

func unpacked(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if b, err = io.ReadAll(r); err != nil {
		t.Fatal(err)
	}
	return b
}

func checkFlows(t *testing.T, rows []plain, flows []event.Flow) {
	t.Helper()
	if len(rows) != len(flows) || len(rows) == 0 {
		t.Fatalf("%d flows of %d", len(flows), len(rows))
	}
	for i, p := range rows {
		f := flows[i]
		start, end := parsed(t, p.Flow.Start), parsed(t, p.Flow.End)
		want := []any{p.ID.String(), p.Src, p.SrcPort, p.Dst, p.DstPort, p.Host, event.At(start), event.Count(end.Sub(start).Microseconds()), p.Flow.Out, p.Flow.POut}
		got := []any{f.UID, f.Src.Addr().String(), f.Src.Port(), f.Dst.Addr().String(), f.Dst.Port(), f.Sensor, f.Time, f.Duration, int64(f.BytesOut), int64(f.PacketsOut)}
		if f.BytesIn.Known() {
			want, got = append(want, p.Flow.In, p.Flow.PIn), append(got, int64(f.BytesIn), int64(f.PacketsIn))
		} else if p.Flow.In != 0 {
			t.Errorf("flow %s: %d bytes in became unknown", f.UID, p.Flow.In)
		}
		expect(t, "flow "+f.UID, want, got)
		expect(t, "service", map[string]string{"tls": "ssl", "failed": ""}[p.Protocol] == "ssl", f.Service == "ssl")
	}
}

func checkLookups(t *testing.T, rows []plain, lookups []event.Lookup) {
	t.Helper()
	i := 0
	for _, p := range rows {
		if p.DNS.Type != "answer" {
			continue
		}
		var want []string
		for _, a := range p.DNS.Answers {
			if a.Type == "A" {
				want = append(want, a.Data)
			}
		}
		var got []string
		for _, a := range lookups[i].Answers {
			got = append(got, a.String())
		}
		expect(t, "answers", want, got)
		expect(t, "question", p.DNS.Name+" of "+p.Src, lookups[i].Name+" of "+lookups[i].Client.String())
		i++
	}
	expect(t, "lookups", i, len(lookups))
}

func parsed(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02T15:04:05.000000-0700", s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}
