package suricata

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/valyala/fastjson"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// batchEvents and batchRecords bound what one Decode does.
const (
	batchEvents  = 4096
	batchRecords = 4 * batchEvents
)

// maxRecord bounds an object. With payload, packet and HTTP bodies logged, an
// alert has some hundred kilobytes.
const maxRecord = decode.DefaultMaxLine

// hugeObject is the size from which on the memory that an object took to
// parse is given back.
const hugeObject = 64 << 10

// maxHeadValues is how many values match looks at for one that parses: an
// input may begin in the middle of one.
const maxHeadValues = 8

// match accepts an input whose first object is of EVE.
func match(head []byte) bool {
	values := decode.NewValues(bytes.NewReader(head), maxRecord)
	var p parser
	for range maxHeadValues {
		b, err := values.Next()
		if err != nil {
			return false
		}
		if p.parse(b) {
			return isEVE(p.value)
		}
	}
	return false
}

// isEVE reports whether v has what every event has.
func isEVE(v *fastjson.Value) bool {
	_, ok := instant(v.GetStringBytes("timestamp"))
	return ok && len(v.GetStringBytes("event_type")) > 0
}

// A parser keeps the object that it parsed last.
type parser struct {
	json  fastjson.Parser
	value *fastjson.Value
}

// parse reports whether b is an object.
func (p *parser) parse(b []byte) bool {
	if len(b) > hugeObject {
		p.json = fastjson.Parser{}
	}
	v, err := p.json.ParseBytes(b)
	if err != nil || v.Type() != fastjson.TypeObject {
		return false
	}
	p.value = v
	return true
}

// A decoder decodes EVE.
type decoder struct {
	values *decode.Values
	tally  *decode.Tally
	parser parser
	words  words
	labels labels
	names  clientNames
	buf    []byte
	unseen int64 // TCP flows of which Suricata saw one side only
	flows  int64
}

var _ decode.Decoder = (*decoder)(nil)

func newDecoder(r io.Reader, t *decode.Tally) *decoder {
	return &decoder{
		values: decode.NewValues(r, maxRecord), tally: t,
		words: make(words), labels: make(labels), names: make(clientNames),
	}
}

// Decode implements [decode.Decoder].
func (d *decoder) Decode(b *event.Batch) error {
	before := b.Len()
	defer func() { d.account(b.Len() - before) }()
	for n := 0; n < batchRecords && b.Len()-before < batchEvents; n++ {
		d.parser.value = nil
		value, err := d.values.NextParsed(d.parser.parse)
		switch {
		case errors.Is(err, decode.ErrLong):
			d.tally.Records++
			d.tally.SkipLine(d.values.Number(), "object too long")
		case err == io.EOF:
			d.close()
			return err
		case err != nil:
			d.close()
			return fmt.Errorf("read on after line %d: %w", d.values.Number(), err)
		default:
			d.take(value, b)
		}
	}
	return nil
}

// A verdict says what became of a record: events where it is zero, else why
// not.
type verdict struct {
	ignored string
	skipped string
}

// The reasons to skip a record.
const (
	badTime    = "unreadable time"
	badAddress = "unreadable address"
	badPort    = "unreadable port"
	badCount   = "unreadable count"
	noHost     = "proxied request without a host"
)

// take makes events of an object.
func (d *decoder) take(value []byte, b *event.Batch) {
	d.tally.Records++
	if d.parser.value == nil && !d.parser.parse(value) {
		d.tally.SkipLine(d.values.Number(), "not a JSON object")
		return
	}
	v := d.parser.value
	kind := v.GetStringBytes("event_type")
	if len(kind) == 0 {
		d.tally.SkipLine(d.values.Number(), "not an event of Suricata")
		return
	}
	switch verdict := d.event(kind, v, b); {
	case verdict.skipped != "":
		d.tally.SkipLine(d.values.Number(), verdict.skipped)
	case verdict.ignored != "":
		d.tally.Ignore(verdict.ignored)
	}
}

// event adds what v tells to b.
func (d *decoder) event(kind []byte, v *fastjson.Value, b *event.Batch) verdict {
	switch string(kind) {
	case "flow":
		return d.flow(v, b)
	case "tls":
		return d.tls(v, b)
	case "quic":
		return d.quic(v, b)
	case "dns":
		return d.lookup(v, b)
	case "http":
		return d.request(v, b)
	case "dhcp":
		return d.lease(v, b)
	}
	return verdict{ignored: d.labels.of(kind)}
}

// account counts events that a Decode has made.
func (d *decoder) account(events int) {
	if events > 0 {
		d.tally.Events += int64(events)
		d.tally.Clock(clock, int64(events))
	}
}

// close notes what is to be known of the input as a whole.
func (d *decoder) close() {
	if d.flows > 0 {
		d.tally.Warn(fmt.Sprintf("bytes of %d flows are of whole frames: upper bounds of the payload", d.flows))
	}
	if d.unseen > 0 {
		d.tally.Warn(fmt.Sprintf("one side not seen in %d flows: its bytes are unknown", d.unseen))
	}
}
