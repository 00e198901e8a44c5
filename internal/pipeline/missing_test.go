package pipeline

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postern/postern/internal/finding"
)

const sslHeader = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tssl\n" +
	"#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tserver_name\tsubject\tissuer\testablished\n" +
	"#types\ttime\tstring\taddr\tport\taddr\tport\tstring\tstring\tstring\tbool\n"

// beaconing writes an estate in which one host's renamed tool calls a server
// that signs its own certificate, every five minutes, give or take, and others
// browse there.
func beaconing(t *testing.T) *telemetry {
	t.Helper()
	w := newTelemetry(t)
	w.add("ssl.log", sslHeader)
	contact := func(host, src string, at time.Time, pid int, image string, port int, out int64) {
		uid := fmt.Sprint("C", host, port)
		w.connect(host, at, pid, image, src, port)
		w.flow("conn.log", uid, at, src, port, out)
		w.add("ssl.log", fmt.Sprintf("%d.100000\t%s\t%s\t%d\t198.51.100.9\t443\tdrop.example.net\tCN=x\tCN=x\tT\n", at.Unix(), uid, src, port))
	}
	w.sysmon("ws1", 1, morning, `"ProcessGuid":"{00000000-0000-0000-0000-000000000001}","ProcessId":1,`+
		`"Image":"C:\\Users\\u\\AppData\\Roaming\\sync.exe","OriginalFileName":"rclone.exe","CommandLine":"x"`)
	at := morning
	for i := range 40 {
		at = at.Add(5*time.Minute + time.Duration(i*37%41-20)*time.Second)
		contact("ws1", "10.0.0.1", at, 1, `C:\Users\u\AppData\Roaming\sync.exe`, 50000+i, 300_000)
	}
	for i := range 4 {
		host := fmt.Sprint("ws", 2+i)
		w.start(host, morning, 9, `C:\Program Files\Google\Chrome\Application\chrome.exe`, "Google LLC")
		contact(host, fmt.Sprint("10.0.0.", 2+i), morning.Add(time.Duration(i)*time.Hour), 9,
			`C:\Program Files\Google\Chrome\Application\chrome.exe`, 51000, 5000)
	}
	return w
}

// best returns the highest score of a finding of the host.
func best(t *testing.T, doc *finding.Document, host string) float64 {
	t.Helper()
	for _, f := range doc.Findings {
		for _, h := range f.Hosts {
			if h == host {
				return f.Score
			}
		}
	}
	t.Fatalf("no finding of %s", host)
	return 0
}

// TestMissingRecords: what logs fail to say never makes a beacon or a browser
// more remarkable.
func TestMissingRecords(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	whole := beaconing(t).hunt(Hunt{})
	if f := &whole.Findings[0]; f.Program.Name != "sync.exe" || f.PeriodSeconds == nil || *f.BytesOut != 12_000_000 {
		t.Fatalf("first is %s, period %v, %v bytes", f.Program.Name, f.PeriodSeconds, f.BytesOut)
	}
	drop := func(file, holding string) func(*telemetry) {
		return func(w *telemetry) {
			rewrite(w, file, func(line string) string {
				if strings.Contains(line, holding) {
					return ""
				}
				return line
			})
		}
	}
	replace := func(file, from, to string) func(*telemetry) {
		return func(w *telemetry) {
			rewrite(w, file, func(line string) string { return strings.ReplaceAll(line, from, to) })
		}
	}
	for _, c := range []struct {
		name string
		take func(*telemetry)
	}{
		{"all flows", drop("conn.log", "198.51.100.9")},
		{"all handshakes", drop("ssl.log", "198.51.100.9")},
		{"the server's name", replace("ssl.log", "drop.example.net", "-")},
		{"the certificate", replace("ssl.log", "CN=x", "-")},
		{"the outbound bytes", replace("conn.log", "\t300000\t", "\t-\t")},
		{"the duration", replace("conn.log", "\t30.0\t", "\t-\t")},
		{"the original name", replace("ws1.jsonl", "rclone.exe", "-")},
		{"the process start", drop("ws1.jsonl", "OriginalFileName")},
		{"the image", replace("ws1.jsonl", `C:\\Users\\u\\AppData\\Roaming\\sync.exe`, "<unknown process>")},
		{"the image of a browser", replace("ws2.jsonl", `C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe`, "<unknown process>")},
		{"all of a host's connects", drop("ws1.jsonl", `"EventID":3`)},
		{"all of a browser's connects", drop("ws2.jsonl", `"EventID":3`)},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := beaconing(t)
			c.take(w)
			doc := w.hunt(Hunt{})
			if Incomplete(doc.Summary.Inputs) {
				t.Fatal("the change made telemetry unreadable")
			}
			for host, client := range map[string]string{"ws1": "10.0.0.1", "ws2": "10.0.0.2"} {
				was := best(t, whole, host)
				if c.name == "all of a host's connects" && host == "ws1" || c.name == "all of a browser's connects" && host == "ws2" {
					host = client // nothing says any more whose the address is
				}
				if is := best(t, doc, host); is > was {
					t.Errorf("%s: %v, and %v without", host, was, is)
				}
			}
		})
	}
}

// rewrite changes the lines of a file; those that become empty go.
func rewrite(w *telemetry, file string, change func(string) string) {
	w.t.Helper()
	path := filepath.Join(w.dir, file)
	old, err := os.ReadFile(path)
	if err != nil {
		w.t.Fatal(err)
	}
	var out strings.Builder
	for line := range strings.Lines(string(old)) {
		out.WriteString(change(line))
	}
	if out.String() == string(old) {
		w.t.Fatalf("nothing of %s was changed", file)
	}
	if err := os.WriteFile(path, []byte(out.String()), 0o666); err != nil {
		w.t.Fatal(err)
	}
}
