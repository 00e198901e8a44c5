package gateway

import (
	"errors"
	"fmt"
	"io"

	"github.com/valyala/fastjson"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// An ObjectDecoder makes events of JSON objects, however they are laid out.
type ObjectDecoder struct {
	values *decode.Values
	tally  *decode.Tally
	clock  string
	parser fastjson.Parser
	parsed *fastjson.Value // the object that was parsed ahead, or nil
	record func(v *fastjson.Value, b *event.Batch) Verdict
}

var _ decode.Decoder = (*ObjectDecoder)(nil)

// NewObjectDecoder is [NewDecoder] for the JSON objects of r. An object is
// valid until record returns.
func NewObjectDecoder(r io.Reader, t *decode.Tally, clock string, record func(v *fastjson.Value, b *event.Batch) Verdict) *ObjectDecoder {
	return &ObjectDecoder{values: decode.NewValues(r, maxLine), tally: t, clock: clock, record: record}
}

// Decode implements [decode.Decoder].
func (d *ObjectDecoder) Decode(b *event.Batch) error {
	before := b.Len()
	defer func() {
		if n := int64(b.Len() - before); n > 0 {
			d.tally.Events += n
			d.tally.Clock(d.clock, n)
		}
	}()
	for range batchLines {
		text, err := d.values.NextParsed(d.isObject)
		switch {
		case errors.Is(err, decode.ErrLong):
			d.take(Skip("object too long"))
		case err == io.EOF:
			return err
		case err != nil:
			return fmt.Errorf("read on after line %d: %w", d.values.Number(), err)
		default:
			d.take(d.parse(text, b))
		}
	}
	return nil
}

// isObject parses a line that is an object as it stands, as most are.
func (d *ObjectDecoder) isObject(line []byte) bool {
	v, err := d.parser.ParseBytes(line)
	if err != nil || v.Type() != fastjson.TypeObject {
		return false
	}
	d.parsed = v
	return true
}

func (d *ObjectDecoder) parse(text []byte, b *event.Batch) Verdict {
	v := d.parsed
	if d.parsed = nil; v == nil {
		var err error
		if v, err = d.parser.ParseBytes(text); err != nil || v.Type() != fastjson.TypeObject {
			return Skip("no JSON object")
		}
	}
	return d.record(v, b)
}

// take accounts for a record.
func (d *ObjectDecoder) take(v Verdict) {
	d.tally.Records++
	switch {
	case v.Skipped != "":
		d.tally.SkipLine(d.values.Number(), v.Skipped)
	case v.Ignored != "":
		d.tally.Ignore(v.Ignored)
	}
}

// Scalar returns the text of a value: of a string, or of a number or a boolean
// as it is written. Others, and none, have no text.
func Scalar(v *fastjson.Value) []byte {
	if v == nil {
		return nil
	}
	switch v.Type() {
	case fastjson.TypeString:
		return v.GetStringBytes()
	case fastjson.TypeNumber, fastjson.TypeTrue, fastjson.TypeFalse:
		return v.MarshalTo(nil)
	default:
		return nil
	}
}
