package decode_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
	"golang.org/x/text/encoding/unicode"
)

// dumping is a format whose decoder keeps what it is handed.
func dumping(name, magic string, binary bool, got *string) *decode.Format {
	return &decode.Format{
		Name:   name,
		Doc:    "A format for tests",
		Binary: binary,
		Match:  func(head []byte) bool { return bytes.HasPrefix(head, []byte(magic)) },
		Open:   func(r io.Reader, _ *decode.Tally) decode.Decoder { return dumper{r, got} },
	}
}

type dumper struct {
	r   io.Reader
	got *string
}

func (d dumper) Decode(*event.Batch) error {
	b, err := io.ReadAll(d.r)
	*d.got = string(b)
	if err == nil {
		err = io.EOF
	}
	return err
}

func TestOpen(t *testing.T) {
	long := "{" + strings.Repeat("x", 3*decode.HeadSize) + "ä"
	broken := errors.New("cable pulled")
	tests := []struct {
		name   string
		in     io.Reader
		force  string
		format string
		want   string
		warned bool
		err    error // of Open
		late   error // of Decode
	}{
		{name: "text", in: strings.NewReader("{\"a\""), format: "json", want: "{\"a\""},
		{name: "longer than the head", in: strings.NewReader(long), format: "json", want: long},
		{name: "byte order mark", in: strings.NewReader("\xef\xbb\xbf{}"), format: "json", want: "{}"},
		{name: "UTF-16", in: strings.NewReader("\xff\xfe" + utf16Text(t, unicode.LittleEndian, long)), format: "json", want: long, warned: true},
		{name: "UTF-16 without mark", in: strings.NewReader(utf16Text(t, unicode.BigEndian, long)), format: "json", want: long, warned: true},
		{name: "binary", in: strings.NewReader("E\x00F\x00\xff"), format: "binary", want: "E\x00F\x00\xff"},
		{name: "empty", in: strings.NewReader(""), err: decode.ErrEmpty},
		{name: "white space", in: strings.NewReader(" \r\n\t\n"), err: decode.ErrEmpty},
		{name: "only a byte order mark", in: strings.NewReader("\xff\xfe"), err: decode.ErrEmpty},
		{name: "empty, forced", in: strings.NewReader(""), force: "json", err: decode.ErrEmpty},
		{name: "unknown", in: strings.NewReader("hello"), err: decode.ErrUnknown},
		{name: "several", in: strings.NewReader("{{"), err: decode.ErrAmbiguous},
		{name: "forced", in: strings.NewReader("hello"), force: "json", format: "json", want: "hello"},
		{name: "reader fails at once", in: failing(" ", broken), err: broken},
		{name: "reader fails, unknown", in: failing("hello", broken), err: broken},
		{name: "reader fails later", in: failing("{\"a\"", broken), format: "json", want: "{\"a\"", late: broken},
		{name: "reader ends short", in: failing("{\"a\"", io.ErrUnexpectedEOF), format: "json", want: "{\"a\"", late: io.ErrUnexpectedEOF},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got string
			formats := []*decode.Format{
				dumping("json", "{", false, &got),
				dumping("twice", "{{", false, &got),
				dumping("binary", "E\x00F", true, &got),
			}
			var force *decode.Format
			if tt.force != "" {
				force, _ = decode.ByName(formats, tt.force)
			}
			var tally decode.Tally
			f, d, err := decode.Open(formats, force, tt.in, &tally)
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if err != nil {
				return
			}
			if f.Name != tt.format {
				t.Errorf("format %s, want %s", f.Name, tt.format)
			}
			late := tt.late
			if late == nil {
				late = io.EOF
			}
			if err := d.Decode(new(event.Batch)); !errors.Is(err, late) {
				t.Errorf("Decode: error %v, want %v", err, late)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("text for the decoder (-want +got):\n%s", diff)
			}
			if warned := len(tally.Warnings) > 0; warned != tt.warned {
				t.Errorf("warnings %q", tally.Warnings)
			}
		})
	}
}

// A format that must be asked for is not found, and stands in no other's way.
func TestDetectPassesOverWhatMustBeAsked(t *testing.T) {
	asked, found := dumping("asked", "{", false, nil), dumping("json", "{", false, nil)
	asked.Asked = true
	if f, err := decode.Detect([]*decode.Format{asked, found}, nil, []byte("{}")); err != nil || f != found {
		t.Errorf("found %v, %v", f, err)
	}
	if f, err := decode.Detect([]*decode.Format{asked}, nil, []byte("{}")); !errors.Is(err, decode.ErrUnknown) {
		t.Errorf("found %v, %v", f, err)
	}
}
