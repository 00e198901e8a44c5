package evtx_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/evtx"
)

// fixtures returns the folder of the public captures, or skips the test.
func fixtures(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("POSTERN_FIXTURES")
	if dir == "" {
		dir = filepath.Join(root(t), "..", "shared", "fixtures")
	}
	if _, err := os.Stat(filepath.Join(dir, "evtx")); err != nil {
		t.Skipf("no fixtures (POSTERN_FIXTURES): %v", err)
	}
	return dir
}

func root(t testing.TB) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
}

func readFixture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(fixtures(t), "evtx", name))
	if err != nil {
		t.Skip(err)
	}
	return b
}

// readAll returns the fields of all records in b.
func readAll(t testing.TB, b []byte) ([][]evtx.Field, *decode.Tally) {
	t.Helper()
	var all [][]evtx.Field
	tally := new(decode.Tally)
	r := evtx.NewReader(bytes.NewReader(b), tally)
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all, tally
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, rec.Fields())
	}
}

// fixtureCounts says how many records each file holds: libevtx's evtxexport
// finds the same number except where a comment says otherwise.
var fixtureCounts = []struct {
	file    string
	records int
	skipped map[string]int64
}{
	{"Application_no_crc32.evtx", 17, nil},
	{"DE_RDP_Tunnel_5156.evtx", 101, nil},
	{"DE_sysmon-3-rdp-tun.evtx", 73, nil},
	{"LM_wmiexec_impacket_sysmon_whoami.evtx", 7, nil},
	{"Sysmon_UACME_64.evtx", 530, nil},
	{"exec_wmic_xsl_internet_sysmon_3_1_11.evtx", 8, nil},
	// Record 3 has the size 0. libevtx gives up its chunk there and finds 335;
	// the chunk goes on to record 117, with consecutive numbers.
	{"sample-with-zero-data-size-event.evtx", 335 + 117 - 3, map[string]int64{"bad record header": 1}},
	// A stretch of chunk 8 is overwritten with zeros. libevtx gives up there and
	// finds 267; 34 records follow, up to the last one that the header names.
	{"sample_with_a_bad_chunk_magic.evtx", 267 + 34, map[string]int64{"bad record header": 1}},
	// The chunks from the tenth on are overwritten with something else.
	{"sysmon.evtx", 358, map[string]int64{"bad chunk header": 8}},
	{"sysmon_1_persist_bitsjob_SetNotifyCmdLine.evtx", 6, nil},
	{"sysmon_3_10_Invoke-Mimikatz_hosted_Github.evtx", 2, nil},
	{"sysmon_mshta_sharpshooter_stageless_meterpreter.evtx", 3, nil},
}

func TestFixtureCounts(t *testing.T) {
	for _, tt := range fixtureCounts {
		t.Run(tt.file, func(t *testing.T) {
			records, tally := readAll(t, readFixture(t, tt.file))
			if len(records) != tt.records {
				t.Errorf("%d records, want %d", len(records), tt.records)
			}
			if diff := cmp.Diff(tt.skipped, tally.Skipped); diff != "" {
				t.Errorf("skipped (-want +got):\n%s%v", diff, tally.Positions)
			}
		})
	}
}

// splunkLogs returns the event logs of the captures in splunk_evtx_pcap, by
// name.
func splunkLogs(t testing.TB) map[string][]byte {
	t.Helper()
	packs, err := filepath.Glob(filepath.Join(fixtures(t), "splunk_evtx_pcap", "*.zip"))
	if err != nil || len(packs) == 0 {
		t.Skip("no splunk_evtx_pcap")
	}
	logs := make(map[string][]byte)
	for _, pack := range packs {
		z, err := zip.OpenReader(pack)
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		for _, f := range z.File {
			name := f.Name[strings.LastIndexAny(f.Name, `\/`)+1:]
			if strings.HasSuffix(name, ".evtx") {
				logs[name] = unpack(t, f)
			}
		}
	}
	return logs
}

func unpack(t testing.TB, f *zip.File) []byte {
	t.Helper()
	r, err := f.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSplunkLogs(t *testing.T) {
	logs := splunkLogs(t)
	records := 0
	for name, b := range logs {
		all, tally := readAll(t, b)
		if tally.SkippedTotal() != 0 {
			t.Errorf("%s: skipped %v %v", name, tally.Skipped, tally.Positions)
		}
		records += len(all)
	}
	t.Logf("%d records in %d logs", records, len(logs))
}
