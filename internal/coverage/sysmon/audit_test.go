package sysmon

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/destination"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/program"
)

// includeList has the shape of the most used public configuration: connections
// are listed by place and by port, 443 is not among the ports, and lookups of
// some large domains are left out.
const includeList = `<Sysmon schemaversion="4.50">
  <HashAlgorithms>sha256</HashAlgorithms>
  <EventFiltering>
    <RuleGroup name="" groupRelation="or">
      <ProcessCreate onmatch="exclude">
        <Image condition="is">C:\Windows\System32\wermgr.exe</Image>
      </ProcessCreate>
    </RuleGroup>
    <RuleGroup name="" groupRelation="or">
      <NetworkConnect onmatch="include">
        <Image name="Users" condition="begin with">C:\Users</Image>
        <Image condition="begin with">C:\ProgramData</Image>
        <Image condition="begin with">C:\Windows\Temp</Image>
        <Image condition="image">powershell.exe</Image>
        <DestinationPort name="SSH" condition="is">22</DestinationPort>
        <DestinationPort condition="is">3389</DestinationPort>
      </NetworkConnect>
    </RuleGroup>
    <RuleGroup name="" groupRelation="or">
      <NetworkConnect onmatch="exclude">
        <Image condition="begin with">C:\ProgramData\Vendor\</Image>
        <DestinationHostname condition="end with">.windowsupdate.com</DestinationHostname>
      </NetworkConnect>
    </RuleGroup>
    <RuleGroup name="" groupRelation="or">
      <DnsQuery onmatch="exclude">
        <QueryName condition="end with">.microsoft.com</QueryName>
        <QueryName condition="is">graph.microsoft.com</QueryName>
        <QueryName condition="end with">.in-addr.arpa</QueryName>
      </DnsQuery>
    </RuleGroup>
  </EventFiltering>
</Sysmon>
`

