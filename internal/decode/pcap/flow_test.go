package pcap

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/postern/postern/internal/event"
)

// script makes a connection of words: a side (c, s), flags (S, A, F, R), and
// how many bytes it sends. "c+100" leaves out the frame but moves on.
func script(words string) []shot {
	k := newTalk(client, server, 0)
	for word := range strings.FieldsSeq(words) {
		from := fromClient
		if word[0] == 's' {
			from = fromServer
		}
		var flags byte
		var n int
		letters := strings.TrimRight(word[1:], "0123456789")
		fmt.Sscanf(word[1+len(letters):], "%d", &n)
		for i, flag := range map[rune]byte{'S': flagSYN, 'A': flagACK, 'F': flagFIN, 'R': flagRST} {
			if strings.ContainsRune(letters, i) {
				flags |= flag
			}
		}
		k.send(from, flags, make([]byte, n))
		if strings.Contains(letters, "+") {
			k.shots = k.shots[:len(k.shots)-1]
		}
	}
	return k.shots
}

// A course is how a flow went.
type course struct {
	State, History                     string
	Out, In                            event.Count
	PacketsOut, PacketsIn              event.Count
	Turned, OpenAtTheEndOfTheRecording bool
}

// TestCourses holds states and histories against what Zeek writes for the
// same packets.
func TestCourses(t *testing.T) {
	tests := []struct {
		name, script string
		want         course
	}{
		{"normal", "cS sSA cA cA100 sA200 cFA sFA cA", course{"SF", "ShADdFf", 100, 200, 5, 3, false, false}},
		{"established", "cS sSA cA cA100 sA sA200 cA", course{"S1", "ShADad", 100, 200, 4, 3, false, true}},
		{"refused", "cS sRA", course{"REJ", "Sr", 0, 0, 1, 1, false, false}},
		{"unanswered", "cS", course{"S0", "S", 0, 0, 1, 0, false, true}},
		{"given up", "cS cRA", course{"RSTOS0", "SR", 0, 0, 2, 0, false, false}},
		{"reset by the client", "cS sSA cA cA10 cRA", course{"RSTO", "ShADR", 10, 0, 4, 1, false, false}},
		{"reset by the server", "cS sSA cA cA10 sRA", course{"RSTR", "ShADr", 10, 0, 3, 2, false, false}},
		{"only the client closes", "cS sSA cA cFA sA", course{"S2", "ShAFa", 0, 0, 3, 2, false, true}},
		{"only the server closes", "cS sSA cA sFA cA", course{"S3", "ShAf", 0, 0, 3, 2, false, true}},
		{"SYN and FIN", "cS cFA", course{"SH", "SF", 0, -1, 2, -1, false, true}},
		{"reset behind the FINs", "cS sSA cA cFA sFA cRA", course{"SF", "ShAFfR", 0, 0, 4, 2, false, false}},
		{"in the middle", "cA100 sA50 cA", course{"OTH", "DdA", 100, 50, 2, 1, false, true}},
		{"in the middle, to its end", "cA100 sA50 cFA sFA cA", course{"OTH", "DdFfA", 100, 50, 3, 2, false, false}},
		{"in the middle, the server first", "sA50 cA100", course{"OTH", "^dD", 100, 50, 1, 1, true, true}},
		{"without the SYN", "sSA cA cA10 sA20 cFA sFA", course{"SF", "^hADdFf", 10, 20, 3, 3, true, false}},
		{"only the client seen", "c+S s+SA cA cA100 s+A50 cA", course{"OTH", "AD", 100, 50, 3, -1, false, true}},
		{"only the server seen", "c+S sSA c+A c+A100 sA50 c+A", course{"OTH", "^hd", 100, 50, -1, 2, true, true}},
		{"lost and acknowledged", "cS sSA cA c+A1000 cA100 sA", course{"S1", "ShADa", 1100, 0, 3, 2, false, true}},
		{"lost and not acknowledged", "cS sSA cA c+A1000 cA100", course{"S1", "ShAD", 100, 0, 3, 1, false, true}},
		{"data in the SYN", "cS20 sSA cA cA30", course{"S1", "SDhA", 50, 0, 3, 1, false, true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, _ := decodeShots(t, script(tt.script)...)
			f := only(t, b.Flows)
			got := course{f.State, f.History, f.BytesOut, f.BytesIn, f.PacketsOut, f.PacketsIn, strings.HasPrefix(f.History, "^"), f.Open}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if f.Src != client || f.Dst != server {
				t.Errorf("%v -> %v", f.Src, f.Dst)
			}
		})
	}
}

