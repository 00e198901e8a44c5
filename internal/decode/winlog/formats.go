// Package winlog reads Windows events, of Sysmon and of the Security log, in
// the forms that Windows and the usual collectors write them.
//
// A form only says how the fields of a record are found, and which clock its
// time is of; what is made of the fields is the same for all.
package winlog

import (
	"io"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// Formats returns the formats of this package. No two match one input.
func Formats() []*decode.Format {
	return []*decode.Format{evtxFormat(), xmlFormat(), winlogbeatFormat(), nxlogFormat(), exportFormat(), evtxJSONFormat(), wazuhFormat()}
}

// events tells which events all formats read, for their descriptions.
const events = `
Reads Sysmon 1, 3, 4, 5, 16 and 22, Security 1102, 4688, 4689 and 5156, and
System 104. All other events are counted and ignored.`

// batchRecords is how many records one call of Decode goes through.
const batchRecords = 4096

// A source yields the records of one format.
type source interface {
	// next reads records up to the next that is wanted, or at most a batch of
	// them. It returns nil and no error when it found none, and io.EOF at the
	// end.
	next(m *mapper) (record, kind, error)
}

// A decoder makes events of what a source yields.
type decoder struct {
	m   *mapper
	src source
	err error
}

func newDecoder(t *decode.Tally, src source) *decoder {
	return &decoder{m: newMapper(t), src: src}
}

// Decode implements [decode.Decoder].
func (d *decoder) Decode(b *event.Batch) error {
	if d.err != nil {
		return d.err
	}
	for start := d.m.tally.Records; d.m.tally.Records-start < batchRecords; {
		r, k, err := d.src.next(d.m)
		if err != nil {
			d.err = err
			if err == io.EOF {
				d.m.finish()
			}
			return err
		}
		if r != nil {
			d.m.add(b, k, r)
		}
	}
	return nil
}
