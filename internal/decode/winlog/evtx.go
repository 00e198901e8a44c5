package winlog

import (
	"fmt"
	"io"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/evtx"
	"github.com/postern/postern/internal/event"
)

func evtxFormat() *decode.Format {
	return &decode.Format{
		Name: "evtx",
		Doc: `Windows event log (.evtx)

The files of C:\Windows\System32\winevt\Logs, also copied while in use, and
what wevtutil epl writes. Damaged chunks and records are skipped and counted;
records that Windows deleted are not looked for.
` + events + `
Clock: System/TimeCreated, which Windows sets when the event is written.`,
		Extensions: []string{".evtx"},
		Binary:     true,
		Match:      evtx.Match,
		Open: func(r io.Reader, t *decode.Tally) decode.Decoder {
			return newDecoder(t, newEVTXSource(r, t))
		},
	}
}

// systemPaths are where the fields of the System part are.
var systemPaths = [...]string{
	fieldEventID:  "System/EventID",
	fieldChannel:  "System/Channel",
	fieldProvider: "System/Provider@Name",
	fieldComputer: "System/Computer",
	fieldRecord:   "System/EventRecordID",
	fieldTime:     "System/TimeCreated@SystemTime",
}

// evtxPaths returns the path of each field, in the order of the fields.
func evtxPaths() []string {
	paths := make([]string, fieldCount)
	copy(paths, systemPaths[:])
	for f, name := range dataNames {
		if name != "" {
			paths[f] = "EventData/" + name
		}
	}
	paths[fieldCleared] = "UserData/LogFileCleared/Channel"
	return paths
}

type evtxSource struct {
	r    *evtx.Reader
	kind kind
}

func newEVTXSource(r io.Reader, t *decode.Tally) *evtxSource {
	return &evtxSource{r: evtx.NewReader(r, t, evtxPaths()...)}
}

func (s *evtxSource) next(m *mapper) (record, kind, error) {
	if s.r.Select == nil {
		s.r.Select = func(rec *evtx.Record) (ok bool) {
			s.kind, ok = m.kind(evtxRecord{rec})
			return ok
		}
	}
	rec, err := s.r.Next()
	if err != nil {
		return nil, kind{}, err
	}
	return evtxRecord{rec}, s.kind, nil
}

type evtxRecord struct{ *evtx.Record }

func (r evtxRecord) text(f field) []byte { return r.Text(int(f)) }

func (r evtxRecord) where() string { return fmt.Sprintf("record %d", r.ID) }

// recordClock is the name of the clock by which Windows writes records.
const recordClock = "System/TimeCreated"

func (r evtxRecord) time() (event.Time, string) {
	if t, ok := r.Time(int(fieldTime)); ok {
		return t, recordClock
	}
	t, _ := parseTime(r.text(fieldTime))
	return t, recordClock
}