// Bytes are counted once, in whatever order and however often they come, and
// where the sequence numbers wrap around.
func TestEachByteOnce(t *testing.T) {
	k := newTalk(client, server, 0).open()
	k.mss = 100
	k.say(fromClient, make([]byte, 1000))
	head, data := k.shots[:3], k.shots[3:]
	want := course{"S1", "", 1000, 0, 0, 1, false, true}
	again := slices.Clone(data)
	for i := range again {
		again[i].at += time.Second
	}
	reversed := slices.Clone(data)
	slices.Reverse(reversed)
	// One segment that reaches from the middle of one to the middle of
	// another, as after a change of the path's MTU.
	across := shot{at: time.Second, data: tcpFrame(client, server, k.seq[0]-950, 0, flagACK, make([]byte, 500))}
	for name, shots := range map[string][]shot{
		"in order":              data,
		"all again":             slices.Concat(data, again),
		"backwards":             reversed,
		"backwards, then again": slices.Concat(reversed, again),
		"odd ones first":        slices.Concat(every(data, 0), every(data, 1)),
		"overlapping":           slices.Concat(data[:2], []shot{across}, data[5:], data[:5]),
		"overlapping, backward": slices.Concat(reversed[:5], []shot{across}, reversed),
	} {
		t.Run(name, func(t *testing.T) {
			b, _ := decodeShots(t, slices.Concat(head, shots)...)
			f := only(t, b.Flows)
			got := course{State: f.State, Out: f.BytesOut, In: f.BytesIn, PacketsIn: f.PacketsIn, OpenAtTheEndOfTheRecording: f.Open}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if int(f.PacketsOut) != 2+len(shots) {
				t.Errorf("%d packets, want %d", f.PacketsOut, 2+len(shots))
			}
		})
	}
}

// every returns every second element from there on.
func every(shots []shot, from int) (some []shot) {
	for i := from; i < len(shots); i += 2 {
		some = append(some, shots[i])
	}
	return some
}

// A volume counts what a set of bytes would.
func TestVolumeAsSet(t *testing.T) {
	for round := range 300 {
		rnd := random(round)
		var v volume
		base := rnd.Uint32()
		v.start(base)
		seen := make(map[int]bool)
		for range 40 {
			at, n := rnd.IntN(2000), 1+rnd.IntN(200)
			fresh := false
			for i := at; i < at+n; i++ {
				fresh = fresh || !seen[i]
				seen[i] = true
			}
			if got := v.sent(base+uint32(at), n); got != fresh {
				t.Fatalf("round %d: new is %v, want %v", round, got, fresh)
			}
		}
		if v.bytes != int64(len(seen)) {
			t.Fatalf("round %d: %d bytes, want %d", round, v.bytes, len(seen))
		}
	}
}

