package decode_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/postern/postern/internal/decode"
	"golang.org/x/text/encoding/unicode"
)

// utf16Text returns text in UTF-16 of that order, without byte order mark.
func utf16Text(t testing.TB, order unicode.Endianness, text string) string {
	t.Helper()
	s, err := unicode.UTF16(order, unicode.IgnoreBOM).NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const sampleText = "{\"User\":\"Jörg 😀\"}\n"

func TestText(t *testing.T) {
	le := utf16Text(t, unicode.LittleEndian, sampleText)
	be := utf16Text(t, unicode.BigEndian, sampleText)
	cyrillic := `{"path":"Пользователи"}`
	tests := []struct {
		name string
		in   string
		enc  decode.Encoding
		want string
	}{
		{"empty", "", decode.UTF8, ""},
		{"UTF-8", sampleText, decode.UTF8, sampleText},
		{"UTF-8 with mark", "\xef\xbb\xbf" + sampleText, decode.UTF8, sampleText},
		{"only a mark", "\xef\xbb\xbf", decode.UTF8, ""},
		{"part of a mark", "\xef\xbb", decode.UTF8, "\xef\xbb"},
		{"little-endian", le, decode.UTF16LE, sampleText},
		{"big-endian", be, decode.UTF16BE, sampleText},
		{"little-endian with mark", "\xff\xfe" + le, decode.UTF16LE, sampleText},
		{"big-endian with mark", "\xfe\xff" + be, decode.UTF16BE, sampleText},
		{"little-endian, other script", utf16Text(t, unicode.LittleEndian, cyrillic+"\n{\"path\":\"C:\"}"), decode.UTF16LE, cyrillic + "\n{\"path\":\"C:\"}"},
		{"with mark, other script only", "\xff\xfe" + utf16Text(t, unicode.LittleEndian, "Журнал"), decode.UTF16LE, "Журнал"},
		{"NULs in UTF-8", "a\x00b\x00\x00\x00{\"a\":\"some more text\"}", decode.UTF8, "a\x00b\x00\x00\x00{\"a\":\"some more text\"}"},
		{"latin-1", "caf\xe9", decode.UTF8, "caf\xe9"},
		{"half a pair", le + "\x00\xd8" + "a\x00", decode.UTF16LE, sampleText + "\ufffda"},
		{"half a character", le + "a", decode.UTF16LE, sampleText + "\ufffd"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			enc := decode.Text([]byte(tt.in))
			if enc != tt.enc {
				t.Errorf("encoding %v, want %v", enc, tt.enc)
			}
			for name, r := range map[string]io.Reader{
				"whole":        strings.NewReader(tt.in),
				"byte by byte": iotest.OneByteReader(strings.NewReader(tt.in)),
			} {
				got, err := io.ReadAll(decode.NewText(r, enc))
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
				if string(got) != tt.want {
					t.Errorf("%s: text %q, want %q", name, got, tt.want)
				}
			}
		})
	}
}

func TestTextReaderFails(t *testing.T) {
	broken := errors.New("cable pulled")
	for _, in := range []string{"a", "abcdefg", "\xff\xfea\x00b\x00"} {
		got, err := io.ReadAll(decode.NewText(failing(in, broken), decode.Text([]byte(in))))
		if !errors.Is(err, broken) {
			t.Errorf("%q: error %v, want %v", in, err, broken)
		}
		if len(got) == 0 || string(got) != "abcdefg"[:min(len(got), 7)] {
			t.Errorf("%q: text %q before the error", in, got)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add([]byte("\xff\xfe\x00\xd8a\x00"))
	f.Add([]byte("\xef\xbb\xbfabc"))
	f.Fuzz(func(t *testing.T, in []byte) {
		enc := decode.Text(in)
		got, err := io.ReadAll(decode.NewText(strings.NewReader(string(in)), enc))
		if err != nil {
			t.Fatal(err)
		}
		if enc != decode.UTF8 && !utf8.Valid(got) {
			t.Fatalf("%v: %q is not UTF-8", enc, got)
		}
	})
}
