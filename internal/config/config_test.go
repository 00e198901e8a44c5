package config

import (
	"bytes"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/decode/columns"
	"github.com/postern/postern/internal/inventory"
)

var comparePrefixes = cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })

const full = `
process_name:
  expected:
    - program: C:\Program Files\BackVault\BackVault.Agent.exe
      destination: backvault.example
      role: Server
      host: fs-01.corp.example
      owner: storage team
      reason: nightly backup
      expires: 2027-06-30
data_transfer_threshold: {bytes: 2MiB, window: 90s}
time_window: {days: "mon-thu,sat", from: 22:00, to: 06:30, zone: Europe/Berlin}
budget:
  per_day: 25
  per_program_share: 1
  repeat_after: 1d12h
  repeat_rise: 1.5
materiality: {week_bytes: 0B}
internal: [203.0.113.0/24, 198.51.100.7]
external:
  - 10.0.5.0/24
inventory: estate.csv
community_id: {seeds: [1]}
sites:
  - name: Berlin
    sensors: [zeek-1]
    inputs: ["berlin/*.gz"]
formats:
  - name: acme
    kind: csv
    separator: tab
    event: flow
    time_layout: epoch
    columns: {time: ts, client: src, client_port: sport, server: dst, server_port: dport}
    constants: {protocol: tcp}
`

func load(t *testing.T, text string) Config {
	t.Helper()
	c, err := Load(strings.NewReader(text), "postern.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestLoad(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	network := func(s string) inventory.Network { return inventory.Network{Prefix: netip.MustParsePrefix(s)} }
	want := Config{
		ProcessName: ProcessName{[]Expectation{{
			Program: `%programfiles%\backvault\backvault.agent.exe`, Destination: "backvault.example", Role: inventory.Server,
			Host: "fs-01.corp.example", Owner: "storage team", Reason: "nightly backup",
			Expires: Date{time.Date(2027, 6, 30, 0, 0, 0, 0, time.UTC)},
		}}},
		DataTransferThreshold: DataTransferThreshold{2 << 20, Duration(90 * time.Second)},
		TimeWindow:            TimeWindow{1<<time.Monday | 1<<time.Tuesday | 1<<time.Wednesday | 1<<time.Thursday | 1<<time.Saturday, 22 * 60, 6*60 + 30, Zone{berlin}},
		Budget:                Budget{25, 1, Duration(36 * time.Hour), 1.5},
		Internal:              []inventory.Network{network("203.0.113.0/24"), network("198.51.100.7/32")},
		External:              []inventory.Network{network("10.0.5.0/24")},
		Inventory:             "estate.csv",
		CommunityID:           CommunityID{[]uint16{1}},
		Sites:                 []Site{{"Berlin", []string{"zeek-1"}, []string{"berlin/*.gz"}}},
		Formats: []columns.Map{{
			Name: "acme", Kind: "csv", Separator: "tab", Event: "flow", TimeLayout: "epoch",
			Columns:   columns.Fields{Time: "ts", Client: "src", ClientPort: "sport", Server: "dst", ServerPort: "dport"},
			Constants: columns.Fields{Protocol: "tcp"},
		}},
	}
	got := load(t, full)
	if diff := cmp.Diff(want, got, comparePrefixes); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Default(), load(t, "# nothing\nbudget:\n"), comparePrefixes); diff != "" {
		t.Errorf("an empty file is not the default (-want +got):\n%s", diff)
	}
}

// TestRoundTrip: what is shown is what holds.
func TestRoundTrip(t *testing.T) {
	for _, c := range []Config{Default(), load(t, full)} {
		var b bytes.Buffer
		if err := c.WriteYAML(&b); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, load(t, b.String()), comparePrefixes); diff != "" {
			t.Errorf("configuration (-want +got):\n%s\n%s", diff, b.String())
		}
	}
}

