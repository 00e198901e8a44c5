package owner

import (
	"time"

	"github.com/postern/postern/internal/event"
)

// repeatWithin is how near a source's next word on the same UDP tuple must be
// to belong to the same exchange.
const repeatWithin = 2 * time.Minute

// unpaired puts every connect into the ledger and returns the sessions of
// those that are outbound TLS connections without a flow: the process is
// known, the bytes are not.
func (j *join) unpaired() []event.Session {
	var sessions []event.Session
	j.secondWords()
	for i := range j.Events.Connects {
		k := &j.Events.Connects[i]
		if j.taken[i] == undecided {
			j.taken[i] = j.unjoined(i)
		}
		var own *event.Session
		if o := j.taken[i]; o == NoWire || o == OutsideHours || o == MissedFlow {
			if evidence, ok := j.tlsOfConnect(k); ok {
				sessions = append(sessions, j.endpointSession(i, evidence))
				own = &sessions[len(sessions)-1]
			}
		}
		if o := j.taken[i]; own != nil && o != MissedFlow && j.Loose {
			j.loose.inside(k, own, o, j.clocks.known(k.Host))
		}
		j.ledger.connect(k, j.times[i], j.taken[i], own)
	}
	return sessions
}

// unjoined returns what a connect without a flow is.
func (j *join) unjoined(i int) Outcome {
	k := &j.Events.Connects[i]
	switch watched := j.wire.of(k.Src.Addr()).has(j.times[i]) && !j.sites.elsewhere(k.Host, k.Src.Addr()); {
	case !k.Outbound:
		return Accepted
	case j.proxies[k.Dst]:
		return Proxied
	case j.Networks.Internal(k.Dst.Addr()):
		return HostOnly
	case k.Volume.Counted && k.Volume.BytesOut == 0 && k.Volume.BytesIn == 0:
		return Attempt // the endpoint itself says that nothing was carried
	case !watched && !j.Captured(j.times[i]):
		return OutsideHours
	case !watched:
		return NoWire
	case k.Source == event.Security, k.Attempt:
		return Attempt // 5156 says permitted, not established
	}
	return MissedFlow
}

// A head is the connect that the next words of one voice on one host repeat.
type head struct {
	host  string
	voice voice
}

// secondWords finds, among the connects of one tuple and host that no flow
// took, those that repeat another: another source's word on the same connect,
// or one source's words on one UDP exchange. Of several sources' words the one
// that says most is kept: that counts the bytes, else that the connect
// succeeded, as Sysmon's does.
func (j *join) secondWords() {
	for n := range j.tuples.n {
		connects := j.tuples.connects.of(n)
		if len(connects) < 2 {
			continue
		}
		heads := make(map[head]int32)
		for _, c := range connects {
			if j.taken[c] == undecided && j.Events.Connects[c].Outbound {
				j.secondWord(heads, c)
			}
		}
	}
}

func (j *join) secondWord(heads map[head]int32, c int32) {
	k := &j.Events.Connects[c]
	own := head{k.Host, voiceOf(k)}
	at := j.times[c]
	if h, ok := heads[own]; ok && (k.Proto == event.UDP || own.voice == kernel) && at.Sub(j.times[h]) <= repeatWithin {
		j.taken[c] = Repeated
		return
	} else if ok && j.sameConnect(h, c) {
		if !j.saysMore(c, h) {
			j.taken[c] = SecondWord
			return
		}
		j.taken[h] = SecondWord
	}
	heads[own] = c
	for _, v := range [...]voice{kernel, resolved, counting} { // the one that says least first
		h, ok := heads[head{k.Host, v}]
		apart := oneConnect
		if v == counting || own.voice == counting {
			apart = j.Config.Window // it may be written when the connection ends
		}
		if !ok || h == c || j.taken[h] != undecided || at.Sub(j.times[h]).Abs() > apart {
			continue
		}
		if v == counting || v == resolved && own.voice == kernel {
			j.second(h, c)
			return
		}
		j.second(c, h)
	}
}

// sameConnect reports whether two connects of one voice, host and tuple are the
// words of two sources on one: a port is not used again so soon. One agent does
// not say a thing twice, so what it says twice are two connects.
func (j *join) sameConnect(h, c int32) bool {
	k, l := &j.Events.Connects[h], &j.Events.Connects[c]
	return k.Source != l.Source && j.taken[h] == undecided && j.times[c].Sub(j.times[h]).Abs() <= oneConnect
}

// saysMore reports whether connect c tells more than connect h of the same
// voice: which program it was, else that it succeeded.
func (j *join) saysMore(c, h int32) bool {
	k, l := &j.Events.Connects[c], &j.Events.Connects[h]
	if (k.Image == "") != (l.Image == "") {
		return k.Image != ""
	}
	return l.Attempt && !k.Attempt
}

// second makes c the second word on the connect that k keeps.
func (j *join) second(k, c int32) {
	j.taken[c] = SecondWord
	if j.seconds == nil {
		j.seconds = make(map[int32]int32)
	}
	j.seconds[k] = c
}

// witnesses returns what was said of connect i, of which no flow is known.
func (j *join) witnesses(i int) (o owners) {
	k := &j.Events.Connects[i]
	o.said[voiceOf(k)] = k
	if n, ok := j.seconds[int32(i)]; ok {
		c := &j.Events.Connects[n]
		o.said[voiceOf(c)] = c
	}
	return o
}

func (j *join) endpointSession(i int, evidence event.TLSEvidence) event.Session {
	k := &j.Events.Connects[i]
	s := event.Session{
		Key: k.Key(), Host: k.Host, Client: k.Src.Addr(),
		Rung: event.RungEndpoint, Evidence: evidence,
		Dst: k.Dst, Proto: k.Proto,
		Start:    j.times[i],
		Duration: event.Unknown, BytesOut: event.Unknown, BytesIn: event.Unknown,
	}
	if k.Volume.Counted {
		count(&s, k)
	}
	o := j.witnesses(i)
	believed := j.choose(o)
	s.OtherImage = j.contradiction(o, believed)
	j.process(&s, believed)
	j.nameFar(&s, nil, k.DstName)
	return s
}
