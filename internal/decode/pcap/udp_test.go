package pcap

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/decode"
)

// TestDatagrams: the datagrams come with their ends and payload, whole or not
// at all, and all else is counted.
func TestDatagrams(t *testing.T) {
	long := bytes.Repeat([]byte("x"), 300)
	shots := newTalk(client, server, 0).open().close().shots
	other := len(shots)
	shots = append(shots,
		shot{at: time.Minute, data: udpFrame(client, resolver, []byte("there"))},
		shot{at: time.Minute, data: udpFrame(resolver, client, []byte("and back"))},
		shot{at: time.Minute, data: udpFrame(client6, server6, long)},
	)
	for name, file := range map[string][]byte{"pcap": classicFile(linkEthernet, shots...), "pcapng": ngFile(shots...)} {
		var tally decode.Tally
		got, err := udpOf(file, &tally)
		if err != io.EOF {
			t.Errorf("%s: %v", name, err)
		}
		want := []string{
			client.String() + " " + resolver.String() + " there",
			resolver.String() + " " + client.String() + " and back",
			client6.String() + " " + server6.String() + " " + string(long),
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		if tally.Records != int64(other) || tally.IgnoredTotal() != int64(other) {
			t.Errorf("%s: %d records, ignored %v", name, tally.Records, tally.Ignored)
		}

		tally = decode.Tally{}
		if got, err = udpOf(file[:len(file)-200], &tally); err != io.EOF || len(got) != 2 || tally.SkippedTotal() != 1 {
			t.Errorf("%s, cut: %d datagrams, %v, skipped %v", name, len(got), err, tally.Positions)
		}
	}
	if _, err := udpOf([]byte("no capture, but longer than any header of one"), new(decode.Tally)); !errors.Is(err, errNoCapture) {
		t.Errorf("no capture: %v", err)
	}
}

func udpOf(file []byte, t *decode.Tally) (got []string, err error) {
	in := NewDatagrams(bytes.NewReader(file), t)
	for {
		d, err := in.Next()
		if err != nil {
			return got, err
		}
		got = append(got, d.Src.String()+" "+d.Dst.String()+" "+string(d.Payload))
	}
}
