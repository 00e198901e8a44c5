package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/store"
)

// telemetry writes the logs of a small estate, as evtx_dump and Zeek would.
type telemetry struct {
	t      *testing.T
	dir    string
	record int
}

func newTelemetry(t *testing.T) *telemetry { return &telemetry{t: t, dir: t.TempDir()} }

var morning = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// add appends to a file of the folder.
func (w *telemetry) add(file, text string) {
	w.t.Helper()
	f, err := os.OpenFile(filepath.Join(w.dir, file), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		w.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		w.t.Fatal(err)
	}
}

// sysmon writes an event of a host with the fields, as JSON members.
func (w *telemetry) sysmon(host string, id int, at time.Time, fields string) {
	w.t.Helper()
	w.record++
	w.add(host+".jsonl", fmt.Sprintf(`{"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Sysmon"}},`+
		`"EventID":%d,"EventRecordID":%d,"TimeCreated":{"#attributes":{"SystemTime":"%s"}},`+
		`"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"%s"},"EventData":{%s}}}`+"\n",
		id, w.record, at.Format("2006-01-02T15:04:05.000000Z"), host, fields))
}

func (w *telemetry) start(host string, at time.Time, pid int, image, company string) {
	w.sysmon(host, 1, at, fmt.Sprintf(`"ProcessGuid":"{00000000-0000-0000-0000-%012d}","ProcessId":%d,"Image":%q,"CommandLine":"x","Company":%q`,
		pid, pid, image, company))
}

func (w *telemetry) connect(host string, at time.Time, pid int, image, src string, port int) {
	w.sysmon(host, 3, at, fmt.Sprintf(`"ProcessGuid":"{00000000-0000-0000-0000-%012d}","ProcessId":%d,"Image":%q,`+
		`"Protocol":"tcp","Initiated":true,"SourceIp":%q,"SourcePort":%d,"DestinationIp":"198.51.100.9","DestinationPort":443`,
		pid, pid, image, src, port))
}

const connHeader = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n" +
	"#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\n" +
	"#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\n"

// flow appends a flow to a conn log, which begins with its header.
func (w *telemetry) flow(file, uid string, at time.Time, src string, port int, out int64) {
	w.t.Helper()
	if _, err := os.Stat(filepath.Join(w.dir, file)); errors.Is(err, os.ErrNotExist) {
		w.add(file, connHeader)
	}
	w.add(file, fmt.Sprintf("%d.000000\t%s\t%s\t%d\t198.51.100.9\t443\ttcp\tssl\t30.0\t%d\t100\n", at.Unix(), uid, src, port, out))
}

func (w *telemetry) hunt(h Hunt) *finding.Document {
	w.t.Helper()
	h.Inputs, h.MinScore, h.Networks = append(h.Inputs, w.dir), math.Inf(-1), networks(w.t)
	return hunt(w.t, h)
}

// TestPublisherIsOfTheBusiestProcess: where instances differ in what their
// files claim, every run says the same.
func TestPublisherIsOfTheBusiestProcess(t *testing.T) {
	w := newTelemetry(t)
	for i := range 8 {
		host := fmt.Sprint("ws", i)
		w.start(host, morning, 100+i, `C:\x\p.exe`, fmt.Sprint("Company ", i))
		for n := range 1 + i {
			w.connect(host, morning.Add(time.Duration(n+1)*time.Minute), 100+i, `C:\x\p.exe`, fmt.Sprint("10.0.0.", i+1), 50000+n)
		}
	}
	for range 8 {
		doc := w.hunt(Hunt{})
		if len(doc.Findings) != 1 {
			t.Fatalf("%d findings, want 1", len(doc.Findings))
		}
		f := &doc.Findings[0]
		if f.Program.Publisher != "Company 7" || len(f.Processes) != 8 || f.Processes[0].Sessions != 8 {
			t.Errorf("publisher %q, %d processes, the busiest with %d sessions", f.Program.Publisher, len(f.Processes), f.Processes[0].Sessions)
		}
		for _, p := range f.Processes {
			if p.Started == nil || p.CommandLine != "x" {
				t.Errorf("process %d on %s: nothing is known of its start", p.PID, p.Host)
			}
		}
	}
}

// TestOverlappingLogs: a flow that two logs have counts once.
func TestOverlappingLogs(t *testing.T) {
	w := newTelemetry(t)
	w.flow("a.log", "C1", morning, "10.0.0.1", 50001, 1000)
	w.flow("a.log", "C2", morning.Add(time.Minute), "10.0.0.1", 50002, 2000)
	w.flow("b.log", "C2", morning.Add(time.Minute), "10.0.0.1", 50002, 2000)
	w.flow("b.log", "C3", morning.Add(time.Hour), "10.0.0.1", 50003, 4000)
	s := w.hunt(Hunt{}).Summary
	if s.Records != 4 || s.Flows != 3 || s.Sessions != 3 || s.BytesOut != 7000 {
		t.Errorf("%d records, %d flows, %d sessions, %d bytes; want 4, 3, 3, 7000", s.Records, s.Flows, s.Sessions, s.BytesOut)
	}
}

