// Package agent is what the formats of endpoint agents share: it splits an
// input into records, and makes values of their fields.
//
// A format only says which records are its own, and which events they give.
package agent

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/valyala/fastjson"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// batchRecords bounds what one Decode does.
const batchRecords = 4096

// MaxRecord bounds a JSON object, in bytes. Answers of query services are one
// object of many records.
const MaxRecord = 16 << 20

// hugeObject is the size from which on the memory that an object took to
// parse is given back.
const hugeObject = 64 << 10

// The reasons to skip a record that all formats share.
const (
	reasonJSON = "not a JSON object"
	reasonLong = "too long"
)

// A Verdict says what became of a record: events where it is zero, else why
// not. Both texts are one of few.
type Verdict struct {
	Ignored string // understood, and of no use here
	Skipped string // not to be read
}

// A Mapper makes events of the records of one input.
type Mapper interface {
	// Own reports whether a record is of the mapper's format at all.
	Own(r *Record) bool

	// Map adds what a record gives to b, or says why that is nothing.
	Map(r *Record, b *event.Batch) Verdict

	// Close notes what only the input as a whole can tell.
	Close(t *decode.Tally)
}

// A JSON is how a maker writes its records in JSON.
type JSON struct {
	Clock string        // what the tally calls the times
	New   func() Mapper // for one input

	// Marks are texts that the beginning of every input holds whose first
	// object is longer than what Match may see. Without any such an input is
	// not of the format.
	Marks []string
}

// maxHeadValues is how many values Match looks at for one that is an object.
const maxHeadValues = 16

// Match is a [decode.Format]'s. The first record that can be read decides.
func (j *JSON) Match(head []byte) bool {
	values := decode.NewValues(bytes.NewReader(head), MaxRecord)
	var parser fastjson.Parser
	m := j.New()
	for range maxHeadValues {
		b, err := values.Next()
		if err != nil {
			return false
		}
		v, err := parser.ParseBytes(b)
		if err != nil || v.Type() != fastjson.TypeObject {
			if len(b) > len(head)/2 && b[0] == '{' && j.marked(b) {
				return true
			}
			continue
		}
		own, decided := false, false
		each(v, func(v *fastjson.Value) {
			if !decided {
				own, decided = m.Own(&Record{value: v}), true
			}
		})
		return own
	}
	return false
}

// marked reports whether an object whose end is not known has all marks.
func (j *JSON) marked(b []byte) bool {
	for _, mark := range j.Marks {
		if !bytes.Contains(b, []byte(mark)) {
			return false
		}
	}
	return len(j.Marks) > 0
}

// Open is a [decode.Format]'s.
func (j *JSON) Open(r io.Reader, t *decode.Tally) decode.Decoder {
	return &jsonDecoder{
		account: account{clock: j.Clock, tally: t, mapper: j.New()},
		values:  decode.NewValues(r, MaxRecord), parser: new(fastjson.Parser),
	}
}

// An account keeps the tally of one input.
type account struct {
	clock  string
	tally  *decode.Tally
	mapper Mapper
	err    error // that ended the input
}

// take makes events of a record that begins in that line.
func (a *account) take(r *Record, line int64, b *event.Batch) {
	a.tally.Records++
	if !a.mapper.Own(r) {
		a.tally.SkipLine(line, "not a record of the format")
		return
	}
	switch v := a.mapper.Map(r, b); {
	case v.Skipped != "":
		a.tally.SkipLine(line, v.Skipped)
	case v.Ignored != "":
		a.tally.Ignore(v.Ignored)
	}
}

// skip counts what is no record.
func (a *account) skip(line int64, reason string) {
	a.tally.Records++
	a.tally.SkipLine(line, reason)
}

// made counts events.
func (a *account) made(events int) {
	if events > 0 {
		a.tally.Events += int64(events)
		a.tally.Clock(a.clock, int64(events))
	}
}

// end returns what ends the input, and says once what the whole of it tells.
func (a *account) end(err error, line int64) error {
	if a.err == nil {
		a.err = err
		if err != io.EOF {
			a.err = fmt.Errorf("read on after line %d: %w", line, err)
		}
		a.mapper.Close(a.tally)
	}
	return a.err
}

// A jsonDecoder decodes objects.
type jsonDecoder struct {
	account
	values *decode.Values
	parser *fastjson.Parser
	value  *fastjson.Value // of the line that parse took
	record Record
}

var _ decode.Decoder = (*jsonDecoder)(nil)

// Decode implements [decode.Decoder].
func (d *jsonDecoder) Decode(b *event.Batch) error {
	if d.err != nil {
		return d.err
	}
	before := b.Len()
	defer func() { d.made(b.Len() - before) }()
	for start := d.tally.Records; d.tally.Records-start < batchRecords; {
		d.value = nil
		text, err := d.values.NextParsed(d.parse)
		switch {
		case errors.Is(err, decode.ErrLong):
			d.skip(d.values.Number(), reasonLong)
		case err != nil:
			return d.end(err, d.values.Number())
		case d.value == nil && !d.parse(text):
			d.skip(d.values.Number(), reasonJSON)
		default:
			d.object(b)
		}
	}
	return nil
}

// parse reports whether b is an object, and keeps it.
func (d *jsonDecoder) parse(b []byte) bool {
	if len(b) > hugeObject {
		d.parser = new(fastjson.Parser)
	}
	v, err := d.parser.ParseBytes(b)
	if err != nil || v.Type() != fastjson.TypeObject {
		return false
	}
	d.value = v
	return true
}

// object makes events of the records in the object that parse kept.
func (d *jsonDecoder) object(b *event.Batch) {
	line := d.values.Number()
	some := false
	each(d.value, func(v *fastjson.Value) {
		some = true
		d.record = Record{value: v, scratch: d.record.scratch[:0]}
		d.take(&d.record, line, b)
	})
	if !some {
		d.tally.Records++
		d.tally.Ignore("envelope without records")
	}
}

// maxEnvelopes is how many envelopes may lie within each other.
const maxEnvelopes = 4

// envelopes are the keys below which collectors and query services put the
// records: a hit of Elasticsearch, a result of Splunk, and the lists of Azure's
// event hubs and of the security API.
var envelopes = [...]string{"_source", "result", "records", "results", "Results", "hits"}

// each calls do with the records of an object: those in its envelope, or else
// itself. An answer of Elasticsearch has hits within hits.
func each(v *fastjson.Value, do func(*fastjson.Value)) { eachWithin(v, maxEnvelopes, do) }

func eachWithin(v *fastjson.Value, depth int, do func(*fastjson.Value)) {
	for _, key := range envelopes {
		inner := v.Get(key)
		if inner == nil || depth == 0 {
			continue
		}
		switch inner.Type() {
		case fastjson.TypeObject:
			eachWithin(inner, depth-1, do)
			return
		case fastjson.TypeArray:
			for _, e := range inner.GetArray() {
				eachWithin(e, depth-1, do)
			}
			return
		}
	}
	do(v)
}