func parse(t *testing.T, s string) *Config {
	t.Helper()
	c, err := Parse(strings.NewReader(s))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func shipped(t *testing.T) Known {
	t.Helper()
	classes, err := program.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := destination.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	return Known{classes.Known(), catalogue.Services()}
}

// filtering wraps sections as a configuration has them.
func filtering(sections string) string {
	return `<Sysmon schemaversion="4.90"><EventFiltering>` + sections + `</EventFiltering></Sysmon>`
}

func TestLogs(t *testing.T) {
	const image = `C:\Users\u\a.exe`
	group := func(relation, s string) string {
		return `<RuleGroup groupRelation="` + relation + `">` + s + `</RuleGroup>`
	}
	at443 := connect(image, 443, false)
	tests := []struct {
		name, sections string
		o              occurrence
		want           event.Tri
	}{
		{"not mentioned", ``, at443, event.No},
		{"starts are logged unless mentioned", ``, start(image), event.Yes},
		{"an empty include", `<NetworkConnect onmatch="include"/>`, at443, event.No},
		{"an empty exclude", `<NetworkConnect onmatch="exclude"/>`, at443, event.Yes},
		{"or", group("or", `<NetworkConnect onmatch="include"><Image condition="is">x</Image><DestinationPort>443</DestinationPort></NetworkConnect>`), at443, event.Yes},
		{"and", group("and", `<NetworkConnect onmatch="include"><Image condition="is">x</Image><DestinationPort>443</DestinationPort></NetworkConnect>`), at443, event.No},
		{"a group without relation is and", `<RuleGroup><NetworkConnect onmatch="include"><Image condition="is">x</Image><DestinationPort>443</DestinationPort></NetworkConnect></RuleGroup>`, at443, event.No},
		{"outside a group it depends", `<NetworkConnect onmatch="include"><Image condition="is">x</Image><DestinationPort>443</DestinationPort></NetworkConnect>`, at443, event.Unsaid},
		{"one field is alternatives even with and", group("and", `<NetworkConnect onmatch="include"><DestinationPort>80</DestinationPort><DestinationPort>443</DestinationPort></NetworkConnect>`), at443, event.Yes},
		{"exclude goes first", group("or", `<NetworkConnect onmatch="include"><DestinationPort>443</DestinationPort></NetworkConnect>`) +
			group("or", `<NetworkConnect onmatch="exclude"><Image condition="begin with">c:\users\</Image></NetworkConnect>`), at443, event.No},
		{"an exclude on what is unknown", `<NetworkConnect onmatch="exclude"><DestinationHostname condition="end with">.x</DestinationHostname></NetworkConnect>`, at443, event.Unsaid},
		{"include sections are alternatives", group("or", `<NetworkConnect onmatch="include"/>`) + group("or", `<NetworkConnect onmatch="include"><Protocol>tcp</Protocol></NetworkConnect>`), at443, event.Yes},
		{"a rule of several", group("or", `<NetworkConnect onmatch="include"><Rule groupRelation="and"><Image condition="image">A.EXE</Image><DestinationPort condition="is any">80; 443</DestinationPort></Rule></NetworkConnect>`), at443, event.Yes},
		{"a rule of several that does not match", group("or", `<NetworkConnect onmatch="include"><Rule groupRelation="and"><Image condition="image">b.exe</Image><DestinationPort>443</DestinationPort></Rule></NetworkConnect>`), at443, event.No},
		{"lookups", `<DnsQuery onmatch="exclude"><QueryName condition="end with">.Example.com</QueryName></DnsQuery>`, lookup("", "a.example.COM"), event.No},
		{"another spelling of the event", `<DNSQuery onmatch="exclude"/>`, lookup("", "a"), event.Yes},
		{"an unknown condition", `<DnsQuery onmatch="exclude"><QueryName condition="sounds like">x</QueryName></DnsQuery>`, lookup("", "a"), event.Unsaid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := parse(t, filtering(tt.sections)).logs(tt.o); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestConditions(t *testing.T) {
	tests := []struct {
		condition, value, of string
		want                 event.Tri
	}{
		{"is", "ABC", "abc", event.Yes}, {"is", "abc", "ab", event.No},
		{"is not", "abc", "ab", event.Yes},
		{"is any", "b", "a;b", event.Yes}, {"is any", "c", "a;b", event.No}, {"is any", "", ";", event.No},
		{"contains", "abc", "B", event.Yes}, {"contains any", "abc", "x;c", event.Yes},
		{"contains all", "abc", "a;c", event.Yes}, {"contains all", "abc", "a;x", event.No},
		{"excludes", "abc", "x", event.Yes}, {"excludes", "abc", "b", event.No},
		{"excludes any", "abc", "a;x", event.Yes}, {"excludes any", "abc", "a;b", event.No},
		{"excludes all", "abc", "x;y", event.Yes}, {"excludes all", "abc", "x;a", event.No},
		{"begin with", "abc", "AB", event.Yes}, {"not begin with", "abc", "b", event.Yes},
		{"end with", "abc", "C", event.Yes}, {"not end with", "abc", "c", event.No},
		{"image", `C:\a\B.exe`, "b.EXE", event.Yes}, {"image", `C:\a\bb.exe`, "b.exe", event.No}, {"image", `C:\a\b.exe`, `c:\a\b.exe`, event.Yes},
		{"less than", "abc", "abd", event.Yes}, {"more than", "5", "4", event.Yes},
		{"more than", "443", "1024", event.Unsaid}, // as texts it is more, as numbers less
		{"more than", "443", "443", event.No},
	}
	for _, tt := range tests {
		if got := conditions[tt.condition](tt.value, tt.of); got != tt.want {
			t.Errorf("%q %s %q is %v, want %v", tt.value, tt.condition, tt.of, got, tt.want)
		}
	}
}

func TestAudit(t *testing.T) {
	c := parse(t, includeList)
	seen := &Seen{Days: 2, Connects: []SeenConnect{
		{Image: `C:\Program Files\Vendor\tool.exe`, Port: 443, Count: 10},
		{Image: `C:\Users\u\a.exe`, Port: 443, Count: 100},               // logged already
		{Image: `C:\ProgramData\Vendor\agent.exe`, Port: 443, Count: 30}, // excluded
		{Port: 443, Count: 7}, // by nobody knows whom
		{Image: `C:\Program Files\Vendor\tool.exe`, Port: 8443, Count: 2},
	}, Lookups: []SeenLookup{{"login.microsoft.com", 40}, {"example.org", 3}}}
	r := c.Audit(shipped(t), seen)

	folders := make(map[string]Place)
	for _, p := range r.Places {
		folders[p.Folder] = p
	}
	for folder, want := range map[string]string{
		`C:\Users\user\Downloads`: "depends", // on the reverse name, that may be excluded
		`C:\ProgramData\Vendor`:   "no",
		`C:\Program Files\Vendor`: "no",
		`C:\Windows\System32`:     "no",
	} {
		if got := folders[folder]; got.Connect != want || got.Start != "yes" {
			t.Errorf("%s: connects %s, want %s; starts %s", folder, got.Connect, want, got.Start)
		}
	}
	for _, class := range r.Classes {
		if class.Class == "browser" && (class.No == 0 || len(class.Hidden) == 0) {
			t.Errorf("browsers: %+v", class)
		}
	}
	hidden := 0
	for _, s := range r.Services {
		hidden += s.Lookups.No
	}
	if hidden == 0 {
		t.Error("no lookups of services are hidden")
	}

	type brief struct {
		Event, Action string
		Line          int
		XML           string
		Least, Most   int64
	}
	var got []brief
	for _, ch := range r.Changes {
		b := brief{ch.Event, ch.Action, ch.Line, strings.Join(ch.XML, "\n"), -1, -1}
		if ch.Events != nil {
			b.Least, b.Most = *ch.Events, *ch.EventsMost
			if *ch.PerDay != float64(b.Least)/2 {
				t.Errorf("%v a day", *ch.PerDay)
			}
		}
		got = append(got, b)
	}
	want := []brief{
		// The reverse name, which might exclude, is not known: nothing is for sure.
		{NetworkConnect, "insert after", 10, `<DestinationPort condition="is">443</DestinationPort>`, 0, 10 + 100 + 7},
		{NetworkConnect, "insert after", 10, `<DestinationPort condition="is any">8443;9443;4443;853;465;563;636;989;990;992;993;995;5061;5671;8883</DestinationPort>`, 0, 2},
		{NetworkConnect, "remove", 21, `<Image condition="begin with">C:\ProgramData\Vendor\</Image>`, 0, 30 + 7},
		{NetworkConnect, "remove", 22, `<DestinationHostname condition="end with">.windowsupdate.com</DestinationHostname>`, 0, 149},
		{DNSQuery, "remove", 27, `<QueryName condition="end with">.microsoft.com</QueryName>`, 40, 40},
		{DNSQuery, "remove", 28, `<QueryName condition="is">graph.microsoft.com</QueryName>`, 0, 0},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

// With all its changes made, nothing of what was asked about is hidden.
func TestChangesSuffice(t *testing.T) {
	const modular = `<RuleGroup groupRelation="or"><NetworkConnect onmatch="include">
		<Rule groupRelation="and" name="web"><Image condition="begin with">C:\Users</Image><DestinationPort condition="is any">80;443</DestinationPort></Rule>
		</NetworkConnect></RuleGroup>
		<RuleGroup groupRelation="and"><NetworkConnect onmatch="exclude">
		<Image condition="begin with">C:\Program Files</Image><DestinationPort>443</DestinationPort></NetworkConnect></RuleGroup>
		<RuleGroup groupRelation="or"><DnsQuery onmatch="include"><QueryName condition="end with">.ru</QueryName></DnsQuery></RuleGroup>`
	for _, s := range []string{includeList, filtering(""), filtering(modular), filtering(`<NetworkConnect onmatch="include"/><DnsQuery onmatch="include"/><ProcessCreate onmatch="include"/>`)} {
		c := parse(t, s)
		w := workshop{config: c.clone(), known: probes(shipped(t))}
		w.insert()
		w.remove()
		for _, p := range w.known {
			if got := w.config.logs(p.occurrence); got != event.Yes {
				t.Fatalf("%s of %s is %v after %d changes of\n%s", p.event, p.what, got, len(w.changes), s)
			}
		}
		again := w.config.Audit(shipped(t), nil)
		if len(again.Changes) > 0 {
			t.Errorf("changes of what was changed: %+v", again.Changes)
		}
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"empty", "", "no Sysmon element"},
		{"something else", "<html/>", "no Sysmon element"},
		{"cut short", "<Sysmon>\n<EventFiltering>", "line 2"},
		{"a document type", `<!DOCTYPE x [<!ENTITY a "b">]><Sysmon/>`, "refused"},
		{"an entity", `<Sysmon><EventFiltering><NetworkConnect onmatch="include"><Image>&a;</Image></NetworkConnect></EventFiltering></Sysmon>`, "entity"},
		{"no onmatch", `<Sysmon><EventFiltering><NetworkConnect/></EventFiltering></Sysmon>`, "onmatch"},
		{"deep", "<Sysmon>" + strings.Repeat("<a>", 100), "deeper"},
		{"a long value", filtering(`<DnsQuery onmatch="include"><QueryName>` + strings.Repeat("a", maxValue+1) + `</QueryName></DnsQuery>`), "longer"},
		{"large", "<Sysmon>" + strings.Repeat(" ", maxFile), "larger"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Parse(strings.NewReader(tt.in)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q in it", err, tt.want)
			}
		})
	}
}

// Exports of Windows tools are often UTF-16.
func TestParseUTF16(t *testing.T) {
	in := []byte{0xff, 0xfe}
	for _, c := range []byte(`<?xml version="1.0" encoding="utf-16"?>` + filtering(`<DnsQuery onmatch="exclude"/>`)) {
		in = append(in, c, 0)
	}
	if got := parse(t, string(in)).logs(lookup("", "a")); got != event.Yes {
		t.Errorf("lookups are logged: %v", got)
	}
}

func TestInfer(t *testing.T) {
	m := Mix{
		Hosts: 3, Starts: 100, Connects: 50, Lookups: 70,
		Ports:    map[uint16]Told{443: {0, 500}, 8443: {3, 20}, 993: {0, 2}},
		Programs: map[string]Told{`%system%\svchost.exe`: {0, 40}, `%temp%\a.exe`: {1, 40}},
		Domains:  map[string]Told{"microsoft.com": {0, 90}, "example.org": {20, 90}},
	}
	r := Infer(m, shipped(t), &Seen{Days: 10, Connects: []SeenConnect{{Port: 443, Count: 500}}})
	want := []Missing{
		{NetworkConnect, "port", "443", 500}, {NetworkConnect, "program", `%system%\svchost.exe`, 40}, {DNSQuery, "domain", "microsoft.com", 90},
	}
	if diff := cmp.Diff(want, r.Missing); diff != "" || !r.Inferred {
		t.Errorf("missing (-want +got):\n%s", diff)
	}
	if len(r.Changes) != 3 || *r.Changes[0].PerDay != 50 || r.Changes[0].Line != 0 {
		t.Errorf("changes: %+v", r.Changes)
	}
	if first := r.Changes[0]; first.Action != "add" || !strings.Contains(strings.Join(first.XML, " "), `<NetworkConnect onmatch="include">`) {
		t.Errorf("the first change: %+v", first)
	}
	m.Starts, m.Connects, m.Lookups = 0, 0, 0
	events := make(map[string]bool)
	for _, ch := range Infer(m, shipped(t), nil).Changes {
		events[ch.Event] = true
	}
	if diff := cmp.Diff(map[string]bool{ProcessCreate: true, NetworkConnect: true, DNSQuery: true}, events); diff != "" {
		t.Errorf("changes where Sysmon is mute (-want +got):\n%s", diff)
	}
	if r := Infer(Mix{}, Known{}, nil); len(r.Missing)+len(r.Changes) > 0 || len(r.Notes) != 1 {
		t.Errorf("from nothing: %+v", r)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(includeList)
	f.Add(filtering(`<RuleGroup><NetworkConnect onmatch="include"><Rule><NetworkConnect/></Rule></NetworkConnect></RuleGroup>`))
	f.Fuzz(func(_ *testing.T, s string) {
		if c, err := Parse(strings.NewReader(s)); err == nil {
			c.Audit(Known{}, &Seen{Days: 1, Connects: []SeenConnect{{Port: 443, Count: 1}}})
		}
	})
}