func TestPortsUsedAgain(t *testing.T) {
	first := newTalk(client, server, 0).open().say(fromClient, make([]byte, 10)).close()
	second := newTalk(client, server, time.Second)
	second.seq = [2]uint32{500, 900}
	second.open().say(fromClient, make([]byte, 20)).close()
	// A host that was restarted: the old connection never ended.
	third := newTalk(client, server, 2*time.Second).open()
	fourth := newTalk(client, server, 3*time.Second)
	fourth.seq = [2]uint32{77, 99}
	fourth.open()
	b, _ := decodeShots(t, slices.Concat(first.shots, second.shots, third.shots, fourth.shots)...)
	var got []event.Count
	uids := make(map[string]bool)
	for _, f := range b.Flows {
		got = append(got, f.BytesOut)
		uids[f.UID] = true
	}
	if diff := cmp.Diff([]event.Count{10, 20, 0, 0}, got); diff != "" || len(uids) != 4 {
		t.Errorf("bytes (-want +got):\n%s%d UIDs", diff, len(uids))
	}
	// A SYN that is sent again is no second connection.
	twice := newTalk(client, server, 0).send(fromClient, flagSYN, nil)
	twice.seq[0]--
	b, _ = decodeShots(t, twice.send(fromClient, flagSYN, nil).shots...)
	if f := only(t, b.Flows); f.PacketsOut != 2 || f.State != "S0" {
		t.Errorf("flow %+v", f)
	}
	// Nor is one that is sent again because it was refused, as Windows does.
	refused := newTalk(client, server, 0).send(fromClient, flagSYN, nil).send(fromServer, flagRST|flagACK, nil)
	refused.seq[0]--
	b, _ = decodeShots(t, refused.send(fromClient, flagSYN, nil).send(fromServer, flagRST|flagACK, nil).shots...)
	if f := only(t, b.Flows); f.PacketsOut != 2 || f.State != "REJ" {
		t.Errorf("flow %+v", f)
	}
}

func TestIdle(t *testing.T) {
	udp := func(at time.Duration) shot { return shot{at: at, data: udpFrame(client, server, []byte("x"))} }
	tcp := func(at time.Duration) shot {
		return shot{at: at, data: tcpFrame(client, server, uint32(at), 1, flagACK, []byte("x"))}
	}
	const s, m, h = time.Second, time.Minute, time.Hour
	tests := []struct {
		name  string
		shots []shot
		open  []bool
	}{
		{"UDP within a minute", []shot{udp(0), udp(60 * s)}, []bool{true}},
		{"UDP over a minute", []shot{udp(0), udp(61 * s)}, []bool{false, true}},
		{"TCP within an hour", []shot{tcp(0), tcp(h)}, []bool{true}},
		{"TCP over an hour", []shot{tcp(0), tcp(h + s)}, []bool{false, true}},
		{"UDP, idle at the end", []shot{udp(0), tcp(2 * m)}, []bool{false, true}},
		{"times a little backward", []shot{udp(59 * s), udp(0), udp(30 * s)}, []bool{true}},
		{"times far backward", []shot{udp(h), udp(0)}, []bool{true, true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, _ := decodeShots(t, tt.shots...)
			var open []bool
			for _, f := range b.Flows {
				open = append(open, f.Open)
				if f.Duration < 0 {
					t.Errorf("duration %d", f.Duration)
				}
			}
			if diff := cmp.Diff(tt.open, open); diff != "" {
				t.Errorf("open (-want +got):\n%s", diff)
			}
		})
	}
}

// Decoding again gives the same, and the UID joins what is of one flow.
func TestUID(t *testing.T) {
	k := newTalk(client, proxy, 0).open()
	k.say(fromClient, []byte("CONNECT a.example:443 HTTP/1.1\r\n\r\n")).say(fromServer, []byte("HTTP/1.1 200 OK\r\n\r\n"))
	shots := slices.Concat(k.shots, two())
	first, _ := decodeShots(t, shots...)
	again, _ := decodeShots(t, shots...)
	if diff := cmp.Diff(first, again, cmpopts.EquateComparable(client)); diff != "" {
		t.Errorf("decoded again (-first +second):\n%s", diff)
	}
	if first.Flows[0].UID == first.Flows[1].UID || only(t, first.Requests).UID != first.Flows[0].UID {
		t.Errorf("UIDs of flows %s and %s, of the request %s", first.Flows[0].UID, first.Flows[1].UID, first.Requests[0].UID)
	}
	// The times' resolution makes no difference.
	nano, _, _ := decodeWith(t, classicAs(orders[1], magicNano, linkEthernet, shots...), defaultLimits)
	if diff := cmp.Diff(first, nano, cmpopts.EquateComparable(client)); diff != "" {
		t.Errorf("in nanoseconds (-want +got):\n%s", diff)
	}
}
