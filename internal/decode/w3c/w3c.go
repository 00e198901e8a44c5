// Package w3c reads the logs of proxies in the W3C extended log file format,
// which names its columns in a line that begins with "#Fields:".
package w3c

import (
	"bytes"
	"io"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/gateway"
)

// Formats returns the format of this package.
func Formats() []*decode.Format {
	return []*decode.Format{{
		Name:       "w3c-proxy",
		Doc:        doc,
		Extensions: []string{".log"},
		Match:      match,
		Open: func(r io.Reader, t *decode.Tally) decode.Decoder {
			p := &parser{tally: t}
			return gateway.NewDecoder(r, t, "W3C date and time less time-taken (proxy)", p.line)
		},
	}}
}

const doc = `W3C extended logs of proxies

Reads the W3C extended log file format (WD-logfile-960323) of proxies, by the
columns that its #Fields line names, in any order and separated by blanks or
tabs. A later #Fields line holds from there on. Written after the published
columns of
  Blue Coat/Symantec/Broadcom ProxySG and Edge SWG 5 to 7 (main, and formats of
  the site's own), Microsoft ISA Server 2004-2006 and Forefront TMG 2010, and
  IIS 7 to 10 with Application Request Routing as a forward proxy;
not yet seen from a live source.

Needs date, time, c-ip, the method (cs-method, s-operation) and the far end
(cs-host or r-host, or cs-uri). Uses, where there are, time-taken, c-port, s-ip
and s-port (the proxy), cs-uri-scheme or cs-protocol, cs-uri-port or r-port,
cs-username or cs-userdn, sc-status, cs-bytes, sc-bytes, s-computername or
x-bluecoat-appliance-name. ProxySG's gmttime, localtime and the columns x-... are
not read: configure date and time beside them.

Gives requests: CONNECT, and those for http and https; those of the scheme ssl
are TLS that ProxySG tunnelled without a CONNECT, and count as https. Bytes out
are cs-bytes and bytes in are sc-bytes, both on the client's side, with headers.

Times: date and time are UTC and of the end of a request, to the second;
time-taken (milliseconds with ProxySG, ISA, TMG and IIS, seconds where it has a
fraction) is taken off. For other programs whole numbers stay unknown, as the
standard has seconds and most programs have not.

Counted and ignored: other schemes, and what IIS served itself, which are lines
without X-ARR-LOG-ID in cs-uri-query. Logs of IIS without ARR are not read.

Limits: no process. A tunnel is logged when it has ended.`

// match reports whether head has a #Fields line that tells enough of a proxy.
func match(head []byte) bool {
	var p parser
	for line := range bytes.Lines(head) {
		line = bytes.TrimRight(line, "\r\n")
		if !bytes.HasPrefix(line, []byte("#")) {
			break
		}
		p.directive(line)
	}
	return p.columns != nil && p.missing == "" && (!p.iis || bytes.Contains(head, arrMark))
}
