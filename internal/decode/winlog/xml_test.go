package winlog_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// stop returns a Sysmon 5 in XML, of a process with that Image.
func stop(image string) string {
	return "<Event xmlns=\"http://schemas.microsoft.com/win/2004/08/events/event\">\n  <System>\n    <Provider Name=\"Microsoft-Windows-Sysmon\"/>\n" +
		"    <EventID Qualifiers=\"0\">5</EventID>\n    <TimeCreated SystemTime=\"2024-03-01T12:00:00.123000000Z\"/>\n" +
		"    <Channel>Microsoft-Windows-Sysmon/Operational</Channel>\n    <Computer>PC01</Computer>\n  </System>\n" +
		"  <EventData>\n    <Data Name=\"ProcessId\">7</Data>\n    <Data Name=\"Image\">" + image + "</Data>\n  </EventData>\n</Event>\n"
}

func TestXML(t *testing.T) {
	tests := []struct {
		name    string
		in      string
		want    []string // images
		skipped map[string]int64
		ignored map[string]int64
		where   string
	}{
		{name: "layout", in: stop("a"), want: []string{"a"}},
		{name: "noise between", in: "evtxexport 20181227\n\nEvent number : 1\n" + stop("a") + "\n<!-- x -->\nEvent number : 2\n" + stop("b") + "\nbye", want: []string{"a", "b"}},
		{name: "on one line", in: strings.ReplaceAll(stop("a")+stop("b"), "\n", ""), want: []string{"a", "b"}},
		{name: "entities", in: stop("&lt;a&gt; &amp;amp; &quot;&apos;&#233;&#xE9;&#x1F98A; &nbsp; &; &#xFFFFFFF; &#;"), want: []string{"<a> &amp; \"'éé🦊 &nbsp; &; &#xFFFFFFF; &#;"}},
		{name: "nothing", in: stop(""), want: []string{""}},
		{name: "CDATA", in: stop("a<![CDATA[&amp;</Event><Event xmlns='x'>]]>b"), want: []string{"a&amp;</Event><Event xmlns='x'>b"}},
		{name: "comment", in: stop("a<!-- </Event> -->b<?pi </Event> ?>c"), want: []string{"abc"}},
		{name: "greater-than in an attribute", in: strings.Replace(stop("a"), `Provider Name="`, `Provider Guid='>' Name="`, 1), want: []string{"a"}},
		{name: "element in a value", in: stop("a<b>c</b>d"), want: []string{""}}, // no such value exists
		{name: "rendered", in: strings.Replace(stop("a"), "</Event>", "<RenderingInfo><Channel>Other</Channel><Computer>X</Computer></RenderingInfo></Event>", 1), want: []string{"a"}},
		{name: "rendered first", in: strings.Replace(stop("a"), "<System>", "<RenderingInfo><Channel>Other</Channel></RenderingInfo><System>", 1), want: []string{"a"}},
		{name: "user data", in: strings.Replace(stop("a"), "</EventData>", "</EventData><UserData><Event xmlns='y'><X/></Event></UserData>", 1), want: []string{"a"}},
		{name: "other names", in: "<EventX>\n<Events>" + stop("a") + "</Events>", want: []string{"a"}},
		{name: "cut by another", in: stop("a")[:300] + stop("b"), want: []string{"b"}, skipped: map[string]int64{"cut short": 1}, where: "line 1"},
		{name: "cut by the end", in: stop("a") + stop("b")[:300], want: []string{"a"}, skipped: map[string]int64{"cut short": 1}, where: "line 14"},
		{name: "never closed comment", in: stop("a<!-- ") + stop("b"), want: []string{"b"}, skipped: map[string]int64{"cut short": 1}, where: "line 1"},
		{name: "wrong end tag", in: strings.Replace(stop("a"), "</EventData>", "", 1) + stop("b"), want: []string{"b"}, skipped: map[string]int64{"invalid XML": 1}, where: "line 1"},
		{name: "DTD in an event", in: stop("a<!DOCTYPE x>") + stop("b"), want: []string{"b"}, skipped: map[string]int64{"invalid XML": 1}, where: "line 1"},
		{name: "empty event", in: "<Event/>" + stop("b"), want: []string{"b"}, skipped: map[string]int64{"invalid XML": 1}, where: "line 1"},
		{name: "nested deeply", in: stop(strings.Repeat("<a>", 100)) + stop("b"), want: []string{"b"}, skipped: map[string]int64{"invalid XML": 1}, where: "line 1"},
		{name: "too long", in: stop(strings.Repeat("x", 1<<20)) + stop("b"), want: []string{"b"}, skipped: map[string]int64{"too long": 1}, where: "line 1"},
		{name: "in pieces", in: stop(strings.Repeat("<![CDATA[x]]>", 5000)), want: []string{strings.Repeat("x", 4096)}},
		{name: "ignored", in: strings.Replace(stop("a"), ">5<", ">10<", 1) + stop("b"), want: []string{"b"}, ignored: map[string]int64{"Sysmon 10": 1}},
		{name: "ignored with CDATA", in: strings.Replace(stop("<![CDATA[</Event>]]>"), ">5<", ">10<", 1) + stop("b"), want: []string{"b"}, ignored: map[string]int64{"Sysmon 10": 1}},
		{name: "no computer", in: strings.Replace(stop("a"), "PC01", "-", 1) + stop("b"), want: []string{"b"}, skipped: map[string]int64{"no computer name": 1}, where: "line 1"},
		{name: "no number", in: strings.Replace(stop("a"), ">5<", "><", 1) + stop("b"), want: []string{"b"}, skipped: map[string]int64{"no event number": 1}, where: "line 1"},
		{name: "no time", in: strings.Replace(stop("a"), "2024", "", 1) + stop("b"), want: []string{"b"}, skipped: map[string]int64{"no time": 1}, where: "line 1"},
		{name: "no process", in: strings.Replace(stop("a"), ">7<", ">none<", 1) + stop("b"), want: []string{"b"}, skipped: map[string]int64{"no process": 1}, where: "line 1"},
		{name: "provider instead of channel", in: strings.Replace(stop("a"), "Microsoft-Windows-Sysmon/Operational", "", 1), want: []string{"a"}},
	}
	f := format(t, "winlog-xml")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			batch, tally := decodeAll(t, f, []byte(tt.in))
			var got []string
			for _, e := range batch.Stops {
				got = append(got, e.Image)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("images (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.skipped, tally.Skipped); diff != "" {
				t.Errorf("skipped (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.ignored, tally.Ignored); diff != "" {
				t.Errorf("ignored (-want +got):\n%s", diff)
			}
			if tt.where != "" && (len(tally.Positions) == 0 || tally.Positions[0].Where != tt.where) {
				t.Errorf("skipped at %v, want %q", tally.Positions, tt.where)
			}
		})
	}
}

