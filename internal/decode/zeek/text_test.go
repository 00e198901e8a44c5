package zeek

import (
	"strconv"
	"testing"
)

func TestUnescape(t *testing.T) {
	tests := []struct{ in, want string }{
		{`plain`, "plain"},
		{`a\x09b`, "a\tb"},
		{`\x2d`, "-"},
		{`O=Nativo\\, Inc.`, `O=Nativo\, Inc.`},
		{`\\x09`, `\x09`},
		{`\xff`, "\xff"},
		{`\xZZ\q\`, `\xZZ\q\`},
		{`\x4`, `\x4`},
		{`\x4D\x4d`, "MM"},
	}
	for _, tt := range tests {
		if got := string(unescape([]byte(tt.in))); got != tt.want {
			t.Errorf("unescape(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestWordsAreBounded(t *testing.T) {
	w := make(words)
	long := make([]byte, maxWord+1)
	for i := range long {
		long[i] = 'x'
	}
	if w.of(long); len(w) != 0 {
		t.Error("a long string is kept")
	}
	for i := range 2 * maxWords {
		want := strconv.Itoa(i)
		if got := w.of([]byte(want)); got != want {
			t.Fatalf("of(%q) = %q", want, got)
		}
	}
	if len(w) != maxWords {
		t.Errorf("%d strings are kept, want %d", len(w), maxWords)
	}
	if got := w.of([]byte("\xff")); got != "\uFFFD" {
		t.Errorf("of invalid UTF-8 is %q", got)
	}
}
