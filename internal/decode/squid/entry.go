package squid

import (
	"bytes"
	"net/netip"
	"strings"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// An entry is what a line of any layout says.
type entry struct {
	end     event.Time  // when Squid wrote the line
	elapsed event.Count // microseconds
	client  []byte      // an address, a name, or "-"
	code    []byte      // Squid's result code: "TCP_MISS"
	status  int         // of HTTP; 0 when none was sent
	bytes   event.Count // sent to the client
	method  []byte
	url     []byte
	user    []byte // as escaped by Squid; "-" for none
}

// A verdict says what became of an entry: a request where it is zero, else why
// not.
type verdict struct {
	ignored string
	skipped string
}

// The reasons to skip a line, besides that it is none of the layout.
const (
	badClient  = "client is a name"
	badElapsed = "began before the epoch"
	noHost     = "URL without a host"
	longHost   = "host too long"
)

// maxHost is the length of a host's name in bytes, from which on none is real:
// DNS has no longer ones, and Squid refuses them.
const maxHost = 255

// request makes the event of e.
func (e *entry) request() (event.Request, verdict) {
	to, v := e.target()
	if v != (verdict{}) {
		return event.Request{}, v
	}
	client, v := e.clientAddr()
	if v != (verdict{}) {
		return event.Request{}, v
	}
	begin := e.end
	if e.elapsed.Known() {
		begin -= event.Time(e.elapsed)
	}
	if begin <= 0 {
		return event.Request{}, verdict{skipped: badElapsed}
	}
	return event.Request{
		Sensor: "squid", Time: begin, Src: netip.AddrPortFrom(client, 0),
		Method: valid(e.method), Scheme: to.Scheme, Host: to.Host, Port: to.Port,
		User: user(e.user), Status: e.status,
		Volume: event.Volume{Counted: true, Duration: e.elapsed, BytesOut: event.Unknown, BytesIn: e.bytes},
	}, verdict{}
}

// target returns what was asked for.
func (e *entry) target() (decode.Target, verdict) {
	switch {
	case bytes.HasPrefix(e.code, []byte("UDP_")):
		return decode.Target{}, verdict{ignored: "squid, of another cache"}
	case bytes.HasPrefix(e.url, []byte("error:")):
		return decode.Target{}, verdict{ignored: "squid, no request"}
	case bytes.HasPrefix(e.url, []byte("/")), string(e.url) == "http://*":
		// OPTIONS * is logged so.
		return decode.Target{}, verdict{ignored: "squid, to the proxy itself"}
	}
	to, ok := decode.URITarget(e.url)
	if string(e.method) == "CONNECT" {
		to, ok = decode.AuthorityTarget(e.url), true
	}
	switch {
	case !ok:
		return to, verdict{ignored: "squid, neither http nor https"}
	case to.Host == "":
		return to, verdict{skipped: noHost}
	case len(to.Host) > maxHost:
		return to, verdict{skipped: longHost}
	}
	return to, verdict{}
}

// maxAddress is longer than any address in text.
const maxAddress = 64

// clientAddr returns the client's address: of IPv4 where that was mapped into
// IPv6, and without a zone, so that sensors agree.
func (e *entry) clientAddr() (netip.Addr, verdict) {
	if string(e.client) == "-" {
		return netip.Addr{}, verdict{ignored: "squid, of the proxy itself"}
	}
	if len(e.client) > maxAddress {
		return netip.Addr{}, verdict{skipped: badClient}
	}
	a, err := netip.ParseAddr(string(e.client))
	if err != nil {
		return a, verdict{skipped: badClient}
	}
	return a.Unmap().WithZone(""), verdict{}
}

// user returns a user's name without Squid's escapes, which are %5b for a byte
// and \\ for a backslash.
func user(b []byte) string {
	if string(b) == "-" {
		return ""
	}
	if bytes.IndexByte(b, '%') < 0 && bytes.IndexByte(b, '\\') < 0 {
		return valid(b)
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == '%' && i+2 < len(b) && isHex(b[i+1]) && isHex(b[i+2]):
			out = append(out, unhex(b[i+1])<<4|unhex(b[i+2]))
			i += 2
		case b[i] == '\\' && i+1 < len(b) && b[i+1] == '\\':
			out = append(out, '\\')
			i++
		default:
			out = append(out, b[i])
		}
	}
	return valid(out)
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// valid makes a string of b, in valid UTF-8.
func valid(b []byte) string { return strings.ToValidUTF8(string(b), "\uFFFD") }
