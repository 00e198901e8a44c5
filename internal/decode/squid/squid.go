// Package squid reads the access logs of the Squid proxy, in its native format
// and in the two that follow the Apache server's.
package squid

import (
	"io"

	"github.com/postern/postern/internal/decode"
)

// Formats returns the formats of this package. No two match one input.
func Formats() []*decode.Format {
	return []*decode.Format{format(native), format(combined)}
}

// A layout is how the lines of a log are written.
type layout struct {
	name, doc string
	clock     string // what the tally calls its times
	warning   string // what a reader of any log in it must know, or ""

	// parse reads a line. The entry refers to the line.
	parse func(line []byte) (entry, bool)
}

// layouts are all of them.
func layouts() []*layout { return []*layout{native, combined} }

func format(l *layout) *decode.Format {
	return &decode.Format{
		Name:       l.name,
		Doc:        l.doc + requestsDoc,
		Extensions: []string{".log"},
		Match:      func(head []byte) bool { return detect(head) == l },
		Open:       func(r io.Reader, t *decode.Tally) decode.Decoder { return newDecoder(l, r, t) },
	}
}

const nativeDoc = `Squid access logs, native

Reads what Squid writes unless told otherwise (access_log with the format
squid), with or without log_mime_hdrs:
  time elapsed client code/status bytes method URL user peerstatus/peer type

Times: Squid logs a request at its end, to the millisecond. The time elapsed is
taken off, so that events are of the begin.
`

const combinedDoc = `Squid access logs, combined and common

Reads Squid's built-in formats common and combined, with or without
log_mime_hdrs. Squid ends each line with its own code, as TCP_MISS:HIER_DIRECT,
by which they are told from the logs of a web server:
  client ident user [time] "method URL version" status bytes
  "referer" "user agent" code:peerstatus

Times: Squid logs a request at its end, to the second, and these formats have
no duration: the begin of a long tunnel is unknown, and events are of the end.
`

const requestsDoc = `
Gives requests: CONNECT, and absolute URIs of http and https (those of https are
what ssl-bump opened), whether they were answered, refused (TCP_DENIED, with
status 403 or 407) or failed. Counted and ignored: what was no request (error:),
other schemes, requests to the proxy itself, those of the proxy and those of
other caches (ICP, HTCP). With log_fqdn, clients are names and cannot be read.

Volumes: bytes are those sent to the client, headers and the content of a tunnel
included. No built-in format has those received from it: outbound bytes are
unknown.

Limits: no process, no client port, no address of the proxy. A tunnel is logged
when it has ended. Lines behind a prefix of syslog, and those of a logformat of
the site's own, are not read.`

// maxHeadLines is how many lines detect looks at for one that it can read: an
// input that was cut out of a larger one begins in the middle of a line.
const maxHeadLines = 8
