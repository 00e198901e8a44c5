package zeek

import (
	"strings"
	"testing"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/decodetest"
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
		tsvLog("dhcp", "ts client_addr mac host_name client_fqdn assigned_addr lease_time msg_types", "1.5 - 00:50:56:aa:bb:cc PC01 - 10.0.0.5 3600.0 REQUEST,ACK"),
		tsvLog("weird", "ts name", "1.5 x"),
	}
	json = []string{
		connJSONRow + "\n" + strings.Replace(connJSONRow, `"uid"`, `"_path":"open_conn","uid"`, 1),
		`{"ts":"2024-04-29T16:00:01.123456Z","id":{"orig_h":"::1","orig_p":1,"resp_h":"::2","resp_p":443},"established":false,"cert_chain_fps":["aa"]}`,
		`{"ts":1.5,"fingerprint":"aa","certificate":{"subject":"CN=x","not_valid_after":1e3}}`,
		`[{"ts":1.5,"id.orig_h":"::1","id.orig_p":1,"id.resp_h":"::2","id.resp_p":53,"query":"a.","answers":["::3",7,null]}]`,
		`{"@stream":"http","ts":1.5,"id_orig_h":"::1","id_orig_p":1,"id_resp_h":"::2","id_resp_p":80,"method":"GET","uri":"http://a:1/"}`,
		`{"ts":1.5,"uids":["C1"],"mac":"00:50:56:aa:bb:cc","client_fqdn":"pc02.corp.example.","client_addr":"10.0.0.6","msg_types":["REQUEST"]}`,
		`{"_path":"weird","ts":1.5,"name":"\u0000\ud800"}`,
	}
	return tsv, json
}

func TestConformance(t *testing.T) {
	tsv, json := samples()
	for i, all := range []string{strings.Join(tsv, ""), strings.Join(json, "\n")} {
		f := Formats()[i]
		generated := [][]byte{connTSV(40), connJSON(40)}[i]
		t.Run(f.Name, func(t *testing.T) { decodetest.Run(t, f, []byte(all), generated) })
	}
}

func FuzzTSV(f *testing.F) {
	tsv, _ := samples()
	decodetest.Fuzz(f, Formats()[0], inBytes(tsv)...)
}

func FuzzJSON(f *testing.F) {
	_, json := samples()
	decodetest.Fuzz(f, Formats()[1], inBytes(json)...)
}

func inBytes(all []string) (b [][]byte) {
	for _, s := range all {
		b = append(b, []byte(s))
	}
	return b
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
