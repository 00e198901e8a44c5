package winlog_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/winlog"
	"github.com/postern/postern/internal/event"
)

// fixture returns the content of a public capture, or skips the test.
func fixture(t testing.TB, name string) []byte {
	t.Helper()
	dir := os.Getenv("POSTERN_FIXTURES")
	if dir == "" {
		dir = filepath.Join(root(t), "..", "shared", "fixtures")
	}
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Skipf("no fixture (POSTERN_FIXTURES): %v", err)
	}
	switch {
	case strings.HasSuffix(name, ".zip"):
		return unzip(t, b)
	case strings.HasSuffix(name, ".tar.gz"):
		return untar(t, b)
	}
	return b
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

// unzip returns the first JSON file of an archive.
func unzip(t testing.TB, b []byte) []byte {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		if !strings.HasSuffix(f.Name, ".json") {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		out, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	t.Fatal("no JSON in the archive")
	return nil
}

// untar returns what there is of the first JSON file of an archive that may
// be cut short.
func untar(t testing.TB, b []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	files := tar.NewReader(z)
	for {
		h, err := files.Next()
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(filepath.Base(h.Name), ".") || !strings.HasSuffix(h.Name, ".json") {
			continue
		}
		out, err := io.ReadAll(files)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatal(err)
		}
		return out
	}
}

// counts are the numbers of events by kind, as a count of the lines of a
// capture by channel and number gives them.
type counts struct {
	starts, stops, connects, lookups map[event.Source]int
}

func count(b *event.Batch) counts {
	c := counts{map[event.Source]int{}, map[event.Source]int{}, map[event.Source]int{}, map[event.Source]int{}}
	for _, e := range b.Starts {
		c.starts[e.Source]++
	}
	for _, e := range b.Stops {
		c.stops[e.Source]++
	}
	for _, e := range b.Connects {
		c.connects[e.Source]++
	}
	for _, e := range b.Lookups {
		c.lookups[e.Source]++
	}
	return c
}

type by = map[event.Source]int

// The numbers are those of a count of the captures' lines by channel and event
// number with another program.
func TestFixtures(t *testing.T) {
	tests := []struct {
		file, format string
		records      int64
		want         counts
		ignored5158  int64
		warning      string
	}{
		{
			file: "otrf_pair_lsass01/metasploit_logonpasswords_lsass_memory_dump.zip", format: "export-winevents", records: 53698,
			want: counts{
				starts:   by{event.Sysmon: 269, event.Security: 53},
				stops:    by{event.Sysmon: 252, event.Security: 46},
				connects: by{event.Sysmon: 140, event.Security: 177},
				lookups:  by{event.Sysmon: 51},
			},
			ignored5158: 195,
			warning:     "record times differ from Sysmon 1 UtcTime by -19h0m0s: local time marked as UTC",
		},
		{
			file: "otrf_hostonly_empire_https/empire_mimikatz_opth.tar.gz", format: "winlogbeat", records: 5792,
			want: counts{
				starts:   by{event.Sysmon: 7, event.Security: 6},
				stops:    by{event.Security: 3},
				connects: by{event.Sysmon: 137, event.Security: 166},
				lookups:  by{},
			},
			ignored5158: 119,
		},
		{
			file: "otrf_hostonly_empire_https/wmic_remote_xsl_jscript.zip", format: "export-winevents", records: 1364,
			want: counts{
				starts:   by{event.Sysmon: 6, event.Security: 6},
				stops:    by{event.Sysmon: 2, event.Security: 2},
				connects: by{event.Sysmon: 1, event.Security: 3},
				lookups:  by{event.Sysmon: 1},
			},
			ignored5158: 4,
			warning:     "record times differ from Sysmon 1 UtcTime by -4h0m0s: local time marked as UTC",
		},
		{
			file: "otrf_pair_schtask_create/host_schtask_create.zip", format: "export-winevents", records: 1041,
			want: counts{
				starts:   by{event.Sysmon: 10, event.Security: 10},
				stops:    by{event.Sysmon: 8, event.Security: 8},
				connects: by{event.Sysmon: 6, event.Security: 17},
				lookups:  by{event.Sysmon: 1},
			},
			ignored5158: 15,
			warning:     "record times differ from Sysmon 1 UtcTime by -5h0m0s: local time marked as UTC",
		},
		{
			file: "otrf_pair_schtask_create/host_empire_msbuild.zip", format: "nxlog", records: 4559,
			want: counts{
				starts:   by{event.Sysmon: 11, event.Security: 11},
				stops:    by{event.Sysmon: 8, event.Security: 9},
				connects: by{event.Sysmon: 18, event.Security: 94},
				lookups:  by{event.Sysmon: 6},
			},
			ignored5158: 119,
			warning:     "43 Sysmon events lack the number of their process",
		},
	}
	for _, tt := range tests {
		t.Run(filepath.Base(tt.file), func(t *testing.T) {
			b := fixture(t, tt.file)
			head := b[:min(len(b), decode.HeadSize)]
			f, err := decode.Detect(winlog.Formats(), head, head)
			if err != nil || f.Name != tt.format {
				t.Fatalf("detected %v, %v", f, err)
			}
			batch, tally := decodeAll(t, f, b)
			if diff := cmp.Diff(tt.want, count(batch), cmp.AllowUnexported(counts{})); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			if tally.SkippedTotal() > 0 {
				t.Errorf("skipped %v", tally.Positions)
			}
			if tally.Records != tt.records || tally.Ignored["Security 5158"] != tt.ignored5158 {
				t.Errorf("%d records, ignored %v", tally.Records, tally.Ignored)
			}
			if warnings := strings.Join(tally.Warnings, "\n"); tt.warning != "" && !strings.Contains(warnings, tt.warning) ||
				tt.warning == "" && strings.Contains(warnings, "differ") {
				t.Errorf("warnings %q, want %q", warnings, tt.warning)
			}
			complete(t, batch, tt.format == "nxlog")
		})
	}
}

