// Package zscaler reads the web logs of Zscaler Internet Access as its Nanolog
// Streaming Service (NSS) sends them to Splunk, in lines and in JSON.
package zscaler

import (
	"bytes"
	"io"

	"github.com/valyala/fastjson"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/gateway"
	"github.com/postern/postern/internal/event"
)

// Formats returns the formats of this package.
func Formats() []*decode.Format {
	return []*decode.Format{
		{
			Name: "zscaler-nss", Extensions: []string{".log"}, Match: matchLines,
			Doc: "Zscaler NSS web log, pairs with tabs between\n" + doc,
			Open: func(r io.Reader, t *decode.Tally) decode.Decoder {
				return gateway.NewDecoder(r, t, clock, func(line []byte, b *event.Batch) gateway.Verdict {
					f, ok := ofLine(line)
					if !ok {
						return gateway.Skip("no web log of NSS")
					}
					return f.request(t, b)
				})
			},
		},
		{
			Name: "zscaler-nss-json", Extensions: []string{".json"}, Match: matchObjects,
			Doc: "Zscaler Cloud NSS web log, JSON\n" + doc,
			Open: func(r io.Reader, t *decode.Tally) decode.Decoder {
				return gateway.NewObjectDecoder(r, t, clock, func(v *fastjson.Value, b *event.Batch) gateway.Verdict {
					f, ok := ofObject(v)
					if !ok {
						return gateway.Skip("no web log of NSS")
					}
					return f.request(t, b)
				})
			},
		},
	}
}

// clock is what the tally calls the times.
const clock = "NSS datetime less clienttranstime (proxy)"

const doc = `
Reads the web feed with the output format that Zscaler ships for Splunk: of NSS,
a time and pairs such as reason=Allowed, with product=NSS and vendor=Zscaler among
them; of Cloud NSS, objects with the sourcetype zscalernss-web and the same pairs
below "event". Written after the published templates; not yet seen from a live
source. The feeds in CEF and LEEF are the formats cef and leef. The comma-separated
feed names no columns, and each site chooses its own: it needs a map of columns
(formats in docs/config.md).

Gives requests: CONNECT, and those for http and https, with the client's address
before any translation (ClientIP), user, status and bytes: requestsize out,
responsesize in. Uses clienttranstime (milliseconds) as the duration. A request
that was blocked without a status counts as 403. Counted and ignored: what carried
no HTTP, such as FTP.

Times: to the second. They are taken for the end of a transaction. The feed does
not say their zone: they are taken for UTC, which is NSS's default, with a warning.

Limits: no process, no client port; the proxy is in the cloud, and its address not
logged.`

// maxHeadLines is how many lines matchLines looks at.
const maxHeadLines = 8

func matchLines(head []byte) bool {
	n := 0
	for line := range bytes.Lines(head) {
		if _, ok := ofLine(bytes.TrimRight(line, "\r\n")); ok {
			return true
		}
		if n++; n == maxHeadLines {
			break
		}
	}
	return false
}

func matchObjects(head []byte) bool {
	values := decode.NewValues(bytes.NewReader(head), 0)
	for range maxHeadLines {
		text, err := values.Next()
		if err != nil {
			return false
		}
		if v, err := fastjson.ParseBytes(text); err == nil && v.Type() == fastjson.TypeObject {
			_, ok := ofObject(v)
			return ok
		}
	}
	return false
}
