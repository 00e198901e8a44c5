package netflow

import (
	"bytes"
	"cmp"
	"context"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/pcap"
	"github.com/postern/postern/internal/event"
)

// program returns the path of a program, and skips the test where it is
// missing. Debian keeps some where only root's PATH leads.
func program(t *testing.T, name string) string {
	t.Helper()
	for _, path := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(path); err == nil {
			return path
		}
	}
	t.Skipf("no %s here: the exports of a real probe are not tried", name)
	return ""
}

// publicCapture returns the path of a public capture.
func publicCapture(t *testing.T, name string) string {
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
	path := filepath.Join(dir, "pcap_tls_quic", name)
	if !exists(path) {
		t.Skipf("no fixture at %s: set POSTERN_FIXTURES", path)
	}
	return path
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// listen returns a socket on loopback.
func listen(t *testing.T) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// exported has softflowd read a capture, and returns the datagrams that it
// sends.
func exported(t *testing.T, path string, options ...string) [][]byte {
	t.Helper()
	c := listen(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	args := append([]string{"-r", path, "-n", c.LocalAddr().String(), "-a", "-d", "-c", "none", "-p", filepath.Join(t.TempDir(), "pid")}, options...)
	if out, err := exec.CommandContext(ctx, program(t, "softflowd"), args...).CombinedOutput(); err != nil {
		t.Fatalf("softflowd: %v\n%s", err, out)
	}
	// It has ended, so all that it sent waits in the socket.
	var all [][]byte
	buf := make([]byte, maxDatagram)
	for {
		_ = c.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		n, err := c.Read(buf)
		if err != nil {
			return all
		}
		all = append(all, bytes.Clone(buf[:n]))
	}
}

// collected has nfcapd take the datagrams, and returns what nfdump prints of
// them in each of its forms.
func collected(t *testing.T, datagrams [][]byte) map[string]string {
	t.Helper()
	path, nfdump := program(t, "nfcapd"), program(t, "nfdump")
	dir := t.TempDir()
	port := listen(t).LocalAddr().(*net.UDPAddr).Port + 1 // most likely free
	cmd := exec.Command(path, "-w", dir, "-b", "127.0.0.1", "-p", strconv.Itoa(port), "-t", "3600")
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	c := await(t, port)
	for _, b := range datagrams {
		if _, err := c.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(300 * time.Millisecond) // it says nothing of what it has taken
	_ = cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("nfcapd: %v\n%s", err, log.Bytes())
	}
	files, _ := filepath.Glob(filepath.Join(dir, "nfcapd.*"))
	if len(files) != 1 {
		t.Fatalf("nfcapd wrote %q\n%s", files, log.Bytes())
	}
	texts := make(map[string]string)
	for _, form := range []string{"json", "csv"} {
		cmd := exec.Command(nfdump, "-r", files[0], "-o", form)
		cmd.Env = append(os.Environ(), "TZ=UTC")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("nfdump: %v", err)
		}
		texts["nfdump-"+form] = string(out)
	}
	return texts
}

// await returns a socket to a port of loopback on which someone listens: until
// then, what is sent there comes back as an error.
func await(t *testing.T, port int) net.Conn {
	t.Helper()
	c, err := net.Dial("udp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		// A header alone is a datagram of v9 without records.
		_, err1 := c.Write(message9(0, func(*writer) {}))
		_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		_, err2 := c.Read(make([]byte, 1))
		if err1 == nil && os.IsTimeout(err2) {
			return c
		}
	}
	t.Fatal("nfcapd does not listen")
	return nil
}

// sorted returns flows as they can be compared: without the sensor, in the
// order of their ends, and with times to the millisecond.
func sorted(flows []event.Flow, unit event.Time) []event.Flow {
	flows = slices.Clone(flows)
	for i := range flows {
		f := &flows[i]
		f.Sensor, f.Time, f.Duration = "", f.Time/unit*unit, f.Duration/1000*1000
	}
	slices.SortFunc(flows, func(a, b event.Flow) int {
		return cmp.Or(a.Src.Compare(b.Src), a.Dst.Compare(b.Dst), cmp.Compare(a.Time, b.Time))
	})
	return flows
}

// timeless returns flows without their times: those of v9 are off by up to a
// second, and each version rounds to milliseconds in its own way.
func timeless(flows []event.Flow) []event.Flow {
	flows = sorted(flows, 1)
	for i := range flows {
		flows[i].Time, flows[i].Duration = 0, 0
	}
	return flows
}

// TestRealExporter: softflowd reads a capture and exports it in each version.
// What we read of its datagrams, and of what nfdump reads of the same, agrees;
// and the packets are those that the capture has.
func TestRealExporter(t *testing.T) {
	program(t, "softflowd")
	for _, name := range []string{"browsers-x509.pcapng", "tls-handshake.pcapng", "chrome-cloudflare-quic-with-secrets.pcapng", "merlinc2_Zeek_example.pcapng", "socks-https-example.pcap"} {
		path := publicCapture(t, name)
		packets := packetsOf(t, path)
		var first []event.Flow
		for _, options := range []string{"-v 5", "-v 9", "-v 10", "-v 10 -A milli", "-v 10 -b"} {
			if options == "-v 5" && strings.Contains(name, "quic") {
				continue // it is of IPv6, which v5 has not
			}
			t.Run(name+" "+options, func(t *testing.T) {
				datagrams := exported(t, path, strings.Fields(options)...)
				flows, tally := decodedFrom(t, "127.0.0.1:1", datagrams)
				if len(flows) == 0 || tally.SkippedTotal() > 0 {
					t.Fatalf("%d flows of %d datagrams, skipped %v", len(flows), len(datagrams), tally.Positions)
				}
				expect(t, "packets", packets, packetsIn(flows))
				if first == nil {
					first = timeless(flows)
				}
				expect(t, "flows of another version", first, timeless(flows))
				// nfdump 1.7.1 takes an uptime in IPFIX for the end.
				if options == "-v 5" || options == "-v 9" || strings.HasSuffix(options, "milli") {
					checkCollected(t, datagrams, flows)
				}
				framedFlows, _ := decodeFile(t, "netflow-datagrams", bytes.NewReader(framed(datagrams...)))
				expect(t, "flows from a file", sorted(flows, 1), sorted(framedFlows, 1))
			})
		}
	}
}

func decodedFrom(t *testing.T, exporter string, datagrams [][]byte) ([]event.Flow, *decode.Tally) {
	t.Helper()
	var out event.Batch
	tally := new(decode.Tally)
	d := NewDecoder(tally)
	for _, b := range datagrams {
		d.Datagram(netip.MustParseAddrPort(exporter), b, &out)
	}
	d.Close(&out)
	balance(t, &out, tally)
	return out.Flows, tally
}

// checkCollected compares flows with those of nfdump's reading. CSV has whole
// seconds.
func checkCollected(t *testing.T, datagrams [][]byte, flows []event.Flow) {
	t.Helper()
	for form, text := range collected(t, datagrams) {
		if f, err := decode.Detect(Formats(), nil, []byte(text)); err != nil || f.Name != form {
			t.Errorf("%s is taken for %v: %v", form, f, err)
		}
		got, tally := decodeFile(t, form, strings.NewReader(text))
		unit := event.Time(1000)
		if form == "nfdump-csv" {
			unit = 1e6
		}
		expect(t, form, sorted(flows, unit), sorted(got, unit))
		expect(t, form+", skipped", int64(0), tally.SkippedTotal())
		expect(t, form+", sensor", "127.0.0.1", got[0].Sensor)
	}
}

// packetsOf counts the packets between each two ends in a capture.
func packetsOf(t *testing.T, path string) map[key]event.Count {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := decode.Detect(pcap.Formats(), file, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out event.Batch
	d := f.Open(bytes.NewReader(file), new(decode.Tally))
	for err == nil {
		err = d.Decode(&out)
	}
	return packetsIn(out.Flows)
}

func packetsIn(flows []event.Flow) map[key]event.Count {
	n := make(map[key]event.Count)
	for _, f := range flows {
		k := keyOf(&record{proto: f.Proto, src: f.Src, dst: f.Dst})
		n[k] += max(f.PacketsOut, 0) + max(f.PacketsIn, 0)
	}
	return n
}
