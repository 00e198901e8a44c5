package zeek

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// samples are small logs of every kind, in both formats.
func samples() (tsv, json []string) {
	tsv = []string{
		tsvLog("conn", connFields, connRow),
		tsvLog("", connFields, connRow) + strings.NewReplacer("\\x09", "\\x1f", "\t", "\x1f").Replace(tsvLog("open_conn", connFields, connRow)),
		tsvLog("dns", "ts uid id.orig_h id.orig_p id.resp_h id.resp_p query qtype_name answers", "1.5 C1 10.0.0.1 1 10.0.0.2 53 a.example A b,203.0.113.9"),
		tsvLog("ssl", "ts uid id.orig_h id.orig_p id.resp_h id.resp_p version established server_name cert_chain_fps", `1.5 C1 10.0.0.1 1 10.0.0.2 443 TLSv12 T \xffa aa,bb`),
		tsvLog("http", "ts uid id.orig_h id.orig_p id.resp_h id.resp_p method uri", "1.5 C1 10.0.0.1 1 10.0.0.2 3128 CONNECT [::1]:443"),
		tsvLog("x509", "ts id certificate.subject certificate.not_valid_after", "1.5 F1 CN=x 9.5"),
		tsvLog("weird", "ts name", "1.5 x"),
	}
	json = []string{
		connJSONRow + "\n" + strings.Replace(connJSONRow, `"uid"`, `"_path":"open_conn","uid"`, 1),
		`{"ts":"2024-04-29T16:00:01.123456Z","id":{"orig_h":"::1","orig_p":1,"resp_h":"::2","resp_p":443},"established":false,"cert_chain_fps":["aa"]}`,
		`{"ts":1.5,"fingerprint":"aa","certificate":{"subject":"CN=x","not_valid_after":1e3}}`,
		`[{"ts":1.5,"id.orig_h":"::1","id.orig_p":1,"id.resp_h":"::2","id.resp_p":53,"query":"a.","answers":["::3",7,null]}]`,
		`{"@stream":"http","ts":1.5,"id_orig_h":"::1","id_orig_p":1,"id_resp_h":"::2","id_resp_p":80,"method":"GET","uri":"http://a:1/"}`,
		`{"_path":"weird","ts":1.5,"name":"\u0000\ud800"}`,
	}
	return tsv, json
}

func FuzzTSV(f *testing.F) {
	tsv, _ := samples()
	fuzz(f, "zeek-tsv", tsv)
}

func FuzzJSON(f *testing.F) {
	_, json := samples()
	fuzz(f, "zeek-json", json)
}

// fuzz checks that each record is accounted for, that no number is below
// unknown, and that text is UTF-8, whatever the input and however it is read.
func fuzz(f *testing.F, format string, samples []string) {
	for _, s := range samples {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		all, tally := decodeAll(t, format, text)
		for _, flow := range all.Flows {
			for _, c := range []event.Count{flow.Duration, flow.BytesOut, flow.BytesIn, flow.PacketsOut, flow.PacketsIn} {
				if c < event.Unknown {
					t.Errorf("count %d", c)
				}
			}
			checkText(t, flow.Sensor, flow.UID, flow.State, flow.History, flow.Service)
		}
		for _, h := range all.Handshakes {
			checkText(t, h.Sensor, h.UID, h.SNI, h.Version, h.ALPN, h.JA3, h.JA3S, h.JA4, h.Subject, h.Issuer, h.CertID)
		}
		for _, r := range all.Requests {
			checkText(t, r.Sensor, r.UID, r.Method, r.Host, r.User)
		}
		for what := range tally.Ignored {
			checkText(t, what)
		}
		bytewise, _ := decodeFrom(t, format, iotest.OneByteReader(strings.NewReader(text)))
		expect(t, "events of the same input read by the byte", all, bytewise)
	})
}

func checkText(t *testing.T, text ...string) {
	t.Helper()
	for _, s := range text {
		if !utf8.ValidString(s) {
			t.Errorf("%q is not UTF-8", s)
		}
	}
}

// A decoder that matches an input can read some of it.
func TestSamplesMatchOneFormat(t *testing.T) {
	tsv, json := samples()
	for i, s := range append(tsv, json...) {
		f, err := decode.Detect(Formats(), []byte(s), []byte(s))
		if err != nil {
			t.Fatalf("sample %q: %v", s, err)
		}
		if want := Formats()[min(i/len(tsv), 1)].Name; f.Name != want {
			t.Errorf("sample %q is taken for %s, want %s", s, f.Name, want)
		}
		if _, tally := decodeAll(t, f.Name, s); tally.Records == 0 || tally.SkippedTotal() > 0 {
			t.Errorf("sample %q: %d records, skipped %v", s, tally.Records, tally.Positions)
		}
	}
}

// What could be read before the reader failed stands.
func TestReaderFails(t *testing.T) {
	tsv, json := samples()
	for i, text := range []string{tsv[0], json[0]} {
		f := Formats()[i]
		var all event.Batch
		tally := new(decode.Tally)
		d := f.Open(io.MultiReader(bytes.NewReader([]byte(text)), iotest.ErrReader(io.ErrUnexpectedEOF)), tally)
		err := d.Decode(&all)
		if err == nil {
			err = d.Decode(&all)
		}
		if err == nil || err == io.EOF || !strings.Contains(err.Error(), "unexpected EOF") {
			t.Errorf("%s: error %v", f.Name, err)
		}
		if len(all.Flows) == 0 || tally.Events != int64(all.Len()) {
			t.Errorf("%s: %d events, %d in the tally", f.Name, all.Len(), tally.Events)
		}
	}
}