func TestMistakes(t *testing.T) {
	expectation := func(fields string) string { return "process_name:\n  expected:\n    - {" + fields + "}\n" }
	const owned = "owner: a, reason: b, expires: 2027-01-01"
	for _, c := range []struct{ text, want string }{
		{"bugdet: {}\n", `postern.yaml:1:1: unknown key "bugdet": want process_name, data_transfer_threshold, time_window, budget`},
		{"budget:\n  per_week: 3\n", "postern.yaml:2:3: unknown key \"per_week\""},
		{"budget:\n  per_day: 0\n", "postern.yaml:2:12: budget.per_day: want at least 1\n     1 | budget:\n>    2 |   per_day: 0\n"},
		{"budget: {per_program_share: 1.5}", "budget.per_program_share: want more than 0 and at most 1"},
		{"budget: {per_program_share: .nan}", "want a number, not \".nan\""},
		{"budget: {per_program_share: nan}", "budget.per_program_share: want more than 0"},
		{"budget: {repeat_after: 1s}", "budget.repeat_after: want between 1h and 366d"},
		{"budget: {repeat_rise: inf}", "budget.repeat_rise: want more than 0"},
		{"data_transfer_threshold: {bytes: 1 megabyte}", `want a size such as 1MB or 512KiB, not "1 megabyte"`},
		{"data_transfer_threshold: {bytes: 0}", "data_transfer_threshold.bytes: want at least one byte"},
		{"data_transfer_threshold: {window: 5}", `want a time such as 90s, 5m, 12h or 7d, not "5"`},
		{"data_transfer_threshold: {window: 2d}", "data_transfer_threshold.window: want between 1s and 1d"},
		{"time_window: {days: mo-fr}", `want days such as mon-fri,sun, not "mo-fr"`},
		{"time_window: {from: 25:00}", `want a time of day such as 07:30, not "25:00"`},
		{"time_window: {from: 24:00}", "time_window.from: want a time before 24:00"},
		{"time_window: {from: 07:00, to: 07:00}", "time_window.to: the same as from"},
		{"time_window: {zone: local-of-host}", `want UTC or a zone such as Europe/Berlin, not "local-of-host"`},
		{"time_window: {zone: Local}", `not "Local"`},
		{"time_window: {zone: ../../etc/passwd}", "want UTC or a zone"},
		{"internal: [10.0.0.1/8]", "has host bits"},
		{"internal: [10.0.0.0/9]\nexternal: [10.0.0.0/9]", "external: network 10.0.0.0/9 is said to be both"},
		{"formats: [{name: a, kind: xml}]", "formats[0].kind: want csv or json"},
		{"formats:\n  - name: a\n    kind: json\n    event: flow\n    columns: {clinet: x}\n", "postern.yaml:5:15: unknown key \"clinet\""},
		{"community_id: {seeds: []}", "community_id.seeds: want between 1 and 8"},
		{"community_id: {seeds: [1, 1]}", "community_id.seeds[1]: 1 is there twice"},
		{"community_id: {seeds: [65536]}", "want a whole number from 0 to 65535"},
		{"sites: [{name: a}, {name: a}]", `sites[1]: a site needs a name of its own, not "a"`},
		{"sites: [{name: a, sensors: [x]}, {name: b, sensors: [x]}]", `sites[1].sensors[0]: sensor "x" is at site "a" already`},
		{"sites: [{name: a, inputs: ['[']}]", `sites[0].inputs[0]: "[" is no pattern of paths`},
		{"materiality: {week_bytes: -1MB}", "want a size"},
		{expectation("program: agent.exe"), "postern.yaml:3:8: process_name.expected[0]: owner is missing"},
		{expectation("program: agent.exe, owner: a"), "reason is missing"},
		{expectation("program: agent.exe, owner: a, reason: b"), "expires is missing"},
		{expectation("program: agent.exe, owner: a, reason: b, expires: soon"), "want a date such as 2027-06-30"},
		{expectation(owned), "process_name.expected[0].program: want a file name or a path"},
		{expectation(`program: 'C:\Tools\', ` + owned), "want a file name or a path"},
		{expectation("program: PowerShell.exe, " + owned), "program: powershell.exe runs what others tell it (class lolbin): it needs a destination"},
		{expectation(`program: '%system%\rundll32.exe [dll:%system%\x.dll]', ` + owned), "rundll32.exe runs what others tell it"},
		{expectation(`program: 'D:\any\where\pwsh.exe', ` + owned), "pwsh.exe runs what others tell it"},
		{expectation("program: 'power*.exe', role: server, " + owned), "a pattern of file names may be that of an interpreter"},
		{expectation("program: a.exe, destination: www.example.com, " + owned), `"www.example.com" is no registered domain: write example.com`},
		{expectation("program: a.exe, destination: 'https://example.com', " + owned), "expected[0].destination: "},
		{expectation("program: a.exe, destination: com, " + owned), `"com" is neither a registered domain nor an address`},
		{expectation("program: a.exe, host: 'ws 1', " + owned), "expected[0].host: want one host's name"},
		{expectation("program: a.exe, role: a b, " + owned), "a role is a word"},
	} {
		t.Run(c.want, func(t *testing.T) {
			_, err := Load(strings.NewReader(c.text), "postern.yaml")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error: %v\nwant:  %s", err, c.want)
			}
		})
	}
}