// TestHugeVolumes: counts that a log may name never turn into others.
func TestHugeVolumes(t *testing.T) {
	w := newTelemetry(t)
	for i := range 20 {
		w.flow("a.log", fmt.Sprint("C", i), morning.Add(time.Duration(i)*time.Minute), "10.0.0.1", 50000+i, 999_999_999_999_999_999)
	}
	doc := w.hunt(Hunt{})
	if got := doc.Summary.BytesOut; got != math.MaxInt64 {
		t.Errorf("%d bytes in all, want the largest number", got)
	}
	if got := doc.Findings[0].BytesOut; got == nil || *got != math.MaxInt64 {
		t.Errorf("%v bytes of the finding, want the largest number", got)
	}
}

func TestTopAndMinScore(t *testing.T) {
	w := newTelemetry(t)
	w.start("ws1", morning, 1, `C:\x\a.exe`, "")
	for i, image := range []string{`C:\x\a.exe`, `C:\Users\u\AppData\Roaming\b.exe`, `C:\Windows\System32\rundll32.exe`} {
		w.connect("ws1", morning.Add(time.Duration(i)*time.Minute), 1+i, image, "10.0.0.1", 50000+i)
	}
	all := w.hunt(Hunt{})
	if len(all.Findings) != 3 || all.Summary.FindingsListed != 3 || all.Summary.FindingsUnlisted != 0 {
		t.Fatalf("%d findings, %d listed, %d not", len(all.Findings), all.Summary.FindingsListed, all.Summary.FindingsUnlisted)
	}
	for i, f := range all.Findings {
		if f.Rank != i+1 || i > 0 && f.Score > all.Findings[i-1].Score {
			t.Errorf("rank %d has score %v", f.Rank, f.Score)
		}
	}
	top := w.hunt(Hunt{Top: 2})
	if len(top.Findings) != 2 || top.Summary.FindingsUnlisted != 1 || top.Findings[1].ID != all.Findings[1].ID {
		t.Errorf("of the first two: %d findings, %d not listed", len(top.Findings), top.Summary.FindingsUnlisted)
	}
	least := all.Findings[0].Score
	doc := hunt(t, Hunt{Inputs: []string{w.dir}, Networks: networks(t), MinScore: least})
	if len(doc.Findings) != 1 || doc.Findings[0].Score != least {
		t.Errorf("from score %v on: %d findings", least, len(doc.Findings))
	}
}

func TestRefusals(t *testing.T) {
	notStore := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(notStore, []byte(strings.Repeat("These are my notes.\n", 1000)), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		hunt Hunt
		is   error
		says string
	}{
		{"nothing to read", Hunt{}, ErrNoInput, ""},
		{"an unknown format", Hunt{Inputs: []string{"."}, Format: "nonsense"}, nil, "nonsense"},
		{"a store that is something else", Hunt{Inputs: []string{"."}, Store: notStore}, store.ErrNotAStore, "opening the store"},
		{"a store where there is no folder", Hunt{Inputs: []string{"."}, Store: filepath.Join(notStore, "x.db")}, nil, "opening the store"},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc, err := c.hunt.Run(context.Background())
			if err == nil || doc != nil {
				t.Fatalf("document %v, error %v", doc, err)
			}
			if c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %q", err)
			}
		})
	}
	if text, err := os.ReadFile(notStore); err != nil || !strings.HasPrefix(string(text), "These are my notes.") {
		t.Errorf("the file that is no store was changed: %v", err)
	}
}

func TestIncomplete(t *testing.T) {
	for _, c := range []struct {
		name string
		in   finding.Input
		want bool
	}{
		{"all read", finding.Input{Status: statusRead}, false},
		{"records of no use", finding.Input{Status: statusRead, Ignored: 3}, false},
		{"warnings", finding.Input{Status: statusRead, Warnings: []string{"w"}}, false},
		{"empty", finding.Input{Status: statusEmpty}, false},
		{"found in a folder, no telemetry", finding.Input{Status: statusIgnored, Error: "no known format"}, false},
		{"unreadable records", finding.Input{Status: statusRead, Skipped: 1}, true},
		{"cut short", finding.Input{Status: statusDamaged}, true},
		{"not opened", finding.Input{Status: statusFailed}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &finding.Summary{Inputs: []finding.Input{{Status: statusRead}, c.in, {Status: statusRead}}}
			if got := Incomplete(s.Inputs); got != c.want {
				t.Errorf("incomplete %v, want %v", got, c.want)
			}
		})
	}
}
