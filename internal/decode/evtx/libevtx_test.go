package evtx_test

import (
	"encoding/xml"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/decode/evtx"
)

// evtxexport runs libevtx's tool, an independent reader, on b.
func evtxexport(t testing.TB, b []byte, args ...string) string {
	t.Helper()
	tool, err := exec.LookPath("evtxexport")
	if err != nil {
		t.Skip("no evtxexport (libevtx-utils)")
	}
	file := filepath.Join(t.TempDir(), "log.evtx")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	// The exit status says only whether the file is corrupted.
	out, _ := exec.Command(tool, append(args, file)...).Output()
	return string(out)
}

func TestLibevtxFields(t *testing.T) {
	for _, tt := range fixtureCounts {
		if tt.skipped == nil {
			t.Run(tt.file, func(t *testing.T) { compareFields(t, readFixture(t, tt.file)) })
		}
	}
}

func TestLibevtxSplunk(t *testing.T) {
	if testing.Short() {
		t.Skip("runs evtxexport on hundreds of logs")
	}
	for name, b := range splunkLogs(t) {
		// A value of this one is the text of an XML document, which the tool
		// does not escape.
		if name != "Microsoft-Windows-LiveId%4Operational.evtx" {
			t.Run(name, func(t *testing.T) { compareFields(t, b) })
		}
	}
}

// compareFields compares all fields of all records, but for how they are
// rendered: libevtx pads hexadecimal numbers and writes times with 9 digits.
func compareFields(t *testing.T, b []byte) {
	got, _ := readAll(t, b)
	want := exported(t, evtxexport(t, b, "-f", "xml"))
	if len(got) != len(want) {
		t.Fatalf("%d records, want %d", len(got), len(want))
	}
	for i := range got {
		if diff := cmp.Diff(want[i], normal(got[i])); diff != "" {
			t.Fatalf("record %d (-libevtx +evtx):\n%s", i+1, diff)
		}
	}
}

var (
	padded = regexp.MustCompile(`^0x0+([0-9a-f])`)
	digits = regexp.MustCompile(`^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7})(00)?Z$`)
)

func normal(fields []evtx.Field) []evtx.Field {
	var out []evtx.Field
	for _, f := range fields {
		f.Value = padded.ReplaceAllString(f.Value, "0x$1")
		f.Value = digits.ReplaceAllString(f.Value, "$1")
		f.Value = strings.Join(strings.Fields(f.Value), " ") // the tool lays out text anew
		if f.Value != "" {
			out = append(out, f)
		}
	}
	return out
}

// exported reads the XML that evtxexport prints.
func exported(t *testing.T, text string) [][]evtx.Field {
	var records [][]evtx.Field
	for {
		i := strings.Index(text, "<Event ")
		j := strings.Index(text, "</Event>")
		if i < 0 || j < i {
			return records
		}
		records = append(records, normal(eventFields(t, text[i:j+len("</Event>")])))
		text = text[j+len("</Event>"):]
	}
}

func eventFields(t *testing.T, text string) []evtx.Field {
	var fields []evtx.Field
	var path []string
	d := xml.NewDecoder(strings.NewReader(text))
	d.Strict = false
	for {
		tok, err := d.Token()
		if err != nil {
			break
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			path = append(path, tok.Name.Local)
			for _, a := range tok.Attr {
				if a.Name.Local == "Name" && tok.Name.Local == "Data" {
					path[len(path)-1] = a.Value
				}
			}
			for _, a := range tok.Attr {
				if (a.Name.Local != "Name" || tok.Name.Local != "Data") && a.Name.Local != "xmlns" && a.Name.Space != "xmlns" {
					fields = append(fields, evtx.Field{Path: strings.Join(path[1:], "/") + "@" + a.Name.Local, Value: a.Value})
				}
			}
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			if len(path) > 1 {
				fields = append(fields, evtx.Field{Path: strings.Join(path[1:], "/"), Value: string(tok)})
			}
		}
	}
	return fields
}