func TestExpected(t *testing.T) {
	entry := func(fields string) string {
		return "    - {" + fields + ", owner: a, reason: b, expires: 2027-01-31}\n"
	}
	c := load(t, "process_name:\n  expected:\n"+
		entry("program: Agent.exe")+
		entry(`program: 'C:\Users\*\AppData\Local\Vendor\*\sync.exe', role: workstation`)+
		entry("program: powershell.exe, destination: example.com, host: fs-01")+
		entry(`program: '%system%\svchost.exe [svc:wuauserv]'`)+
		entry(`program: 'node.exe [script:*\agent\*]', destination: 192.0.2.1`)+
		entry("program: '*', destination: updates.example"))
	inside := time.Date(2027, 1, 31, 23, 59, 59, 0, time.UTC)
	for _, q := range []struct {
		program, domain, host, role string
		want                        int // index, -1 for none
	}{
		{`%programfiles%\vendor\agent.exe`, "any.example", "ws1", "", 0},
		{`%temp%\agent.exe [script:x]`, "any.example", "ws1", "", 0},
		{`%programfiles%\vendor\bagent.exe`, "any.example", "ws1", "", -1},
		{`%localappdata%\vendor\{version}\sync.exe`, "any.example", "ws1", "workstation", 1},
		{`%localappdata%\vendor\{version}\sync.exe`, "any.example", "ws1", "", -1},
		{`%localappdata%\vendor\a\b\sync.exe`, "any.example", "ws1", "workstation", -1},
		{`%system%\windowspowershell\v1.0\powershell.exe`, "example.com", "fs-01", "server", 2},
		{`%system%\windowspowershell\v1.0\powershell.exe`, "example.com", "fs-02", "server", -1},
		{`%system%\windowspowershell\v1.0\powershell.exe`, "evil.example", "fs-01", "server", -1},
		{`%system%\svchost.exe [svc:wuauserv]`, "any.example", "", "", 3},
		{`%system%\svchost.exe [svc:bits]`, "any.example", "", "", -1},
		{`%system%\svchost.exe`, "any.example", "", "", -1},
		{`%programfiles%\nodejs\node.exe [script:%user%\agent\main.js]`, "192.0.2.1", "", "", 4},
		{`%programfiles%\nodejs\node.exe [script:%user%\main.js]`, "192.0.2.1", "", "", -1},
		{`anything.exe`, "updates.example", "", "", 5},
		{"", "updates.example", "", "", -1}, // an unknown program is nobody's
	} {
		for _, at := range []time.Time{inside, inside.Add(time.Second)} {
			want := q.want
			if at != inside {
				want = -1
			}
			e, ok := c.Expected(q.program, q.domain, q.host, q.role, at)
			if ok != (want >= 0) || ok && e != &c.ProcessName.Expected[want] {
				t.Errorf("%s to %s from %s (%s) at %s: %v, want entry %d", q.program, q.domain, q.host, q.role, at, e, want)
			}
		}
	}
	if n := len(c.Expired(inside)); n != 0 {
		t.Errorf("%d are expired", n)
	}
	if n := len(c.Expired(inside.Add(time.Second))); n != 6 {
		t.Errorf("%d are expired, want all 6", n)
	}
}

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"*", "abc", true}, {"a*", "abc", true}, {"*c", "abc", true},
		{"a*c", "abcbc", true}, {"a*c", "abcb", false}, {"a*b*c", "aXbYbZc", true}, {"**", "a", true}, {"a", "a*", false},
		{`*\b`, `a\b`, true}, {`*\b`, `a\x\b`, false}, {`*b`, `a\b`, false}, {`a*`, `a\b`, false},
	} {
		if got := glob(c.pattern, c.s, '\\'); got != c.want {
			t.Errorf("%q fits %q: %v", c.s, c.pattern, got)
		}
	}
	if start := time.Now(); glob(strings.Repeat("*a", 500)+"b", strings.Repeat("a", 100_000), 0) || time.Since(start) > 5*time.Second {
		t.Error("a pattern of many stars takes too long")
	}
}

func TestBytes(t *testing.T) {
	for text, want := range map[string]Bytes{
		"0": 0, "1": 1, "12B": 12, "1kB": 1e3, "1 MB": 1e6, "1MiB": 1 << 20, "3gb": 3e9, "1500kB": 1.5e6, "4TiB": 4 << 40,
	} {
		var got Bytes
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%s: %d, %v; want %d", text, got, err, want)
		}
	}
	for b, want := range map[Bytes]string{0: "0B", 1: "1B", 1e6: "1MB", 1.5e6: "1500kB", 1 << 20: "1MiB", 1<<20 + 1: "1048577B", 1e12: "1TB"} {
		if got := b.String(); got != want {
			t.Errorf("%d: %s, want %s", int64(b), got, want)
		}
	}
	for _, text := range []string{"", "MB", "-1", "1.5MB", "1XB", "1 000", "9999999999TB", "9223372036854775808"} {
		if err := new(Bytes).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is a size", text)
		}
	}
}

