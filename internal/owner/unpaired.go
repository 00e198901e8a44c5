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
		if o := j.taken[i]; o == NoWire || o == MissedFlow {
			if evidence, ok := j.tlsOfConnect(k); ok {
				sessions = append(sessions, j.endpointSession(i, evidence))
				own = &sessions[len(sessions)-1]
			}
		}
		j.ledger.connect(k, j.times[i], j.taken[i], own)
	}
	return sessions
}

// unjoined returns what a connect without a flow is.
func (j *join) unjoined(i int) Outcome {
	k := &j.Events.Connects[i]
	switch watched := j.wire.of(k.Src.Addr()); {
	case !k.Outbound:
		return Accepted
	case j.Networks.Internal(k.Dst.Addr()):
		return HostOnly
	case !watched.has(j.times[i]):
		return NoWire
	case k.Source == event.Security:
		return Attempt // 5156 says permitted, not established
	}
	return MissedFlow
}

// secondWords finds, among the connects of one tuple and host that no flow
// took, those that repeat another: the other source's word on the same
// connect, or one source's words on one UDP exchange. Sysmon's word is kept
// before Security's, as it says that the connect succeeded.
func (j *join) secondWords() {
	for n := range j.tuples.n {
		connects := j.tuples.connects.of(n)
		if len(connects) < 2 {
			continue
		}
		heads := make(map[clockKey]int32) // the connect that a source's next words repeat
		for _, c := range connects {
			if j.taken[c] == undecided && j.Events.Connects[c].Outbound {
				j.secondWord(heads, c)
			}
		}
	}
}

func (j *join) secondWord(heads map[clockKey]int32, c int32) {
	k := &j.Events.Connects[c]
	key := clockKey{k.Host, k.Source}
	at := j.times[c]
	if h, ok := heads[key]; ok && (k.Proto == event.UDP || k.Source == event.Security) &&
		at.Sub(j.times[h]) <= repeatWithin {
		j.taken[c] = Repeated
		return
	}
	heads[key] = c
	other := clockKey{k.Host, event.Sysmon}
	if k.Source == event.Sysmon {
		other.source = event.Security
	}
	h, ok := heads[other]
	if !ok || j.taken[h] != undecided || at.Sub(j.times[h]).Abs() > j.Config.Window {
		return
	}
	if k.Source == event.Sysmon {
		j.taken[h] = SecondWord
	} else {
		j.taken[c] = SecondWord
	}
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
	j.process(&s, k)
	j.nameFar(&s, nil, k.DstName)
	return s
}
