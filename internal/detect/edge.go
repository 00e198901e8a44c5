// Package detect measures what can be seen of an edge: how much left, how
// regularly, over which hours. It says nothing about what is normal.
package detect

import (
	"cmp"
	"slices"
	"time"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/stats"
)

// An Edge is what one host's program did towards one registered domain.
type Edge struct {
	// Host is the host's name, or the client's address when no host is
	// known to have used it.
	Host    string
	Program string   // "" when unknown
	Domain  string   // [Several] where Members says which
	Members []string // registered domains of the edges that [Merge] took together, ordered; nil of one edge
	Image   string   // as the best-known session writes it
	Name    string   // a name of the destination: of the session that sent the most

	// OriginalName is the program's file name by its version resource, ""
	// when no process start said so.
	OriginalName string

	Sessions     int64
	UnknownBytes int64 // sessions whose outbound bytes are unknown
	BytesOut     int64 // of the others
	BytesIn      int64

	First, Last event.Time
	Newest      event.Time    // when the last of the members began; Never of one edge
	Hours       int           // distinct hours (UTC) that a session overlaps
	OffHours    int           // those of them outside the time window
	Days        int           // distinct days (UTC) that a session overlaps
	Longest     time.Duration // of one session, as far as known
	Connected   time.Duration // of all sessions together, as far as known

	// Daily is what each active day had, by date.
	Daily []Day

	// Burst is the most that is known to have left within the window of the
	// data transfer threshold.
	Burst Burst

	// Starts are the first of the sessions' starts, by time.
	Starts []event.Time

	// Timing is the timing test of the most regular process instance, or of
	// all of them together: several instances that beacon at once look
	// irregular together.
	Timing stats.Result

	Rung       event.Rung        // the best
	Evidence   event.TLSEvidence // the best
	Named      bool              // any session's destination has a name
	OddPort    uint16            // a port unusual for web services that a sensor saw TLS on; 0 for none
	SelfSigned bool              // a certificate that issued itself
}

// A Day is what an edge had on one day (UTC).
type Day struct {
	Date     int32 // days since the Unix epoch
	Sessions int32 // that began
	Unknown  int32 // those of them whose outbound bytes are unknown
	BytesOut int64 // of the others
	BytesIn  int64
	Hours    uint32 // bit h is set when a session overlaps the hour h
}

// A Burst is what left within a short time.
type Burst struct {
	BytesOut int64
	From, To event.Time // starts of its first and last session
}

// A Config holds what may be set about the measuring.
type Config struct {
	// Transfer is the window of the data transfer threshold.
	Transfer time.Duration

	// Within reports whether an instant lies in the time window, in which
	// activity is expected. Nil is always.
	Within func(time.Time) bool
}

// Defaults returns a window of five minutes, and Monday to Friday from 7 to 19
// o'clock UTC.
func Defaults() Config {
	return Config{Transfer: 5 * time.Minute, Within: func(t time.Time) bool {
		d := t.Weekday()
		return d != time.Saturday && d != time.Sunday && t.Hour() >= 7 && t.Hour() < 19
	}}
}

// webPorts are the ports where TLS to a web service is usual.
var webPorts = map[uint16]bool{443: true, 8443: true, 9443: true, 4443: true}

// maxTimes bounds the instants that the timing test looks at. It needs no more
// to be sure, and a flood must not cost memory.
const maxTimes = 20_000

type key struct{ host, program, domain string }

// maxStarts bounds how many starts an edge keeps for the series that it may be a
// part of.
const maxStarts = 128

// Measure groups sessions into edges and measures them. All sessions of a host
// must be in one call. The edges are ordered by host, program and domain.
func Measure(sessions []event.Session, c Config) []Edge {
	groups := make(map[key][]int)
	for i := range sessions {
		s := &sessions[i]
		k := key{s.Whose(), s.Program, s.Domain}
		groups[k] = append(groups[k], i)
	}
	edges := make([]Edge, 0, len(groups))
	for k, members := range groups {
		edges = append(edges, measure(k, sessions, members, c))
	}
	slices.SortFunc(edges, func(a, b Edge) int {
		return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.Program, b.Program), cmp.Compare(a.Domain, b.Domain))
	})
	return edges
}

func measure(k key, sessions []event.Session, members []int, c Config) Edge {
	// Where two sessions are as good, the first decides: in order of time, so
	// that the order of the sessions changes nothing.
	slices.SortFunc(members, func(a, b int) int {
		s, t := &sessions[a], &sessions[b]
		return cmp.Or(cmp.Compare(s.Start, t.Start), cmp.Compare(s.Key, t.Key))
	})
	e := Edge{
		Host: k.host, Program: k.program, Domain: k.domain,
		Rung: event.RungNone, Evidence: event.TLSPort,
		First: sessions[members[0]].Start,
	}
	most := event.Unknown - 1
	var days calendar
	for _, i := range members {
		s := &sessions[i]
		e.add(s)
		if s.BytesOut > most {
			e.Name, most = s.Name, s.BytesOut
		}
		days.add(s)
	}
	e.Daily = days.list()
	e.count(c)
	e.Burst = burst(sessions, members, c.Transfer)
	for _, i := range members[:min(len(members), maxStarts)] {
		e.Starts = append(e.Starts, sessions[i].Start)
	}
	e.Timing = timing(sessions, members)
	return e
}

func (e *Edge) add(s *event.Session) {
	e.Sessions++
	e.First, e.Last = min(e.First, s.Start), max(e.Last, s.Start)
	e.BytesOut, e.BytesIn = s.BytesOut.AddTo(e.BytesOut), s.BytesIn.AddTo(e.BytesIn)
	if !s.BytesOut.Known() {
		e.UnknownBytes++
	}
	e.Longest = max(e.Longest, lasted(s))
	e.Connected = min(e.Connected+lasted(s), maxConnected)
	if s.Rung < e.Rung || e.Image == "" {
		e.Rung, e.Image = min(e.Rung, s.Rung), cmp.Or(s.Image, e.Image)
	}
	e.OriginalName = cmp.Or(e.OriginalName, s.OriginalName)
	e.Evidence = min(e.Evidence, s.Evidence)
	e.Named = e.Named || s.NameSource != event.NameAddress
	if p := s.Dst.Port(); s.NameSource != event.NameConnect && s.Evidence <= event.TLSServer && !webPorts[p] {
		e.OddPort = max(e.OddPort, p)
	}
	e.SelfSigned = e.SelfSigned || s.Issuer != "" && s.Issuer == s.Subject
}

// An instance tells process instances on one host apart.
type instance struct {
	guid string
	pid  uint32
}

// timing tests the starts of each process instance and of all together, and
// returns the most regular result.
func timing(sessions []event.Session, members []int) stats.Result {
	var all []int64
	by := make(map[instance][]int64)
	for _, i := range members[:min(len(members), maxTimes)] {
		s := &sessions[i]
		all = append(all, int64(s.Start))
		if s.Rung.Owned() {
			k := instance{s.GUID, s.PID}
			by[k] = append(by[k], int64(s.Start))
		}
	}
	best := stats.Regularity(all)
	if len(by) < 2 {
		return best
	}
	tests := float64(len(by) + 1)
	for _, times := range by {
		r := stats.Regularity(times)
		// Looking at several series and keeping the best is several tests.
		r.P = min(1, r.P*tests)
		if r.P < best.P || r.P == best.P && r.N > best.N {
			best = r
		}
	}
	return best
}