func TestDuration(t *testing.T) {
	for text, want := range map[string]string{"90s": "1m30s", "5m": "5m", "1d12h": "1d12h", "36h": "1d12h", "2w": "14d", "0s": "0s"} {
		var got Duration
		if err := got.UnmarshalText([]byte(text)); err != nil || got.String() != want {
			t.Errorf("%s: %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "5", "m", "5m1h", "-5m", "1.5h", "5min", "4294967296s", "5000000w", "5m 3s"} {
		if err := new(Duration).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is a duration", text)
		}
	}
}

func TestDays(t *testing.T) {
	for text, want := range map[string]string{
		"mon-fri": "mon-fri", "Mon, Tue": "mon,tue", "sun-tue": "mon,tue,sun", "mon-sun": "mon-sun", "sat": "sat", "fri-mon,wed": "mon,wed,fri-sun",
	} {
		var got Days
		if err := got.UnmarshalText([]byte(text)); err != nil || got.String() != want {
			t.Errorf("%s: %s, %v; want %s", text, got, err, want)
		}
	}
}

func TestTimeWindow(t *testing.T) {
	for _, c := range []struct {
		window string
		in     []string
		out    []string
	}{
		{"{}", // the default
			[]string{"2026-11-02T07:00:00Z", "2026-11-06T18:59:59Z"},
			[]string{"2026-11-02T06:59:59Z", "2026-11-06T19:00:00Z", "2026-11-07T12:00:00Z"}},
		{"{days: fri, from: 22:00, to: 06:00}", // the night from Friday to Saturday
			[]string{"2026-11-06T22:00:00Z", "2026-11-07T05:59:59Z"},
			[]string{"2026-11-06T05:00:00Z", "2026-11-06T21:59:59Z", "2026-11-07T06:00:00Z", "2026-11-07T23:00:00Z"}},
		{"{days: mon-fri, from: 00:00, to: 24:00}",
			[]string{"2026-11-02T00:00:00Z", "2026-11-06T23:59:59Z"}, []string{"2026-11-01T23:59:59Z", "2026-11-07T00:00:00Z"}},
		{"{zone: Europe/Berlin}", // summer time ended on 25 October
			[]string{"2026-10-23T05:00:00Z", "2026-10-26T06:00:00Z"}, []string{"2026-10-23T04:59:59Z", "2026-10-26T05:59:59Z", "2026-10-23T17:00:00Z"}},
		{"{zone: America/New_York}", // Friday evening there is Saturday in UTC
			[]string{"2026-11-06T23:59:59Z"}, []string{"2026-11-07T00:00:00Z"}},
	} {
		w := load(t, "time_window: "+c.window).TimeWindow
		for i, list := range [][]string{c.out, c.in} {
			for _, s := range list {
				at, err := time.Parse(time.RFC3339, s)
				if err != nil {
					t.Fatal(err)
				}
				if got := w.Contains(at); got != (i == 1) {
					t.Errorf("%s contains %s: %v", c.window, s, got)
				}
			}
		}
	}
}

// TestManual: the manual shows the default as "config show" does, so that it
// documents every key.
func TestManual(t *testing.T) {
	manual, err := os.ReadFile("../../docs/config.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(manual), "```yaml\n")
	if len(blocks) < 3 {
		t.Fatal("the manual has fewer than two blocks of YAML")
	}
	for i := range blocks[1:] {
		blocks[i+1], _, _ = strings.Cut(blocks[i+1], "```")
	}
	var b bytes.Buffer
	c := Default()
	if err := c.WriteYAML(&b); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.String(), blocks[1]); diff != "" {
		t.Errorf("the default in docs/config.md (-want +got):\n%s", diff)
	}
	for _, block := range blocks[2:] {
		load(t, block)
	}
	checkDocs(t, reflect.TypeFor[Config](), string(manual))
	checkDocs(t, reflect.TypeFor[columns.Map](), string(manual))
}

// checkDocs wants a key and its meaning in the manual for every field.
func checkDocs(t *testing.T, section reflect.Type, manual string) {
	for i := range section.NumField() {
		f := section.Field(i)
		key, doc := f.Tag.Get("yaml"), f.Tag.Get("doc")
		if key == "" || doc == "" || !strings.Contains(manual, key) {
			t.Errorf("%s.%s: key %q is not documented", section, f.Name, key)
		}
		inner := f.Type
		if inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct && inner.PkgPath() == section.PkgPath() && inner != reflect.TypeFor[Date]() && inner != reflect.TypeFor[Zone]() {
			checkDocs(t, inner, manual)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(full)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Load(strings.NewReader(text), "postern.yaml")
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := c.WriteYAML(&b); err != nil {
			t.Fatal(err)
		}
		again, err := Load(bytes.NewReader(b.Bytes()), "again.yaml")
		if err != nil {
			t.Fatalf("what is shown is not read: %v\n%s", err, b.String())
		}
		if diff := cmp.Diff(c, again, comparePrefixes); diff != "" {
			t.Errorf("configuration (-want +got):\n%s\n%s", diff, b.String())
		}
	})
}
