package zeek

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/event"
)

func TestVolume(t *testing.T) {
	const unknown = event.Unknown
	none := side{unknown, unknown}
	tests := []struct {
		name       string
		proto      event.Proto
		history    string
		orig, resp side
		wantOrig   side
		wantResp   side
		unseen     direction
	}{
		{"complete", event.TCP, "ShADadFf", side{900, 12}, side{4000, 10}, side{900, 12}, side{4000, 10}, 0},
		{"handshake only", event.TCP, "ShAFf", side{0, 3}, side{0, 2}, side{0, 3}, side{0, 2}, 0},
		{"attempt without an answer", event.TCP, "S", side{0, 3}, side{0, 0}, side{0, 3}, side{0, 0}, 0},
		{"attempt refused", event.TCP, "Sr", side{0, 1}, side{0, 1}, side{0, 1}, side{0, 1}, 0},
		{"midstream", event.TCP, "DadA", side{700, 9}, side{80, 7}, side{700, 9}, side{80, 7}, 0},
		{"flipped, both seen", event.TCP, "^hADadFf", side{900, 12}, side{40, 10}, side{900, 12}, side{40, 10}, 0},

		{"upload with offloaded checksums", event.TCP, "^hadf", side{0, 0}, side{403, 5}, none, side{403, 5}, originator},
		{"the same with packets counted", event.TCP, "^hadt", side{0, 2}, side{493400, 380}, none, side{493400, 380}, originator},
		{"the same, reset", event.TCP, "^hdar", side{0, 2}, side{3363, 7}, none, side{3363, 7}, originator},
		{"the same, only acknowledged", event.TCP, "^ha", side{0, 0}, side{0, 8}, none, side{0, 8}, originator},
		{"the same, too short for a count", event.TCP, "^r", side{unknown, 0}, side{unknown, 2}, none, side{unknown, 2}, originator},
		{"not flipped", event.TCP, "had", side{0, 0}, side{10, 3}, none, side{10, 3}, originator},
		{"only a gap of the originator", event.TCP, "^hadG", side{0, 0}, side{10, 3}, none, side{10, 3}, originator},
		{"derived from acknowledgements", event.TCP, "^hadG", side{5000, 0}, side{10, 3}, side{5000, 0}, side{10, 3}, 0},

		{"bad checksums, logged", event.TCP, "Chad", side{0, 0}, side{10, 3}, none, side{10, 3}, originator},
		{"bad checksums of data", event.TCP, "ShACad", side{0, 2}, side{10, 3}, none, side{10, 3}, originator},
		{"one bad checksum among data", event.TCP, "ShADCad", side{4096, 7}, side{10, 3}, side{4096, 7}, side{10, 3}, 0},
		{"all checksums bad", event.TCP, "Cc", side{unknown, 0}, side{unknown, 0}, none, none, originator | responder},

		{"responder not seen", event.TCP, "SAD", side{600, 8}, side{0, 0}, side{600, 8}, none, responder},
		{"responder not seen, midstream", event.TCP, "DA", side{600, 8}, side{0, 0}, side{600, 8}, none, responder},
		{"stray reset", event.TCP, "R", side{0, 1}, side{0, 0}, side{0, 1}, side{0, 0}, 0},

		{"datagrams both ways", event.UDP, "Dd", side{61, 1}, side{81, 1}, side{61, 1}, side{81, 1}, 0},
		{"datagrams one way", event.UDP, "D", side{700, 4}, side{0, 0}, side{700, 4}, side{0, 0}, 0},
		{"datagrams, answer only", event.UDP, "^d", side{0, 0}, side{176, 4}, none, side{176, 4}, originator},
		{"datagrams, answer with bad checksums", event.UDP, "Dc", side{61, 1}, side{0, 0}, side{61, 1}, none, responder},

		{"echo without an answer", 1, "", side{56, 1}, side{0, 0}, side{56, 1}, side{0, 0}, 0},
		{"no history, both seen", event.TCP, "", side{9, 2}, side{0, 1}, side{9, 2}, side{0, 1}, 0},
		{"no history, no originator", event.TCP, "", side{0, 0}, side{9, 3}, none, side{9, 3}, originator},
		{"no history, no responder", event.TCP, "", side{9, 3}, side{0, 0}, side{9, 3}, none, responder},
		{"no history, one way", event.UDP, "", side{9, 3}, side{0, 0}, side{9, 3}, side{0, 0}, 0},
		{"nothing logged", event.TCP, "", none, none, none, none, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			orig, resp, unseen := volume(tt.proto, []byte(tt.history), tt.orig, tt.resp)
			got := []any{orig, resp, unseen}
			want := []any{tt.wantOrig, tt.wantResp, tt.unseen}
			if d := cmp.Diff(want, got, cmp.AllowUnexported(side{})); d != "" {
				t.Errorf("volume(%v, %q, %v, %v) (-want +got):\n%s", tt.proto, tt.history, tt.orig, tt.resp, d)
			}
		})
	}
}

// An unseen side is never 0, and what was counted is never lost.
func TestVolumeOfEveryShortHistory(t *testing.T) {
	letters := "SHADFRCGTW^shadfrcgtw"
	for _, a := range letters {
		for _, b := range letters {
			for _, p := range []event.Proto{event.TCP, event.UDP} {
				h := []byte(string(a) + string(b))
				for _, in := range []side{{0, 0}, {0, 2}, {70, 2}, {event.Unknown, 1}} {
					orig, resp, unseen := volume(p, h, in, in)
					checkSide(t, h, in, orig, unseen&originator != 0)
					checkSide(t, h, in, resp, unseen&responder != 0)
				}
			}
		}
	}
}

func checkSide(t *testing.T, history []byte, in, out side, unseen bool) {
	t.Helper()
	want := in
	if unseen {
		want = side{event.Unknown, event.Unknown}
	}
	if out != want || unseen && in.bytes > 0 {
		t.Errorf("history %q, %v became %v, unseen %v", history, in, out, unseen)
	}
}
