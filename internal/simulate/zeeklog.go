package simulate

import (
	"path/filepath"
	"time"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/simulate/format"
)

// A zeekLog writes one of Zeek's logs. A row is written when Zeek would write
// it, which for a connection is when it ended, so a log is not in the order
// of its first column.
type zeekLog[T any] struct {
	log     format.ZeekLog
	append  func([]byte, *T) []byte
	dir     string
	daily   bool // a packed file in a folder for each day
	pending queue[*T]

	out  *file
	next event.Time // when the current file is closed
	buf  []byte
}

// add keeps row until it is written at t.
func (l *zeekLog[T]) add(t event.Time, row *T) { l.pending.push(t, row) }

// flush writes the rows that are due at t.
func (l *zeekLog[T]) flush(t event.Time) error {
	for {
		at, row, ok := l.pending.pop(t)
		if !ok {
			return nil
		}
		if err := l.rotate(at); err != nil {
			return err
		}
		l.buf = l.append(l.buf[:0], row)
		if err := l.out.write(l.buf); err != nil {
			return err
		}
	}
}

// rotate opens the file into which a row of time at belongs.
func (l *zeekLog[T]) rotate(at event.Time) error {
	if l.out != nil && (!l.daily || at < l.next) {
		return nil
	}
	if err := l.close(l.next); err != nil {
		return err
	}
	open := at.Std().Truncate(24 * time.Hour)
	path := filepath.Join(l.dir, l.log.Path+".log")
	if l.daily {
		path = filepath.Join(l.dir, open.Format(time.DateOnly), l.log.Path+".log.gz")
	}
	var err error
	if l.out, err = createFile(path); err != nil {
		return err
	}
	l.next = event.At(open.Add(24 * time.Hour))
	return l.out.write(l.log.AppendHeader(nil, event.At(open)))
}

// close ends the current file, if there is one.
func (l *zeekLog[T]) close(t event.Time) error {
	if l.out == nil {
		return nil
	}
	if err := l.out.write(format.AppendFooter(nil, t)); err != nil {
		return err
	}
	err := l.out.close()
	l.out = nil
	return err
}
