package squid

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/postern/postern/internal/event"
)

// A proxy is a Squid that was started for a test. It is bound to loopback,
// resolves no names, and writes both logs.
type proxy struct {
	address          string
	native, combined string // paths
	stop             func() // and have the logs written
}

// startProxy starts Squid, and skips the test where it or curl is missing.
func startProxy(t *testing.T) *proxy {
	t.Helper()
	path, err := exec.LookPath("squid")
	if err != nil {
		if path, err = exec.LookPath("/usr/sbin/squid"); err != nil {
			t.Skip("no squid here: its own logs are not tried")
		}
	}
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("no curl here: the logs of a real squid are not tried")
	}
	dir := squidDir(t)
	p := &proxy{
		address: freePort(t),
		native:  filepath.Join(dir, "native.log"), combined: filepath.Join(dir, "combined.log"),
	}
	conf := filepath.Join(dir, "squid.conf")
	text := strings.NewReplacer("DIR", dir, "ADDRESS", p.address).Replace(`
http_port ADDRESS
pid_filename DIR/squid.pid
cache_log DIR/cache.log
access_log stdio:DIR/native.log squid
access_log stdio:DIR/combined.log combined
cache deny all
netdb_filename none
coredump_dir DIR
hosts_file none
dns_nameservers 127.0.0.1
shutdown_lifetime 0 seconds
acl denied url_regex denied\.example
http_access deny denied
http_access allow all
`)
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	p.run(t, path, conf, filepath.Join(dir, "cache.log"))
	return p
}

// squidDir returns a folder that Squid can write to. It refuses to work as
// root, and turns into a user of its own.
func squidDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if os.Geteuid() != 0 {
		return dir
	}
	for path, mode := range map[string]os.FileMode{filepath.Dir(dir): 0o711, dir: 0o777} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// run starts squid in the foreground and waits until it answers.
func (p *proxy) run(t *testing.T, path, conf, cacheLog string) {
	t.Helper()
	// The name keeps its shared memory apart from that of another Squid here.
	name := "postern" + strconv.Itoa(os.Getpid())
	cmd := exec.Command(path, "-N", "-n", name, "-f", conf)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	p.stop = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill()
			t.Error("squid does not stop")
		}
	}
	t.Cleanup(p.stop)
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", p.address); err == nil {
			c.Close()
			return
		}
		select {
		case <-ended:
			log, _ := os.ReadFile(cacheLog)
			t.Fatalf("squid has ended: %v\n%s", cmd.ProcessState, log)
		default:
		}
	}
	t.Fatal("squid does not answer")
}

// freePort returns an address on loopback that nothing listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// curl makes a request by way of the proxy.
func (p *proxy) curl(t *testing.T, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	args = append([]string{"-q", "--silent", "--globoff", "--insecure", "--noproxy", "", "--proxy", "http://" + p.address}, args...)
	if out, err := exec.CommandContext(ctx, "curl", args...).Output(); err != nil {
		t.Logf("curl %q: %v\n%s", args, err, out) // a refused tunnel is an error of curl's
	}
}

// send writes raw bytes to the proxy and waits until it closes.
func (p *proxy) send(t *testing.T, text string) {
	t.Helper()
	c, err := net.Dial("tcp", p.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	for buf := make([]byte, 4096); err == nil; {
		_, err = c.Read(buf)
	}
}

// A site is a server that takes its time over an answer.
type site struct {
	*httptest.Server
	asked atomic.Int64 // when last, in microseconds
}

const (
	siteDelay = 400 * time.Millisecond
	siteBody  = 50_000
)

func newSite(t *testing.T, start func(http.Handler) *httptest.Server) *site {
	s := new(site)
	s.Server = start(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.asked.Store(time.Now().UnixMicro())
		time.Sleep(siteDelay)
		_, _ = w.Write(make([]byte, siteBody))
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *site) port(t *testing.T) uint16 {
	t.Helper()
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	return uint16(n)
}

// TestRealSquid has a Squid of this machine write logs of what is known, and
// reads them.
func TestRealSquid(t *testing.T) {
	p := startProxy(t)
	plain, secure := newSite(t, httptest.NewServer), newSite(t, httptest.NewTLSServer)

	p.curl(t, plain.URL+`/a"b%22[c]?d=http://x/`, "--user-agent", `x" 200 1 "y\z`, "--referer", `http://"q`)
	p.curl(t, secure.URL+"/tunnelled")
	p.curl(t, "http://denied.example/")
	p.curl(t, "https://denied.example/")
	p.send(t, "nonsense\r\n\r\n")
	p.stop()

	want := []event.Request{
		{Method: "GET", Scheme: "http", Host: "127.0.0.1", Port: plain.port(t), Status: 200},
		{Method: "CONNECT", Host: "127.0.0.1", Port: secure.port(t), Status: 200},
		{Method: "GET", Scheme: "http", Host: "denied.example", Port: 80, Status: 403},
		{Method: "CONNECT", Host: "denied.example", Port: 443, Status: 403},
	}
	for i := range want {
		want[i].Sensor, want[i].Src = "squid", netip.MustParseAddrPort("127.0.0.1:0")
	}
	asked := []*site{plain, secure}
	for name, path := range map[string]string{"squid": p.native, "squid-combined": p.combined} {
		t.Run(name, func(t *testing.T) {
			log, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if f := formatOf(t, name); !f.Match(log) {
				t.Errorf("no match for\n%s", log)
			}
			got, tally := decodeAll(t, name, string(log))
			if len(got) != len(want) || tally.SkippedTotal() > 0 || tally.Ignored["squid, no request"] == 0 {
				t.Fatalf("%d requests, want %d; ignored %v, skipped %v at %v, of\n%s",
					len(got), len(want), tally.Ignored, tally.Skipped, tally.Positions, log)
			}
			for i := range got {
				if i < len(asked) {
					checkVolume(t, got[i], name == "squid")
					checkTime(t, got[i], event.Time(asked[i].asked.Load()))
				}
				got[i].Time, got[i].Volume = 0, event.Volume{}
			}
			expect(t, "requests", want, got)
		})
	}
}

// checkVolume holds what was counted of a request against what the site sent.
func checkVolume(t *testing.T, r event.Request, timed bool) {
	t.Helper()
	v := r.Volume
	if !v.Counted || v.BytesOut != event.Unknown || v.BytesIn < siteBody || v.BytesIn > 2*siteBody {
		t.Errorf("%s: %+v for an answer of %d bytes", r.Method, v, siteBody)
	}
	if timed != v.Duration.Known() || timed && v.Duration < event.Count(siteDelay.Microseconds()) {
		t.Errorf("%s: duration %v for an answer after %v", r.Method, v.Duration, siteDelay)
	}
}

// checkTime holds the time of a request against when the site was asked: the
// begin where the log has a duration, else the second of the end.
func checkTime(t *testing.T, r event.Request, asked event.Time) {
	t.Helper()
	const slack = 5 * time.Second
	early, late := asked.Add(-slack), asked.Add(siteDelay/4)
	if !r.Volume.Duration.Known() {
		early, late = asked.Add(siteDelay-time.Second), asked.Add(siteDelay+slack)
	}
	if r.Time < early || r.Time > late {
		t.Errorf("%s: at %v, want from %v to %v", r.Method, r.Time.Std(), early.Std(), late.Std())
	}
}
