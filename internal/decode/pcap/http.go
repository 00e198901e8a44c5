package pcap

import (
	"bytes"
	"encoding/base64"
	"net/netip"
	"strconv"
	"strings"

	"github.com/postern/postern/internal/event"
)

// The bounds of a request's head, of its method, and of the requests that wait
// for their status.
const (
	maxHead       = 16 << 10
	maxMethod     = 32
	maxUnanswered = 16
)

// A requests is what a connection asks of a proxy.
type requests struct {
	began      int64 // when the request that is being read did
	proxied    bool  // the server is a proxy
	direct     bool  // it is not
	unanswered []event.Request
}

// request reads the head of a request, and returns what is behind it.
func (c *conversation) request(d *decoder, f *flow, from side, data []byte) []byte {
	s := &c.streams[from]
	before := len(s.buf)
	if data = c.gather(d, from, data); data == nil {
		return nil
	}
	end := headEnd(data, max(0, before-3))
	switch {
	case end < 0 && len(data) > maxHead:
		c.stop(d, from)
		return nil
	case end < 0:
		c.keep(d, from, data)
		return nil
	}
	s.reading, s.tries = readingAnything, 0
	f.service |= serviceHTTP
	f.client(from)
	h := parseHead(data[:end])
	rest := data[end:]
	d.keepNone(s)
	if !c.http.ask(d, f, h) || h.method != "CONNECT" {
		return nil // a body
	}
	return rest
}

// headEnd returns where the head of a message ends, looking from there, or -1.
func headEnd(b []byte, from int) int {
	for i := from; i < len(b); {
		n := bytes.IndexByte(b[i:], '\n')
		if n < 0 {
			return -1
		}
		i += n + 1
		if rest := b[i:]; len(rest) > 0 && rest[0] == '\n' {
			return i + 1
		} else if bytes.HasPrefix(rest, []byte("\r\n")) {
			return i + 2
		}
	}
	return -1
}

// A head is what is read of a request's head.
type head struct {
	method, target string
	host           string // header
	proxied        bool   // there is a header that only a proxy's client sends
	user           string
}

func parseHead(b []byte) head {
	line, rest, _ := bytes.Cut(b, []byte("\n"))
	var h head
	method, target, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
	h.method = method
	h.target, _, _ = strings.Cut(target, " ")
	for line := range bytes.Lines(rest) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		h.header(strings.ToLower(string(name)), strings.TrimSpace(string(value)))
	}
	return h
}

func (h *head) header(name, value string) {
	switch name {
	case "host":
		h.host = value
	case "proxy-connection":
		h.proxied = true
	case "proxy-authorization":
		h.user = basicUser(value)
	}
}

// basicUser returns the name in credentials of the Basic scheme. The password
// goes no further.
func basicUser(value string) string {
	scheme, text, _ := strings.Cut(value, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return ""
	}
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return ""
	}
	name, _, _ := bytes.Cut(b, []byte(":"))
	return valid(name)
}

// destination returns what a request asks a proxy for. It is false for one to
// the server itself.
func (h *head) destination() (scheme, authority string, fallback uint16, ok bool) {
	if h.method == "CONNECT" {
		return "", h.target, 0, true
	}
	scheme, rest, absolute := strings.Cut(h.target, "://")
	switch scheme = strings.ToLower(scheme); {
	case absolute && scheme == "http":
		return scheme, beforePath(rest), 80, true
	case absolute && scheme == "https":
		return scheme, beforePath(rest), 443, true
	case absolute && scheme == "ftp":
		return scheme, beforePath(rest), 21, true
	}
	return "", h.host, 0, h.proxied
}

// beforePath cuts a URI behind its authority.
func beforePath(s string) string {
	if i := strings.IndexAny(s, "/?#"); i >= 0 {
		return s[:i]
	}
	return s
}

// ask takes a request. It is false for one that is not to a proxy.
func (r *requests) ask(d *decoder, f *flow, h head) bool {
	scheme, authority, fallback, ok := h.destination()
	host, port := splitAuthority(authority, fallback)
	if !ok || host == "" || len(host) > maxName {
		r.direct = !r.proxied
		return false
	}
	r.proxied = true
	if len(r.unanswered) >= maxUnanswered {
		r.tellFirst(d, 0)
	}
	r.unanswered = append(r.unanswered, event.Request{
		Sensor: sensor, Time: instant(r.began), UID: f.id(),
		Src: f.key.end(f.originator), Dst: f.key.end(f.originator.other()),
		Method: valid([]byte(h.method[:min(len(h.method), maxMethod)])), Scheme: scheme,
		Host: hostName([]byte(host)), Port: port, User: h.user,
	})
	return true
}

// splitAuthority returns the host and the port of "user@host:port" or
// "[::1]:443".
func splitAuthority(s string, fallback uint16) (host string, port uint16) {
	s = s[strings.LastIndexByte(s, '@')+1:]
	number := ""
	if inner, ok := strings.CutPrefix(s, "["); ok {
		host, number, _ = strings.Cut(inner, "]")
		number = strings.TrimPrefix(number, ":")
		if a, err := netip.ParseAddr(host); err == nil {
			host = a.WithZone("").String()
		}
	} else if host, number, ok = strings.Cut(s, ":"); ok && strings.Contains(number, ":") {
		host, number = s, "" // an IPv6 address without brackets
	}
	if n, err := strconv.ParseUint(number, 10, 16); err == nil {
		return host, uint16(n)
	}
	return host, fallback
}

// response takes the beginning of a response.
func (r *requests) response(d *decoder, b []byte) {
	const at = len("HTTP/1.1 ")
	if len(r.unanswered) == 0 || len(b) < at+3 {
		return
	}
	status, err := strconv.Atoi(string(b[at : at+3]))
	if err == nil && status >= 200 && status <= 999 { // below, another follows
		r.tellFirst(d, status)
	}
}

// tellFirst gives the request that has waited longest.
func (r *requests) tellFirst(d *decoder, status int) {
	r.unanswered[0].Status = status
	d.out.Requests = append(d.out.Requests, r.unanswered[0])
	r.unanswered = r.unanswered[1:]
}

// tell gives the requests that were not answered.
func (r *requests) tell(d *decoder) {
	for len(r.unanswered) > 0 {
		r.tellFirst(d, 0)
	}
}
