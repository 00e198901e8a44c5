package cef

import (
	"bytes"
	"strings"
	"time"

	"github.com/postern/postern/internal/decode/gateway"
	"github.com/postern/postern/internal/event"
)

// layouts are the times of both standards, and those that vendors write
// besides. A fraction of the second is read wherever it stands behind one.
var layouts = [...]string{
	"Jan _2 2006 15:04:05",
	"Jan _2 2006 15:04:05 MST",
	"Jan _2 2006 15:04:05 -0700",
	time.RFC3339,
	"2006-01-02 15:04:05",
	"Mon Jan _2 15:04:05 2006",
	"Mon Jan _2 15:04:05 MST 2006",
	"Mon Jan _2 2006 15:04:05 MST",
}

// at reads a time, Never where it cannot be read. It remembers the layout, as
// the next one has the same.
func (p *parser) at(b, javaLayout []byte) event.Time {
	if t, ok := gateway.Epoch(b); ok {
		return t
	}
	if p.layout != "" {
		if t := p.clock(b, p.layout); t != event.Never {
			return t
		}
	}
	if l := goLayout(javaLayout); l != "" {
		if t := p.clock(b, l); t != event.Never {
			return t
		}
	}
	for _, l := range layouts {
		if t := p.clock(b, l); t != event.Never {
			return t
		}
	}
	return event.Never
}

func (p *parser) clock(b []byte, layout string) event.Time {
	t, ok := gateway.Clock(b, layout, time.UTC)
	if !ok {
		return event.Never
	}
	p.layout = layout
	if !zoned(layout) {
		p.tally.Warn("times have no zone and are taken for UTC")
	}
	return t
}

// zoned reports whether a layout says the zone.
func zoned(layout string) bool {
	return strings.Contains(layout, "MST") || strings.Contains(layout, "07")
}

// javaFields are the letters of Java's SimpleDateFormat that LEEF uses, as
// package time writes them; the longer ones first.
var javaFields = [...]struct{ java, std string }{
	{"yyyy", "2006"}, {"MMM", "Jan"}, {"MM", "01"}, {"EEE", "Mon"}, {"dd", "_2"}, {"d", "_2"}, {"HH", "15"}, {"mm", "04"}, {"ss", "05"},
	{".SSS", ""}, // read wherever it stands behind the seconds
	{"zzz", "MST"}, {"z", "MST"}, {"XXX", "Z07:00"}, {"Z", "-0700"},
}

// maxLayout bounds a layout, in bytes.
const maxLayout = 64

// goLayout translates a layout, or returns "" for one that has other letters.
func goLayout(java []byte) string {
	if len(java) == 0 || len(java) > maxLayout {
		return ""
	}
	var b strings.Builder
next:
	for len(java) > 0 {
		for _, f := range javaFields {
			if rest, ok := bytes.CutPrefix(java, []byte(f.java)); ok {
				b.WriteString(f.std)
				java = rest
				continue next
			}
		}
		if rest, ok := bytes.CutPrefix(java, []byte("'T'")); ok {
			b.WriteByte('T')
			java = rest
			continue
		}
		if !bytes.ContainsAny(java[:1], " -/:,.") {
			return ""
		}
		b.WriteByte(java[0])
		java = java[1:]
	}
	// Days of two digits have their zero where they follow a hyphen or a slash.
	return strings.NewReplacer("-_2", "-02", "/_2", "/02").Replace(b.String())
}
