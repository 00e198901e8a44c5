// Package process knows which processes lived on one host, when, and whose
// children they were.
package process

import (
	"cmp"
	"slices"
	"time"

	"github.com/postern/postern/internal/event"
)

// slack allows for sensors on one host that stamp the same moment apart: a
// process's first connect may be stamped before its start.
const slack = 2 * time.Second

// sameStart is how far apart two sensors may stamp one process start.
const sameStart = 5 * time.Second

// maxDepth bounds a lineage. Real ones end within a dozen.
const maxDepth = 64

// An Instance is one process on one host, from its start to its end.
type Instance struct {
	event.ProcessStart

	// End is when the process ended, or event.Never when the log does not say.
	End event.Time
}

// alive reports whether the process may have been running at t.
func (i *Instance) alive(t event.Time) bool {
	return i.Time <= t.Add(slack) && (i.End == event.Never || i.End >= t.Add(-slack))
}

// A Table holds the processes of one host. It is safe for concurrent use once
// made.
type Table struct {
	byGUID map[string]*Instance
	byPID  map[uint32][]*Instance // by start
}

// NewTable makes the table of one host from its process events, which may be
// in any order and come from several sources: the start of one process that
// Sysmon and the Security log both report becomes one instance.
func NewTable(starts []event.ProcessStart, stops []event.ProcessStop) *Table {
	t := &Table{byGUID: make(map[string]*Instance), byPID: make(map[uint32][]*Instance)}
	ordered := slices.Clone(starts)
	slices.SortFunc(ordered, func(a, b event.ProcessStart) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Key(), b.Key()))
	})
	for i := range ordered {
		t.start(&ordered[i])
	}
	for i := range stops {
		t.stop(&stops[i])
	}
	for _, list := range t.byPID {
		endByReuse(list)
	}
	return t
}

func (t *Table) start(s *event.ProcessStart) {
	if twin := t.twin(s); twin != nil {
		merge(&twin.ProcessStart, s)
		if twin.GUID != "" {
			t.byGUID[twin.GUID] = twin
		}
		return
	}
	i := &Instance{ProcessStart: *s}
	if s.GUID != "" {
		t.byGUID[s.GUID] = i
	}
	t.byPID[s.PID] = append(t.byPID[s.PID], i)
}

// twin returns the instance that another report of the same start made.
func (t *Table) twin(s *event.ProcessStart) *Instance {
	if s.GUID != "" {
		if i := t.byGUID[s.GUID]; i != nil {
			return i
		}
	}
	if s.PID == 0 {
		return nil
	}
	for _, i := range slices.Backward(t.byPID[s.PID]) {
		if s.Time.Sub(i.Time) > sameStart {
			return nil
		}
		if i.Source != s.Source && (i.GUID == "" || s.GUID == "") {
			return i
		}
	}
	return nil
}

// merge fills what dst does not know from src.
func merge(dst, src *event.ProcessStart) {
	dst.GUID = cmp.Or(dst.GUID, src.GUID)
	dst.ParentPID = cmp.Or(dst.ParentPID, src.ParentPID)
	dst.ParentGUID = cmp.Or(dst.ParentGUID, src.ParentGUID)
	dst.ParentImage = cmp.Or(dst.ParentImage, src.ParentImage)
	dst.ParentCommandLine = cmp.Or(dst.ParentCommandLine, src.ParentCommandLine)
	dst.Image = cmp.Or(dst.Image, src.Image)
	dst.CommandLine = cmp.Or(dst.CommandLine, src.CommandLine)
	dst.User = cmp.Or(dst.User, src.User)
	dst.OriginalName = cmp.Or(dst.OriginalName, src.OriginalName)
	dst.Product = cmp.Or(dst.Product, src.Product)
	dst.Company = cmp.Or(dst.Company, src.Company)
	dst.Hashes = cmp.Or(dst.Hashes, src.Hashes)
}

func (t *Table) stop(s *event.ProcessStop) {
	i := t.byGUID[s.GUID]
	if s.GUID == "" || i == nil {
		i = t.ByPID(s.PID, s.Time)
		if i != nil && s.GUID != "" && i.GUID != "" {
			return // the end of another process that had this PID
		}
	}
	if i != nil && (i.End == event.Never || s.Time < i.End) {
		i.End = s.Time
	}
}

// endByReuse ends each instance of one PID, at the latest, when the next one
// starts.
func endByReuse(list []*Instance) {
	for n := 1; n < len(list); n++ {
		if prev := list[n-1]; prev.End == event.Never || prev.End > list[n].Time {
			prev.End = list[n].Time
		}
	}
}

// ByGUID returns the process with that GUID, or nil.
func (t *Table) ByGUID(guid string) *Instance {
	if guid == "" {
		return nil
	}
	return t.byGUID[guid]
}

// ByPID returns the process that had the PID at the instant, or nil when the
// log does not show one: it may be older than the log.
func (t *Table) ByPID(pid uint32, at event.Time) *Instance {
	if pid == 0 {
		return nil
	}
	list := t.byPID[pid]
	// The latest start at or before the instant, allowing for the slack.
	n, _ := slices.BinarySearchFunc(list, at.Add(slack)+1, func(i *Instance, u event.Time) int {
		return cmp.Compare(i.Time, u)
	})
	for _, i := range slices.Backward(list[:n]) {
		if i.alive(at) {
			return i
		}
	}
	return nil
}

// Find returns the process of an event that names it by GUID, or else by PID
// and instant. A GUID that the table lacks is not searched by PID unless the
// sensor that gave the PID's process knows no GUIDs: that would be a guess.
func (t *Table) Find(guid string, pid uint32, at event.Time) *Instance {
	if i := t.ByGUID(guid); i != nil {
		return i
	}
	i := t.ByPID(pid, at)
	if guid != "" && i != nil && i.GUID != "" {
		return nil
	}
	return i
}

// An Ancestor is a process in the lineage of another. Known ancestors have an
// instance of their own; of the others only what their child's start said is
// known.
type Ancestor struct {
	PID         uint32
	GUID        string
	Image       string
	CommandLine string
	User        string
	Start       event.Time // event.Never when unknown
}

// Lineage returns the ancestors of i, the parent first, up to the root of what
// the log knows.
func (t *Table) Lineage(i *Instance) []Ancestor {
	var line []Ancestor
	seen := map[*Instance]bool{i: true}
	for len(line) < maxDepth {
		p := t.parent(i)
		if p == nil || seen[p] {
			if i.ParentImage != "" || i.ParentPID != 0 {
				line = append(line, Ancestor{
					PID: i.ParentPID, GUID: i.ParentGUID,
					Image: i.ParentImage, CommandLine: i.ParentCommandLine,
				})
			}
			return line
		}
		line = append(line, Ancestor{
			PID: p.PID, GUID: p.GUID, User: p.User, Start: p.Time,
			Image: p.Image, CommandLine: p.CommandLine,
		})
		seen[p] = true
		i = p
	}
	return line
}

// parent returns the instance of i's parent, or nil.
func (t *Table) parent(i *Instance) *Instance {
	if p := t.ByGUID(i.ParentGUID); p != nil {
		return p
	}
	p := t.ByPID(i.ParentPID, i.Time)
	if p == nil || p == i || p.Time > i.Time {
		return nil
	}
	if i.ParentGUID != "" && p.GUID != "" {
		return nil // the PID was reused: the GUID says another process
	}
	return p
}
