package squid

import (
	"bytes"
	"time"

	"github.com/postern/postern/internal/event"
)

// combined is the layout of both formats that follow Apache's:
//
//	%>a %[ui %[un [%tl] "%rm %ru HTTP/%rv" %>Hs %<st %Ss:%Sh
//	%>a %[ui %[un [%tl] "%rm %ru HTTP/%rv" %>Hs %<st "%{Referer}>h" "%{User-Agent}>h" %Ss:%Sh
//
// Squid escapes no quotes in a URL, a referer or a user agent, so a quote
// ends nothing by itself.
var combined = &layout{
	name:    "squid-combined",
	doc:     combinedDoc,
	clock:   "squid local time of the end (proxy)",
	warning: "the log has no durations: times are of the end of each request, to the second",
	parse:   parseCombined,
}

func parseCombined(line []byte) (e entry, ok bool) {
	line = beforeHeaders(line)
	end := bytes.LastIndexByte(line, ' ')
	if end < 0 {
		return e, false
	}
	var peerStatus []byte
	if e.code, peerStatus, ok = codePair(line[end+1:], ':'); !ok || !isCode(peerStatus) {
		return e, false
	}
	line = line[:end]

	e.client, line = cut(line)
	_, line = cut(line) // ident
	if e.user, e.end, line, ok = userAndTime(line); !ok {
		return e, false
	}
	if e.method, e.url, line, ok = quotedRequest(line); !ok {
		return e, false
	}
	var field []byte
	field, line = cut(line)
	if e.status, ok = status(field); !ok {
		return e, false
	}
	field, _ = cut(line)
	e.bytes, ok = count(field)
	e.elapsed = event.Unknown
	return e, ok
}

// beforeHeaders returns the line without the two lists of headers that
// log_mime_hdrs adds to it: "[…] […]". Squid escapes brackets in them.
func beforeHeaders(line []byte) []byte {
	rest := line
	for range 2 {
		i := bytes.LastIndex(rest, []byte(" ["))
		if !bytes.HasSuffix(rest, []byte("]")) || i < 0 {
			return line
		}
		rest = rest[:i]
	}
	return rest
}

// timeLayout is that of %tl, and dateLength how long it always is.
const (
	timeLayout = "02/Jan/2006:15:04:05 -0700"
	dateLength = len(timeLayout)
)

// userAndTime reads "user [time] ". The user's name may have blanks, but no
// brackets.
func userAndTime(line []byte) (user []byte, t event.Time, rest []byte, ok bool) {
	i := bytes.Index(line, []byte(" ["))
	if i < 0 {
		return nil, 0, nil, false
	}
	user, line = line[:i], line[i+len(" ["):]
	if len(line) < dateLength {
		return nil, 0, nil, false
	}
	date, line := line[:dateLength], line[dateLength:]
	rest, ok = bytes.CutPrefix(line, []byte("] "))
	if !ok {
		return nil, 0, nil, false
	}
	at, err := time.Parse(timeLayout, string(date))
	t = event.At(at)
	return user, t, rest, err == nil && t > 0
}

// quotedRequest reads `"method URL version" `. The URL has no blanks unless
// uri_whitespace allows them, so it ends where a version comes first.
func quotedRequest(line []byte) (method, url, rest []byte, ok bool) {
	line, ok = bytes.CutPrefix(line, []byte(`"`))
	if !ok {
		return nil, nil, nil, false
	}
	method, line = cut(line)
	for i := 0; ; {
		n := bytes.IndexByte(line[i:], ' ')
		if n < 0 {
			return nil, nil, nil, false
		}
		i += n
		version, rest, _ := bytes.Cut(line[i+1:], []byte(" "))
		if isVersion(version) {
			return method, line[:i], rest, true
		}
		i++
	}
}

// isVersion reports whether b is `HTTP/1.1"` or `NONE/0.0"`.
func isVersion(b []byte) bool {
	_, v, ok := codePair(b, '/')
	return ok && len(v) == len(`1.1"`) && isDigit(v[0]) && v[1] == '.' && isDigit(v[2]) && v[3] == '"'
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
