package coverage

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/postern/postern/internal/event"
)

func instant(t event.Time) *time.Time {
	if t == event.Never {
		return nil
	}
	s := t.Std()
	return &s
}

// The kinds of problems.
const (
	problemRecords = "records-missing"
	problemCleared = "log-cleared"
	problemStopped = "sensor-stopped"
	problemChanged = "configuration-changed"
	problemSilence = "connects-silent"
	problemNone    = "no-connects"
	problemStarts  = "no-process-starts"
)

// The bounds beyond which telemetry is not whole.
const (
	// lossShare is the share of a log's records that may lack.
	lossShare = 0.01

	// silentHours is how many hours in a row, each with sessions on the wire
	// and other events, may be without a connect. One alone may be chance.
	silentHours = 3
)

// document puts a host into the document's words.
func (h *hostRow) document(name string, t *telemetry) Host {
	d := Host{Name: name, OnWire: h.onWire > 0, Known: h.row.document(), Endpoint: StateNone, Logs: []Log{}, Problems: []Problem{}}
	if t == nil {
		return d
	}
	for _, src := range t.sources() {
		d.Logs = append(d.Logs, t.logs[src].document(src))
	}
	d.Problems = append(d.Problems, t.problems(d.Logs)...)
	if !t.reports() {
		return d
	}
	d.Silence = h.silence(t)
	if s := d.Silence; s != nil && t.connects() > 0 && s.Longest >= silentHours {
		d.Problems = append(d.Problems, Problem{problemSilence, fmt.Sprintf(
			"In %d of %d hours with sessions on the wire, and with other events, it logged no connect: for up to %d of them in a row.", s.Silent, s.Hours, s.Longest)})
	}
	d.Endpoint = state(t, d.Problems)
	return d
}

// state is that of a host with events. A changed configuration alone does not
// make it partial: it was changed on purpose, and the logs show what came of
// it.
func state(t *telemetry, problems []Problem) string {
	switch {
	case t.connects() == 0:
		return StateSilent
	case slices.ContainsFunc(problems, func(p Problem) bool { return p.Kind != problemChanged }):
		return StatePartial
	}
	return StatePresent
}

func (l *endpointLog) document(src event.Source) Log {
	d := Log{
		Source: src.String(), Starts: l.starts, Stops: l.stops, Connects: l.connects, Lookups: l.lookups,
		First: instant(l.first), Last: instant(l.last),
	}
	if l.numbers != nil {
		d.Records = l.records()
	}
	return d
}

// The rules by which holes between records count as lost.
const (
	minRecords    = 100 // fewer say nothing
	scarce        = 0.5 // a log of which more lacks was exported in part
	scarceOneKind = 0.1 // the same, where only the kinds of interest are there
)

// records says what lacks between a log's records. Windows numbers them without
// a gap. An export that was filtered has gaps as well: by the kind of events,
// which shows in that only kinds of interest are there, or so that most lacks.
func (l *endpointLog) records() *Records {
	h, ok := l.numbers.Holes()
	if !ok {
		return &Records{Why: "too many holes to count: the log was exported in part"}
	}
	r := &Records{
		First: h.First, Last: h.Last, Seen: h.Seen, Holes: h.Holes, Missing: h.Missing,
		Share: float64(h.Missing) / (float64(h.Seen) + float64(h.Missing)),
	}
	switch {
	case h.Seen < minRecords:
		r.Why = "too few records to tell"
	case r.Share > scarce:
		r.Why = "most records lack: the log was exported in part"
	case l.numbers.Unused == 0 && r.Share > scarceOneKind:
		r.Why = "only kinds of interest are there: the export left others out"
	case l.numbers.Unused == 0:
		r.Judged, r.Why = true, "nearly every number is there, so that no kind was left out"
	default:
		r.Judged, r.Why = true, "kinds that are of no use here are there as well, so that nothing was left out on purpose"
	}
	return r
}

// problems lists why the telemetry of a host is not whole.
func (t *telemetry) problems(logs []Log) []Problem {
	var all []Problem
	add := func(kind, format string, args ...any) {
		all = append(all, Problem{kind, fmt.Sprintf(format, args...)})
	}
	if t.reports() && t.connects() == 0 {
		add(problemNone, "It reports, and logs no outbound connects.")
	}
	if t.reports() && t.starts() == 0 {
		add(problemStarts, "It logs no starts of processes: lineage and command lines are unknown.")
	}
	for _, l := range logs {
		if r := l.Records; r != nil && r.Judged && r.Share >= lossShare {
			add(problemRecords, "Of the %s log %d records in %d holes are missing (%.1f %%).", l.Source, r.Missing, r.Holes, 100*r.Share)
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(t.noticed)) {
		t.told(kind, add)
	}
	return all
}

// told adds what notices of a kind tell.
func (t *telemetry) told(kind string, add func(kind, format string, args ...any)) {
	var times, texts []string
	for i := range t.notices {
		n := &t.notices[i]
		if n.Kind == kind && matters(n) {
			times = append(times, n.Time.Std().Format("2006-01-02 15:04"))
			texts = append(texts, cmp.Or(n.Text, "which one is not said"))
		}
	}
	if len(times) == 0 {
		return
	}
	slices.Sort(times)
	when := times[0]
	if n := len(times); n > 1 {
		when += fmt.Sprintf(" and %d times more, the last at %s", n-1, times[n-1])
	}
	slices.Sort(texts)
	switch kind {
	case "log-cleared":
		add(problemCleared, "A log was cleared at %s: %s.", when, strings.Join(slices.Compact(texts), ", "))
	case "service-state":
		add(problemStopped, "Sysmon was stopped at %s.", when)
	case "config-change":
		add(problemChanged, "Sysmon was configured anew at %s.", when)
	}
}

// matters reports whether a notice tells of something that is missing: not of a
// start, nor of a log that is not read here. One that does not name its log
// may be of any.
func matters(n *event.Notice) bool {
	text := strings.ToLower(n.Text)
	switch n.Kind {
	case "service-state":
		return strings.Contains(text, "stop")
	case "log-cleared":
		return text == "" || text == "security" || strings.Contains(text, "sysmon")
	}
	return true
}

// silence compares the hours of a host on the wire with those of its endpoint.
func (h *hostRow) silence(t *telemetry) *Silence {
	s := &Silence{}
	run := 0
	var from event.Time
	for at := range h.hours.all() {
		anything, connect := t.during(at + hour/2) // clocks are off by less, or known
		if !anything {
			continue // off, or its log does not reach as far
		}
		s.Hours++
		if connect {
			run = 0
			continue
		}
		s.Silent++
		if run++; run == 1 {
			from = at
		}
		if run > s.Longest {
			s.Longest, s.From, s.To = run, instant(from), instant(at+hour)
		}
	}
	if s.Hours == 0 {
		return nil
	}
	return s
}
