package zeek

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

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

// read returns a fixture's text, unpacked.
func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(path, ".gz") {
		return b
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

// logFiles returns the logs of a fixture in a zip archive, by name.
func logFiles(t *testing.T, archive string) map[string][]byte {
	t.Helper()
	z, err := zip.OpenReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	logs := make(map[string][]byte)
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if logs[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
	return logs
}

// detect decodes a fixture in the format that it is detected as.
func detect(t *testing.T, text []byte) (*event.Batch, *decode.Tally) {
	t.Helper()
	head := text[:min(len(text), decode.HeadSize)]
	f, err := decode.Detect(Formats(), head, head)
	if err != nil {
		t.Fatal(err)
	}
	return decodeFrom(t, f.Name, bytes.NewReader(text))
}

// An oracle is a log read in the plainest way: each row by column.
func oracle(text []byte) (rows []map[string]string) {
	var fields []string
	s := bufio.NewScanner(bytes.NewReader(text))
	s.Buffer(nil, maxRecord)
	for s.Scan() {
		values := strings.Split(s.Text(), "\t")
		switch {
		case values[0] == "#fields":
			fields = values[1:]
		case !strings.HasPrefix(values[0], "#"):
			row := make(map[string]string)
			for i, name := range fields {
				row[name] = values[i]
			}
			rows = append(rows, row)
		}
	}
	return rows
}

func TestProxiedOffice(t *testing.T) {
	dir := filepath.Join(fixtures(t), "zeek_rita", "proxy_rolling")
	files, err := filepath.Glob(filepath.Join(dir, "*.log.gz"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no logs in %s: %v", dir, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text := read(t, file)
			all, tally := detect(t, text)
			rows := oracle(text)
			if tally.Records != int64(len(rows)) || tally.SkippedTotal() != 0 {
				t.Errorf("%d records, %d skipped: %v; want %d records", tally.Records, tally.SkippedTotal(), tally.Positions, len(rows))
			}
			kind, _, _ := strings.Cut(filepath.Base(file), ".")
			checkOffice(t, kind, rows, all)
		})
	}
}

func checkOffice(t *testing.T, kind string, rows []map[string]string, all *event.Batch) {
	t.Helper()
	switch kind {
	case "conn":
		checkFlows(t, rows, all.Flows)
	case "ssl":
		checkCount(t, "handshakes", len(rows), len(all.Handshakes))
		names := 0
		for _, h := range all.Handshakes {
			if h.SNI != "" {
				names++
			}
		}
		named := func(row map[string]string) bool { return row["server_name"] != "-" }
		checkCount(t, "server names", countRows(rows, named), names)
	case "x509":
		checkCount(t, "certificates", len(rows), len(all.Certificates))
	case "http":
		// The proxy sent some of these on, with a Via header: not counted twice.
		proxied := func(row map[string]string) bool {
			return row["method"] == "CONNECT" || strings.HasPrefix(row["uri"], "http://")
		}
		checkCount(t, "requests", countRows(rows, proxied), len(all.Requests))
	case "dns":
		addresses := func(row map[string]string) bool {
			q := row["qtype_name"]
			return (q == "A" || q == "AAAA" || q == "HTTPS") && row["id.resp_p"] == "53"
		}
		checkCount(t, "lookups", countRows(rows, addresses), len(all.Lookups))
	default:
		checkCount(t, "events", 0, all.Len())
	}
}

// checkFlows compares flows with their rows. Where the history has letters of
// both sides, every count is the row's.
func checkFlows(t *testing.T, rows []map[string]string, flows []event.Flow) {
	t.Helper()
	checkCount(t, "flows", len(rows), len(flows))
	for i, row := range rows {
		f := flows[i]
		got := []string{f.UID, f.Src.Addr().String(), f.Dst.Addr().String(), f.State, f.Sensor}
		want := []string{row["uid"], row["id.orig_h"], row["id.resp_h"], row["conn_state"], row["_node_name"]}
		if h := row["history"]; strings.ContainsAny(h, "SHADFR") && strings.ContainsAny(h, "shadfr") {
			got = append(got, written(f.BytesOut), written(f.BytesIn), written(f.PacketsOut), written(f.PacketsIn))
			want = append(want, row["orig_bytes"], row["resp_bytes"], row["orig_pkts"], row["resp_pkts"])
		}
		if seconds, err := strconv.ParseFloat(row["ts"], 64); err != nil || f.Time/1e6 != event.Time(seconds) {
			t.Errorf("ts %s became %d", row["ts"], f.Time)
		}
		expect(t, "flow "+row["uid"], want, got)
	}
}

func written(c event.Count) string {
	if !c.Known() {
		return "-"
	}
	return strconv.FormatInt(int64(c), 10)
}

func countRows(rows []map[string]string, is func(map[string]string) bool) (n int) {
	for _, r := range rows {
		if is(r) {
			n++
		}
	}
	return n
}

func checkCount(t *testing.T, what string, want, got int) {
	t.Helper()
	if got != want {
		t.Errorf("%d %s, want %d", got, what, want)
	}
}

// The same flows, as TSV and as JSON, are the same.
func TestJSONAgreesWithTSV(t *testing.T) {
	dir := filepath.Join(fixtures(t), "zeek_rita")
	for _, name := range []string{"conn.log", "open_conn.log", "ssl.log", "open_ssl.log", "dns.log"} {
		tsv, _ := detect(t, read(t, filepath.Join(dir, "open_conns", "open", name)))
		json, tally := detect(t, read(t, filepath.Join(dir, "json_with_all_fields", name)))
		if tally.SkippedTotal() != 0 || json.Len() == 0 {
			t.Errorf("%s: %d events, skipped %v", name, json.Len(), tally.Positions)
		}
		compareShared(t, name, tsv, json)
	}
}

// compareShared compares the events that both batches have. The fixture
// writes the backslashes of subjects with one escape too many as JSON.
func compareShared(t *testing.T, name string, tsv, json *event.Batch) {
	t.Helper()
	shared := compareBy(t, name, tsv.Flows, json.Flows, func(f *event.Flow) string { return f.UID })
	shared += compareBy(t, name, tsv.Lookups, json.Lookups, func(l *event.Lookup) string { return l.Time.Std().String() + l.Name })
	for i := range json.Handshakes {
		h := &json.Handshakes[i]
		h.Subject = strings.ReplaceAll(h.Subject, `\\`, `\`)
	}
	shared += compareBy(t, name, tsv.Handshakes, json.Handshakes, func(h *event.Handshake) string { return h.UID })
	if shared == 0 {
		t.Errorf("%s: no event in common", name)
	}
}

// compareBy compares the elements with the same key, and returns their number.
func compareBy[T any](t *testing.T, name string, want, got []T, key func(*T) string) (shared int) {
	t.Helper()
	byKey := make(map[string]T)
	for _, w := range want {
		byKey[key(&w)] = w
	}
	for _, g := range got {
		if w, ok := byKey[key(&g)]; ok {
			expect(t, name, w, g)
			shared++
		}
	}
	return shared
}

// In this run the sensor was the host itself, whose card computes checksums:
// Zeek saw nothing of what it sent.
func TestUnseenOriginator(t *testing.T) {
	logs := logFiles(t, filepath.Join(fixtures(t), "otrf_pair_lsass01", "metasploit_logonpasswords_lsass_memory_dump_zeek_logs.zip"))
	all, tally := new(event.Batch), new(decode.Tally)
	for name, text := range logs {
		b, tl := detect(t, text)
		if tl.SkippedTotal() != 0 {
			t.Errorf("%s: skipped %v", name, tl.Positions)
		}
		if name == "conn.log" {
			tally = tl
		}
		all.Flows = append(all.Flows, b.Flows...)
		all.Handshakes = append(all.Handshakes, b.Handshakes...)
		all.Certificates = append(all.Certificates, b.Certificates...)
	}
	toC2 := 0
	for _, f := range all.Flows {
		if f.Dst.Addr().String() != "10.0.5.13" {
			continue
		}
		toC2++
		if f.BytesOut.Known() || f.PacketsOut.Known() || !f.BytesIn.Known() || !f.PacketsIn.Known() {
			t.Errorf("flow %s, history %s: %d bytes and %d packets out, %d and %d in", f.UID, f.History, f.BytesOut, f.PacketsOut, f.BytesIn, f.PacketsIn)
		}
	}
	if toC2 == 0 || len(tally.Warnings) != 1 || !strings.HasPrefix(tally.Warnings[0], "originator not seen in ") {
		t.Errorf("%d flows to the C2, warnings %q", toC2, tally.Warnings)
	}
	checkMeeting(t, all)
}

// checkMeeting finds the certificate of each handshake that names one.
func checkMeeting(t *testing.T, all *event.Batch) {
	t.Helper()
	certificates := make(map[string]bool)
	for _, c := range all.Certificates {
		certificates[c.ID] = true
	}
	named := 0
	for _, h := range all.Handshakes {
		if h.CertID == "" {
			continue
		}
		named++
		if !certificates[h.CertID] {
			t.Errorf("handshake %s: no certificate %s", h.UID, h.CertID)
		}
	}
	if named == 0 {
		t.Error("no handshake names a certificate")
	}
}