func TestXMLWithDTD(t *testing.T) {
	f := format(t, "winlog-xml")
	in := "<?xml version='1.0'?>\n<!DOCTYPE x [<!ENTITY a 'b'>]>\n" + stop("a")
	if f.Match([]byte(in)) {
		t.Error("it is recognised")
	}
	err := f.Open(strings.NewReader(in), new(decode.Tally)).Decode(new(event.Batch))
	if err == nil || err == io.EOF || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("error %v, want one about line 2", err)
	}
}

func TestMatchXML(t *testing.T) {
	tests := []struct {
		name string
		in   string
		want bool
	}{
		{"event", stop("a"), true},
		{"without schema", "<Event><System><EventID>5</EventID>", true},
		{"in a root", "<?xml version='1.0'?>\r\n<Events>\r\n\t" + stop("a"), true},
		{"after noise", strings.Repeat("noise\n", 100) + stop("a"), true},
		{"other events", "<Event id='1'><Name/></Event>", false},
		{"in JSON", `{"xml":"` + strings.ReplaceAll(stop("a"), "\n", `\n`) + `"}`, false},
		{"in pretty JSON", "{\n  \"xml\":\n\"" + stop("a"), false},
		{"in a text", "he wrote: " + stop("a"), false},
		{"cut in the tag", "<Event xmlns='http", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := format(t, "winlog-xml").Match([]byte(tt.in)); got != tt.want {
				t.Errorf("Match is %v", got)
			}
		})
	}
}

// Text that is cut says so, and stays valid.
func TestLongTexts(t *testing.T) {
	long := strings.Repeat("é", 50_000)
	in := strings.Replace(stop(long), ">5<", ">1<", 1)
	in = strings.Replace(in, "<Data", "<Data Name='CommandLine'>x"+long+"</Data><Data", 1)
	batch, tally := decodeAll(t, format(t, "winlog-xml"), []byte(in))
	e := batch.Starts[0]
	if e.Image != long[:4096] || e.CommandLine != "x"+long[:65534] {
		t.Errorf("an image of %d bytes, a command line of %d", len(e.Image), len(e.CommandLine))
	}
	if len(tally.Warnings) != 2 {
		t.Errorf("warnings %q", tally.Warnings)
	}
}

// Channels and numbers come from the log: the tally must not grow with them.
func TestManyChannels(t *testing.T) {
	var b bytes.Buffer
	for i := range 2000 {
		e := journal[len(journal)-1]
		e.channel = strings.Repeat("x", i%200)
		b.WriteString(eventXML(&e))
		e.channel, e.id = securityLog, 10000+i
		b.WriteString(eventXML(&e))
	}
	_, tally := decodeAll(t, format(t, "winlog-xml"), b.Bytes())
	if n := len(tally.Ignored); n > 600 || tally.IgnoredTotal() != 4000 || tally.Ignored["other channels"] == 0 {
		t.Errorf("%d names for %d records", n, tally.IgnoredTotal())
	}
}
