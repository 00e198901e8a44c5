package simulate

import (
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/simulate/format"
)

// An export writes a host's events as lines of one format.
type export interface {
	Append(b []byte, m *format.Machine, e *format.Event) []byte
}

// An eventLog writes the events of one host in the order in which the host
// recorded them.
type eventLog struct {
	machine *format.Machine
	export  export
	out     *file // shared by all hosts of a stream
	pending queue[*format.Event]
	records [2]uint64 // last record number of Sysmon and of Security
	buf     []byte
}

// add keeps e until the host records it at t, on the true clock.
func (l *eventLog) add(t event.Time, e *format.Event) { l.pending.push(t, e) }

// flush writes the events that are due at t.
func (l *eventLog) flush(t event.Time) error {
	for {
		_, e, ok := l.pending.pop(t)
		if !ok {
			return nil
		}
		channel := e.Source - event.Sysmon
		l.records[channel]++
		if e.Proc == nil {
			continue // lost after it was numbered
		}
		e.Record = l.records[channel]
		l.buf = l.export.Append(l.buf[:0], l.machine, e)
		if err := l.out.write(l.buf); err != nil {
			return err
		}
	}
}