// complete checks that events have what every such event has. The number of
// Sysmon's process may be lost, but then its GUID is there.
func complete(t *testing.T, b *event.Batch, lost bool) {
	t.Helper()
	known := func(pid uint32, guid string) bool { return pid != 0 || lost && guid != "" }
	for _, e := range b.Connects {
		if !known(e.PID, e.GUID) || e.Proto == 0 || !e.Src.IsValid() || !e.Dst.IsValid() {
			t.Errorf("incomplete: %+v", e)
		}
	}
	for _, e := range b.Starts {
		if !known(e.PID, e.GUID) || e.ParentPID == 0 || e.Image == "" || e.User == "" || (e.GUID == "") != (e.Source == event.Security) {
			t.Errorf("incomplete: %+v", e)
		}
	}
	for _, e := range b.Stops {
		if !known(e.PID, e.GUID) || e.Image == "" {
			t.Errorf("incomplete: %+v", e)
		}
	}
	for _, e := range b.Lookups {
		if !known(e.PID, e.GUID) || e.Name == "" {
			t.Errorf("incomplete: %+v", e)
		}
	}
}

// An event log and the XML that evtxexport makes of it give the same events.
func TestFixtureEVTX(t *testing.T) {
	for _, tt := range []struct {
		file   string
		events int
	}{
		{"DE_RDP_Tunnel_5156.evtx", 17 + 63 + 1},
		{"DE_sysmon-3-rdp-tun.evtx", 13 + 42 + 12},
		{"LM_wmiexec_impacket_sysmon_whoami.evtx", 4 + 3},
		{"Sysmon_UACME_64.evtx", 3 + 1 + 2},
		{"exec_wmic_xsl_internet_sysmon_3_1_11.evtx", 3 + 2},
		{"sysmon_3_10_Invoke-Mimikatz_hosted_Github.evtx", 1},
	} {
		t.Run(tt.file, func(t *testing.T) {
			log := fixture(t, "evtx/"+tt.file)
			batch, tally := decodeAll(t, format(t, "evtx"), log)
			if batch.Len() != tt.events || tally.SkippedTotal() > 0 {
				t.Errorf("%d events, want %d; skipped %v", batch.Len(), tt.events, tally.Positions)
			}
			text := evtxexport(t, log)
			if !format(t, "winlog-xml").Match(text[:min(len(text), decode.HeadSize)]) {
				t.Error("the XML is not recognised")
			}
			exported, _ := decodeAll(t, format(t, "winlog-xml"), text)
			if diff := cmp.Diff(batch, exported, compare); diff != "" {
				t.Errorf("(-evtx +xml):\n%s", diff)
			}
		})
	}
}

// evtxexport runs libevtx's tool on a log.
func evtxexport(t testing.TB, log []byte) []byte {
	t.Helper()
	tool, err := exec.LookPath("evtxexport")
	if err != nil {
		t.Skip("no evtxexport (libevtx-utils)")
	}
	file := filepath.Join(t.TempDir(), "log.evtx")
	if err := os.WriteFile(file, log, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(tool, "-f", "xml", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}
