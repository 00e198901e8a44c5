package ownertest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/postern/postern/internal/event"
)

const (
	maxExamples = 3 // of a row
	maxLines    = 8 // of one kind of evidence
)

// example notes a wrong owner, with the evidence there was.
func (j *judge) example(row *Row, s *event.Session, f *Flow) {
	if len(row.Examples) >= maxExamples {
		return
	}
	p := f.Process
	lines := []string{
		fmt.Sprintf("%v names %s pid %d %s", s.Rung, s.Host, s.PID, s.Image),
		fmt.Sprintf("it was   %s pid %d %s, %s to %s", p.Host, p.PID, p.Image, clockTime(p.Start), clockTime(p.End)),
		fmt.Sprintf("flow     %s at %s, %v to %v %s", f.UID, clockTime(s.Start), s.Client, s.Dst, s.Name),
	}
	lines = append(lines, j.connectsNear(s, f)...)
	lines = append(lines, j.lookupsNear(s, f)...)
	row.Examples = append(row.Examples, strings.Join(lines, "\n  "))
}

// connectsNear describes the connects of f, and the others that have its tuple
// at about its time on their clocks.
func (j *judge) connectsNear(s *event.Session, f *Flow) []string {
	var lines []string
	e := &j.group.Events
	wire := slices.IndexFunc(e.Flows, func(w event.Flow) bool { return f.UID != "" && w.UID == f.UID })
	for i := range e.Connects {
		k := &e.Connects[i]
		r := j.group.Truth.Connects[k.Key()]
		near := wire >= 0 && e.Flows[wire].Src == k.Src && e.Flows[wire].Dst == k.Dst && r.Wire.Sub(s.Start).Abs() < 10*time.Minute
		if (near || f.UID != "" && r.UID == f.UID) && len(lines) < maxLines {
			lines = append(lines, fmt.Sprintf("connect  of %q at %s (true %s), %v of %s pid %d %s, %v to %v",
				r.UID, clockTime(k.Time), clockTime(r.Wire), k.Source, k.Host, k.PID, k.Image, k.Src, k.Dst))
		}
	}
	return lines
}

// lookupsNear describes who asked for the session's name.
func (j *judge) lookupsNear(s *event.Session, f *Flow) []string {
	var lines []string
	for i := range j.group.Events.Lookups {
		l := &j.group.Events.Lookups[i]
		near := l.Time.Sub(s.Start).Abs() < 10*time.Minute && (l.Host == s.Host || l.Host == f.Process.Host)
		if l.Host != "" && l.Name == s.Name && near && len(lines) < maxLines {
			lines = append(lines, fmt.Sprintf("lookup   at %s, of %s pid %d %s", clockTime(l.Time), l.Host, l.PID, l.Image))
		}
	}
	return lines
}

func clockTime(t event.Time) string { return t.Std().Format("02 15:04:05.000") }
