package squid

import (
	"bytes"

	"github.com/postern/postern/internal/event"
)

// native is Squid's own layout:
//
//	%ts.%03tu %6tr %>a %Ss/%03>Hs %<st %rm %ru %[un %Sh/%<a %mt
var native = &layout{
	name:  "squid",
	doc:   nativeDoc,
	clock: "squid time less elapsed (proxy)",
	parse: parseNative,
}

func parseNative(line []byte) (e entry, ok bool) {
	var field []byte
	field, line = cut(line)
	if e.end, ok = epoch(field); !ok {
		return e, false
	}
	field, line = cut(line)
	if e.elapsed, ok = millis(field); !ok {
		return e, false
	}
	e.client, line = cut(line)
	field, line = cut(line)
	if e.code, field, ok = codePair(field, '/'); !ok {
		return e, false
	}
	if e.status, ok = status(field); !ok {
		return e, false
	}
	field, line = cut(line)
	if e.bytes, ok = count(field); !ok {
		return e, false
	}
	e.method, line = cut(line)
	e.url, line = cut(line)
	e.user, ok = beforePeer(line)
	return e, ok
}

// beforePeer returns the user's name, which may have blanks, before the first
// field that is a peer and has one behind it. What comes then, the type, is
// the server's to choose.
func beforePeer(line []byte) (user []byte, ok bool) {
	for rest := line; ; {
		field, after := cut(rest)
		if len(after) == 0 {
			return nil, false
		}
		if before := len(line) - len(rest); before > 0 {
			if _, peer, ok := codePair(field, '/'); ok && len(peer) > 0 {
				return bytes.TrimRight(line[:before], " "), true
			}
		}
		rest = after
	}
}

// epoch reads seconds with exactly three digits behind the point.
func epoch(b []byte) (event.Time, bool) {
	const fraction = len(".000")
	point := len(b) - fraction
	if point <= 0 || point > 10 || b[point] != '.' {
		return event.Never, false
	}
	seconds, ok := number(b[:point])
	thousandths, ok2 := number(b[point+1:])
	return event.Time(seconds*1e6 + thousandths*1e3), ok && ok2 && seconds > 0
}

// millis reads a duration. One below zero, after a clock was set, is unknown.
func millis(b []byte) (event.Count, bool) {
	if rest, negative := bytes.CutPrefix(b, []byte("-")); negative {
		_, ok := number(rest)
		return event.Unknown, ok
	}
	n, ok := number(b)
	return event.Count(n * 1e3), ok
}
