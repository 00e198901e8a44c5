package zeek

import (
	"io"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// compareAddrs lets cmp look at addresses.
var compareAddrs = cmp.Options{
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }),
	cmpopts.EquateEmpty(),
}

// decodeAll decodes text, and checks that each record is accounted for.
func decodeAll(t *testing.T, format, text string) (*event.Batch, *decode.Tally) {
	t.Helper()
	return decodeFrom(t, format, strings.NewReader(text))
}

func decodeFrom(t *testing.T, format string, r io.Reader) (*event.Batch, *decode.Tally) {
	t.Helper()
	f, err := decode.ByName(Formats(), format)
	if err != nil {
		t.Fatal(err)
	}
	var all event.Batch
	tally := new(decode.Tally)
	d := f.Open(r, tally)
	for err == nil {
		err = d.Decode(&all)
	}
	if err != io.EOF {
		t.Fatal(err)
	}
	if got := tally.Events + tally.IgnoredTotal() + tally.SkippedTotal(); got != tally.Records || tally.Events != int64(all.Len()) {
		t.Errorf("%d records, but %d events (%d returned), %d ignored, %d skipped",
			tally.Records, tally.Events, all.Len(), tally.IgnoredTotal(), tally.SkippedTotal())
	}
	if tally.Clocks[clock] != tally.Events {
		t.Errorf("clocks are %v for %d events", tally.Clocks, tally.Events)
	}
	return &all, tally
}

func expect(t *testing.T, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got, compareAddrs); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// tsvLog writes a log as Zeek does. Columns are parted by blanks here.
func tsvLog(path, fields string, rows ...string) string {
	var b strings.Builder
	b.WriteString("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n")
	if path != "" {
		b.WriteString("#path\t" + path + "\n")
	}
	b.WriteString("#open\t2024-04-29-16-00-01\n#fields\t" + tabs(fields) + "\n")
	for _, r := range rows {
		b.WriteString(tabs(r) + "\n")
	}
	b.WriteString("#close\t2024-04-29-17-00-00\n")
	return b.String()
}

func tabs(s string) string { return strings.Join(strings.Fields(s), "\t") }

const connFields = "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration orig_bytes resp_bytes " +
	"conn_state local_orig local_resp missed_bytes history orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes tunnel_parents"

const connRow = "1714420898.610732 C1 10.0.0.111 53411 203.0.113.9 443 tcp ssl 12.5 700 9000 SF T F 0 ShADadFf 10 1100 12 9480 -"

func connFlow() event.Flow {
	return event.Flow{
		Sensor: "zeek", Time: 1714420898610732, UID: "C1", Proto: event.TCP,
		Src: netip.MustParseAddrPort("10.0.0.111:53411"), Dst: netip.MustParseAddrPort("203.0.113.9:443"),
		Duration: 12500000, BytesOut: 700, BytesIn: 9000, PacketsOut: 10, PacketsIn: 12,
		State: "SF", History: "ShADadFf", Service: "ssl",
	}
}

func TestFormatsAreValid(t *testing.T) {
	if err := decode.Validate(Formats()); err != nil {
		t.Error(err)
	}
}
